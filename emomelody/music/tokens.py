"""The pitch-based representation (MusPy): one token per sixteenth step.

0–127 is an onset of that pitch, 128 a rest, 129 a hold, which continues the note before it. A model uses
*classes* instead: the pitches of its vocabulary in ascending order, then rest, then hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter

REST = 128
HOLD = 129
Tokens = NDArray[np.int64]
Floats = NDArray[np.float64]


def to_tokens(melody: Melody) -> Tokens:
    """Convert a melody to tokens, (steps,), values 0–129."""
    tokens = np.full(melody.steps, REST, dtype=np.int64)
    for note in melody.notes:
        tokens[note.onset] = note.pitch
        tokens[note.onset + 1 : note.end] = HOLD
    return tokens


def from_tokens(tokens: Tokens, meter: Meter = Meter.FOUR_FOUR) -> Melody:
    """Convert tokens (steps,), values 0–129, to a melody in a meter.

    A hold without a note to continue, at the beginning or after a rest, becomes a rest: models may emit it.
    """
    notes: list[Note] = []
    sounding = None  # (onset, pitch) of the current note
    for step, token in enumerate([*tokens.tolist(), REST]):
        if token == HOLD:
            continue
        if sounding:
            notes.append(Note(sounding[0], step - sounding[0], sounding[1]))
        sounding = (step, token) if token < REST else None
    return Melody(tuple(notes), len(tokens), meter)


@dataclass(frozen=True)
class Vocabulary:
    """The pitches of a model in ascending order. Raises ValueError for anything else."""

    pitches: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.pitches or sorted(set(self.pitches)) != list(self.pitches):
            raise ValueError("a vocabulary needs one or more different pitches in ascending order")
        if not 0 <= self.pitches[0] <= self.pitches[-1] <= 127:
            raise ValueError("the pitches of a vocabulary must lie in 0–127")

    @classmethod
    def of(cls, tokens: Tokens) -> Vocabulary:
        """Return the vocabulary of the pitches in tokens of any shape."""
        return cls(tuple(np.unique(tokens[tokens < REST]).tolist()))

    def __len__(self) -> int:
        return len(self.pitches) + 2

    @cached_property
    def tokens(self) -> Tokens:
        """The token of each class, (V,)."""
        return np.array([*self.pitches, REST, HOLD], dtype=np.int64)

    @cached_property
    def _classes(self) -> Tokens:
        """The class of each token 0–129, (130,); unknown pitches are moved by octaves to a known one."""
        return np.array([*map(self._class_of_pitch, range(REST)), len(self) - 2, len(self) - 1])

    def _class_of_pitch(self, pitch: int) -> int:
        octaves: Iterable[int] = [p for p in self.pitches if (p - pitch) % 12 == 0]
        # A pitch class that the vocabulary lacks has no octave to move to: take the nearest pitch.
        nearest = min(octaves or self.pitches, key=lambda p: (abs(p - pitch), p))
        return self.pitches.index(nearest)

    def encode(self, tokens: Tokens) -> tuple[Tokens, int]:
        """Convert tokens (any shape, 0–129) to classes; also returns how many onsets were moved to fit."""
        classes = self._classes[tokens]
        return classes, int((self.tokens[classes] != tokens).sum())

    def decode(self, classes: Tokens) -> Tokens:
        """Convert classes (any shape, 0 … V − 1) to tokens 0–129."""
        return self.tokens[classes]


def stacked(lines: Sequence[Tokens]) -> Tokens:
    """Tokens of N lines as rows (N, T), with rests after the shorter ones."""
    rows = np.full((len(lines), max(map(len, lines), default=0)), REST)
    for row, line in zip(rows, lines, strict=True):
        row[: len(line)] = line
    return rows
