"""The words of the circumplex: their points, their spellings, and unknown ones."""

from __future__ import annotations

import math

import pytest

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.words import Word, parse_emotion
from emomelody.errors import EmomelodyError


def test_words_are_points_of_the_circle_in_russells_order() -> None:
    angles = [
        math.degrees(math.atan2(arousal, valence)) % 360 for valence, arousal in (w.point for w in Word)
    ]
    assert len(angles) == 24
    assert angles == sorted(angles)
    assert angles == pytest.approx([word.value for word in Word], abs=0.01)
    assert [math.hypot(*word.point) for word in Word] == pytest.approx([0.7] * 24, abs=1e-4)
    assert Word.EXCITED.point == (0.4629, 0.5251)
    assert Word.GLOOMY.point == (-0.6122, -0.3394)


@pytest.mark.parametrize(
    ("title", "emotion"),
    [
        ("delighted", Emotion.E1),
        ("aroused", Emotion.E1),
        ("tense", Emotion.E2),
        ("frustrated", Emotion.E2),
        ("miserable", Emotion.E3),
        ("tired", Emotion.E3),
        ("sleepy", Emotion.E4),
        ("pleased", Emotion.E4),
    ],
)
def test_a_word_lies_in_the_quadrant_of_an_emotion(title: str, emotion: Emotion) -> None:
    word = parse_emotion(title)
    assert isinstance(word, Word)
    assert word.title == title
    assert word.emotion is emotion


def test_spellings() -> None:
    assert {parse_emotion(text) for text in ("gloomy", "Gloomy", " GLOOMY ")} == {Word.GLOOMY}
    assert {parse_emotion(text) for text in ("at-ease", "at ease", "At  Ease")} == {Word.AT_EASE}
    assert Word.AT_EASE.title == "at-ease"


def test_the_four_emotions_stay_regions() -> None:
    for emotion in Emotion:
        assert {parse_emotion(alias.upper()) for alias in emotion.aliases} == {emotion}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("gloomi", "did you mean gloomy?"),
        ("Angr", "did you mean angry?"),
        ("q11", "did you mean q1?"),
        ("ateease", "did you mean at-ease"),
        ("xyz", "use happy (e1, Q1), angry (e2, Q2), sad (e3, Q3), relaxed (e4, Q4) or another word:"),
        ("", "use happy (e1, Q1)"),
    ],
)
def test_unknown_words_say_what_may_be_meant(text: str, hint: str) -> None:
    with pytest.raises(EmomelodyError) as error:
        parse_emotion(text)
    assert str(error.value).startswith(f"unknown emotion '{text}': {hint}")
    assert str(error.value).endswith("'emomelody sample --emotion list' shows them all")
