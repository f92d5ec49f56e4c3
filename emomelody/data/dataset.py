"""A data folder as arrays, and its split into training and held-out melodies.

Shapes: N melodies, T = 64 steps.
"""

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
from emomelody.music.key import from_signature
from emomelody.music.melody import MAX_PITCH, Melody
from emomelody.music.plane import Floats
from emomelody.music.rule import Arousal
from emomelody.music.tokens import REST, Tokens, to_tokens


class Split(StrEnum):
    """How held-out melodies are chosen."""

    TUNE = "tune"  # no tune has melodies in both parts
    RANDOM = "random"  # the paper's choice: some tunes have


@dataclass(frozen=True)
class Dataset:
    """Labelled melodies."""

    tokens: Tokens  # (N, T), 0–129
    labels: NDArray[np.int64]  # (N,), 0–3 for e1–e4
    tunes: NDArray[np.int64]  # (N,), the same number for the same tune
    files: tuple[Path, ...]  # N
    held_out: NDArray[np.bool_] | None  # (N,), the manifest's split; None without a manifest
    by_rule: NDArray[np.bool_] | None  # (N,), whether the label is the rule's; None without a manifest
    previous: NDArray[np.int64]  # (N,), index of the melody that ends where this one begins; −1 for none
    skipped: tuple[BadInput, ...]  # files that could not be read
    # The manifest's valence and arousal, (N, 2), NaN for a melody without them; None if no melody has any.
    points: Floats | None = None
    # (N,), whether the rule decided arousal by onsets per second; None without a manifest.
    by_tempo: NDArray[np.bool_] | None = None
    transposed: int = 0  # how many were transposed to C when they were read

    def __len__(self) -> int:
        return len(self.files)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that training reads, stored in weights to recognise their training data."""
        digest = hashlib.sha256()
        for array in (self.tokens, self.labels, self.tunes, self.held_out):
            digest.update(b"none" if array is None else array.tobytes())
        if self.points is not None:  # data without any has the fingerprint that version 0.2 gave it
            digest.update(self.points.tobytes())
        return digest.hexdigest()

    def split(self, how: Split, seed: int) -> NDArray[np.bool_]:
        """True for the held-out fifth of the melodies, (N,), stratified by emotion.

        By tune, this is the manifest's split; ``seed`` makes one if there is no manifest, or for a random
        split. Raises EmomelodyError if there are too few melodies or tunes.
        """
        if how is Split.TUNE and self.held_out is not None:
            if not 0 < self.held_out.sum() < len(self):
                raise EmomelodyError(
                    "the manifest holds out no melodies (too few tunes): add more, or use --split random"
                )
            return self.held_out
        return hold_out(self.labels, self.tunes if how is Split.TUNE else None, seed)


def load(folder: Path, *, to_c: bool = False) -> Dataset:
    """The melodies in the subfolders e1 … e4 of a data folder (other names of the emotions work too).

    ``to_c`` transposes each melody to C by the first key signature in its file; a file without one is taken
    as it is. Files that cannot be read are skipped and listed. Raises BadInput if no melody is left, or if
    the folder's manifest does not list every file.
    """
    if not folder.is_dir():
        raise BadInput(folder, "no such folder (emomelody preprocess makes training data)")
    tokens, labels, files, skipped, transposed = [], [], [], [], 0
    for path, emotion in _labelled_files(folder):
        try:
            melody, semitones = _read_in_c(path) if to_c else (midi.read_melody(path), 0)
        except BadInput as error:
            skipped.append(error)
            continue
        tokens.append(to_tokens(melody))
        transposed += semitones != 0
        labels.append(emotion.index)
        files.append(path)
    if not files:
        reason = f" ({skipped[0].path.name}: {skipped[0].reason})" if skipped else ""
        raise BadInput(folder, f"no melodies in e1, e2, e3 or e4{reason}")
    stacked = np.stack(tokens)  # (N, T)
    rows = _manifest_rows(folder, files)
    if rows is None:
        lines = [row[row < REST].tolist() for row in stacked]
        tunes, held_out, by_rule = np.array(group_tunes(lines)), None, None
        points, by_tempo = None, None
        previous = np.full(len(files), -1)
    else:
        tunes = np.array([row.tune for row in rows])
        held_out = np.array([row.split == manifest.HELD_OUT for row in rows])
        by_rule = np.array([row.label_from == manifest.BY_RULE for row in rows])
        points = _points(rows)
        by_tempo = np.array([row.arousal_by in (Arousal.TIME, Arousal.QUANTILE) for row in rows])
        previous = _previous(rows)
    return Dataset(
        stacked,
        np.array(labels),
        tunes,
        tuple(files),
        held_out,
        by_rule,
        previous,
        tuple(skipped),
        points,
        by_tempo,
        transposed,
    )


def _read_in_c(path: Path) -> tuple[Melody, int]:
    """The melody of a file, transposed to C by the key signature in it, and by how many semitones.

    Down by the tonic, or up where it would fall below MIDI's pitches, as ``windows.cut_windows`` does.
    """
    melody, keys = midi.read_melody(path), midi.read(path).keys
    tonic = from_signature(keys[0][1]).tonic if keys else 0
    pitches = [note.pitch for note in melody.notes]
    semitones = -tonic if min(pitches) >= tonic else 12 - tonic
    if max(pitches) + semitones > MAX_PITCH:
        raise BadInput(path, "from top to bottom of the keyboard: it cannot be transposed")
    return melody.transposed(semitones), semitones


def _labelled_files(folder: Path) -> list[tuple[Path, Emotion]]:
    found = []
    for inner in sorted(p for p in folder.iterdir() if p.is_dir()):
        emotion = Emotion.named(inner.name)
        if emotion is not None:
            files = sorted(p for p in inner.iterdir() if p.suffix.lower() in midi.SUFFIXES)
            found += [(path, emotion) for path in files]
    return found


def _manifest_rows(folder: Path, files: list[Path]) -> list[manifest.Row] | None:
    """The manifest's row for each file; None if there is no manifest.

    Raises BadInput for a file that it does not list: its tune could be on both sides of the split.
    """
    path = folder / manifest.NAME
    if not path.exists():
        return None
    rows = {folder / row.file: row for row in manifest.read(path)}
    unlisted = next((file for file in files if file not in rows), None)
    if unlisted is not None:
        raise BadInput(path, f"does not list {unlisted.relative_to(folder)}: remove one of the two files")
    return [rows[file] for file in files]


def _points(rows: list[manifest.Row]) -> Floats | None:
    points = np.array([(row.valence, row.arousal) for row in rows], dtype=float)  # None becomes NaN
    return None if np.isnan(points).all() else points


def _previous(rows: list[manifest.Row]) -> NDArray[np.int64]:
    """For each row the index of the window before it, of the same piece and speed; −1 for none."""
    # The file name of a source may not be unique: the tune is compared as well.
    pieces = [(row.source, row.tune, row.last_bar - row.first_bar) for row in rows]
    ends = {(piece, row.last_bar): n for n, (piece, row) in enumerate(zip(pieces, rows, strict=True))}
    return np.array(
        [ends.get((piece, row.first_bar - 1), -1) for piece, row in zip(pieces, rows, strict=True)]
    )
