"""``chords.csv``: the chords of each bar of the chorales in a data folder, one a quarter note, in C.

Written by ``preprocess``. It has whole pieces, whose windows ``manifest.csv`` lists by their bars.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emomelody.data import manifest
from emomelody.data.chords.voices import METERS
from emomelody.data.dataset import Dataset, tunes_of
from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput, EmomelodyError
from emomelody.harmony.slots import ChordExample, features
from emomelody.music.chords import Chord, TimedChord, joined
from emomelody.music.melody import BARS, STEPS_PER_BEAT
from emomelody.music.tokens import from_tokens

NAME = "chords.csv"
_COLUMNS = ("source", "bar", "chords")
Bars = Mapping[tuple[str, int], tuple[Chord, ...]]  # by source, and bar of the piece, counted from 1


def write(path: Path, pieces: Mapping[str, Sequence[Sequence[Chord]]]) -> None:
    """Write the chords of pieces by their sources; each has those of every bar."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for source, bars in pieces.items():
            for number, chords in enumerate(bars, start=1):
                writer.writerow([source, number, " ".join(chord.name() for chord in chords)])


def read(folder: Path) -> Bars:
    """The chords in a data folder; empty where there are none. Raises BadInput for a malformed file."""
    path = folder / NAME
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            return {
                (row["source"], int(row["bar"])): tuple(map(Chord.parse, row["chords"].split()))
                for row in csv.DictReader(file)
            }
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error, EmomelodyError) as error:
        raise BadInput(path, f"not a table written by emomelody preprocess ({error})") from error


def chords_of(folder: Path, dataset: Dataset) -> list[tuple[TimedChord, ...]]:
    """The chords of each window of a dataset that was loaded from the folder, at its speed.

    None for a window whose piece is not in the table. The last bars of a window that its piece ends in have
    none either. Raises BadInput as ``read`` does.
    """
    known = read(folder)
    if not known:
        return [()] * len(dataset)
    rows = {folder / row.file: row for row in manifest.read(folder / manifest.NAME)}
    return [joined(_timed(rows[file], known)) for file in dataset.files]


def _timed(row: manifest.Row, known: Bars) -> Iterator[TimedChord]:
    """The chords of the window of a row of the manifest, one for each quarter note of the piece."""
    bars = range(row.first_bar, row.last_bar + 1)
    beat = STEPS_PER_BEAT * BARS // len(bars)  # steps: longer where the window is slowed down
    onset = 0
    for bar in bars:
        for chord in known.get((row.source, bar), ()):
            yield TimedChord(onset, beat, chord)
            onset += beat


def harmonised_tunes(folder: Path, dataset: Dataset, chosen: NDArray[np.bool_]) -> list[ChordExample]:
    """The pieces at full speed that ``chosen`` windows (N,) of a dataset are from, with a chord a beat.

    Empty for a dataset without chords. Raises BadInput as ``read`` does.
    """
    if dataset.meter not in METERS:
        return []
    chords, spans = chords_of(folder, dataset), _spans(folder, dataset)
    tunes = []
    for tune in tunes_of(dataset, chosen & (spans == BARS)):
        timed = [
            chord.moved(number * BARS * dataset.meter.bar)
            for number, window in enumerate(tune.tolist())
            for chord in chords[window]
        ]
        steps = timed[-1].end if timed else 0
        melody = from_tokens(dataset.tokens[tune].ravel()[:steps], dataset.meter) if steps else None
        if melody is None or sum(chord.duration for chord in timed) != steps:  # some bars have none
            continue
        by_beat = [c.chord for c in timed for _ in range(c.duration // STEPS_PER_BEAT)]
        mode = [*Emotion][dataset.labels[tune[0]]].mode
        tunes.append(ChordExample(features(melody, STEPS_PER_BEAT), tuple(by_beat), mode))
    return tunes


def _spans(folder: Path, dataset: Dataset) -> NDArray[np.int64]:
    """How many bars of its piece each window has, (N,); 0 without a manifest."""
    if dataset.held_out is None:
        return np.zeros(len(dataset), dtype=np.int64)
    rows = {folder / row.file: row for row in manifest.read(folder / manifest.NAME)}
    return np.array([rows[file].last_bar - rows[file].first_bar + 1 for file in dataset.files])
