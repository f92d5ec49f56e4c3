"""The key finder against music21, and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from music21.analysis.discrete import KrumhanslKessler
from music21.note import Note
from music21.stream import Stream

from emomelody.music.meter import Meter
from emomelody.music.tokens import HOLD, REST
from emomelody.music.tonality import (
    ENDS,
    KRUMHANSL_KESSLER,
    MINOR,
    find_keys,
    has_closing_note,
    pitch_class_totals,
)


def melody(*pitches: int, length: int = 4) -> np.ndarray:
    """Tokens of notes of one length."""
    return np.array([token for pitch in pitches for token in [pitch, *[HOLD] * (length - 1)]])


def test_durations_are_summed_by_pitch_class() -> None:
    tokens = np.array([[HOLD, 60, HOLD, 64, REST, HOLD, 72, HOLD, 65, HOLD, HOLD, REST]])
    (totals,) = pitch_class_totals(tokens)
    assert totals[[0, 4, 5]].tolist() == pytest.approx([2 * (1 + ENDS) + 2, 1, 3 * (1 + ENDS)])
    assert totals.sum() == pytest.approx(8 + 5 * ENDS)
    assert pitch_class_totals(np.full((1, 8), REST)).sum() == 0
    only = pitch_class_totals(melody(62)[None])[0]
    assert only[2] == pytest.approx(4 * (1 + 2 * ENDS))  # first and last at once


def test_keys_are_those_that_music21_finds() -> None:
    rng, finder = np.random.default_rng(0), KrumhanslKessler()
    for _ in range(50):
        scale = np.array([0, 2, 4, 5, 7, 9, 11]) if rng.random() < 0.5 else np.array([0, 2, 3, 5, 7, 8, 11])
        pitches = 60 + (rng.choice(scale, 16) + rng.integers(12)) % 12
        # Without the weights of the outer notes, which music21 does not have.
        found = KRUMHANSL_KESSLER.correlations(np.bincount(pitches % 12, minlength=12)[None].astype(float))
        expected, mode, _ = finder.process(Stream([Note(int(p), quarterLength=1) for p in pitches]))[0]
        assert divmod(int(found.argmax()), 12) == (("major", "minor").index(mode), expected.pitchClass)
    for mode, profile in (("major", KRUMHANSL_KESSLER.major), ("minor", KRUMHANSL_KESSLER.minor)):
        assert list(profile) == pytest.approx(finder.getWeights(mode))


def test_the_key_of_a_scale_and_its_triad() -> None:
    major = melody(60, 62, 64, 65, 67, 64, 60, 60)
    minor = melody(60, 62, 63, 65, 67, 63, 60, 60)
    tokens = np.stack([major, minor, minor + 2 * (minor < REST)])
    assert find_keys(tokens).tolist() == [0, MINOR, MINOR + 2]


def test_the_papers_melodies_establish_their_key(paper_set: Path) -> None:
    from emomelody.data.dataset import load
    from emomelody.emotions.emotion import Emotion

    data = load(paper_set)
    minor = np.array([e.mode == "minor" for e in Emotion])[data.labels]
    found = find_keys(data.tokens)
    assert ((found >= 12) == minor).mean() == pytest.approx(0.76, abs=0.01)
    assert (found % 12 == 0).mean() == pytest.approx(0.46, abs=0.01)


def test_closing_notes_by_hand() -> None:
    def ending(*last: int) -> list[int]:
        return [60, HOLD] * 8 + [62] * (16 - len(last)) + list(last)

    held = [HOLD] * 7
    rows = [
        ending(60, *held),  # a half note on the third beat, tonic
        ending(67, *held),  # dominant
        ending(62, *held),  # neither
        ending(60, *held[:-1], REST),  # not held to the end
        ending(60, *[HOLD] * 3),  # short, on the fourth beat
        ending(60, *[HOLD] * 9),  # long, off the beat
        [REST] * 32,
    ]
    assert has_closing_note(np.array(rows)).tolist() == [True, True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("meter", "closing", "open_end"),
    [
        # A dotted half; a half note on the second beat, a quarter, a note that begins off the beat.
        (Meter.THREE_FOUR, {12}, {8, 4, 10}),
        # A dotted half or quarter; notes that begin off the beat.
        (Meter.SIX_EIGHT, {12, 6}, {8, 4, 2}),
    ],
)
def test_closing_notes_of_other_meters(meter: Meter, closing: set[int], open_end: set[int]) -> None:
    durations = sorted(closing | open_end)
    rows = [[62] * (24 - duration) + [60] + [HOLD] * (duration - 1) for duration in durations]
    found = has_closing_note(np.array(rows), meter)
    assert {duration for duration, closes in zip(durations, found, strict=True) if closes} == closing
