"""Melodies with chords, and the arrays that all measures of them begin with.

N melodies with S steps in all, one melody after another, and L = 108 labels of chords.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from emomelody.music.chords import Chord, Quality, TimedChord, joined
from emomelody.music.melody import Melody
from emomelody.music.tokens import Tokens

CHORDS = tuple(Chord(root, quality) for root, quality in product(range(12), Quality))  # L, by label
LABELS = {chord: label for label, chord in enumerate(CHORDS)}
NOTHING = -1  # the number of what does not sound


@dataclass(frozen=True, slots=True)
class Harmonised:
    """A melody in C with its chords, in C as well, and its mode, ``major`` or ``minor``."""

    melody: Melody
    chords: tuple[TimedChord, ...]  # in order, without overlap; equal successive ones count as one
    mode: str


@dataclass(frozen=True)
class Steps:
    """What sounds at each of the S steps of N harmonised melodies; −1 where nothing does."""

    count: int  # N
    melody: Tokens  # (S,), the number of the melody
    pitch: Tokens  # (S,), MIDI
    note: Tokens  # (S,), the number of the note among those of all melodies
    label: Tokens  # (S,), of the chord
    chord: Tokens  # (S,), the number of the chord among those of all melodies
    on_beat: NDArray[np.bool_]  # (S,), whether a beat begins: a quarter note, in 6/8 a dotted quarter

    @classmethod
    def of(cls, harmonised: Sequence[Harmonised]) -> Steps:
        """The steps of melodies of any lengths and meters."""
        sizes = [h.melody.steps for h in harmonised]
        starts = np.cumsum([0, *sizes])
        pitch, note, label, chord = (np.full(starts[-1], NOTHING) for _ in range(4))
        on_beat = np.zeros(starts[-1], dtype=bool)
        notes, chords = 0, 0
        for h, start, end in zip(harmonised, starts[:-1], starts[1:], strict=True):
            on_beat[start : end : h.melody.meter.beat] = True
            for sounding in h.melody.notes:
                span = slice(start + sounding.onset, start + sounding.end)
                pitch[span], note[span] = sounding.pitch, notes
                notes += 1
            for timed in joined(h.chords):
                span = slice(start + timed.onset, min(start + timed.end, end))
                label[span], chord[span] = LABELS[timed.chord], chords
                chords += 1
        melody = np.repeat(np.arange(len(harmonised)), sizes)
        return cls(len(harmonised), melody, pitch, note, label, chord, on_beat)

    def mean(self, values: NDArray[np.float64], at: Tokens) -> NDArray[np.float64]:
        """The mean of ``values`` (k,) at steps ``at`` (k,) in each melody, (N,); NaN where there are none."""
        melody = self.melody[at]
        totals = np.bincount(melody, values, self.count)
        counts = np.bincount(melody, minlength=self.count)
        return np.asarray(np.where(counts > 0, totals / np.maximum(counts, 1), np.nan))
