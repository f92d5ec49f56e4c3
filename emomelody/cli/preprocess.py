"""``emomelody preprocess``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emomelody.cli.inputs import check_data_folder, run_preprocess
from emomelody.cli.options import MAX_SEED, Command, Quiet, Verbose
from emomelody.cli.output import fail, list_skipped, output
from emomelody.errors import BadInput, EmomelodyError

if TYPE_CHECKING:
    pass

EXAMPLES = """
Examples:

emomelody preprocess

emomelody preprocess my-songs --labels labels.csv -o mine
"""


def preprocess(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Files or folders of MIDI (.mid, .midi) or MusicXML (.xml, .musicxml, .mxl). "
            "None: the Bach chorales that come with music21.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to make.")] = Path("data"),
    windows: Annotated[
        Literal["first", "all"],
        typer.Option(
            help="Four-bar windows of each piece: the first, from its very beginning,"
            " or all, from barline to barline."
        ),
    ] = "all",
    labels: Annotated[
        Path | None,
        typer.Option(help="A CSV file with the columns file,emotion.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Chooses the held-out tunes.")] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes; by default one per core.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make training data: melodies in C with an emotion each, in data/e1 … e4 and data/manifest.csv.

    Labels come from --labels, else from a parent folder named after an emotion, else from a rule:
    more than ten onsets are aroused, more notes of C major than of C minor are positive.
    """
    from emomelody.data import labels as data_labels
    from emomelody.data.windows import Windows
    from emomelody.evaluation import tables

    listed = data_labels.read_labels(labels) if labels else {}
    bad: list[BadInput] = []
    if sources:
        found, bad, unused = data_labels.file_sources(sources, listed)
        if not found:
            raise EmomelodyError("; ".join(str(error) for error in bad))
        if unused:
            output.note(f"{len(unused)} labels match no file, e.g. {min(unused)}")
    else:
        if labels:
            raise EmomelodyError("--labels needs a SOURCE to label")
        found = data_labels.chorale_sources()
    check_data_folder(out, force)
    report = run_preprocess(found, out, Windows(windows), seed, jobs)
    output.out.print(tables.preprocess_table(report, out))
    if output.verbose:
        for source, reasons in report.skipped_by_source.items():
            listed_reasons = ", ".join(f"{reason}: {count}" for reason, count in reasons.items())
            output.note(f"{source}: {listed_reasons}")
    bad += report.bad
    list_skipped(bad)
    if bad:
        fail(f"{len(bad)} of the sources could not be used; the others are in {out}", 1)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(cls=Command, epilog=EXAMPLES)(preprocess)
