"""The options of ``evaluate``: types with their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emomelody.cli.options import choice, seed_number, whole_number
from emomelody.cli.result_files import OUTPUT
from emomelody.music.meter import Meter
from emomelody.music.style import Style

DEFAULT_MODEL = "emoreg-va"
SYSTEMS, DATA, SAMPLING = "Systems", "Data", "Sampling"  # panels of the help

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
        show_default="data, else the chorales, or the folk tunes for --style folk or 6/8, built once",
        rich_help_panel=DATA,
    ),
]
AnswersOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Analyse the answers of a listening test instead: the JSON files that listeners sent.",
        show_default=False,
        rich_help_panel=SYSTEMS,
    ),
]
ListeningTestOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write an HTML page for a listening test instead: melodies of the models and real ones, blind,"
        " with questions. Listeners send a file of answers, for --answers.",
        show_default=False,
        rich_help_panel=SYSTEMS,
    ),
]
PlainOption = Annotated[
    bool,
    typer.Option(
        "--plain",
        help="Play the melodies of a listening test without expression: 120 BPM, one loudness.",
        rich_help_panel=SAMPLING,
    ),
]
StyleOption = Annotated[
    str | None,
    typer.Option(
        parser=choice(*Style),
        metavar="NAME",
        help="The style of the melodies: chorale, folk or own (your files).",
        show_default="the first that the data has in the meter",
        rich_help_panel=DATA,
    ),
]
MeterOption = Annotated[
    str,
    typer.Option(
        parser=choice(*Meter),
        metavar="METER",
        help="The meter of the melodies: 4/4, 3/4 or 6/8. base and emoreg make 4/4 alone.",
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
        help="Melodies per emotion, of each seed; in a listening test of each system. Closeness depends on"
        " it: compare figures of the same number.",
        show_default="250; 3 in a listening test",
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
        help="Write report.html into this folder: tables with definitions, pictures, melodies to hear.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
