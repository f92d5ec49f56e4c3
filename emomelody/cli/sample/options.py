"""The options of ``sample``: types with their help, and ``Options`` with their values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from emomelody.cli.options import panel_option, real_number, seed_number, usage_errors, whole_number
from emomelody.cli.output import output
from emomelody.cli.sample.report import words_table
from emomelody.music.key import parse_key
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.sampling.request import GRIDS


def _parse_style(text: str) -> Style:
    with usage_errors():
        return Style.parse(text)


def _parse_meter(text: str) -> Meter:
    with usage_errors():
        return Meter.parse(text)


def _list_words(emotions: list[str] | None) -> list[str] | None:
    """Print the words for emotions, and end the command, where ``list`` is among them."""
    if "list" in map(str.lower, emotions or []):
        output.out.print(words_table())
        raise typer.Exit
    return emotions


_in_emotion = partial(panel_option, "Emotion", show_default=False)
_in_file = partial(panel_option, "Your own melody", show_default=False)
_in_tune = partial(panel_option, "Tune")
_in_sampling = partial(panel_option, "Sampling")

Emotions = Annotated[
    list[str] | None,
    _in_emotion(
        "NAME",
        "happy, angry, sad or relaxed (also e1–e4, Q1–Q4), or another word such as gloomy ('list' shows all);"
        " may be repeated.",
        "--emotion",
        "-e",
        callback=_list_words,
    ),
]
Point = Annotated[
    str | None,
    _in_emotion("V,A", "A point instead: valence and arousal from -1 to 1, such as -0.5,0.4."),
]
PathText = Annotated[
    str | None,
    _in_emotion(
        "TEXT",
        "A path instead: emotions or points at bars from 0 on, such as 'sad@0 happy@8'; with --continue, of"
        " the whole.",
    ),
]

Grid = Annotated[
    int | None,
    _in_emotion(
        "N",
        "A melody for each of N × N points of the plane instead, 2 to 50; explore them with --format html.",
        parser=whole_number(*GRIDS),
    ),
]

Like = Annotated[
    list[Path] | None,
    _in_file(
        "FILE",
        "Vary this MIDI, MusicXML or ABC file (of chords, the melody; of several tunes, the first), near its"
        " own emotion or in the given one.",
    ),
]
Continue = Annotated[
    Path | None,
    _in_file(
        "FILE",
        "Go on after the end of this file, for --bars, as it has been or in the given emotion.",
        "--continue",
    ),
]
Keep = Annotated[
    str | None,
    _in_file(
        "BARS",
        "Keep these bars of --like's file, such as 1-4,9-12, and compose the others anew. A pickup is not"
        " counted; two bars of 2/4 count as one.",
    ),
]
FromBar = Annotated[
    int | None,
    _in_file("N", "Vary the file of --like from this bar on, without those before.", parser=whole_number(1)),
]
From = Annotated[
    Path | None,
    _in_file(
        "FILE",
        "Melodies on the way from one file to that of --to, like the first more and more like the second, in"
        " the key, tempo and sound of the first.",
        "--from",
    ),
]
To = Annotated[Path | None, _in_file("FILE", "The file that melodies lead to from that of --from.", "--to")]
Steps = Annotated[
    int | None,
    _in_file(
        "N",
        "How many melodies from --from to --to, 2 to 100; 5 where it is not given.",
        parser=whole_number(2, 100),
    ),
]

StyleName = Annotated[
    Style | None,
    _in_tune(
        "NAME",
        "chorale (Bach's chorales) or folk (Irish, Scottish and American dances and airs); own with a model"
        " of your own files.",
        "--style",
        parser=_parse_style,
        show_default="the first that the model has learned in the meter",
    ),
]
MeterName = Annotated[
    Meter | None,
    _in_tune(
        "METER",
        "4/4, 3/4 or 6/8, such as --style folk --meter 6/8 for jigs.",
        "--meter",
        parser=_parse_meter,
        show_default="4/4, or that of the file",
    ),
]
FormLetters = Annotated[
    str | None,
    _in_tune(
        "LETTERS",
        "Sections of equal length, a letter each: where a letter recurs, so does its music, with another"
        " ending, but not in another emotion of a path. AABA is a section, again, another, and the first.",
        "--form",
        show_default="as in real melodies",
    ),
]
Bars = Annotated[
    int | None,
    _in_tune(
        "N",
        "Length, up to 64 bars; with --continue, of what is new.",
        parser=whole_number(1, 64),
        show_default="8, or that of the file; 4 by emoreg and base",
    ),
]

Num = Annotated[
    int,
    _in_sampling("N", "Number of melodies, of each emotion.", "--num", "-n", parser=whole_number(1)),
]
ModelName = Annotated[
    str,
    _in_sampling(
        "NAME",
        "emoreg-va; emoreg or base (four bars in 4/4, no --path, no files); a weights file or run folder.",
        "--model",
        "-m",
    ),
]
Seed = Annotated[
    int | None,
    _in_sampling("N", "The same seed gives the same files.", parser=seed_number, show_default="random"),
]
Spread = Annotated[
    float | None,
    _in_sampling(
        "X",
        "How much to vary the file of --like, from 0, as it is, to 1. From 0.2 on no bar stays as it is.",
        parser=real_number(0, 1),
        show_default="0.1",
    ),
]
Temperature = Annotated[
    float | None,
    _in_sampling(
        "X",
        "Above 0, up to 10: higher is more varied.",
        parser=real_number(0, 10, above=True),
        show_default="0.9 for emoreg-va; emoreg and base take the likeliest token",
    ),
]
TopP = Annotated[
    float,
    _in_sampling(
        "X",
        "Sample from the likeliest tokens that together have this probability.",
        "--top-p",
        parser=real_number(0, 1, above=True),
    ),
]
Chords = Annotated[
    bool,
    _in_sampling(
        None,
        "Put chords under the melodies, which stay as they are: a second track in MIDI, sound and pages, and"
        " symbols in scores and piano rolls; also with --again.",
        "--chords",
    ),
]
Again = Annotated[
    Path | None,
    _in_sampling(
        "FILE",
        "Reproduce the runs in this samples.json; options of performance and output may change them.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Options:
    """The values of the options; None or empty where not given."""

    given: frozenset[str]  # names of the options that were given
    emotions: list[str]
    point: str | None
    path: str | None
    grid: int | None
    like: list[Path]
    continued: Path | None
    keep: str | None
    from_bar: int | None
    start: Path | None
    goal: Path | None
    steps: int | None
    style: Style | None
    meter: Meter | None
    form: str | None
    bars: int | None
    num: int
    model: str
    seed: int | None
    spread: float | None
    temperature: float | None
    top_p: float
    chords: bool
    again: Path | None
    key: str | None
    octave: int | None
    tempo: float | None
    program: str | None
    chords_program: str | None
    velocity: int | None
    plain: bool
    out: Path
    formats: list[str]
    name: str | None
    soundfont: Path | None
    show: bool
    play: bool
    force: bool

    @property
    def file(self) -> Path | None:
        """The user's file that melodies are made from, if there is one."""
        return self.like[0] if self.like else self.continued or self.start

    @property
    def mode(self) -> str | None:
        """The mode of ``--key``, major or minor, if it names one."""
        return parse_key(self.key)[1] if self.key else None
