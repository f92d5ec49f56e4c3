"""Attributes against the features that other modules compute, and their distribution."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from pieces import melodies, pieces_in_other_meters

from emomelody.emotions.attributes import (
    DEVIATIONS,
    LARGEST,
    MEANS,
    NAMES,
    AttributeDistribution,
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


def make_distribution() -> tuple[AttributeDistribution, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 200)
    signs = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])[labels]
    points = signs * rng.uniform(0.1, 1, (800, 2))
    attributes = (
        points @ rng.normal(size=(2, len(NAMES))) + labels[:, None] + rng.normal(size=(800, len(NAMES)))
    )
    return AttributeDistribution.fit(points, attributes, labels), points, attributes, labels


def test_sampled_attributes_have_the_means_and_deviations_of_the_real_ones() -> None:
    distribution, points, attributes, labels = make_distribution()
    sampled = distribution.sample(points, np.random.default_rng(1).normal(size=attributes.shape))
    for label in range(4):
        ours, theirs = sampled[labels == label], attributes[labels == label]
        assert ours.mean(0) == pytest.approx(theirs.mean(0), abs=0.25)
        assert ours.std(0) == pytest.approx(theirs.std(0), rel=0.2)
    along = np.corrcoef(sampled[labels == 0].T, points[labels == 0].T)
    assert along == pytest.approx(np.corrcoef(attributes[labels == 0].T, points[labels == 0].T), abs=0.25)


def test_a_distribution_survives_json_and_damage_is_refused() -> None:
    distribution, *_ = make_distribution()
    data = json.loads(json.dumps(distribution.to_json()))
    again = AttributeDistribution.from_json(data)
    assert (again.coefficients == distribution.coefficients).all()
    assert (again.covariances == distribution.covariances).all()
    for damage in (
        {"names": ["mode"]},
        {"coefficients": data["coefficients"][:3]},
        {"covariances": (-distribution.covariances).tolist()},
        {"coefficients": np.full_like(distribution.coefficients, np.nan).tolist()},
    ):
        with pytest.raises(ValueError, match="attributes"):
            AttributeDistribution.from_json(data | damage)


def test_an_emotion_with_few_melodies_has_the_distribution_of_all() -> None:
    _, points, attributes, labels = make_distribution()
    few = AttributeDistribution.fit(points[:605], attributes[:605], labels[:605])
    all_of_them = AttributeDistribution.fit(points[:605], attributes[:605], np.full(605, 3))
    assert few.coefficients[3] == pytest.approx(all_of_them.coefficients[3])
