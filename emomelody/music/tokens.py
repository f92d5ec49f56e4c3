"""The pitch-based representation (MusPy): one token per sixteenth step.

0–127 is the onset of that pitch, 128 a step of rest, 129 a step that holds the note before it. A model
sees the pitches in use only: its *vocabulary*, in which the pitches come first, then rest, then hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emomelody.music.melody import MAX_PITCH, Melody, Note

REST = 128
HOLD = 129
Tokens = NDArray[np.int64]


def to_tokens(melody: Melody) -> Tokens:
    """The melody's tokens, shape (steps,), values 0–129."""
    tokens = np.full(melody.steps, REST, dtype=np.int64)
    for note in melody.notes:
        tokens[note.onset] = note.pitch
        tokens[note.onset + 1 : note.end] = HOLD
    return tokens


def from_tokens(tokens: Tokens) -> Melody:
    """The melody of tokens of shape (steps,), values 0–129.

    A hold with no note to hold (at the beginning, or after a rest) is a rest: models emit such.
    """
    notes: list[Note] = []
    sounding = None  # onset and pitch
    for step, token in enumerate([*tokens.tolist(), REST]):
        if token == HOLD:
            continue
        if sounding:
            notes.append(Note(sounding[0], step - sounding[0], sounding[1]))
        sounding = (step, token) if token < REST else None
    return Melody(tuple(notes), len(tokens))


@dataclass(frozen=True)
class Vocabulary:
    """The pitches a model knows, ascending; its classes are those, then rest, then hold."""

    pitches: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.pitches or sorted(set(self.pitches)) != list(self.pitches):
            raise ValueError("a vocabulary is one or more different pitches in ascending order")
        if not 0 <= self.pitches[0] <= self.pitches[-1] <= 127:
            raise ValueError("a vocabulary's pitches lie in 0–127")

    @classmethod
    def of(cls, tokens: Tokens) -> Vocabulary:
        """The vocabulary found in tokens of any shape."""
        return cls(tuple(np.unique(tokens[tokens < REST]).tolist()))

    def __len__(self) -> int:
        return len(self.pitches) + 2

    @cached_property
    def tokens(self) -> Tokens:
        """The token of each class, shape (len(self),)."""
        return np.array([*self.pitches, REST, HOLD], dtype=np.int64)

    @cached_property
    def _classes(self) -> Tokens:
        """The class of each token 0–129, an unknown pitch moved by octaves to a known one."""
        return np.array([*map(self._class_of_pitch, range(REST)), len(self) - 2, len(self) - 1])

    def _class_of_pitch(self, pitch: int) -> int:
        same_note: Iterable[int] = [p for p in self.pitches if (p - pitch) % 12 == 0]
        # A pitch class that the corpus never uses has no octave to move to: take the nearest pitch.
        nearest = min(same_note or self.pitches, key=lambda p: (abs(p - pitch), p))
        return self.pitches.index(nearest)

    def encode(self, tokens: Tokens) -> tuple[Tokens, int]:
        """Classes of tokens (any shape, 0–129), and how many onsets had to be moved into range."""
        classes = self._classes[tokens]
        return classes, int((self.tokens[classes] != tokens).sum())

    def decode(self, classes: Tokens) -> Tokens:
        """Tokens (0–129) of classes (any shape, 0 … len(self) − 1)."""
        return self.tokens[classes]


def fingerprints(tokens: Tokens) -> NDArray[np.int64]:
    """A number for each melody (N, T), the same in every transposition, from which no melody can be made
    again.

    64 bits of BLAKE2b of the tokens, pitches counted from the first.
    """
    found = []
    for row in tokens:
        onsets = row < REST
        moved = np.where(onsets, row - row[onsets.argmax()] + MAX_PITCH, row + 2 * MAX_PITCH)
        digest = hashlib.blake2b(moved.astype("<i8").tobytes(), digest_size=8).digest()
        found.append(int.from_bytes(digest, "little", signed=True))
    return np.array(found, dtype=np.int64)
