"""Attributes against the features that other modules compute, and their distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from pieces import melodies, pieces_in_other_meters

from emomelody.emotions.attributes import (
    DEVIATIONS,
    LARGEST,
    MEANS,
    NAMES,
    measure,
)
from emomelody.music import features
from emomelody.music.melody import Melody
from emomelody.music.meter import Meter
from emomelody.music.tokens import HOLD, REST, to_tokens

ARPEGGIO = [60, HOLD, HOLD, HOLD, 64, HOLD, HOLD, HOLD, 67, HOLD, HOLD, HOLD, 60, HOLD, HOLD, HOLD] * 4


@settings(max_examples=200, deadline=None)
@given(melodies())
def test_attributes_are_the_features_of_a_melody(melody: Melody) -> None:
    (measured,) = measure(to_tokens(melody)[None], np.array([False]))
    values = dict(zip(NAMES, measured * DEVIATIONS + MEANS, strict=True))
    if not melody.notes:
        at = NAMES.index("pitches")
        assert values["pitches"] == pytest.approx(max(0, MEANS[at] - LARGEST * DEVIATIONS[at]))
        return
    expected = features.metrics(melody)
    for name, value in {
        "scale": expected.in_c_major + expected.in_c_minor,
        "range": expected.pitch_range,
        "pitches": expected.pitches_used,
        "grooving": expected.grooving_similarity,
    }.items():
        mean, deviation = MEANS[NAMES.index(name)], DEVIATIONS[NAMES.index(name)]
        clipped = np.clip(value, mean - LARGEST * deviation, mean + LARGEST * deviation)
        assert values[name] == pytest.approx(clipped), name


def test_attributes_tell_how_clear_mode_and_tonic_are() -> None:
    major = np.array(ARPEGGIO)
    minor = np.where(major == 64, 63, major)
    dominant = np.where(major < REST, major + 7, major)  # in G: no C sounds
    values = measure(np.stack([major, minor, dominant]), np.array([False, True, False])) * DEVIATIONS + MEANS
    assert (values[:, NAMES.index("mode")] > 0.05).all()
    in_major, in_minor, in_g = values[:, NAMES.index("tonic")]
    assert in_major == in_minor == pytest.approx(32.4 / 64.4)  # the first and the last note count 5 % more
    assert in_g == pytest.approx(0)
    (swapped, *_) = measure(major[None], np.array([True])) * DEVIATIONS + MEANS
    assert swapped[0] == pytest.approx(-values[0, 0])


def test_attributes_of_other_meters() -> None:
    for piece in pieces_in_other_meters():
        melody = piece.melody
        (measured,) = measure(to_tokens(melody)[None], np.array([False]), melody.meter)
        at = NAMES.index("grooving")
        expected = (features.grooving_similarity(melody) - MEANS[at]) / DEVIATIONS[at]
        assert measured[at] == pytest.approx(np.clip(expected, -LARGEST, LARGEST))
    closing = np.array([[62] * 18 + [60] + [HOLD] * 5])  # a dotted quarter on the second beat of 6/8
    in_six_eight, in_three_four = (
        measure(closing, np.array([False]), meter)[0, NAMES.index("closing")]
        for meter in (Meter.SIX_EIGHT, Meter.THREE_FOUR)
    )
    assert in_six_eight > in_three_four


def test_attributes_of_a_line() -> None:
    """Two bars of C4 in quarter notes, and two of rising half notes, after a rest of a quarter note."""
    first = [REST, *[HOLD] * 3, *[60, HOLD, HOLD, HOLD] * 7]
    second = [token for pitch in (62, 64, 66, 68) for token in (pitch, *[HOLD] * 7)]
    (measured,) = measure(np.array([first + second]), np.array([False])) * DEVIATIONS + MEANS
    values = dict(zip(NAMES, measured, strict=True))
    assert values["register"] == pytest.approx((60 + 65) / 2)
    assert values["rise"] == pytest.approx(5)
    assert values["interval"] == pytest.approx((6 * 0 + 4 * 2) / 10)
    assert values["repeats"] == pytest.approx((6 + 2) / 9)  # of the nine distances of onsets but the first
