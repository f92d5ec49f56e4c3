"""The program: its commands, the options before them, and how it ends.

Whatever is heavy to import (torch, music21, matplotlib) is imported inside the commands, so that help and
usage errors appear at once.
"""

from __future__ import annotations

import signal
import sys
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from emomelody import __version__
from emomelody.cli import place, preprocess, train
from emomelody.cli.evaluate import command as evaluate
from emomelody.cli.options import Group, Quiet, Verbose
from emomelody.cli.output import fail, is_main_process, output
from emomelody.cli.sample import command as sample
from emomelody.errors import EmomelodyError

app = typer.Typer(
    cls=Group,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
# In the order in which a newcomer needs them.
for module in (sample, place, preprocess, train, evaluate):
    module.register(app)


def main() -> NoReturn:
    """Run the installed command: every error is one line on stderr and an exit code."""
    if hasattr(signal, "SIGPIPE"):  # there is none on Windows
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end silently where the reader of a pipe has closed it
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where the caller ignores it
        signal.signal(signal.SIGINT, _interrupt)
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        fail(error.format_message(), error.exit_code)
    except typer.Abort:
        fail("stopped", 130)
    except EmomelodyError as error:
        fail(str(error), 1)
    except OSError as error:  # a full disk, a folder without permission
        what = f"{error.filename}: cannot be written to or read from" if error.filename else "cannot write"
        fail(f"{what} ({error.strerror or error})", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """End the command at the first Ctrl-C; later ones do not interrupt the clean-up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _terminate(number: int, _frame: object) -> NoReturn:
    """End the command, removing what is half written."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"emomelody {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _program(
    context: typer.Context,
    quiet: Quiet = False,
    verbose: Verbose = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Melodies with a given emotion: happy, angry, sad or relaxed.

    [bold]emomelody sample --emotion sad -n 20[/bold] writes 20 sad melodies as MIDI files
    with the bundled weights.
    """
    if not is_main_process():
        output.silence()
        output.out.quiet = True
    if context.invoked_subcommand is None:
        print(context.get_help())
