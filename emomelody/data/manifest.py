"""``manifest.csv``: one row per melody of ``data/``; written by ``preprocess``, read by ``dataset``."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from emomelody.errors import BadInput

NAME = "manifest.csv"
TRAINING, HELD_OUT = "training", "held-out"
BY_RULE = "rule"


@dataclass(frozen=True)
class Row:
    """One melody: where it came from and what was done to it."""

    file: str  # relative to the folder, e.g. e3/bwv10.7-b001-half.mid
    source: str  # the piece
    tune: int  # equal numbers: the same tune
    bars: str  # of the piece, e.g. 1-4
    key: str  # before transposition, e.g. "G minor"
    transposition: int  # semitones
    emotion: str  # e1 … e4
    label_from: str  # csv, folder or rule
    split: str  # training or held-out

    @property
    def first_bar(self) -> int:
        """The first of its bars."""
        return self._span()[0]

    @property
    def last_bar(self) -> int:
        """The last of its bars."""
        return self._span()[1]

    def _span(self) -> tuple[int, int]:
        """Its first and last bar. Raises ValueError where ``bars`` is not written as 1-4."""
        first, last = map(int, self.bars.split("-"))
        return first, last


def write(path: Path, rows: list[Row]) -> None:
    """Write the manifest, rows in the order given."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def read(path: Path) -> list[Row]:
    """The rows of a manifest. Raises BadInput where a column is missing or a number is none."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            return [_row(cells) for cells in csv.DictReader(file)]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise BadInput(path, f"not a manifest of this program ({error!r})") from error


def _row(cells: dict[str, str]) -> Row:
    row = Row(
        file=cells["file"],
        source=cells["source"],
        tune=int(cells["tune"]),
        bars=cells["bars"] or "",
        key=cells["key"],
        transposition=int(cells["transposition"]),
        emotion=cells["emotion"],
        label_from=cells["label_from"],
        split=cells["split"],
    )
    if row.first_bar > row.last_bar:
        raise ValueError(f"bars {row.bars}")
    return row
