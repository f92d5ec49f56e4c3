"""Metrics and other features of melodies, checked against values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pieces import quarters

from emomelody.music import features
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter


def test_the_metrics_of_a_melody() -> None:
    """C D Eb G C: range 7, four pitches; C, D, G and C in C major, all in C minor; quarters, then silence."""
    measured = features.metrics(quarters(60, 62, 63, 67, 60))
    assert (measured.pitch_range, measured.pitches_used, measured.onsets) == (7, 4, 5)
    assert measured.in_c_major == pytest.approx(0.8)
    assert measured.in_c_minor == pytest.approx(1.0)
    assert measured.majorness == pytest.approx(-0.2)
    assert measured.pitch_class_entropy == pytest.approx(-0.4 * math.log2(0.4) - 0.6 * math.log2(0.2))
    # Onsets on 4, 1, 0 and 0 beats: of six pairs of bars three differ in 4, 3 and 3 … steps of sixteen.
    assert measured.grooving_similarity == pytest.approx(1 - (3 + 4 + 4 + 1 + 1 + 0) / 6 / 16)


def test_equal_bars_have_the_highest_grooving_similarity() -> None:
    assert features.grooving_similarity(quarters(*[60] * 16)) == 1
    assert features.grooving_similarity(Melody((Note(0, 4, 60),), steps=16)) == 1
    waltz = Melody(tuple(Note(12 * bar, 4, 60) for bar in range(4)), 48, Meter.THREE_FOUR)
    assert features.grooving_similarity(waltz) == 1
    assert features.grooving_similarity(Melody(waltz.notes[:3], 48, Meter.THREE_FOUR)) == pytest.approx(
        23 / 24
    )


def test_one_note_has_metrics_and_silence_has_none() -> None:
    one = quarters(60)
    assert np.isfinite(features.descriptors(one)).all()
    assert features.metrics(one).pitch_range == 0
    assert features.metrics(one).pitch_class_entropy == 0
    assert features.intervals(one) == []
    with pytest.raises(ValueError, match="without notes"):
        features.metrics(Melody(()))


def test_intervals_and_durations() -> None:
    some = Melody((Note(0, 3, 60), Note(4, 8, 55), Note(12, 1, 67)))
    assert features.intervals(some) == [-5, 12]
    assert features.durations(some) == [3, 8, 1]


def test_a_rest_continues_the_contour() -> None:
    melody = Melody((Note(1, 2, 60), Note(6, 1, 67)), 8)
    assert features.contour(melody).tolist() == [60] * 6 + [67] * 2
    assert features.contour(Melody((), 3)).tolist() == [0, 0, 0]
