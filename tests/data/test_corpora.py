"""The corpora of music21 as training data: chorales and folk tunes, at full speed and slowed down."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from emomelody.data import manifest
from emomelody.data.dataset import load, styles_in
from emomelody.data.preprocess import Report, preprocess
from emomelody.data.sources import chorale_sources, folk_sources
from emomelody.music.meter import Meter
from emomelody.music.style import Style

CHORALES, FOLK = 24, 90


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    """A data folder with some chorales and folk tunes, and what is reported of it."""
    folder = tmp_path_factory.mktemp("some") / "data"
    sources = chorale_sources()[:CHORALES] + folk_sources()[::47][:FOLK]
    return folder, preprocess(sources, folder, jobs=1)


@pytest.fixture(scope="module")
def rows(some: tuple[Path, Report]) -> list[manifest.Row]:
    return manifest.read(some[0] / manifest.NAME)


def test_all_sources_are_read_or_counted(some: tuple[Path, Report], rows: list[manifest.Row]) -> None:
    folder, report = some
    assert not report.bad
    assert report.pieces == CHORALES + FOLK
    used = {(row.source, row.tune) for row in rows}
    skipped = sum(count for reason, count in report.skipped.items() if reason.startswith("piece in "))
    assert skipped > 0
    assert len(used) >= report.pieces - skipped - 3  # all of whose windows are off the grid
    of_chorales = [(Style.CHORALE, meter) for meter in (Meter.FOUR_FOUR, Meter.THREE_FOUR)]
    assert styles_in(folder) == of_chorales + [(Style.FOLK, meter) for meter in Meter]
    assert sum(report.kinds.values()) == report.melodies == len(rows)


def test_speeds(rows: list[manifest.Row]) -> None:
    bars = {"half": 2, "quarter": 1}
    for row in rows:
        assert row.last_bar - row.first_bar + 1 == bars.get(Path(row.file).stem.rsplit("-", 1)[1], 4), row
    folk = [row for row in rows if row.style is Style.FOLK]
    assert {row.last_bar - row.first_bar + 1 for row in folk} == {1, 2, 4}
    for _, piece in groupby(folk, lambda row: (row.source, row.tune)):
        slow = [row for row in piece if row.last_bar - row.first_bar < 3]
        assert len(slow) <= 4
        assert len({row.last_bar - row.first_bar for row in slow}) <= 1


def test_styles_share_no_tune_and_no_tune_is_on_both_sides(rows: list[manifest.Row]) -> None:
    styles: dict[int, set[Style]] = {}
    sides: dict[int, set[str]] = {}
    for row in rows:
        styles.setdefault(row.tune, set()).add(row.style)
        sides.setdefault(row.tune, set()).add(row.split)
    assert {len(found) for found in (*styles.values(), *sides.values())} == {1}


def test_the_split_of_the_chorales_does_not_depend_on_the_folk_tunes(
    some: tuple[Path, Report], tmp_path: Path
) -> None:
    preprocess(chorale_sources()[:CHORALES], tmp_path / "alone", jobs=1)
    alone, beside = load(tmp_path / "alone"), load(some[0], style=Style.CHORALE)
    assert alone.fingerprint == beside.fingerprint
    for meter in (Meter.FOUR_FOUR, Meter.SIX_EIGHT):
        held_out = load(some[0], meter=meter, style=Style.FOLK).held_out
        assert held_out is not None
        assert 0.05 < np.mean(held_out) < 0.4
