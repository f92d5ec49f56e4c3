"""Which files are read, and the label that a CSV file or a folder name gives to each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emomelody.data import corpus, manifest
from emomelody.data.labels import Label
from emomelody.errors import BadInput
from emomelody.music.emotion import Emotion


@dataclass(frozen=True)
class Source:
    """A file to read, and its label if it was given one."""

    path: Path
    label: Label | None = None
    both_speeds: bool = False  # also stretch two bars to four, as the paper's set does for low arousal


@dataclass(frozen=True)
class LabelledSources:
    """The files found in the user's sources."""

    sources: list[Source]
    bad: list[BadInput]  # files and folders that cannot be used
    unused_labels: set[str]  # names in the CSV file that no file has


def chorale_sources() -> list[Source]:
    """The Bach chorales of the installed music21, each at full and at half speed."""
    return [Source(path, both_speeds=True) for path in corpus.chorales()]


def find_sources(given: list[Path], labels: Mapping[str, Label]) -> LabelledSources:
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
            label = labels.get(names[0]) or labels.get(names[1]) or _folder_label(path, top)
            sources.setdefault(real, Source(path, label))
    return LabelledSources(list(sources.values()), bad, unused)


def _names(path: Path, top: Path) -> tuple[str, str]:
    """The names by which a CSV file may list a file: relative to its source, and alone."""
    return path.relative_to(top).as_posix() if top.is_dir() else path.name, path.name


def _folder_label(path: Path, top: Path) -> Label | None:
    """The emotion of the nearest parent folder that is named after one, up to the given source."""
    for folder in path.parents:
        emotion = Emotion.named(folder.name)
        if emotion:
            return Label(emotion, manifest.BY_FOLDER)
        if folder == top or top == path:
            return None
    return None
