"""``manifest.csv``: a row per melody of a data folder, written by ``preprocess`` and read by ``dataset``."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from math import isfinite
from pathlib import Path

from emomelody.errors import BadInput
from emomelody.music.meter import Meter
from emomelody.music.style import Style

NAME = "manifest.csv"
TRAINING, HELD_OUT = "training", "held-out"
BY_CSV, BY_FOLDER, BY_RULE = "csv", "folder", "rule"  # where a label comes from


@dataclass(frozen=True)
class Row:
    """One melody: where it comes from, and what was done to it."""

    file: str  # relative to the data folder, e.g. e3/bwv10.7-b001-half.mid
    source: str  # file of the piece in the given folder; of ABC with the tune's number: irish/reels.abc#12
    style: Style
    meter: Meter
    tune: int  # the same number for the same tune
    bars: str  # first and last bar in the piece, e.g. 1-4; two bars of 2/4 count as one
    of_bars: int | None  # how many bars the piece has; version 0.3 wrote none
    key: str  # before transposition, e.g. "G minor"
    transposition: int  # semitones
    emotion: str  # e1 … e4
    # The numbers of a CSV file, −1 … 1, or the rule's measures where they depend on the tempo of the source.
    # None for other labels: training measures the notes.
    valence: float | None
    arousal: float | None
    label_from: str  # csv, folder or rule: see BY_CSV and others
    arousal_by: str  # notes, time or quantile: what the rule took for high arousal; empty for other labels
    split: str  # training or held-out

    @property
    def first_bar(self) -> int:
        """The first bar, counted from 1; a pickup is bar 0."""
        return self._span()[0]

    @property
    def last_bar(self) -> int:
        """The last bar."""
        return self._span()[1]

    def _span(self) -> tuple[int, int]:
        """First and last bar. Raises ValueError if ``bars`` is not of the form 1-4."""
        first, last = map(int, self.bars.split("-"))
        return first, last


def write(path: Path, rows: list[Row]) -> None:
    """Write a manifest with these rows. File names that are not UTF-8 are kept byte by byte."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def read(path: Path) -> list[Row]:
    """The rows of a manifest. Raises BadInput for a missing column or a malformed number."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            return [_row(cells) for cells in csv.DictReader(file)]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise BadInput(path, f"not a manifest written by emomelody preprocess ({error!r})") from error


def _row(cells: dict[str, str]) -> Row:
    row = Row(
        file=cells["file"],
        source=cells["source"],
        # Version 0.3 wrote neither of these two, and melodies in 4/4 alone.
        style=Style(cells.get("style") or Style.OWN),
        meter=Meter(cells.get("meter") or Meter.FOUR_FOUR),
        tune=int(cells["tune"]),
        bars=cells["bars"] or "",
        of_bars=int(cells["of_bars"]) if cells.get("of_bars") else None,
        key=cells["key"],
        transposition=int(cells["transposition"]),
        emotion=cells["emotion"],
        # Version 0.2 wrote none of these three.
        valence=_coordinate(cells.get("valence")),
        arousal=_coordinate(cells.get("arousal")),
        label_from=cells["label_from"],
        arousal_by=cells.get("arousal_by") or "",
        split=cells["split"],
    )
    if row.first_bar > row.last_bar:
        raise ValueError(f"bars {row.bars}")
    if (row.valence is None) != (row.arousal is None):
        raise ValueError(f"{row.file} has one of valence and arousal")
    return row


def _coordinate(text: str | None) -> float | None:
    number = float(text) if text else None
    if number is not None and not isfinite(number):
        raise ValueError(f"{text} is no number")
    return number
