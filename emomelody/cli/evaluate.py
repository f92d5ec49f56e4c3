"""``emomelody evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emomelody.cli.inputs import evaluation_data, load_data, load_weights
from emomelody.cli.options import MAX_SEED, Command, Quiet, Verbose
from emomelody.cli.output import output, progress_bar
from emomelody.errors import BadInput, EmomelodyError
from emomelody.files import write_whole

if TYPE_CHECKING:
    pass


REPORT = "report.html"

EXAMPLES = """
Examples:

emomelody evaluate --model emoreg

emomelody evaluate --generated their-melodies --report report
"""


def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="emoreg-va, emoreg, base, a weights file or a run folder; several stand side by side.",
            show_default="emoreg-va",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="A folder with e1 … e4 of MIDI files.",
            show_default="data, else the chorales, built once",
        ),
    ] = None,
    judge_data: Annotated[
        Path | None,
        typer.Option(
            help="Fit and measure the judges of emotion on this folder with e1 … e4 instead.",
            show_default="what the model has not learned from",
        ),
    ] = None,
    generated: Annotated[
        Path | None,
        typer.Option(
            help="Score the MIDI files in this folder's e1 … e4 instead of a model.",
            show_default=False,
        ),
    ] = None,
    num: Annotated[int, typer.Option("--num", "-n", min=1, help="Melodies per emotion.")] = 250,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Of the melodies.")] = 0,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="So many seeds, from --seed on: mean ± deviation.")
    ] = 1,
    report: Annotated[
        Path | None,
        typer.Option(help="Also write report.html and its pictures into this folder.", show_default=False),
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Also write all figures to this file.", show_default=False),
    ] = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", help="Also write all figures to this table.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace these files.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure models: is the emotion right, the melody new, does it sound like the data, is the plane true.

    Prints the paper's tables 2 and 3 with its own figures beside ours, and what it does not ask.
    --report defines every figure.
    """
    if generated and (models or seed or seeds > 1):
        raise EmomelodyError("--generated needs no model and no seeds: leave out --model, --seed and --seeds")
    for file in (json_file, csv_file, report and report / REPORT):  # before minutes of work, not after
        if file and file.exists() and not force:
            raise BadInput(file, "is there already: choose another name, or add --force")
    for file in (json_file, csv_file):
        if file and not file.parent.is_dir():
            raise BadInput(file, f"cannot be written: there is no folder {file.parent}")
    if report and report.exists() and not report.is_dir():
        raise BadInput(report, "is a file, and the report needs a folder")
    from emomelody.evaluation import evaluate as library
    from emomelody.evaluation import report as page
    from emomelody.evaluation import tables
    from emomelody.models.checkpoint import VA

    if generated:
        scored, dataset = load_data(generated), evaluation_data(data)
        judges = load_data(judge_data) if judge_data else None
        with output.err.status("measuring"):
            name = generated.name or "generated"
            evaluations = [library.evaluate_generated(scored, dataset, judges, name=name)]
    else:
        checkpoints = {name: load_weights(name) for name in models or ["emoreg-va"]}
        ours = any(checkpoint.name == VA for checkpoint in checkpoints.values())
        dataset = evaluation_data(data, "all" if ours else "first")
        judges = load_data(judge_data) if judge_data else None
        with progress_bar() as progress:
            total = library.model_steps(len(checkpoints), seeds)
            task = progress.add_task("evaluating", total=total)
            evaluations = library.evaluate_models(
                checkpoints,
                dataset,
                judges,
                per_emotion=num,
                seeds=range(seed, seed + seeds),
                on_step=lambda what: progress.update(task, advance=1, description=what),
            )
    figures = {"systems": [evaluation.figures for evaluation in evaluations]}
    try:  # the files first: who reads the tables may close the pipe
        if json_file:
            write_whole(json_file, (json.dumps(figures, indent=1) + "\n").encode("utf-8"))
        if csv_file:
            write_whole(csv_file, tables.to_csv(figures["systems"]).encode("utf-8"))
        if report:
            heading = f"{', '.join(e.name for e in evaluations)} beside {len(dataset)} melodies"
            page.write_report(evaluations, dataset.labels, report / REPORT, heading=heading)
    finally:  # where the disk is full they are still worth seeing
        for sheet in tables.sheets(figures["systems"]):
            output.out.print(sheet.to_rich())
        for line in page.notes(evaluations):
            output.note(line)
    if report:
        output.note(f"report: {report / REPORT}")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(cls=Command, epilog=EXAMPLES)(evaluate)
