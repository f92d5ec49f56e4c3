"""What can be requested, and how a request describes its target."""

from __future__ import annotations

from typing import Any

import pytest

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import EmotionPath
from emomelody.emotions.words import Word
from emomelody.errors import EmomelodyError
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.sampling.request import DecodingConfig, Request

MELODY = Melody((Note(0, 4, 60),))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "give an emotion, a point, a path, a grid, or a melody"),
        ({"emotion": Emotion.E1, "point": (0.0, 0.0)}, "exclude each other"),
        ({"emotion": Word.GLOOMY, "point": (0.0, 0.0)}, "exclude each other"),
        ({"emotion": "sad"}, "emotion 'sad' is not an Emotion or a Word"),
        ({"point": (0.5, 1.2)}, "point 0.5,1.2 is outside the plane"),
        ({"point": (float("nan"), 0.0)}, "outside the plane"),
        ({"path": EmotionPath.parse("sad@0 2,0@2")}, "outside the plane"),
        ({"path": EmotionPath.parse("sad@0 happy@4")}, "ends at bar 4 .* ask for 5 bars or more"),
        ({"emotion": Emotion.E1, "n": 0}, "number of melodies 0 must be at least 1"),
        ({"emotion": Emotion.E1, "bars": 65}, "number of bars 65 must be from 1 to 64"),
        ({"emotion": Emotion.E1, "seed": -1}, "seed -1 must be from 0"),
        ({"like": MELODY, "spread": 1.5}, "spread 1.5 must be from 0 to 1"),
        ({"like": MELODY, "meter": Meter.SIX_EIGHT}, "melody to vary is in 4/4, not in 6/8"),
        ({"emotion": Emotion.E1, "form": "ABC"}, "4 bars cannot be divided into 3 sections"),
        ({"emotion": Emotion.E1, "form": "ABCDE"}, "4 bars cannot be divided into 5 sections"),
        ({"emotion": Emotion.E1, "form": "ab"}, "form 'ab' must be capital letters"),
        ({"emotion": Emotion.E1, "form": ""}, "form '' must be capital letters"),
    ],
)
def test_impossible_requests(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(EmomelodyError, match=reason):
        Request(**fields)


@pytest.mark.parametrize(("temperature", "top_p"), [(0, 1), (10.5, 1), (float("nan"), 1), (1, 0), (1, 1.1)])
def test_decoding_out_of_range(temperature: float, top_p: float) -> None:
    with pytest.raises(EmomelodyError, match="must be above 0 and at most"):
        DecodingConfig(temperature, top_p)


@pytest.mark.parametrize(
    ("fields", "description"),
    [
        ({"emotion": Emotion.E3}, "sad"),
        ({"point": (-0.5, 0.4)}, "angry"),
        ({"point": (0.0, 0.0)}, "neutral"),
        ({"path": EmotionPath.parse("0,0.5@0 sad@2")}, "happy-angry"),
        ({"path": EmotionPath.parse("sad@0 happy@2")}, "sad"),
        ({"emotion": Word.GLOOMY}, "gloomy"),
        ({"path": EmotionPath.parse("at-ease@0 sad@2")}, "at-ease"),
        ({"like": MELODY, "emotion": Emotion.E4}, "relaxed"),
        ({"like": MELODY, "emotion": Word.TENSE}, "tense"),
        ({"like": MELODY}, None),
    ],
)
def test_the_target_in_words(fields: dict[str, Any], description: str | None) -> None:
    assert Request(**fields).description == description
