"""``emomelody place``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from emomelody.cli.inputs import load_weights
from emomelody.cli.options import STDOUT, Command, Quiet, Verbose
from emomelody.cli.output import fail, list_skipped, output, plain_table, plural, progress_bar
from emomelody.cli.result_files import (
    CsvFileOption,
    ForceOption,
    JsonFileOption,
    check_result_files,
    write_result,
)
from emomelody.emotions.emotion import describe
from emomelody.errors import BadInput

if TYPE_CHECKING:
    from emomelody.data.sources import Source
    from emomelody.weights.checkpoint import Checkpoint

Row = dict[str, Any]  # what is known of a piece, by ``COLUMNS``; None where it has none

COLUMNS = ("file", "tune", "bars", "meter", "key", "mode", "tempo", "valence", "arousal", "emotion")
DIGITS = 4  # after the decimal point, in files
MANY = 20  # pieces, from which on they take long enough to show a progress bar
NOTHING = "–"
EXAMPLES = """
Examples:

emomelody place song.mid

emomelody place my-songs --csv places.csv

emomelody place reels.abc --json - -q
"""

FilesArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        help="MIDI (.mid, .midi), MusicXML (.xml, .musicxml, .mxl) or ABC (.abc, one or more tunes), or"
        " folders of such files.",
        show_default=False,
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model", "-m", metavar="NAME", help="emoreg-va, or a weights file or run folder of its kind."
    ),
]


def place(
    files: FilesArgument,
    model: ModelOption = "emoreg-va",
    json_file: JsonFileOption = None,
    csv_file: CsvFileOption = None,
    force: ForceOption = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show where melodies lie on the plane of valence and arousal.

    The point of a piece is the mean of those of its blocks of four bars,
    from its first note on; those of extreme pieces lie beyond -1 or 1. Of
    chords the melody is read, of an ABC file every tune.

    Prints a table: bars, meter (2/2 and 2/4 are read as 4/4), key (found in
    the notes where the file names none), tempo in quarter notes per minute,
    and the emotion of the point's quadrant.
    """
    from emomelody.data.sources import find_sources
    from emomelody.sampling.own import encoder_config

    check_result_files(json_file, csv_file, force=force)
    checkpoint = load_weights(model)
    encoder_config(checkpoint)  # raises for a model that cannot place melodies
    found = find_sources(files, {})
    rows, unread = _place_all(found.sources, checkpoint)
    bad = [*found.bad, *unread]
    if rows:
        _report(rows, json_file, csv_file)
    elif len(bad) == 1:
        raise bad[0]
    list_skipped(bad)
    if bad:
        fail(f"{len(bad)} of {plural(len(rows) + len(bad), 'piece')} could not be placed", 1)


def _place_all(sources: Sequence[Source], checkpoint: Checkpoint) -> tuple[list[Row], list[BadInput]]:
    """The pieces that could be placed, and why others could not."""
    from rich.progress import BarColumn

    rows, bad = [], []
    with progress_bar(BarColumn(), transient=True) as progress:
        task = progress.add_task("placing", total=len(sources), visible=len(sources) >= MANY)
        for source in sources:
            try:
                rows.append(_place(source, checkpoint))
            except BadInput as error:
                bad.append(error)
            progress.advance(task)
    return rows, bad


def _place(source: Source, checkpoint: Checkpoint) -> Row:
    """What is known of a piece. Raises BadInput for one that cannot be read, or in another meter."""
    from emomelody.data.user_tune import read_tune
    from emomelody.sampling.own import OwnTune

    tune = read_tune(source.path, checkpoint.meters, source.tune)
    centre = OwnTune.of(checkpoint, tune.from_its_first_note, tune.mode).centre
    valence, arousal = checkpoint.plane.to_point(centre)
    tempo = tune.setting.tempo
    return {
        "file": str(source.path),
        "tune": source.tune.number if source.tune else None,
        "bars": tune.melody.bars,
        "meter": str(tune.melody.meter),
        "key": tune.key.name if tune.key else None,
        "mode": tune.mode,
        "tempo": None if tempo is None else round(tempo, DIGITS),
        "valence": round(valence, DIGITS),
        "arousal": round(arousal, DIGITS),
        "emotion": describe(valence, arousal),
    }


def _report(rows: Sequence[Row], json_file: Path | None, csv_file: Path | None) -> None:
    """Write the files and print the table; to stderr if stdout holds a file."""
    try:  # the files first: a reader of the table may close the pipe
        if json_file:
            write_result(json_file, json.dumps(rows, indent=1) + "\n")
        if csv_file:
            write_result(csv_file, _to_csv(rows))
    finally:  # the table is worth seeing even if the disk is full
        console = output.err if STDOUT in (json_file, csv_file) else output.out
        console.print(_table(rows))


def _to_csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _table(rows: Sequence[Row]) -> Table:
    """The rows as a table; the number of a tune follows its file, the mode is part of the key."""
    numbers = ("bars", "tempo", "valence", "arousal")
    columns = [column for column in COLUMNS if column not in ("tune", "mode")]
    table = plain_table(f"Placed {plural(len(rows), 'piece')}", columns, numbers)
    for row in rows:
        table.add_row(
            escape(row["file"] + ("" if row["tune"] is None else f"#{row['tune']}")),
            str(row["bars"]),
            row["meter"],
            row["key"] or NOTHING,
            NOTHING if row["tempo"] is None else f"{row['tempo']:.0f}",
            f"{row['valence']:+.2f}",
            f"{row['arousal']:+.2f}",
            row["emotion"],
        )
    return table


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(cls=Command, epilog=EXAMPLES)(place)
