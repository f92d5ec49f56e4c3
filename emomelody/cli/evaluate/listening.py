"""``emomelody evaluate --answers``: the analysis of a listening test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emomelody.cli.options import STDOUT, UsageError, given_options
from emomelody.cli.output import fail, list_skipped, output, plural
from emomelody.cli.result_files import check_result_files, write_result

if TYPE_CHECKING:
    from emomelody.evaluation.statistics import Figures

BESIDE = {"answers", "json_file", "csv_file", "force", "quiet", "verbose"}  # options that can be combined


def check_alone(context: typer.Context) -> None:
    """Raise UsageError where other options are given that ``--answers`` has no use for."""
    flags = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    ignored = [flag for name, flag in flags.items() if name in given_options(context) - BESIDE]
    if ignored:
        raise UsageError(f"--answers takes everything from its folder: leave out {', '.join(ignored)}")


def analyse_answers(folder: Path, json_file: Path | None, csv_file: Path | None, *, force: bool) -> None:
    """Analyse the answers in a folder; those that cannot be used are named.

    Exits with 1 where a file is damaged, or where there is nothing to analyse.
    """
    from emomelody.evaluation.listening.analysis import evaluate_answers
    from emomelody.evaluation.listening.answers import read_answers

    check_result_files(json_file, csv_file, force=force)
    answers = read_answers(folder)
    if answers.files:
        _report(evaluate_answers(answers.files), json_file, csv_file)
    for file in answers.half_finished:
        output.note(f"half-finished, not used: {file.path} ({len(file.answers)} of {file.total} answers)")
    list_skipped(answers.bad)
    if answers.bad:
        count = len(answers.files) + len(answers.half_finished) + len(answers.bad)
        fail(f"{len(answers.bad)} of {plural(count, 'file')} of answers could not be used", 1)
    if not answers.files:
        fail(f"{folder}: no finished file of answers to analyse", 1)


def _report(figures: Figures, json_file: Path | None, csv_file: Path | None) -> None:
    """Write the files and print the tables; to stderr if stdout holds a file."""
    from emomelody.evaluation.listening.tables import confusions, summary, to_csv

    try:  # the files first: a reader of the tables may close the pipe
        if json_file:
            write_result(json_file, json.dumps(figures, indent=1) + "\n")
        if csv_file:
            write_result(csv_file, to_csv(figures))
    finally:  # the tables are worth seeing even if the disk is full
        console = output.err if STDOUT in (json_file, csv_file) else output.out
        for sheet in (summary(figures), *(confusions(figures) if output.verbose else [])):
            console.print(sheet.to_rich())
    if not output.verbose:
        output.note("-v shows the confusion matrices")
