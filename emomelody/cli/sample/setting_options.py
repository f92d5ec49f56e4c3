"""The options of ``sample`` about performance and output: types with their help."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from emomelody.cli.options import panel_option, real_number, usage_errors, whole_number
from emomelody.music.key import parse_key
from emomelody.performance.registers import OCTAVES
from emomelody.performance.setting import TEMPOS, VELOCITIES

_in_performance = partial(panel_option, "Performance")
_in_output = partial(panel_option, "Output")


def _check_key(text: str) -> str:
    with usage_errors():
        parse_key(text)
    return text


Key = Annotated[
    str | None,
    _in_performance(
        "KEY",
        "A, Bb, F# … The emotion decides between major and minor; 'A minor' or Am insists on it.",
        parser=_check_key,
        show_default="C, or that of the file",
    ),
]
Octave = Annotated[
    int | None,
    _in_performance(
        "N",
        "Octaves up, or down if negative, up to 4; from the register of a file where there is one.",
        parser=whole_number(*OCTAVES),
        show_default="by the emotion and the instrument, or that of the file",
    ),
]
Tempo = Annotated[
    float | None,
    _in_performance(
        "BPM",
        "Quarter notes per minute, 10 to 500.",
        parser=real_number(*TEMPOS),
        show_default="by the emotion, or that of the file",
    ),
]
Program = Annotated[
    str | None,
    _in_performance(
        "NAME",
        "General MIDI sound: piano, violin, flute … or 0 to 127.",
        show_default="piano, or that of the file",
    ),
]
ChordsProgram = Annotated[
    str | None,
    _in_performance(
        "NAME",
        "General MIDI sound of the chords, as for --program; 48 is a string orchestra.",
        show_default="piano",
    ),
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
        "No expression: 120 BPM, one loudness and the sampled register, unless given or of a file.",
        "--plain",
    ),
]

Out = Annotated[
    Path,
    _in_output(
        "PATH",
        "A folder, to which melodies are added; a file such as sad.mid for one melody, or page.html for a"
        " page of all; or - for stdout.",
        "--out",
        "-o",
    ),
]
Formats = Annotated[
    list[str] | None,
    _in_output(
        "NAME",
        "mid, musicxml, svg (a score), png (a piano roll) or wav, a file for each melody, or html, a page to"
        " see and hear all of them, with the scores of up to 100; several as mid,html.",
        "--format",
        "-f",
        show_default="mid",
    ),
]
Name = Annotated[
    str | None,
    _in_output(
        "TEXT",
        "File names, but not of a page; {model} is a field too, and with a file {source}.",
        show_default="{emotion}-s{seed}-{index}, with a file {source} before it",
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
