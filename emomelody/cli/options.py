"""Option types that the commands share: numbers with their ranges, quiet and verbose, and the help they show.

Numbers are parsed here rather than by Typer, so that ``--help`` shows plain types and an error says in plain
words what the option takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from emomelody.cli.output import output
from emomelody.errors import BadInput, EmomelodyError
from emomelody.sampling.request import MAX_SEED

STDOUT = Path("-")


class UsageError(TyperException):
    """Options that make no sense, alone or together."""

    exit_code = 2


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn the library's errors about values into usage errors; those about files (BadInput) stay."""
    try:
        yield
    except BadInput:
        raise
    except EmomelodyError as error:
        raise UsageError(str(error)) from error


def whole_number(least: int, most: float = math.inf) -> Callable[[str], int]:
    """A parser of whole numbers from ``least`` to ``most``, for ``typer.Option(parser=…)``."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise typer.BadParameter(f"'{text}' is not a whole number{_range(least, most)}") from None
        if not least <= number <= most:
            raise typer.BadParameter(f"{number} is not a whole number{_range(least, most)}")
        return number

    return parse


def real_number(
    least: float = -math.inf, most: float = math.inf, *, above: bool = False
) -> Callable[[str], float]:
    """A parser of numbers from ``least``, or ``above`` it, to ``most``, for ``typer.Option(parser=…)``."""

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise typer.BadParameter(f"'{text}' is not a number{_range(least, most, above)}") from None
        if not least <= number <= most or (above and number == least):
            raise typer.BadParameter(f"{text} is not a number{_range(least, most, above)}")
        return number

    return parse


seed_number = whole_number(0, MAX_SEED)


def choice(*names: str) -> Callable[[str], str]:
    """A parser of one of several names in any case, for ``typer.Option(parser=…)``."""

    def parse(text: str) -> str:
        if text.lower() not in names:
            raise typer.BadParameter(f"'{text}' is not one of {', '.join(names)}")
        return text.lower()

    return parse


def panel_option(panel: str, metavar: str | None, help: str, *flags: str, **more: Any) -> Any:
    """An option in a panel of the help."""
    return typer.Option(*flags, metavar=metavar, help=help, rich_help_panel=panel, **more)


def _range(least: float, most: float, above: bool = False) -> str:
    if above:
        return f" above {least:,}" + ("" if most == math.inf else f", up to {most:,}")
    if most == math.inf:
        return "" if least == -math.inf else f" of {least:,} or more"
    return f" from {least:,} to {most:,}"


def _set_quiet(quiet: bool) -> None:
    if quiet:
        output.silence()


def _set_verbose(verbose: bool) -> None:
    if verbose:
        output.verbose = True


# Given before or after the command's name; their callbacks do the work.
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", callback=_set_quiet, help="Print results only, no progress and no notes."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", callback=_set_verbose, help="Print more.")]


class Command(TyperCommand):
    """A command whose help shows plain types."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The command's parameters, including ``--help``."""
        return _with_plain_types(super().get_params(ctx))


class Group(TyperGroup):
    """The same for the program as a whole."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The program's own parameters, including ``--help``."""
        return _with_plain_types(super().get_params(ctx))


def _with_plain_types(parameters: list[Any]) -> list[Any]:
    """The parameters, with no type shown beside flags, which take no value, and arguments."""
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None
    return parameters


def given_options(context: typer.Context) -> set[str]:
    """The names of the parameters that were given on the command line."""
    sources = {option: context.get_parameter_source(option) for option in context.params}
    return {option for option, source in sources.items() if source and source.name == "COMMANDLINE"}
