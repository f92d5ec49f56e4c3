"""The options of ``sample``: types with their help, and ``Options`` with their values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from emomelody.cli.options import real_number, seed_number, usage_errors, whole_number
from emomelody.cli.output import output
from emomelody.cli.sample.report import words_table
from emomelody.music.key import parse_key
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.performance.registers import OCTAVES
from emomelody.performance.setting import TEMPOS, VELOCITIES


def _check_key(text: str) -> str:
    with usage_errors():
        parse_key(text)
    return text


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


def _option(panel: str, metavar: str | None, help: str, *flags: str, **more: Any) -> Any:
    return typer.Option(*flags, metavar=metavar, help=help, rich_help_panel=panel, **more)


_in_emotion = partial(_option, "Emotion", show_default=False)
_in_tune = partial(_option, "Tune")
_in_sampling = partial(_option, "Sampling")
_in_performance = partial(_option, "Performance")
_in_output = partial(_option, "Output")

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
    _in_emotion("TEXT", "A path instead: emotions or points at bars from 0 on, such as 'sad@0 happy@8'."),
]
Like = Annotated[
    list[Path] | None,
    _in_emotion(
        "FILE",
        "Vary the first four bars of this MIDI, MusicXML or ABC file (of chords, the highest notes; of"
        " several tunes, the first), near its own emotion or in the given one. If repeated, only print where"
        " the files lie on the plane.",
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
        show_default="4/4, with --like that of the file",
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
        "Length, up to 64 bars.",
        parser=whole_number(1, 64),
        show_default="8; 4 with --like, and by emoreg and base",
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
        "emoreg-va; emoreg or base (four bars in 4/4, no --path or --like); a weights file or run folder.",
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
        "X", "How much to vary the file of --like, from 0 to 1.", parser=real_number(0, 1), show_default="0.1"
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
Again = Annotated[
    Path | None,
    _in_sampling(
        "FILE",
        "Reproduce the runs in this samples.json; options of performance and output may change them.",
        show_default=False,
    ),
]

Key = Annotated[
    str | None,
    _in_performance(
        "KEY",
        "A, Bb, F# … The emotion decides between major and minor; 'A minor' or Am insists on it.",
        parser=_check_key,
        show_default="C",
    ),
]
Octave = Annotated[
    int | None,
    _in_performance(
        "N",
        "Octaves up, or down if negative, up to 4.",
        parser=whole_number(*OCTAVES),
        show_default="by the emotion and the instrument",
    ),
]
Tempo = Annotated[
    float | None,
    _in_performance(
        "BPM", "Beats per minute, 10 to 500.", parser=real_number(*TEMPOS), show_default="by the emotion"
    ),
]
Program = Annotated[
    str | None,
    _in_performance("NAME", "General MIDI sound: piano, violin, flute … or 0 to 127.", show_default="piano"),
]
Velocity = Annotated[
    int | None,
    _in_performance(
        "N", "Loudness, 1 to 127.", parser=whole_number(*VELOCITIES), show_default="by the emotion"
    ),
]
Plain = Annotated[
    bool,
    _in_performance(
        None,
        "No expression: 120 BPM, one loudness and the sampled register, unless given, as in the paper.",
        "--plain",
    ),
]

Out = Annotated[
    Path,
    _in_output(
        "PATH",
        "A folder, to which melodies are added; a file such as sad.mid for one melody; or - for stdout.",
        "--out",
        "-o",
    ),
]
Formats = Annotated[
    list[str] | None,
    _in_output(
        "NAME",
        "mid, musicxml, svg (a score), png (a piano roll) or wav; several as mid,wav.",
        "--format",
        "-f",
        show_default="mid",
    ),
]
Name = Annotated[
    str | None,
    _in_output(
        "TEXT",
        "File names; {model} is a field too, and with --like {source}.",
        show_default="{emotion}-s{seed}-{index}, with --like {source} before it",
    ),
]
SoundFont = Annotated[
    Path | None,
    _in_output("FILE", "A SoundFont (.sf2) for wav and --play; needs FluidSynth.", show_default=False),
]
Show = Annotated[bool, _in_output(None, "Print a piano roll of each melody.", "--show")]
Play = Annotated[bool, _in_output(None, "Play each melody.", "--play")]
Force = Annotated[
    bool,
    _in_output(
        None,
        "Replace what is in the way: files of the same names, and earlier runs that have such files, with"
        " all their files.",
        "--force",
    ),
]


@dataclass(frozen=True)
class Options:
    """The values of the options; None or empty where not given."""

    given: frozenset[str]  # names of the options that were given
    emotions: list[str]
    point: str | None
    path: str | None
    like: list[Path]
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
    again: Path | None
    key: str | None
    octave: int | None
    tempo: float | None
    program: str | None
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
    def mode(self) -> str | None:
        """The mode of ``--key``, major or minor, if it names one."""
        return parse_key(self.key)[1] if self.key else None
