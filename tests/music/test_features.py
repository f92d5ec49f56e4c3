"""What melodies measure, by hand; the judges; the distances between sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import random_melody

from emomelody.errors import EmomelodyError
from emomelody.evaluation.distances import histogram_distance, split_half_distance, wasserstein
from emomelody.evaluation.judges import Classifier
from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody, Note
from emomelody.music.rule import judge_by_rule, label_by_rule


def melody(*pitches: int) -> Melody:
    return Melody(tuple(Note(4 * i, 4, pitch) for i, pitch in enumerate(pitches)))


def test_the_metrics_of_a_melody() -> None:
    """C D Eb G C: range 7, four pitches; C, D, G and C in C major, all in C minor; quarters, then silence."""
    measured = features.metrics(melody(60, 62, 63, 67, 60))
    assert (measured.pitch_range, measured.pitches_used, measured.onsets) == (7, 4, 5)
    assert measured.in_c_major == pytest.approx(0.8)
    assert measured.in_c_minor == pytest.approx(1.0)
    assert measured.majorness == pytest.approx(-0.2)
    assert measured.pitch_class_entropy == pytest.approx(-0.4 * math.log2(0.4) - 0.6 * math.log2(0.2))
    # Onsets on 4, 1, 0 and 0 beats: of six pairs of bars three differ in 4, 3 and 3 … steps of sixteen.
    assert measured.grooving_similarity == pytest.approx(1 - (3 + 4 + 4 + 1 + 1 + 0) / 6 / 16)


def test_equal_bars_groove_alike() -> None:
    assert features.grooving_similarity(melody(*[60] * 16)) == 1
    assert features.grooving_similarity(Melody((Note(0, 4, 60),), steps=16)) == 1


def test_one_note_has_defined_values_and_silence_has_none() -> None:
    one = melody(60)
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


def test_distances_by_hand() -> None:
    assert wasserstein(np.array([0.0, 1]), np.array([1.0, 2])) == pytest.approx(1)
    left, both = np.array([[4.0, 0], [2, 0]]), np.array([[1.0, 1]])
    assert histogram_distance(left, np.array([[0.0, 3]])) == pytest.approx(1)
    # Of (1, 0) and (½, ½): the entropy of (¾, ¼) less half a bit, and its root.
    divergence = -0.75 * math.log2(0.75) - 0.25 * math.log2(0.25) - 0.5
    assert histogram_distance(left, both) == pytest.approx(math.sqrt(divergence))


def test_a_set_has_no_distance_to_itself() -> None:
    rng = np.random.default_rng(0)
    values, counts = rng.normal(size=30), rng.integers(0, 5, (30, 8)).astype(float)
    assert wasserstein(values, values) == 0
    assert histogram_distance(counts, counts) == 0


def test_nothing_and_one_have_no_distance() -> None:
    nothing = np.zeros((3, 8))
    assert math.isnan(histogram_distance(nothing, np.ones((3, 8))))
    assert math.isnan(split_half_distance(np.ones(1), wasserstein, 0))


def test_halves_of_equal_values_are_equal_and_of_others_are_not() -> None:
    assert split_half_distance(np.ones(10), wasserstein, 0) == 0
    few = split_half_distance(np.random.default_rng(0).normal(size=20), wasserstein, 0)
    many = split_half_distance(np.random.default_rng(0).normal(size=2000), wasserstein, 0)
    assert few > 3 * many > 0


def test_without_a_mode_the_rule_finds_one() -> None:
    # C D F G A and C D F G Bb: all of them in both scales but one, and with C G alone all in both.
    assert label_by_rule(melody(60, 62, 65, 67, 69)) is Emotion.E4
    assert label_by_rule(melody(60, 62, 65, 67, 70)) is Emotion.E3
    fifths = melody(60, 67, 60)
    assert features.metrics(fifths).majorness == 0
    assert label_by_rule(fifths, "minor") is Emotion.E3
    assert label_by_rule(fifths) in (Emotion.E3, Emotion.E4)


def labelled(count: int) -> tuple[list[Melody], np.ndarray]:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), count)
    return [random_melody(rng, list(Emotion)[label]) for label in labels], labels


def test_the_classifier_learns_what_tells_emotions_apart() -> None:
    melodies, labels = labelled(15)
    classifier = Classifier(melodies, labels, np.arange(len(labels)))
    fresh = [random_melody(np.random.default_rng(2), e) for e in Emotion]
    assert classifier.judge(fresh).tolist() == [0, 1, 2, 3]
    assert (classifier.cross_validated == labels).mean() >= 0.9
    assert judge_by_rule(fresh).tolist() == [0, 1, 2, 3]


def test_the_classifiers_worth_is_measured_across_tunes() -> None:
    # Labels that nothing in the notes explains: known again only where a tune is on both sides.
    melodies, _ = labelled(10)
    rng = np.random.default_rng(3)
    doubled, labels = [m for m in melodies for _ in range(2)], np.repeat(rng.integers(0, 4, 40), 2)
    kept_together = Classifier(doubled, labels, np.repeat(np.arange(40), 2)).cross_validated
    torn_apart = Classifier(doubled, labels, np.arange(80)).cross_validated
    assert (torn_apart == labels).mean() > 0.6
    assert (kept_together == labels).mean() < 0.5


def test_too_few_melodies_for_a_classifier() -> None:
    melodies, labels = labelled(4)
    with pytest.raises(EmomelodyError, match="needs 5 melodies of each emotion"):
        Classifier(melodies, labels, np.arange(16))
