"""Which files of answers are used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation.listening.simulated import file_of, melodies

from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput
from emomelody.evaluation.listening.answers import Answer, Stimulus, read_answers, read_file


def write(path: Path, listener: str, **changes: Any) -> Path:
    """A finished file, with changes at its top level."""
    data = file_of(listener, melodies(("emoreg",)), np.random.default_rng(0)) | changes
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    facts = {"melody": "m017", "system": "real", "emotion": "relaxed", "point": None, "predicted": "sad"}
    opinion = {"emotion": "angry", "valence": -0.4, "arousal": 1, "musical": 7, "human": False}
    path = write(tmp_path / "a.json", "somebody", total=2, answers=[facts | {"answer": opinion}])
    file = read_file(path)
    assert (file.test, file.listener, file.total, file.finished) == ("5eed", "somebody", 2, False)
    stimulus = Stimulus("m017", "real", Emotion.E4, None, Emotion.E3)
    assert file.answers == (Answer(stimulus, Emotion.E2, -0.4, 1.0, 7, False),)


def test_the_test_with_most_finished_files_is_used(tmp_path: Path) -> None:
    write(tmp_path / "a.json", "1", test="other")
    for name in "bc":
        write(tmp_path / f"{name}.json", name)
    for name in "def":
        write(tmp_path / f"{name}.json", name, test="other", total=21)  # of 20 answers
    answers = read_answers(tmp_path)
    assert [file.path.name for file in answers.files] == ["b.json", "c.json"]
    assert [file.path.name for file in answers.half_finished] == ["d.json", "e.json", "f.json"]
    assert [error.path.name for error in answers.bad] == ["a.json"]


def test_of_a_listener_the_first_finished_file_is_used(tmp_path: Path) -> None:
    write(tmp_path / "a.json", "same", total=21)
    write(tmp_path / "b.json", "same")
    write(tmp_path / "c.json", "same")
    answers = read_answers(tmp_path)
    assert [file.path.name for file in answers.files] == ["b.json"]
    assert [file.path.name for file in answers.half_finished] == ["a.json"]
    assert [error.reason for error in answers.bad] == ["of the same listener as b.json, which is used"]


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for name, reason in {
        "empty": "has no answers",
        "file": "is a file: name its folder",
        "nowhere": "no such",
    }.items():
        with pytest.raises(BadInput, match=reason):
            read_answers(tmp_path / name)
