"""The Python interface, as the README uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

import emomelody
from emomelody.errors import EmomelodyError
from emomelody.formats import midi
from emomelody.music.emotion import Emotion


def test_melodies_can_be_written_shown_and_measured(tmp_path: Path) -> None:
    melodies = emomelody.load("emoreg").sample("sad", n=3, seed=1)
    assert len(melodies) == 3
    first = melodies[0]
    assert first.emotion is Emotion.E3
    first.write(tmp_path / "sad.mid")
    assert midi.read_melody(tmp_path / "sad.mid").notes == first.notes
    first.write(tmp_path / "sad.png")
    assert (tmp_path / "sad.png").read_bytes()[:4] == b"\x89PNG"
    assert first.roll().startswith("sad: sad, C minor\n")
    with pytest.raises(EmomelodyError, match=r"one of \.mid, \.musicxml, \.svg, \.png, \.wav"):
        first.write(tmp_path / "sad.mp3")
    assert first.measure().onsets == len(first.notes)
    assert isinstance(first.judge(), Emotion)
    assert emomelody.load("emoreg").sample(Emotion.E3, n=1, seed=1)[0].notes == first.notes
    assert emomelody.load("base").sample(point=(0.5, -0.5))[0].emotion is Emotion.E4


def test_wrong_requests_raise() -> None:
    model = emomelody.load("emoreg")
    for request in ({}, {"emotion": "merry"}, {"point": (2, 0)}, {"emotion": "sad", "bars": 8}):
        with pytest.raises(EmomelodyError):
            model.sample(**request)
    with pytest.raises(EmomelodyError):
        emomelody.load("nobody")
