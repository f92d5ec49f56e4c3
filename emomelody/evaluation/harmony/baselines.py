"""Chords that any harmony has to be better than, with the rhythm of the given ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emomelody.evaluation.harmony.harmonised import Harmonised
from emomelody.music.chords import Chord, Quality, TimedChord

TONICS = {"major": Chord(0, Quality.MAJOR), "minor": Chord(0, Quality.MINOR)}
# The triads on the degrees of C major and of C minor, with the scale of its key signature.
DIATONIC = {
    "major": tuple(map(Chord.parse, ("C", "Dm", "Em", "F", "G", "Am", "Bdim"))),
    "minor": tuple(map(Chord.parse, ("Cm", "Ddim", "Eb", "Fm", "Gm", "Ab", "Bb"))),
}


def always_tonic(harmonised: Sequence[Harmonised]) -> list[Harmonised]:
    """The melodies with the tonic triad of their mode in the place of every chord."""
    return [
        replace(h, chords=tuple(TimedChord(c.onset, c.duration, TONICS[h.mode]) for c in h.chords))
        for h in harmonised
    ]


def random_diatonic(harmonised: Sequence[Harmonised], *, seed: int = 0) -> list[Harmonised]:
    """The melodies with a random diatonic triad of their mode in the place of every chord."""
    rng = np.random.default_rng(seed)
    found = []
    for h in harmonised:
        triads = DIATONIC[h.mode]
        numbers = rng.integers(len(triads), size=len(h.chords)).tolist()
        chords = (TimedChord(c.onset, c.duration, triads[n]) for c, n in zip(h.chords, numbers, strict=True))
        found.append(replace(h, chords=tuple(chords)))
    return found
