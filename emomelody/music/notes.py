"""The notes of many melodies as flat arrays, so that thousands are measured at once.

N melodies, T steps, K notes in all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emomelody.music.tokens import HOLD, REST, Floats, Tokens


@dataclass(frozen=True)
class Notes:
    """All notes of N melodies, ordered by melody and onset; integer arrays, (K,) each."""

    melody: Tokens  # the index of the note's melody, 0 … N − 1
    onset: Tokens  # steps from the beginning of the melody
    duration: Tokens  # steps
    pitch: Tokens  # MIDI number
    count: int  # N
    steps: int  # T

    @classmethod
    def of(cls, tokens: Tokens) -> Notes:
        """The notes of melodies (N, T). A hold without a note to continue is a rest."""
        count, steps = tokens.shape
        padded = np.full((count, steps + 1), REST)  # a rest ends the last note of each melody
        padded[:, :steps] = tokens
        line = padded.ravel()
        changes = np.flatnonzero(line != HOLD)  # where a note or a rest begins
        is_onset = line[changes] < REST
        starts, ends = changes[is_onset], changes[np.flatnonzero(is_onset) + 1]
        melody, onset = np.divmod(starts, steps + 1)
        return cls(melody, onset, ends - starts, line[starts], count, steps)

    def __len__(self) -> int:
        return len(self.melody)

    def after(self, distance: int) -> Tokens:
        """The indices of the notes that have ``distance`` notes before them in their melody."""
        later = np.arange(distance, len(self))
        return np.asarray(later[self.melody[later] == self.melody[later - distance]])

    @property
    def last(self) -> Tokens:
        """The indices of the last notes of the melodies that have notes."""
        return np.flatnonzero(np.diff(self.melody, append=self.count))

    @property
    def first(self) -> Tokens:
        """The indices of the first notes of the melodies that have notes."""
        return np.flatnonzero(np.diff(self.melody, prepend=-1))

    def total(
        self, values: Floats | Tokens | NDArray[np.bool_], notes: Tokens | slice = slice(None)
    ) -> Floats:
        """The sum of values of some notes (k,) in each melody, (N,)."""
        weights = np.asarray(values, dtype=float)
        return np.bincount(self.melody[notes], weights, minlength=self.count).astype(float)


def recurring(rows: Tokens) -> NDArray[np.bool_]:
    """Whether each of the rows (n, columns) equals an earlier one, (n,)."""
    if not len(rows):
        return np.zeros(0, dtype=bool)
    _, first = np.unique(rows, axis=0, return_index=True)
    recurs = np.ones(len(rows), dtype=bool)
    recurs[first] = False
    return recurs
