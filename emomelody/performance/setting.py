"""How a melody is set: made in C, it leaves in the key, octave, tempo and sound that are asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from emomelody.errors import EmomelodyError
from emomelody.music.key import pitch_class, signature
from emomelody.music.melody import TEMPO

VELOCITY = 90  # the paper's
OCTAVES, TEMPOS, PROGRAMS, VELOCITIES = (-4, 4), (10, 500), (0, 127), (1, 127)  # the least and the most


@dataclass(frozen=True)
class Setting:
    """The choices of one file."""

    tonic: str = "C"  # a letter, with # or b
    octave: int | None = 0  # octaves up, down where negative; None, here and below: as the emotion asks
    tempo: float | None = TEMPO  # quarter notes per minute
    program: int | str = 0  # General MIDI's number or name; kept as the number
    velocity: int | None = VELOCITY

    def __post_init__(self) -> None:
        """Raise EmomelodyError for what no file can be set to."""
        if isinstance(self.program, str):
            object.__setattr__(self, "program", parse_program(self.program))
        if not re.fullmatch("[A-G][#b]?", self.tonic):
            raise EmomelodyError(f"tonic '{self.tonic}' is not a letter A … G, with # or b")
        for name, (least, most), kind in (
            ("octave", OCTAVES, int),
            ("tempo", TEMPOS, int | float),
            ("program", PROGRAMS, int),
            ("velocity", VELOCITIES, int),
        ):
            value = getattr(self, name)
            if value is None and name != "program":
                continue
            if isinstance(value, bool) or not isinstance(value, kind) or not least <= value <= most:
                number = "whole number" if kind is int else "number"
                raise EmomelodyError(f"{name} {value!r} is not a {number} from {least} to {most}")

    @property
    def expressive(self) -> bool:
        """Whether the emotion decides on something."""
        return None in (self.octave, self.tempo, self.velocity)

    @property
    def semitones(self) -> int:
        """From C to the tonic by the nearest way, −5 … 6."""
        up = pitch_class(self.tonic)
        return up if up <= 6 else up - 12

    def key(self, mode: str) -> str:
        """The name of the key signature in a mode, major or minor, as MIDI files have it: ``F#``, ``Am``.

        A tonic without a signature in the mode goes by its other name: D flat minor is C sharp minor.
        """
        return signature(self.tonic, mode)


PLAIN = Setting()
EXPRESSIVE = Setting(octave=None, tempo=None, velocity=None)


def parse_program(text: str) -> int:
    """The number of a General MIDI program, by its number 0–127, its name or a part of it, in any case.

    A family (piano, guitar, strings …) is its first program. Raises EmomelodyError naming the nearest ones.
    """
    if text.strip().isdecimal():
        if int(text) > PROGRAMS[1]:
            raise EmomelodyError(f"program {text} is outside 0 … {PROGRAMS[1]}")
        return int(text)
    import pretty_midi

    names = [name.lower() for name in pretty_midi.INSTRUMENT_MAP]
    families = [name.lower() for name in pretty_midi.INSTRUMENT_CLASSES]
    wanted = text.strip().lower()
    if wanted in families:
        return len(names) // len(families) * families.index(wanted)
    containing = [name for name in names if wanted and wanted in name]
    try:
        # A part of a name will do where only one has it.
        return int(pretty_midi.instrument_name_to_program(containing[0] if len(containing) == 1 else text))
    except ValueError:  # no such name
        pass
    near = containing[:5] or get_close_matches(wanted, names, cutoff=0.5)
    hint = f": did you mean {', '.join(near)}?" if near else ": use a General MIDI name or 0–127"
    raise EmomelodyError(f"unknown program '{text}'{hint}")
