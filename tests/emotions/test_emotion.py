"""Emotions, their names and quadrants, and points described in words."""

from __future__ import annotations

import pytest

from emomelody.emotions.emotion import Emotion, describe
from emomelody.errors import EmomelodyError


def test_emotions_have_names_signs_and_quadrants() -> None:
    for emotion, names in {
        Emotion.E1: "e1 Q1 happy HAPPY",
        Emotion.E2: "e2 q2 Angry",
        Emotion.E3: "E3 Q3 sad",
        Emotion.E4: "e4 Q4 relaxed",
    }.items():
        assert {Emotion.parse(name) for name in names.split()} == {emotion}
        assert Emotion.at(0.5 * emotion.valence, 0.1 * emotion.arousal) is emotion
    with pytest.raises(EmomelodyError, match=r"'gloomy'.*happy \(e1, Q1\).*relaxed"):
        Emotion.parse("gloomy")


def test_zero_counts_as_positive_for_the_class_of_a_point() -> None:
    assert Emotion.at(0, 0) is Emotion.E1
    assert Emotion.at(0, -1) is Emotion.E4
    assert Emotion.at(-1, 0) is Emotion.E2


@pytest.mark.parametrize(
    ("point", "description"),
    [
        ((-0.3, -0.9), "sad"),
        ((1e-9, 1e-9), "happy"),
        ((0.0, 0.0), "neutral"),
        ((-0.0, 0.0), "neutral"),
        ((0.0, 0.5), "happy-angry"),
        ((-0.5, 0.0), "angry-sad"),
        ((0.0, -1.0), "sad-relaxed"),
        ((1.0, 0.0), "happy-relaxed"),
    ],
)
def test_a_point_on_an_axis_is_not_called_by_one_emotion(
    point: tuple[float, float], description: str
) -> None:
    assert describe(*point) == description
