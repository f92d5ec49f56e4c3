"""``data/`` → arrays, and the split into training and held-out melodies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emomelody.data import manifest
from emomelody.data.tunes import group_tunes, hold_out
from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats import midi
from emomelody.music.emotion import Emotion
from emomelody.music.tokens import REST, Tokens, to_tokens


class Split(StrEnum):
    """How held-out melodies are chosen."""

    TUNE = "tune"  # no tune on both sides
    RANDOM = "random"  # the paper's: blind to tunes, so that some occur on both sides


@dataclass(frozen=True)
class Dataset:
    """N melodies of T = 64 steps with their emotions."""

    tokens: Tokens  # (N, T), 0–129
    labels: NDArray[np.int64]  # (N,), 0–3 for e1–e4
    tunes: NDArray[np.int64]  # (N,)
    files: tuple[Path, ...]  # N
    held_out: NDArray[np.bool_] | None  # (N,), the manifest's split; None where there is no manifest
    by_rule: NDArray[np.bool_] | None  # (N,), whether the rule made the label; None where nothing says so
    previous: NDArray[np.int64]  # (N,), the number of the melody before in the same piece; −1 for none
    skipped: tuple[BadInput, ...]  # files that could not be read

    def __len__(self) -> int:
        return len(self.files)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of tokens, labels, tunes and split, by which weights know their own data again."""
        digest = hashlib.sha256()
        for array in (self.tokens, self.labels, self.tunes, self.held_out):
            digest.update(b"none" if array is None else array.tobytes())
        return digest.hexdigest()

    def split(self, how: Split, seed: int) -> NDArray[np.bool_]:
        """True for the held-out fifth, shape (N,), stratified by emotion.

        By tune, the manifest's split where it has one, else one made from ``seed``; or at random.
        Raises EmomelodyError where there is too little to split.
        """
        if how is Split.TUNE and self.held_out is not None:
            if not 0 < self.held_out.sum() < len(self):
                raise EmomelodyError(
                    "the manifest holds nothing out: too few tunes; add more, or use --split random"
                )
            return self.held_out
        return hold_out(self.labels, self.tunes if how is Split.TUNE else None, seed)


def load(folder: Path) -> Dataset:
    """The melodies in ``folder``/e1 … e4 (folders may also have another of the emotions' names).

    Files that cannot be read are left out and listed. Raises BadInput where no melody is left.
    """
    if not folder.is_dir():
        raise BadInput(folder, "no such folder (emomelody preprocess makes training data)")
    tokens, labels, files, skipped = [], [], [], []
    for path, emotion in _labelled_files(folder):
        try:
            tokens.append(to_tokens(midi.read_melody(path)))
        except BadInput as error:
            skipped.append(error)
            continue
        labels.append(emotion.index)
        files.append(path)
    if not files:
        because = f" ({skipped[0].path.name}: {skipped[0].reason})" if skipped else ""
        raise BadInput(folder, f"no melodies in e1, e2, e3 or e4{because}")
    stacked = np.stack(tokens)
    rows = _manifest_rows(folder, files)
    if rows is None:
        lines = [row[row < REST].tolist() for row in stacked]
        tunes, held_out, by_rule = np.array(group_tunes(lines)), None, None
        previous = np.full(len(files), -1)
    else:
        tunes = np.array([row.tune for row in rows])
        held_out = np.array([row.split == manifest.HELD_OUT for row in rows])
        by_rule = np.array([row.label_from == manifest.BY_RULE for row in rows])
        previous = _previous(rows)
    return Dataset(
        stacked, np.array(labels), tunes, tuple(files), held_out, by_rule, previous, tuple(skipped)
    )


def _labelled_files(folder: Path) -> list[tuple[Path, Emotion]]:
    found = []
    for inner in sorted(p for p in folder.iterdir() if p.is_dir()):
        emotion = Emotion.named(inner.name)
        if emotion is not None:
            files = sorted(p for p in inner.iterdir() if p.suffix.lower() in midi.SUFFIXES)
            found += [(path, emotion) for path in files]
    return found


def _manifest_rows(folder: Path, files: list[Path]) -> list[manifest.Row] | None:
    """The manifest's row for each file; None where there is no manifest.

    Raises BadInput where it does not list a file: what it says of the others would leak.
    """
    path = folder / manifest.NAME
    if not path.exists():
        return None
    rows = {folder / row.file: row for row in manifest.read(path)}
    unlisted = next((file for file in files if file not in rows), None)
    if unlisted is not None:
        raise BadInput(path, f"does not list {unlisted.relative_to(folder)}: remove one of the two files")
    return [rows[file] for file in files]


def _previous(rows: list[manifest.Row]) -> NDArray[np.int64]:
    """The number of the melody that ends where each begins, of the same piece and speed; −1 for none."""
    pieces = [(row.source, row.tune, row.last_bar - row.first_bar) for row in rows]  # names may meet
    ends = {(piece, row.last_bar): n for n, (piece, row) in enumerate(zip(pieces, rows, strict=True))}
    previous = [ends.get((piece, row.first_bar - 1), -1) for piece, row in zip(pieces, rows, strict=True)]
    return np.array(previous)
