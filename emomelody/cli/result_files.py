"""The files to which commands write what they have found: ``--json``, ``--csv`` and ``--force``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from emomelody.cli.options import STDOUT, UsageError, panel_option
from emomelody.errors import BadInput
from emomelody.files import write_whole

OUTPUT = "Output"  # panel of the help

JsonFileOption = Annotated[
    Path | None,
    panel_option(
        OUTPUT, "FILE", "Write all results as JSON, to stdout if FILE is -.", "--json", show_default=False
    ),
]
CsvFileOption = Annotated[
    Path | None,
    panel_option(
        OUTPUT, "FILE", "Write all results as CSV, to stdout if FILE is -.", "--csv", show_default=False
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace existing files.", rich_help_panel=OUTPUT)]


def check_result_files(json_file: Path | None, csv_file: Path | None, *, force: bool) -> None:
    """Raise UsageError where both go to stdout, BadInput for one that cannot be written.

    Without ``force``, a file that exists cannot.
    """
    if json_file == csv_file == STDOUT:
        raise UsageError("--json and --csv cannot both go to stdout: name a file for one of them")
    for file in (json_file, csv_file):
        if file and file != STDOUT:
            check_new(file, force=force)
            if not file.parent.is_dir():
                raise BadInput(file, f"cannot be written: there is no folder {file.parent}")


def check_new(file: Path, *, force: bool) -> None:
    """Raise BadInput for a file that exists, unless ``force`` is given."""
    if file.exists() and not force:
        raise BadInput(file, "exists already: choose another name, or add --force")


def write_result(file: Path, text: str) -> None:
    """Write a file, or to stdout. Raises BadInput if it cannot be written."""
    if file == STDOUT:
        sys.stdout.write(text)
    else:
        write_whole(file, text.encode("utf-8"))
