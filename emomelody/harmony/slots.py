"""What the model of chords reads in a melody: the slots that get a chord each, and their features.

S slots, F features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emomelody.music.chords import Chord
from emomelody.music.melody import STEPS_PER_BEAT, Melody
from emomelody.music.meter import Meter
from emomelody.music.tokens import HOLD, REST, Floats, Tokens, to_tokens

# Onsets per quarter note. Chorales have about 1, and a chord on each beat. Melodies with fewer are slow
# versions, of which half a bar, or a bar, was a beat; dance tunes have more, and their chords last longer.
SLOW, SLOWEST, DENSE = 0.7, 0.3, 1.6
LONG = 2  # slots: a note as long ends a phrase, as one before a rest does
FARTHEST = 4  # slots to the end of the phrase; more count as this many
POSITIONS = 4  # slots after which the place in the bar, or in two bars, recurs
NOTES = 24  # features of the notes of a slot: how long each pitch class sounds, and which begin
FEATURES = 3 * NOTES + 2 + POSITIONS + FARTHEST + 1 + 3


@dataclass(frozen=True)
class ChordExample:
    """A tune with a chord for each slot, all in C."""

    features: Floats  # (S, F)
    chords: tuple[Chord, ...]  # S
    mode: str


def slot_length(melody: Melody) -> int:
    """The steps of a slot: a beat, half a bar or a bar, by how many onsets there are."""
    density = len(melody.notes) / max(melody.steps, 1) * STEPS_PER_BEAT
    meter = melody.meter
    if SLOW <= density < DENSE:
        return meter.beat
    if meter is Meter.FOUR_FOUR:
        return meter.bar if density < SLOWEST else meter.bar // 2
    return meter.beat if meter is Meter.SIX_EIGHT and density >= DENSE else meter.bar


def features(melody: Melody, length: int) -> Floats:
    """The features (S, F) of a melody in C whose slots have ``length`` steps, the last one maybe fewer.

    They are the notes of the slot, of the one before and the one after; whether no note begins in the slot,
    or several; its place in the bar; how far the end of the phrase is; whether it is the first or the last;
    and 1.
    """
    slots = -(-melody.steps // length)
    tokens = np.full(slots * length, HOLD)
    tokens[: melody.steps] = to_tokens(melody)
    onset = tokens < REST
    started = np.maximum.accumulate(np.where(tokens != HOLD, np.arange(len(tokens)), 0))
    pitches = np.where(tokens[started] < REST, tokens[started] % 12, 12)  # 12: a rest
    grid = (pitches[:, None] == np.arange(12)).reshape(slots, length, 12)  # what sounds at each step
    begins = (grid & onset.reshape(slots, length, 1)).any(1)
    notes = np.concatenate([grid.mean(1), begins], 1)  # (S, 24)
    counts = onset.reshape(slots, length).sum(1)
    number = np.arange(slots)
    in_bar = _positions(number, melody.meter, length)
    to_end = _to_phrase_end(melody, length, slots)
    return np.concatenate(
        [
            notes,
            np.pad(notes, ((1, 0), (0, 0)))[:-1],
            np.pad(notes, ((0, 1), (0, 0)))[1:],
            (counts == 0)[:, None],
            (counts > 1)[:, None],
            in_bar[:, None] == np.arange(POSITIONS),
            to_end[:, None] == np.arange(FARTHEST + 1),
            (number == 0)[:, None],
            (number == slots - 1)[:, None],
            np.ones((slots, 1)),
        ],
        1,
    ).astype(float)


def _positions(number: Tokens, meter: Meter, length: int) -> Tokens:
    """The place of each slot, (S,): of three beats the others are weak, as the last of four is."""
    if meter is Meter.THREE_FOUR and length == meter.beat:
        return np.where(number % 3 == 0, 0, POSITIONS - 1)
    return number % POSITIONS


def _to_phrase_end(melody: Melody, length: int, slots: int) -> Tokens:
    """How many slots before the end of its phrase each slot is, (S,), at most ``FARTHEST``."""
    ends = np.zeros(slots, dtype=bool)
    for number, note in enumerate(melody.notes):
        following = melody.notes[number + 1].onset if number + 1 < len(melody.notes) else None
        if note.duration >= LONG * length or following is None or following > note.end:
            ends[note.onset // length] = True
    distance = np.full(slots, FARTHEST)
    nearest = FARTHEST
    for slot in range(slots - 1, -1, -1):
        nearest = 0 if ends[slot] else nearest + 1
        distance[slot] = min(nearest, FARTHEST)
    return distance
