"""Chords: their notes, names and functions.

Chords of melodies in C are in C as well; their names are those of lead sheets, such as ``F#m7``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from emomelody.errors import EmomelodyError
from emomelody.music.key import pitch_class, spell

_NAME = re.compile(r"([A-G][#b]?)(.*)")


class Quality(StrEnum):
    """The qualities of chords, as they are written after the root."""

    MAJOR = ""
    MINOR = "m"
    DIMINISHED = "dim"
    AUGMENTED = "aug"
    DOMINANT_SEVENTH = "7"
    MAJOR_SEVENTH = "maj7"
    MINOR_SEVENTH = "m7"
    HALF_DIMINISHED = "m7b5"
    DIMINISHED_SEVENTH = "dim7"

    @property
    def intervals(self) -> tuple[int, ...]:
        """The chord's notes in semitones above the root, the root first."""
        return _INTERVALS[self]


_INTERVALS = {
    Quality.MAJOR: (0, 4, 7),
    Quality.MINOR: (0, 3, 7),
    Quality.DIMINISHED: (0, 3, 6),
    Quality.AUGMENTED: (0, 4, 8),
    Quality.DOMINANT_SEVENTH: (0, 4, 7, 10),
    Quality.MAJOR_SEVENTH: (0, 4, 7, 11),
    Quality.MINOR_SEVENTH: (0, 3, 7, 10),
    Quality.HALF_DIMINISHED: (0, 3, 6, 10),
    Quality.DIMINISHED_SEVENTH: (0, 3, 6, 9),
}


class Function(StrEnum):
    """What a chord does in its key."""

    TONIC = "tonic"
    SUBDOMINANT = "subdominant"
    DOMINANT = "dominant"


# The function of each degree, in semitones above the tonic: of I, iii and vi, of ii and IV, of V and vii.
_FUNCTIONS = {
    "major": {
        **dict.fromkeys((0, 4, 9), Function.TONIC),
        **dict.fromkeys((2, 5), Function.SUBDOMINANT),
        **dict.fromkeys((7, 11), Function.DOMINANT),
    },
    "minor": {
        **dict.fromkeys((0, 3, 8), Function.TONIC),
        **dict.fromkeys((2, 5), Function.SUBDOMINANT),
        **dict.fromkeys((7, 10, 11), Function.DOMINANT),
    },
}
# The pitch classes of chords with a function: of the scale, in minor with the raised sixth and seventh.
_SCALES = {"major": {0, 2, 4, 5, 7, 9, 11}, "minor": {0, 2, 3, 5, 7, 8, 9, 10, 11}}


@dataclass(frozen=True, order=True, slots=True)
class Chord:
    """A chord: ``root`` as a pitch class (C is 0)."""

    root: int
    quality: Quality

    @classmethod
    def parse(cls, name: str) -> Chord:
        """The chord of a name such as ``F#m7``. Raises EmomelodyError for another text."""
        found = _NAME.fullmatch(name)
        if not found or found[2] not in set(Quality):
            raise EmomelodyError(f"unknown chord '{name}': write e.g. C, F#m7 or Bdim")
        return cls(pitch_class(found[1]), Quality(found[2]))

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Its notes as pitch classes, the root first."""
        return tuple((self.root + interval) % 12 for interval in self.quality.intervals)

    def transposed(self, semitones: int) -> Chord:
        """The chord ``semitones`` higher (negative: lower)."""
        return Chord((self.root + semitones) % 12, self.quality)

    def name(self, key: str = "C") -> str:
        """Its name as a key signature such as ``F#`` or ``Am`` spells it: ``F#m7``."""
        return self._spelled(key, "#", "b")

    def printed_name(self, key: str) -> str:
        """The same as people write it: ``F♯m7``."""
        return self._spelled(key, "♯", "♭")

    def _spelled(self, key: str, sharp: str, flat: str) -> str:
        letter, alteration, _ = spell(60 + self.root, key)
        return letter + (sharp * alteration or flat * -alteration) + self.quality

    def function(self, mode: str) -> Function | None:
        """Its function in C major or C minor; None for a chord that is not of the key, as D7 in C major."""
        if not set(self.pitch_classes) <= _SCALES[mode]:
            return None
        return _FUNCTIONS[mode].get(self.root)


@dataclass(frozen=True, order=True, slots=True)
class TimedChord:
    """A chord that sounds for ``duration`` steps from ``onset`` on."""

    onset: int
    duration: int
    chord: Chord

    @property
    def end(self) -> int:
        """The first step after the chord."""
        return self.onset + self.duration

    def moved(self, steps: int) -> TimedChord:
        """The chord so many steps later."""
        return TimedChord(self.onset + steps, self.duration, self.chord)


def joined(chords: Iterable[TimedChord]) -> tuple[TimedChord, ...]:
    """The chords in order, with those joined that follow each other and are the same."""
    found: list[TimedChord] = []
    for timed in chords:
        if found and found[-1].chord == timed.chord and found[-1].end == timed.onset:
            timed = TimedChord(found[-1].onset, found.pop().duration + timed.duration, timed.chord)
        found.append(timed)
    return tuple(found)
