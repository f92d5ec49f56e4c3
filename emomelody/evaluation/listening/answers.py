"""Files of answers: what the listeners of a listening test send, one JSON file each.

The page that ``evaluate --listening-test`` writes makes them, in format 1. A file that is half-finished or
damaged is told apart from those that can be used, and none stops the others.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput
from emomelody.files import read_limited

FORMAT, VERSION = "emomelody listening test", 1
REAL = "real"  # the system whose melodies are by humans
MAX_BYTES = 10_000_000  # of a file; 80 answers are 20 kB
LEAST_MUSICAL, MOST_MUSICAL = 1, 7


@dataclass(frozen=True)
class Stimulus:
    """A melody of the test, and what listeners are not told of it."""

    melody: str  # unique in the test
    system: str  # the model's name, or ``real``
    requested: Emotion  # of a real melody: its label
    point: tuple[float, float] | None  # the requested valence and arousal, −1 … 1
    predicted: Emotion  # what ``performance.listeners`` predicts from the notes as played

    def to_json(self) -> dict[str, Any]:
        """What a file of answers says of the melody."""
        return {
            "melody": self.melody,
            "system": self.system,
            "emotion": self.requested.title,
            "point": self.point,
            "predicted": self.predicted.title,
        }


@dataclass(frozen=True)
class Answer:
    """What a listener says of a melody."""

    stimulus: Stimulus
    emotion: Emotion
    valence: float  # −1 … 1
    arousal: float  # −1 … 1
    musical: int  # 1 … 7
    human: bool  # whether a human composed it


@dataclass(frozen=True)
class AnswerFile:
    """The answers of one listener, to different melodies of one test."""

    path: Path
    test: str
    listener: str
    total: int  # melodies that the listener was to hear
    answers: tuple[Answer, ...]

    @property
    def finished(self) -> bool:
        """Whether the listener has answered for every melody."""
        return len(self.answers) == self.total


@dataclass(frozen=True)
class Answers:
    """The files of a folder, in the order of their names."""

    files: tuple[AnswerFile, ...]  # finished, of one test, one per listener: those to analyse
    half_finished: tuple[AnswerFile, ...]
    bad: tuple[BadInput, ...]


class _Damaged(Exception):
    """Why a file cannot be used, in plain words."""


class _Kind(NamedTuple):
    """What a field may hold."""

    description: str
    accepts: Callable[[Any], bool]


def _is_coordinate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -1 <= value <= 1


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


_TEXT = _Kind("text", lambda value: isinstance(value, str) and value != "" and value.isprintable())
_EMOTION = _Kind(
    f"one of {', '.join(e.title for e in Emotion)}", lambda value: value in [e.title for e in Emotion]
)
_COORDINATE = _Kind("a number from −1 to 1", _is_coordinate)
_POINT = _Kind(
    "null or two numbers from −1 to 1",
    lambda value: (
        value is None or (isinstance(value, list) and len(value) == 2 and all(map(_is_coordinate, value)))
    ),
)
_TOTAL = _Kind("a whole number of 1 or more", lambda value: _is_whole(value, 1, MAX_BYTES))
_MUSICAL = _Kind(
    f"a whole number from {LEAST_MUSICAL} to {MOST_MUSICAL}",
    lambda value: _is_whole(value, LEAST_MUSICAL, MOST_MUSICAL),
)
_BOOLEAN = _Kind("true or false", lambda value: isinstance(value, bool))
_LIST = _Kind("a list", lambda value: isinstance(value, list))
_OBJECT = _Kind("an object", lambda value: isinstance(value, dict))


def read_answers(folder: Path) -> Answers:
    """Read the answers files (``*.json``) of a folder.

    Of several tests the one with the most finished files is used, of several finished files of a listener
    the first. Raises BadInput where the folder is missing or holds no such file.
    """
    if not folder.is_dir():
        raise BadInput(folder, "is a file: name its folder" if folder.exists() else "no such folder")
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise BadInput(folder, "has no answers of listeners: put the JSON files that they sent there")
    read: list[AnswerFile] = []
    bad: list[BadInput] = []
    for path in paths:
        try:
            read.append(read_file(path))
        except BadInput as error:
            bad.append(error)
    finished = [file for file in read if file.finished]
    used, refused = _of_one_test(finished)
    half_finished = tuple(file for file in read if not file.finished)
    return Answers(tuple(used), half_finished, tuple(sorted([*bad, *refused], key=lambda error: error.path)))


def read_file(path: Path) -> AnswerFile:
    """Read one file, finished or not. Raises BadInput for one that is damaged."""
    data = read_limited(path, MAX_BYTES)
    try:
        return _to_file(path, json.loads(data))
    except (ValueError, RecursionError) as error:
        raise BadInput(path, "not JSON, or cut off") from error
    except _Damaged as error:
        raise BadInput(path, str(error)) from error


def _of_one_test(finished: Sequence[AnswerFile]) -> tuple[list[AnswerFile], list[BadInput]]:
    """Those of the most common test, one per listener, that agree on its melodies; and why not others."""
    test = Counter(file.test for file in finished).most_common(1)[0][0] if finished else ""
    used: dict[str, AnswerFile] = {}  # by listener
    bad = []
    stimuli: dict[str, Stimulus] = {}
    for file in finished:
        heard = {answer.stimulus.melody: answer.stimulus for answer in file.answers}
        if file.test != test:
            bad.append(BadInput(file.path, "from a different listening test than most files here"))
        elif file.listener in used:
            first = used[file.listener].path.name
            bad.append(BadInput(file.path, f"of the same listener as {first}, which is used"))
        elif any(stimuli.get(melody, stimulus) != stimulus for melody, stimulus in heard.items()):
            bad.append(BadInput(file.path, "contradicts the files before it about the origin of a melody"))
        else:
            used[file.listener] = file
            stimuli |= heard
    return [*used.values()], bad


def _to_file(path: Path, data: Any) -> AnswerFile:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _Damaged("not a file of answers of a listening test")
    if data.get("version") != VERSION:
        raise _Damaged(f"in another version of the format than {VERSION}, which this emomelody reads")
    rows = _take(data, "answers", _LIST, "the file")
    answers = tuple(_to_answer(row, f"answer {number}") for number, row in enumerate(rows, 1))
    total = _take(data, "total", _TOTAL, "the file")
    if len(answers) > total:
        raise _Damaged(f"{len(answers)} answers, more than its total of {total}")
    numbers: dict[str, int] = {}
    for number, answer in enumerate(answers, 1):
        first = numbers.setdefault(answer.stimulus.melody, number)
        if first != number:
            raise _Damaged(f"answers {first} and {number} are to the same melody")
    test, listener = (_take(data, name, _TEXT, "the file") for name in ("test", "listener"))
    return AnswerFile(path, test, listener, total, answers)


def _to_answer(row: Any, where: str) -> Answer:
    if not isinstance(row, dict):
        raise _Damaged(f"{where} is not an object")
    point = _take(row, "point", _POINT, where)
    stimulus = Stimulus(
        melody=_take(row, "melody", _TEXT, where),
        system=_take(row, "system", _TEXT, where),
        requested=Emotion.parse(_take(row, "emotion", _EMOTION, where)),
        point=point and (float(point[0]), float(point[1])),
        predicted=Emotion.parse(_take(row, "predicted", _EMOTION, where)),
    )
    opinion = _take(row, "answer", _OBJECT, where)
    return Answer(
        stimulus,
        emotion=Emotion.parse(_take(opinion, "emotion", _EMOTION, where)),
        valence=float(_take(opinion, "valence", _COORDINATE, where)),
        arousal=float(_take(opinion, "arousal", _COORDINATE, where)),
        musical=_take(opinion, "musical", _MUSICAL, where),
        human=_take(opinion, "human", _BOOLEAN, where),
    )


def _take(data: dict[str, Any], name: str, kind: _Kind, where: str) -> Any:
    """A field of a JSON object. Raises _Damaged where it is missing or of another kind."""
    if name not in data:
        raise _Damaged(f"{where} has no '{name}'")
    if not kind.accepts(data[name]):
        raise _Damaged(f"{where}: '{name}' must be {kind.description}")
    return data[name]
