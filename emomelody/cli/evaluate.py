"""``emomelody evaluate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emomelody.cli.inputs import evaluation_data, load_data, load_weights
from emomelody.cli.options import (
    STDOUT,
    Command,
    Quiet,
    UsageError,
    Verbose,
    given_options,
    seed_number,
    whole_number,
)
from emomelody.cli.output import output, plural, progress_bar
from emomelody.errors import BadInput
from emomelody.files import write_whole

if TYPE_CHECKING:
    from rich.console import Console

    from emomelody.data.dataset import Dataset
    from emomelody.evaluation.evaluate import Evaluation


REPORT = "report.html"
DEFAULT_MODEL = "emoreg-va"
SYSTEMS, DATA, SAMPLING, OUTPUT = "Systems", "Data", "Sampling", "Output"  # panels of the help
EXAMPLES = """
Examples:

emomelody evaluate --model emoreg

emomelody evaluate --generated their-melodies --report report
"""


ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="emoreg-va, emoreg, base, a weights file or a run folder. Repeat it to compare several.",
        show_default=DEFAULT_MODEL,
        rich_help_panel=SYSTEMS,
    ),
]
GeneratedOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Evaluate the MIDI files in this folder's e1 … e4 instead of a model, transposed to C by"
        " their key signatures.",
        show_default=False,
        rich_help_panel=SYSTEMS,
    ),
]
DataArgument = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Real melodies to compare with, a folder with e1 … e4 of MIDI files.",
        show_default="data, else the chorales, built once",
        rich_help_panel=DATA,
    ),
]
JudgeDataOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Fit and check the judges of emotion on this folder with e1 … e4.",
        show_default="the melodies of --data that the model was not trained on",
        rich_help_panel=DATA,
    ),
]
NumOption = Annotated[
    int,
    typer.Option(
        "--num",
        "-n",
        parser=whole_number(1),
        metavar="N",
        help="Melodies per emotion, of each seed. Closeness depends on it: compare figures of the same"
        " number.",
        rich_help_panel=SAMPLING,
    ),
]
SeedOption = Annotated[
    int,
    typer.Option(parser=seed_number, metavar="N", help="The first seed.", rich_help_panel=SAMPLING),
]
SeedsOption = Annotated[
    int,
    typer.Option(
        parser=whole_number(1, 1000),
        metavar="N",
        help="Number of seeds; with several, figures are mean ± standard deviation.",
        rich_help_panel=SAMPLING,
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Write report.html into this folder: every table with definitions and pictures.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
JsonFileOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write all figures as JSON, to stdout if FILE is -.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
CsvFileOption = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        help="Write all figures as CSV, to stdout if FILE is -.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace existing files.", rich_help_panel=OUTPUT)]


def evaluate(
    context: typer.Context,
    models: ModelsOption = None,
    generated: GeneratedOption = None,
    data: DataArgument = None,
    judge_data: JudgeDataOption = None,
    num: NumOption = 250,
    seed: SeedOption = 0,
    seeds: SeedsOption = 1,
    report: ReportOption = None,
    json_file: JsonFileOption = None,
    csv_file: CsvFileOption = None,
    force: ForceOption = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Evaluate models, or melodies of another system.

    Is the emotion right? Are the melodies close to real ones, and new? Can they be told from real ones? Does
    the plane work?

    Prints a verdict; -v adds every table, also the paper's tables 2 and 3.
    """
    sampling = {"models": "--model", "num": "--num", "seed": "--seed", "seeds": "--seeds"}
    ignored = [flag for option, flag in sampling.items() if option in given_options(context)]
    if generated and ignored:
        raise UsageError(f"--generated takes its melodies from a folder: leave out {', '.join(ignored)}")
    if json_file == csv_file == STDOUT:
        raise UsageError("--json and --csv cannot both go to stdout: name a file for one of them")
    _check_files(json_file, csv_file, report, force)  # before minutes of work
    if generated:
        evaluations, dataset = _evaluate_generated(generated, data, judge_data)
    else:
        chosen = models or [DEFAULT_MODEL]
        evaluations, dataset = _evaluate_models(chosen, data, judge_data, num, range(seed, seed + seeds))
    try:  # the files first: a reader of the tables may close the pipe
        _write_files(evaluations, dataset, json_file, csv_file, report)
    finally:  # the tables are worth seeing even if the disk is full
        _print(evaluations, output.err if STDOUT in (json_file, csv_file) else output.out)
    if report:
        output.note(f"Wrote the report to {report / REPORT}")


def _check_files(json_file: Path | None, csv_file: Path | None, report: Path | None, force: bool) -> None:
    """Raise BadInput for an output that cannot be written, or that exists without ``--force``."""
    files = [file for file in (json_file, csv_file) if file and file != STDOUT]
    for file in (*files, report and report / REPORT):
        if file and file.exists() and not force:
            raise BadInput(file, "exists already: choose another name, or add --force")
    for file in files:
        if not file.parent.is_dir():
            raise BadInput(file, f"cannot be written: there is no folder {file.parent}")
    if report and report.exists() and not report.is_dir():
        raise BadInput(report, "is a file: choose a folder for the report")


def _evaluate_generated(
    generated: Path, data: Path | None, judge_data: Path | None
) -> tuple[list[Evaluation], Dataset]:
    from emomelody.evaluation import evaluate as library

    scored, dataset = load_data(generated, to_c=True), evaluation_data(data)
    if scored.transposed:
        output.note(
            f"{scored.transposed} of {plural(len(scored), 'melody')} transposed to C by the key signature in"
            f" {'its file' if scored.transposed == 1 else 'their files'}"
        )
    judges = load_data(judge_data) if judge_data else None
    with output.err.status("measuring"):
        name = generated.name or "generated"
        return [library.evaluate_generated(scored, dataset, judges, name=name)], dataset


def _evaluate_models(
    names: list[str], data: Path | None, judge_data: Path | None, per_emotion: int, seeds: range
) -> tuple[list[Evaluation], Dataset]:
    from emomelody.evaluation import evaluate as library
    from emomelody.evaluation.reference import default_windows

    checkpoints = {name: load_weights(name) for name in names}
    dataset = evaluation_data(data, default_windows([c.name for c in checkpoints.values()]))
    judges = load_data(judge_data) if judge_data else None
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
        _write(json_file, json.dumps({"systems": systems}, indent=1) + "\n")
    if csv_file:
        _write(csv_file, to_csv(systems))
    if report:
        heading = f"{', '.join(e.name for e in evaluations)} against {len(dataset):,} real melodies"
        write_report(evaluations, dataset.labels, report / REPORT, heading=heading)


def _write(file: Path, text: str) -> None:
    if file == STDOUT:
        sys.stdout.write(text)
    else:
        write_whole(file, text.encode("utf-8"))


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
