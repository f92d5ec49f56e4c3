"""Paths over the plane."""

from __future__ import annotations

import numpy as np
import pytest

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import EmotionPath, interpolate
from emomelody.emotions.words import Word
from emomelody.errors import EmomelodyError
from emomelody.music.meter import Meter


def test_a_path_is_straight_between_its_waypoints() -> None:
    path = EmotionPath.parse("sad@1 0.5,-1@3")
    assert path.waypoints[0].target is Emotion.E3
    assert path.waypoints[1].point == (0.5, -1)
    latents = interpolate(path.waypoints, np.array([[-1.0, -1], [1, 0]]), 4)
    assert latents.shape == (64, 2)
    assert latents[[0, 16, 32, 48, 63]].tolist() == [[-1, -1], [-1, -1], [0, -0.5], [1, 0], [1, 0]]
    latents = interpolate(path.waypoints, np.array([[-1.0, -1], [1, 0]]), 4, Meter.SIX_EIGHT)
    assert latents.shape == (48, 2)
    assert latents[[0, 12, 24, 36, 47]].tolist() == [[-1, -1], [-1, -1], [0, -0.5], [1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sad", "is not an emotion or point at a bar"),
        ("sad@0", "needs two or more waypoints"),
        ("sad@4 happy@4", "ascending bars"),
        ("sad@0 merry@8", "unknown emotion 'merry'"),
        ("clam@0 happy@8", "unknown emotion 'clam': did you mean calm?"),
        ("sad@0 1.2.3,0@4", "is not a point"),
    ],
)
def test_text_that_is_not_a_path_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(EmomelodyError, match=reason):
        EmotionPath.parse(text)


def test_a_path_leads_through_the_points_of_words() -> None:
    first, second = EmotionPath.parse("Gloomy@0 at-ease@8").waypoints
    assert (first.description, first.point, first.label) == ("gloomy", Word.GLOOMY.point, Emotion.E3)
    assert (second.description, second.point, second.label) == ("at-ease", Word.AT_EASE.point, Emotion.E4)


@pytest.mark.parametrize(
    "text", ["sad@0 happy@8", "-0.5,0.2@0 0.8,0.8@4 relaxed@12", "gloomy@0 at-ease@2 0.0,1.0@3"]
)
def test_the_text_of_a_path_is_parsed_back(text: str) -> None:
    assert str(EmotionPath.parse(text)) == text
