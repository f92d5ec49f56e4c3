"""What the commands print, and how they fail.

Results go to stdout; progress, notes and errors go to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emomelody.errors import BadInput

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

FILE_WIDTH = 240  # characters of a table's line where stdout is not a terminal


@dataclass
class Output:
    """The two consoles, and how much they print."""

    out: Console  # results
    err: Console  # progress, notes, errors
    verbose: bool = False

    def note(self, text: str) -> None:
        """Print a remark, unless ``--quiet`` is given."""
        if not self.err.quiet:
            self.err.print(escape(text), soft_wrap=True)

    def silence(self) -> None:
        """Print no progress and no notes."""
        self.err.quiet = True


def _result_console() -> Console:
    """Stdout; outside a terminal, tables take the width that they need."""
    console = Console()
    return console if console.is_terminal else Console(width=FILE_WIDTH)


output = Output(_result_console(), Console(stderr=True))


def fail(message: str, code: int) -> NoReturn:
    """Print an error as one line and exit with that code."""
    print(f"emomelody: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


def is_main_process() -> bool:
    """Whether this is the process that prints: of those that ``torchrun`` starts, the first."""
    return "TORCHELASTIC_RUN_ID" not in os.environ or os.environ.get("RANK") == "0"


def list_skipped(errors: Iterable[BadInput]) -> None:
    """Name each input that was skipped, with the reason."""
    for error in errors if is_main_process() else ():
        print(f"skipped: {error}", file=sys.stderr)


def plural(count: int, noun: str) -> str:
    """``1 melody``, ``2 melodies``; a noun in -y takes -ies."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun.removesuffix('y') + 'ies' if noun.endswith('y') else noun + 's'}"


def plain_table(title: str, columns: Iterable[str], numbers: Collection[str]) -> Table:
    """An empty table with these columns; those of ``numbers`` are aligned to the right.

    Long words, such as the paths of files, are continued on the next line.
    """
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return table


def progress_bar(*columns: ProgressColumn, transient: bool = False) -> Progress:
    """A progress bar on a terminal, nothing elsewhere: a description, these columns, the time left.

    A transient one disappears at the end.
    """
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        *columns,
        TimeRemainingColumn(),
        console=output.err,
        disable=not output.err.is_terminal,
        transient=transient,
    )
