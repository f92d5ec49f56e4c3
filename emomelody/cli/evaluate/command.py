"""``emomelody evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emomelody.cli.evaluate.listening import analyse_answers, check_alone
from emomelody.cli.evaluate.listening_test import TEST_MELODIES, check_listening_test, write_listening_test
from emomelody.cli.evaluate.options import (
    DEFAULT_MODEL,
    AnswersOption,
    DataArgument,
    GeneratedOption,
    JudgeDataOption,
    ListeningTestOption,
    MeterOption,
    ModelsOption,
    NumOption,
    PlainOption,
    ReportOption,
    SeedOption,
    SeedsOption,
    StyleOption,
)
from emomelody.cli.evaluate.real_data import RealData
from emomelody.cli.inputs import load_data, load_weights
from emomelody.cli.options import STDOUT, Command, Quiet, UsageError, Verbose, given_options
from emomelody.cli.output import output, plural, progress_bar
from emomelody.cli.result_files import (
    CsvFileOption,
    ForceOption,
    JsonFileOption,
    check_new,
    check_result_files,
    write_result,
)
from emomelody.errors import BadInput
from emomelody.music.meter import Meter
from emomelody.music.style import Style

if TYPE_CHECKING:
    from rich.console import Console

    from emomelody.data.dataset import Dataset
    from emomelody.evaluation.evaluate import Evaluation


REPORT = "report.html"
EXAMPLES = """
Examples:

emomelody evaluate --model emoreg

emomelody evaluate --style folk --meter 6/8

emomelody evaluate --generated their-melodies --report report

emomelody evaluate --listening-test test.html -n 5

emomelody evaluate --answers answers --csv answers.csv
"""


def evaluate(
    context: typer.Context,
    models: ModelsOption = None,
    generated: GeneratedOption = None,
    listening_test: ListeningTestOption = None,
    answers: AnswersOption = None,
    data: DataArgument = None,
    style: StyleOption = None,
    meter: MeterOption = Meter.FOUR_FOUR,
    judge_data: JudgeDataOption = None,
    num: NumOption = 250,
    seed: SeedOption = 0,
    seeds: SeedsOption = 1,
    plain: PlainOption = False,
    report: ReportOption = None,
    json_file: JsonFileOption = None,
    csv_file: CsvFileOption = None,
    force: ForceOption = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Evaluate models or another system's melodies, write a listening test, or analyse its answers.

    Is the emotion right? Are the melodies close to real ones, and new?
    Can they be told from real ones? Does the plane work?

    Prints a verdict; -v adds every table, also the paper's tables 2 and 3.
    """
    if answers:
        check_alone(context)
        analyse_answers(answers, json_file, csv_file, force=force)
        return
    real = RealData(data, Style(style) if style else None, Meter(meter), judge_data)
    names = models or [DEFAULT_MODEL]
    if listening_test:
        number = num if "num" in given_options(context) else TEST_MELODIES
        check_listening_test(context)
        write_listening_test(listening_test, names, real, number, seed, plain=plain, force=force)
        return
    if plain:
        raise UsageError("--plain is for a listening test: it needs --listening-test")
    sampling = {"models": "--model", "num": "--num", "seed": "--seed", "seeds": "--seeds"}
    ignored = [flag for option, flag in sampling.items() if option in given_options(context)]
    if generated and ignored:
        raise UsageError(f"--generated takes its melodies from a folder: leave out {', '.join(ignored)}")
    check_result_files(json_file, csv_file, force=force)  # before minutes of work
    if report:
        _check_report(report, force)
    if generated:
        evaluations, dataset = _evaluate_generated(generated, real)
    else:
        seed_range = range(seed, seed + seeds)
        evaluations, dataset = _evaluate_models(names, real, num, seed_range)
    try:  # the files first: a reader of the tables may close the pipe
        _write_files(evaluations, dataset, json_file, csv_file, report)
    finally:  # the tables are worth seeing even if the disk is full
        _print(evaluations, output.err if STDOUT in (json_file, csv_file) else output.out)
    if report:
        output.note(f"Wrote the report to {report / REPORT}")


def _check_report(folder: Path, force: bool) -> None:
    """Raise BadInput for a report that cannot be written, or that exists without ``--force``."""
    check_new(folder / REPORT, force=force)
    if folder.exists() and not folder.is_dir():
        raise BadInput(folder, "is a file: choose a folder for the report")


def _evaluate_generated(generated: Path, real: RealData) -> tuple[list[Evaluation], Dataset]:
    from emomelody.evaluation import evaluate as library

    scored, dataset = load_data(generated, meter=real.meter, to_c=True), real.load()
    if scored.transposed:
        output.note(
            f"{scored.transposed} of {plural(len(scored), 'melody')} transposed to C by the key signature in"
            f" {'its file' if scored.transposed == 1 else 'their files'}"
        )
    judges = real.load_judges()
    with output.err.status("measuring"):
        name = generated.name or "generated"
        return [library.evaluate_generated(scored, dataset, judges, name=name)], dataset


def _evaluate_models(
    names: list[str], real: RealData, per_emotion: int, seeds: range
) -> tuple[list[Evaluation], Dataset]:
    from emomelody.evaluation import evaluate as library
    from emomelody.evaluation.reference import default_windows, learned_style

    checkpoints = {name: load_weights(name) for name in names}
    for checkpoint in checkpoints.values():  # before minutes of work
        learned_style(checkpoint, real.style, real.meter)
    dataset = real.load(default_windows([c.name for c in checkpoints.values()]))
    judges = real.load_judges()
    with progress_bar() as progress:
        task = progress.add_task("evaluating", total=library.step_count(len(checkpoints), len(seeds)))
        evaluations = library.evaluate_models(
            checkpoints,
            dataset,
            judges,
            per_emotion=per_emotion,
            seeds=seeds,
            on_step=lambda step: progress.update(task, advance=1, description=step),
        )
    return evaluations, dataset


def _write_files(
    evaluations: list[Evaluation],
    dataset: Dataset,
    json_file: Path | None,
    csv_file: Path | None,
    report: Path | None,
) -> None:
    from emomelody.evaluation.presentation.report import write_report
    from emomelody.evaluation.presentation.tables import to_csv

    systems = [evaluation.figures for evaluation in evaluations]
    if json_file:
        write_result(json_file, json.dumps({"systems": systems}, indent=1) + "\n")
    if csv_file:
        write_result(csv_file, to_csv(systems))
    if report:
        names = ", ".join(evaluation.name for evaluation in evaluations)
        heading = f"{names} against {len(dataset):,} {dataset.style} melodies in {dataset.meter}"
        write_report(evaluations, dataset.labels, report / REPORT, heading=heading)


def _print(evaluations: list[Evaluation], console: Console) -> None:
    """Print the verdict, with ``--verbose`` all tables too, and what a reader has to know."""
    from emomelody.evaluation.presentation.report import notes
    from emomelody.evaluation.presentation.tables import sheets
    from emomelody.evaluation.presentation.verdict import verdict

    systems = [evaluation.figures for evaluation in evaluations]
    for sheet in [verdict(systems), *(sheets(systems) if output.verbose else [])]:
        console.print(sheet.to_rich())
    for line in notes(evaluations):
        output.note(line)
    if not output.verbose:
        output.note("-v shows every table; --report FOLDER writes them with definitions and pictures")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(cls=Command, epilog=EXAMPLES)(evaluate)
