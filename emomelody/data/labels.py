"""The label of a melody, and the labels that a CSV file gives."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emomelody.data import manifest
from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput, EmomelodyError

FORMS = (("file", "emotion"), ("file", "valence", "arousal"))  # the columns of a CSV file
COLUMNS = " or ".join(map(",".join, FORMS))


@dataclass(frozen=True)
class Label:
    """The emotion of a melody, where it comes from, and its point on the plane where there is one."""

    emotion: Emotion
    label_from: str  # csv, folder or rule: see manifest.BY_CSV and others
    point: tuple[float, float] | None = None  # valence and arousal: see manifest.Row
    arousal_by: str = ""  # notes, time or quantile: how the rule decided arousal


def read_labels(path: Path) -> dict[str, Label]:
    """The labels by file name in a CSV file with the columns file,emotion or file,valence,arousal.

    Valence and arousal are numbers from −1 to 1, and the emotion is that of their quadrant. Raises BadInput,
    naming the line, for other columns, a missing cell, an unknown emotion or another number; and for a file
    without labels.
    """
    labels = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            try:
                columns = _columns(reader.fieldnames or ())
                for cells in reader:
                    labels[cells["file"]] = _label(cells, columns)
            except EmomelodyError as error:
                raise BadInput(path, f"line {max(1, reader.line_num)}: {error}") from error
    except OSError as error:
        raise BadInput(path, error.strerror or str(error)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(path, "not a CSV file in UTF-8") from error
    if not labels:
        raise BadInput(path, f"has no labels: it needs the columns {COLUMNS}")
    return labels


def _columns(header: Sequence[str]) -> tuple[str, ...]:
    """The form that a header has. Raises EmomelodyError for none, and for a mixture of both."""
    known = {name for form in FORMS for name in form}
    for form in FORMS:
        if known.intersection(header) == set(form):
            return form
    raise EmomelodyError(f"the columns must be {COLUMNS}")


def _label(cells: Mapping[str | None, str | list[str] | None], columns: tuple[str, ...]) -> Label:
    texts = {name: str(cells[name] or "").strip() for name in columns}
    missing = [name for name, text in texts.items() if not text]
    if missing:
        raise EmomelodyError(f"no {' and no '.join(missing)}: each row needs {','.join(columns)}")
    if any(cells.get(None) or ()):  # after the last column
        raise EmomelodyError("more cells than columns (quote a name with a comma; write 0.5, not 0,5)")
    if "emotion" in texts:
        return Label(Emotion.parse(texts["emotion"]), manifest.BY_CSV)
    valence, arousal = (_coordinate(name, texts[name]) for name in ("valence", "arousal"))
    return Label(Emotion.at(valence, arousal), manifest.BY_CSV, (valence, arousal))


def _coordinate(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise EmomelodyError(f"{name} '{text}' is not a number from -1 to 1") from None
    if not -1 <= number <= 1:  # nor NaN
        raise EmomelodyError(f"{name} {text} is not a number from -1 to 1")
    return number
