"""Which pieces are read, at which speeds, and the label that a CSV file or a folder name gives to each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from emomelody.data import corpus, manifest
from emomelody.data.labels import Label
from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput
from emomelody.formats import abc
from emomelody.formats.abc import Tune
from emomelody.music.style import Style


class Slow(Enum):
    """Which part of a piece is also used slowed down, for melodies with low arousal."""

    ALL = "all"  # at half speed, as in the paper's set
    BEGINNING = "beginning"  # sixteen bars, at half or quarter speed, of a piece that is fast
    END = "end"


@dataclass(frozen=True)
class Source:
    """A piece to read, and its label if it was given one."""

    path: Path
    label: Label | None = None
    style: Style = Style.OWN
    slow: Slow | None = None
    tune: Tune | None = None  # of an ABC file
    folder: Path | None = None  # given by the user, in which the file was found

    def __str__(self) -> str:
        return f"{self.path}: {self.tune.name}" if self.tune else str(self.path)

    @property
    def name(self) -> str:
        """The path of the file in the given folder, with the number of the tune: ``irish/reels.abc#12``."""
        name = _name_in(self.folder, self.path)
        return f"{name}#{self.tune.number}" if self.tune else name

    @property
    def stem(self) -> str:
        """What the names of its windows begin with: ``reels-12``."""
        return f"{self.path.stem}-{self.tune.number}" if self.tune else self.path.stem


@dataclass(frozen=True)
class LabelledSources:
    """The pieces found in the user's sources."""

    sources: list[Source]
    bad: list[BadInput]  # files and folders that cannot be used
    unused_labels: set[str]  # names in the CSV file that no file has


def chorale_sources() -> list[Source]:
    """The Bach chorales of the installed music21, each at full and at half speed."""
    return [Source(path, style=Style.CHORALE, slow=Slow.ALL) for path in corpus.chorales()]


def folk_sources() -> list[Source]:
    """The folk tunes of the installed music21; of every other one the end is slowed down."""
    return [
        Source(path, style=Style.FOLK, slow=Slow.END if number % 2 else Slow.BEGINNING, tune=tune)
        for number, (path, tune) in enumerate(corpus.folk_tunes())
    ]


def find_sources(given: list[Path], labels: Mapping[str, Label]) -> LabelledSources:
    """The pieces in the given files and folders, with the labels that are known.

    A label comes from ``labels``, by the file's path relative to the given folder or by its name; else from
    the nearest parent folder with the name of an emotion. Other files are labelled by rule later. A file that
    is given twice is read once.
    """
    unused = set(labels)
    sources: dict[str, list[Source]] = {}
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
            if real in sources:
                continue
            try:
                sources[real] = pieces_in(path, label, top if top.is_dir() else None)
            except BadInput as error:
                bad.append(error)
    return LabelledSources([source for found in sources.values() for source in found], bad, unused)


def pieces_in(path: Path, label: Label | None = None, folder: Path | None = None) -> list[Source]:
    """The pieces in a file of the user's: the tunes of an ABC file, one piece of another.

    ``folder`` is the given one that it was found in. Raises BadInput for an ABC file that cannot be read or
    holds no tune.
    """
    if path.suffix.lower() in abc.SUFFIXES:
        return [Source(path, label, tune=tune, folder=folder) for tune in abc.tunes(path)]
    return [Source(path, label, folder=folder)]


def _names(path: Path, top: Path) -> tuple[str, str]:
    """The names by which a CSV file may list a file: relative to its source, and alone."""
    return _name_in(top if top.is_dir() else None, path), path.name


def _name_in(folder: Path | None, path: Path) -> str:
    """The path of a file relative to the folder in which it was found; without one, its name."""
    return path.relative_to(folder).as_posix() if folder else path.name


def _folder_label(path: Path, top: Path) -> Label | None:
    """The emotion of the nearest parent folder that is named after one, up to the given source."""
    for folder in path.parents:
        emotion = Emotion.named(folder.name)
        if emotion:
            return Label(emotion, manifest.BY_FOLDER)
        if folder == top or top == path:
            return None
    return None
