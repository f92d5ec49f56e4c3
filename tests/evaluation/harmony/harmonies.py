"""Harmonised melodies to measure: short ones that are written out, and random ones."""

from __future__ import annotations

import numpy as np

from emomelody.evaluation.harmony.harmonised import CHORDS, Harmonised
from emomelody.music.chords import Chord, TimedChord
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter


def harmonised(
    notes: str, chords: str, *, mode: str = "major", meter: Meter = Meter.FOUR_FOUR, steps: int = 4
) -> Harmonised:
    """MIDI pitches and chords of ``steps`` steps each, with ``-`` where none sounds."""
    pitches, names = notes.split(), chords.split()
    melody = Melody(
        tuple(Note(steps * n, steps, int(p)) for n, p in enumerate(pitches) if p != "-"),
        steps * max(len(pitches), len(names)),
        meter,
    )
    timed = (TimedChord(steps * n, steps, Chord.parse(name)) for n, name in enumerate(names) if name != "-")
    return Harmonised(melody, tuple(timed), mode)


def random_harmony(rng: np.random.Generator, meter: Meter = Meter.FOUR_FOUR) -> Harmonised:
    """Four bars of notes and chords anywhere, of any length and with gaps, some chords twice in a row."""
    steps = 4 * meter.bar
    notes, chords, end = [], [], 0
    while end < steps:
        onset = end + int(rng.integers(3)) * int(rng.random() < 0.3)
        duration = int(rng.integers(1, 9))
        if onset + duration <= steps and rng.random() < 0.9:
            notes.append(Note(onset, duration, int(rng.integers(55, 80))))
        end = onset + duration
    end = 0
    while end < steps:
        duration = min(int(rng.choice([2, 4, 6, 8])), steps - end)
        if rng.random() < 0.85:
            repeated = chords[-1].chord if chords and rng.random() < 0.3 else None
            chords.append(TimedChord(end, duration, repeated or CHORDS[rng.integers(len(CHORDS))]))
        end += duration
    mode = "major" if rng.random() < 0.5 else "minor"
    return Harmonised(Melody(tuple(notes), steps, meter), tuple(chords), mode)
