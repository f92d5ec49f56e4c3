"""The judges of emotion: the classifier and the rule."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import random_melody

from emomelody.errors import EmomelodyError
from emomelody.evaluation.judges import Classifier
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody
from emomelody.music.rule import judge_by_rule


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


def test_the_classifiers_accuracy_is_measured_across_tunes() -> None:
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
