"""A data folder as arrays, and its split into training and held-out melodies.

Shapes: N melodies, T steps, 64 in 4/4, 48 in 3/4 and 6/8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emomelody.data import manifest
from emomelody.data.tunes import group_tunes, hold_out
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import Arousal
from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats import midi
from emomelody.music.key import from_signature
from emomelody.music.melody import BARS, MAX_PITCH, Melody
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import REST, Floats, Tokens, to_tokens
from emomelody.workers import by_processes, core_count

CHUNK = 1000  # files that a process reads at a time
_NO_FOLDER = "no such folder (emomelody preprocess makes training data)"


class Split(StrEnum):
    """How held-out melodies are chosen."""

    TUNE = "tune"  # no tune has melodies in both parts
    RANDOM = "random"  # the paper's choice: some tunes have


@dataclass(frozen=True)
class Dataset:
    """Labelled melodies of one style and meter."""

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
    meter: Meter = Meter.FOUR_FOUR
    style: Style = Style.OWN
    # (N,), bars of the piece from each melody's first on, at its speed; None without a manifest.
    remaining: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.files)

    @property
    def name(self) -> str:
        """The style and the meter, e.g. ``folk 6/8``."""
        return f"{self.style} {self.meter}"

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Whether the piece goes on to the end of each melody, (N,); the last bars of others are rests."""
        if self.remaining is None:
            return np.ones(len(self), dtype=bool)
        return self.remaining >= BARS

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


def load(
    folder: Path, *, meter: Meter = Meter.FOUR_FOUR, style: Style | None = None, to_c: bool = False
) -> Dataset:
    """The melodies in the subfolders e1 … e4 of a data folder (other names of the emotions work too).

    Only those in ``meter`` and of ``style`` (default: the first that the folder has in the meter), as the
    folder's manifest says; without a manifest all are the user's own, in 4/4. ``to_c`` transposes each
    melody to C by the first key signature in its file; a file without one is taken as it is. Files that
    cannot be read are skipped and listed. Raises BadInput if no melody is left, or if the manifest does
    not list every file.
    """
    labelled = _labelled_files(folder)
    listed = _manifest_rows(folder, list(labelled))
    if style is None:
        style = next((kind for kind, in_meter in styles_in(folder) if in_meter is meter), Style.OWN)
    wanted = [path for path in labelled if _is_wanted(listed[path] if listed else None, meter, style)]
    tokens, labels, files, skipped, transposed = [], [], [], [], 0
    for path, found in zip(wanted, _read_all(wanted, meter, to_c), strict=True):
        if isinstance(found, BadInput):
            skipped.append(found)
            continue
        tokens.append(found[0])
        transposed += found[1] != 0
        labels.append(labelled[path].index)
        files.append(path)
    if not files:
        reason = f" ({skipped[0].path.name}: {skipped[0].reason})" if skipped else ""
        raise BadInput(folder, f"no {style} melodies in {meter} in e1, e2, e3 or e4{reason}")
    stacked = np.stack(tokens)  # (N, T)
    if listed is None:
        lines = [row[row < REST].tolist() for row in stacked]
        tunes, held_out, by_rule = np.array(group_tunes(lines)), None, None
        points, by_tempo, remaining = None, None, None
        previous = np.full(len(files), -1)
    else:
        rows = [listed[file] for file in files]
        tunes = np.array([row.tune for row in rows])
        held_out = np.array([row.split == manifest.HELD_OUT for row in rows])
        by_rule = np.array([row.label_from == manifest.BY_RULE for row in rows])
        points = _points(rows)
        by_tempo = np.array([row.arousal_by in (Arousal.TIME, Arousal.QUANTILE) for row in rows])
        previous = _previous(rows)
        remaining = _remaining(rows)
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
        meter,
        style,
        remaining,
    )


def load_all(folder: Path, *, to_c: bool = False) -> list[Dataset]:
    """The melodies of each style and meter in a data folder. Raises BadInput as ``load`` does."""
    return [load(folder, meter=meter, style=style, to_c=to_c) for style, meter in styles_in(folder)]


def styles_in(folder: Path) -> list[tuple[Style, Meter]]:
    """The styles and meters of the melodies in a data folder; without a manifest the user's own, in 4/4.

    Raises BadInput for a folder or a manifest that cannot be read.
    """
    if not folder.is_dir():
        raise BadInput(folder, _NO_FOLDER)
    path = folder / manifest.NAME
    if not path.exists():
        return [(Style.OWN, Meter.FOUR_FOUR)]
    found = {(row.style, row.meter) for row in manifest.read(path)}
    return [(style, meter) for style in Style for meter in Meter if (style, meter) in found]


def tunes_of(dataset: Dataset, chosen: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Whole pieces: the indices of the successive windows of one piece at one speed, in order.

    Every ``chosen`` melody (N,) is in one of them. Where one is missing, the piece is divided.
    """
    previous = [before if before >= 0 and chosen[before] else -1 for before in dataset.previous.tolist()]
    following = {before: n for n, before in enumerate(previous) if before >= 0 and chosen[n]}
    pieces = []
    for first in np.flatnonzero(chosen).tolist():
        if previous[first] >= 0:
            continue
        piece = [first]
        while piece[-1] in following:
            piece.append(following[piece[-1]])
        pieces.append(np.array(piece))
    return pieces


def _read_all(files: list[Path], meter: Meter, to_c: bool) -> Iterator[tuple[Tokens, int] | BadInput]:
    """The tokens (T,) of each file, in order, and by how many semitones it was transposed."""
    read = partial(_read_each, meter=meter, to_c=to_c)
    chunks = (files[first : first + CHUNK] for first in range(0, len(files), CHUNK))
    jobs = min(core_count(), len(files) // (2 * CHUNK))  # fewer files are read sooner by this process
    yield from chain.from_iterable(by_processes(jobs, read, chunks) if jobs > 1 else map(read, chunks))


def _read_each(files: list[Path], *, meter: Meter, to_c: bool) -> list[tuple[Tokens, int] | BadInput]:
    found: list[tuple[Tokens, int] | BadInput] = []
    for path in files:
        try:
            melody, semitones = _read_in_c(path, meter) if to_c else (_read(path, meter), 0)
            found.append((to_tokens(melody), semitones))
        except BadInput as error:
            found.append(error)
    return found


def _read(path: Path, meter: Meter) -> Melody:
    """The four bars of a file in the meter that the manifest gives."""
    return replace(midi.read_melody(path, BARS * meter.bar), meter=meter)


def _read_in_c(path: Path, meter: Meter) -> tuple[Melody, int]:
    """The melody of a file, transposed to C by the key signature in it, and by how many semitones.

    Down by the tonic, or up where it would fall below MIDI's pitches, as ``windows.cut_windows`` does.
    """
    melody, keys = _read(path, meter), midi.read(path).keys
    tonic = from_signature(keys[0][1]).tonic if keys else 0
    pitches = [note.pitch for note in melody.notes]
    semitones = -tonic if min(pitches) >= tonic else 12 - tonic
    if max(pitches) + semitones > MAX_PITCH:
        raise BadInput(path, "from top to bottom of the keyboard: it cannot be transposed")
    return melody.transposed(semitones), semitones


def _labelled_files(folder: Path) -> dict[Path, Emotion]:
    """The MIDI files in the subfolders that are named after emotions, sorted."""
    if not folder.is_dir():
        raise BadInput(folder, _NO_FOLDER)
    found: dict[Path, Emotion] = {}
    for inner in sorted(p for p in folder.iterdir() if p.is_dir()):
        emotion = Emotion.named(inner.name)
        if emotion is not None:
            files = sorted(p for p in inner.iterdir() if p.suffix.lower() in midi.SUFFIXES)
            found |= dict.fromkeys(files, emotion)
    return found


def _manifest_rows(folder: Path, files: list[Path]) -> dict[Path, manifest.Row] | None:
    """The manifest's rows by file; None if there is no manifest.

    Raises BadInput for a file that it does not list: its tune could be on both sides of the split.
    """
    path = folder / manifest.NAME
    if not path.exists():
        return None
    rows = {folder / row.file: row for row in manifest.read(path)}
    unlisted = next((file for file in files if file not in rows), None)
    if unlisted is not None:
        raise BadInput(path, f"does not list {unlisted.relative_to(folder)}: remove one of the two files")
    return rows


def _is_wanted(row: manifest.Row | None, meter: Meter, style: Style) -> bool:
    """Whether a melody is in the meter and of the style; without a row it is the user's own, in 4/4."""
    return (meter, style) == ((Meter.FOUR_FOUR, Style.OWN) if row is None else (row.meter, row.style))


def _points(rows: list[manifest.Row]) -> Floats | None:
    points = np.array([(row.valence, row.arousal) for row in rows], dtype=float)  # None becomes NaN
    return None if np.isnan(points).all() else points


def _previous(rows: list[manifest.Row]) -> NDArray[np.int64]:
    """For each row the index of the window before it, of the same piece and speed; −1 for none."""
    # The name of a source need not be unique, as of files in two given folders: the tune is compared as well.
    pieces = [(row.source, row.tune, row.last_bar - row.first_bar) for row in rows]
    ends = {(piece, row.last_bar): n for n, (piece, row) in enumerate(zip(pieces, rows, strict=True))}
    return np.array(
        [ends.get((piece, row.first_bar - 1), -1) for piece, row in zip(pieces, rows, strict=True)]
    )


def _remaining(rows: list[manifest.Row]) -> NDArray[np.int64] | None:
    """``Dataset.remaining``; None for manifests that do not give the pieces' bars."""
    if any(row.of_bars is None for row in rows):
        return None
    first, span, bars = np.array(
        [(row.first_bar - 1, row.last_bar - row.first_bar + 1, row.of_bars) for row in rows]
    ).T  # (N,) each, in bars of the piece
    remaining: NDArray[np.int64] = (bars - first) * BARS // span
    return remaining
