"""The labelling rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import quarters

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import halving_threshold, label_by_rule, point_by_rule, valence_and_arousal
from emomelody.music import features
from emomelody.music.melody import Melody, Note


def test_without_a_mode_the_rule_finds_one() -> None:
    """C D F G A leans to major, C D F G Bb to minor; C G C lies equally in both scales."""
    assert label_by_rule(quarters(60, 62, 65, 67, 69)) is Emotion.E4
    assert label_by_rule(quarters(60, 62, 65, 67, 70)) is Emotion.E3
    fifths = quarters(60, 67, 60)
    assert features.metrics(fifths).majorness == 0
    assert label_by_rule(fifths, "minor") is Emotion.E3
    assert label_by_rule(fifths) in (Emotion.E3, Emotion.E4)


def test_equal_scale_rates_follow_the_mode_of_the_key() -> None:
    shared = Melody(tuple(Note(4 * i, 4, p) for i, p in enumerate([60, 62, 65, 67] * 4)))
    assert label_by_rule(shared, "major") is Emotion.E1
    assert label_by_rule(shared, "minor") is Emotion.E2
    slow = Melody(tuple(Note(16 * i, 16, p) for i, p in enumerate([60, 64, 67, 60])))
    assert label_by_rule(slow, "minor") is Emotion.E4


def test_eleven_onsets_are_high_arousal_and_ten_are_low() -> None:
    for count, emotion in ((10, Emotion.E4), (11, Emotion.E1)):
        melody = Melody(tuple(Note(5 * i, 5, 64) for i in range(count)))
        assert label_by_rule(melody, "major") is emotion


@pytest.mark.parametrize(("steps", "low"), [(64, 10), (48, 7), (256, 41)])
def test_the_threshold_is_a_rate_of_onsets(steps: int, low: int) -> None:
    """Four bars of 4/4, four of 3/4 or 6/8, sixteen of 4/4."""
    few, more = (Melody(tuple(Note(3 * i, 3, 64) for i in range(n)), steps) for n in (low, low + 1))
    assert label_by_rule(few, "major") is Emotion.E4
    assert label_by_rule(more, "major") is Emotion.E1
    arousal = valence_and_arousal([few, more])[:, 1].tolist()
    assert arousal == pytest.approx([point_by_rule(melody)[1] for melody in (few, more)])
    assert arousal[0] < 0 <= arousal[1]


def test_continuous_coordinates_have_the_signs_of_the_label() -> None:
    melodies = [
        Melody(tuple(Note(4 * i, 4, 60 + p) for i, p in enumerate(pitches)))
        for pitches in ([0, 4, 7] * 4, [0, 3, 7] * 4, [0, 3, 7] * 2, [0, 4, 7] * 2)
    ]
    coordinates = valence_and_arousal(melodies)
    assert [Emotion.at(*point) for point in coordinates] == [label_by_rule(melody) for melody in melodies]
    assert coordinates[0].tolist() == pytest.approx([1 / 3, np.log2(12 / 10.5)])
    for melody, point in zip(melodies, coordinates.tolist(), strict=True):
        assert point_by_rule(melody) == pytest.approx(point)


def test_arousal_is_in_octaves_of_the_onset_rate() -> None:
    melody = quarters(60, 62, 64, 65)
    assert point_by_rule(melody, seconds=2, threshold=0.5) == (0.25, 2)
    assert point_by_rule(melody, seconds=16, threshold=0.5) == (0.25, -1)
    # Where the scale rates are equal, valence is on the side of the mode.
    assert [point_by_rule(quarters(60, 67), mode)[0] for mode in ("major", "minor")] == [0.05, -0.05]


@given(st.lists(st.sampled_from([0.5, 1, 1.25, 2, 3, 5]), min_size=1, max_size=30))
def test_rates_are_halved_as_evenly_as_they_can_be(rates: list[float]) -> None:
    threshold = halving_threshold(rates)
    if threshold is None:
        assert len(set(rates)) == 1
        return
    above = sum(rate > threshold for rate in rates)
    possible = {sum(rate > cut for rate in rates) for cut in set(rates)} - {0}
    assert above == max(possible, key=lambda count: (-abs(2 * count - len(rates)), count))
