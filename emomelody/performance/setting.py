"""Settings: key, octave, tempo, programs, velocity and note length, each fixed or following the emotion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from emomelody.errors import EmomelodyError
from emomelody.music.key import pitch_class, signature
from emomelody.music.melody import TEMPO
from emomelody.performance.registers import OCTAVES

VELOCITY = 90  # that of the paper's files
# Inclusive ranges.
TEMPOS, PROGRAMS, VELOCITIES, NOTE_LENGTHS = (10, 500), (0, 127), (1, 127), (0.05, 1)
FOLLOWING = ("octave", "tempo", "velocity", "note_length")  # the fields that may follow the emotion


@dataclass(frozen=True)
class Setting:
    """How a melody is played. What is None follows the emotion.

    Raises EmomelodyError for values outside the ranges above.
    """

    tonic: str = "C"  # a letter A … G, with # or b
    octave: int | None = None  # octaves up, negative down
    tempo: float | None = None  # quarter notes per minute
    program: int | str = 0  # General MIDI's number 0–127 or a name, which is stored as its number
    velocity: int | None = None  # 1–127
    note_length: float | None = None  # how long a note sounds, as a share of its written duration
    time_signature: str | None = None  # of melodies in 4/4: 2/2 or 2/4, else they are written in 4/4
    chords_program: int | str = 0  # as ``program``, of the chords under a melody that has any

    def __post_init__(self) -> None:
        for name in ("program", "chords_program"):
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, parse_program(value))
        if not re.fullmatch("[A-G][#b]?", self.tonic):
            raise EmomelodyError(f"tonic '{self.tonic}' is not a letter from A to G, with # or b")
        for name, (low, high), kind in (
            ("octave", OCTAVES, int),
            ("tempo", TEMPOS, int | float),
            ("program", PROGRAMS, int),
            ("chords_program", PROGRAMS, int),
            ("velocity", VELOCITIES, int),
            ("note_length", NOTE_LENGTHS, int | float),
        ):
            value = getattr(self, name)
            if value is None and name in FOLLOWING:
                continue
            if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
                number = "whole number" if kind is int else "number"
                raise EmomelodyError(
                    f"{name.replace('_', ' ')} {value!r} is not a {number} from {low} to {high}"
                )

    @property
    def expressive(self) -> bool:
        """Whether anything follows the emotion."""
        return any(getattr(self, name) is None for name in FOLLOWING)

    @property
    def semitones(self) -> int:
        """The interval from C to the tonic, −5 … 6: the smaller of up and down."""
        up = pitch_class(self.tonic)
        return up if up <= 6 else up - 12

    def key(self, mode: str) -> str:
        """Return the key signature in a mode, major or minor, as MIDI files write it: ``F#``, ``Am``.

        A tonic without a signature in the mode is respelled: D flat minor becomes C sharp minor.
        """
        return signature(self.tonic, mode)


EXPRESSIVE = Setting()  # everything follows the emotion
PLAIN = Setting(octave=0, tempo=TEMPO, velocity=VELOCITY, note_length=1)  # as the paper's files


def parse_program(text: str) -> int:
    """Parse a General MIDI program: its number 0–127, its name, or part of its name, in any case.

    A family (piano, guitar, strings …) gives its first program. Raises EmomelodyError, which suggests similar
    names, for an unknown one or a part that several names share.
    """
    if text.strip().isdecimal():
        if int(text) > PROGRAMS[1]:
            raise EmomelodyError(f"program {text} is not a number from 0 to {PROGRAMS[1]}")
        return int(text)
    import pretty_midi

    names = [name.lower() for name in pretty_midi.INSTRUMENT_MAP]
    families = [name.lower() for name in pretty_midi.INSTRUMENT_CLASSES]
    wanted = text.strip().lower()
    if wanted in families:
        return len(names) // len(families) * families.index(wanted)
    containing = [name for name in names if wanted and wanted in name]
    try:
        # Part of a name is enough where only one name contains it.
        return int(pretty_midi.instrument_name_to_program(containing[0] if len(containing) == 1 else text))
    except ValueError:  # pretty_midi knows no such name
        pass
    near = containing[:5] or get_close_matches(wanted, names, cutoff=0.5)
    hint = (
        f": did you mean {', '.join(near)}?"
        if near
        else ": use a General MIDI name, or a number from 0 to 127"
    )
    raise EmomelodyError(f"unknown program '{text}'{hint}")
