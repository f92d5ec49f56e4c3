"""Which files are read, and the emotion that a CSV file or a folder name gives to each."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emomelody.data import corpus, manifest
from emomelody.data.windows import Source
from emomelody.errors import BadInput, EmomelodyError
from emomelody.music.emotion import Emotion


@dataclass(frozen=True)
class LabelledSources:
    """The files found in the user's sources."""

    sources: list[Source]
    bad: list[BadInput]  # files and folders that cannot be used
    unused_labels: set[str]  # names in the CSV file that no file has


def chorale_sources() -> list[Source]:
    """The Bach chorales of the installed music21, each at full and at half speed."""
    return [Source(path, both_speeds=True) for path in corpus.chorales()]


def find_sources(given: list[Path], labels: Mapping[str, Emotion]) -> LabelledSources:
    """The MIDI and MusicXML files of the given files and folders, with the labels that are known.

    A label comes from ``labels``, by the file's path relative to the given folder or by its name; else from
    the nearest parent folder with the name of an emotion. Other files are labelled by rule later. A file that
    is given twice is read once.
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
            names = _names(path, top)
            unused.difference_update(names)
            real = os.path.realpath(path)  # unlike Path.resolve, accepts a link to itself
            sources.setdefault(real, _labelled(path, top, names, labels))
    return LabelledSources(list(sources.values()), bad, unused)


def _names(path: Path, top: Path) -> tuple[str, str]:
    """The names by which a CSV file may list a file: relative to its source, and alone."""
    return path.relative_to(top).as_posix() if top.is_dir() else path.name, path.name


def _labelled(path: Path, top: Path, names: tuple[str, str], labels: Mapping[str, Emotion]) -> Source:
    listed = labels.get(names[0]) or labels.get(names[1])
    if listed:
        return Source(path, listed, manifest.BY_CSV)
    emotion = _folder_emotion(path, top)
    return Source(path, emotion, manifest.BY_FOLDER) if emotion else Source(path)


def _folder_emotion(path: Path, top: Path) -> Emotion | None:
    """The emotion of the nearest parent folder that is named after one, up to the given source."""
    for folder in path.parents:
        emotion = Emotion.named(folder.name)
        if emotion or folder == top or top == path:
            return emotion
    return None


def read_labels(path: Path) -> dict[str, Emotion]:
    """The labels by file name in a CSV file with the columns file and emotion.

    Raises BadInput, naming the line, for a file without labels or with an unknown emotion.
    """
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
        raise BadInput(path, "has no labels: it needs the columns file,emotion")
    return labels
