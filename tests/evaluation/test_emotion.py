"""The judges of emotion, and the figures of emotion and validity by hand."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import random_melody
from evaluation.labelled import reference_of, two_of_each

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import judge_by_rule
from emomelody.errors import EmomelodyError
from emomelody.evaluation import emotion
from emomelody.evaluation.emotion import Classifier
from emomelody.music.melody import Melody, Note
from emomelody.music.tokens import HOLD, REST
from emomelody.sampling.request import Sample


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


def test_the_emotion_block_by_hand() -> None:
    happy, sad = (random_melody(np.random.default_rng(0), e) for e in (Emotion.E1, Emotion.E3))
    requested = {Emotion.E1: [happy, sad], Emotion.E2: [happy], Emotion.E3: [sad], Emotion.E4: []}
    judges = emotion.Judges(reference_of(two_of_each()), None)
    figures = emotion.evaluate_emotion(requested, judges)["rule"]
    assert figures["confusion"]["e1"] == {"e1": 0.5, "e2": 0, "e3": 0.5, "e4": 0}
    assert figures["confusion"]["e4"]["e4"] is None
    assert (figures["e1"], figures["e2"], figures["e3"], figures["all"]) == (0.5, 0, 1, 0.5)
    assert figures["arousal"] == pytest.approx(3 / 4)  # happy, happy for angry, sad
    assert figures["valence"] == pytest.approx(2 / 4)
    assert figures["real"]["all"] == 1


def test_validity_by_hand() -> None:
    def made(*tokens: int, silent: int = 0) -> Sample:
        whole = np.array(tokens + (REST,) * (8 - len(tokens)))
        return Sample(Melody((), 8), Emotion.E1, "happy", (0, 0), (0, 0), whole, silent)

    samples = [made(HOLD, 60), made(60, 61, 62, 63), made(60, REST, HOLD, silent=1), made(60, HOLD)]
    assert emotion.evaluate_validity(samples) == {
        "all_rests": 0.2,
        "hold_first": 0.25,
        "hold_after_rest": 0.25,
        "few_notes": 0.75,
    }


def test_tonality_by_hand() -> None:
    """Half of the happy melodies are in C major, the other half in C minor; the sad ones are in D minor."""
    major = [60, 62, 64, 65, 67, 64, 60, 60]
    minor = [60, 62, 63, 65, 67, 63, 60, 60]

    def melodies(*pitches: list[int]) -> list[Melody]:
        return [Melody(tuple(Note(8 * i, 8, p) for i, p in enumerate(row))) for row in pitches]

    sampled = {e: [] for e in Emotion} | {
        Emotion.E1: melodies(major, minor),
        Emotion.E3: melodies([pitch + 2 for pitch in minor]),
    }
    figures = emotion.evaluate_tonality(sampled, reference_of(two_of_each()))
    assert figures["mode_by_emotion"] == {"e1": 0.5, "e3": 1}
    assert figures["tonic_by_emotion"] == {"e1": 1, "e3": 0}
    assert (figures["mode"], figures["mode_least"], figures["tonic"]) == (0.75, 0.5, 0.5)
    assert 0 < figures["real_mode"] <= 1


def test_listeners_hear_slow_minor_as_sad_and_fast_major_as_happy() -> None:
    slow = Melody(tuple(Note(16 * i, 16, pitch) for i, pitch in enumerate([60, 63, 67, 60])))
    fast = Melody(tuple(Note(2 * i, 2, 72 + [0, 4, 7, 4, 2, 5, 7, 0][i % 8]) for i in range(32)))
    real = emotion.listeners_of_real(reference_of(two_of_each()))
    played = emotion.at_corners({e: [] for e in Emotion} | {Emotion.E1: [fast, slow], Emotion.E3: [slow]})
    figures = emotion.evaluate_listeners(played, real)
    assert figures["expressive"] == {"e1": 0.5, "e3": 1, "all": 0.75, "real": real["expressive"]}
    assert figures["plain"]["e3"] == 1
    assert set(real["plain"]) == {"e1", "e2", "e3", "e4", "all"}
