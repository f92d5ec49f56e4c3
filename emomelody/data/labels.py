"""Sources → ``data/``: the paper's four transformations, the labels, the folder and its manifest."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path

from emomelody.data import corpus
from emomelody.data.windows import Source
from emomelody.errors import BadInput, EmomelodyError
from emomelody.music.emotion import Emotion


def chorale_sources() -> list[Source]:
    """The Bach chorales of the installed music21, each at both speeds."""
    return [Source(path, both_speeds=True) for path in corpus.chorales()]


def file_sources(
    given: list[Path], labels: Mapping[str, Emotion]
) -> tuple[list[Source], list[BadInput], set[str]]:
    """The files of the given files and folders, labelled by ``labels`` or by folder names.

    ``labels`` goes by a file's path relative to its folder, or by its name. Returns also the sources that
    cannot be used, and the labels that no file goes by.
    """
    unused = set(labels)
    sources: dict[str, Source] = {}
    bad = []
    for top in given:
        try:
            files = corpus.find_files(top)
        except BadInput as error:
            bad.append(error)
            continue
        for path in files:
            relative = path.relative_to(top) if top.is_dir() else Path(path.name)
            unused -= {relative.as_posix(), path.name}
            listed = labels.get(relative.as_posix()) or labels.get(path.name)
            folder = _folder_emotion(path, top)
            if listed:
                source = Source(path, listed, "csv")
            elif folder:
                source = Source(path, folder, "folder")
            else:
                source = Source(path)
            sources.setdefault(os.path.realpath(path), source)  # unlike resolve, past links in a circle
    return list(sources.values()), bad, unused


def read_labels(path: Path) -> dict[str, Emotion]:
    """The labels of a CSV file with the columns file and emotion. Raises BadInput naming the line."""
    labels = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                if not row.get("file") or not row.get("emotion"):
                    raise BadInput(path, f"line {number}: needs the columns file,emotion")
                try:
                    labels[row["file"]] = Emotion.parse(row["emotion"])
                except EmomelodyError as error:
                    raise BadInput(path, f"line {number}: {error}") from error
    except OSError as error:
        raise BadInput(path, error.strerror or str(error)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(path, "not a CSV file in UTF-8") from error
    if not labels:
        raise BadInput(path, "no labels in it; it needs the columns file,emotion")
    return labels


def _folder_emotion(path: Path, top: Path) -> Emotion | None:
    """The emotion that the nearest folder above the file is named after, up to the source itself."""
    for folder in path.parents:
        emotion = Emotion.named(folder.name)
        if emotion or folder == top or top == path:
            return emotion
    return None
