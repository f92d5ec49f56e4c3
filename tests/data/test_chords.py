"""chords.csv: the chords of the chorales, from all voices to windows at any speed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emomelody.data import dataset, manifest
from emomelody.data.chords import table
from emomelody.data.preprocess import preprocess
from emomelody.data.sources import Source, chorale_sources
from emomelody.errors import BadInput
from emomelody.music.chords import Chord
from emomelody.music.melody import STEPS_PER_BEAT
from emomelody.music.style import Style


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("chords")
    preprocess(chorale_sources()[:4], out, jobs=1)
    return out


def test_each_bar_of_a_chorale_has_a_chord_for_each_beat(folder: Path) -> None:
    known = table.read(folder)
    rows = manifest.read(folder / manifest.NAME)
    assert {source for source, _ in known} == {row.source for row in rows}
    beats = {row.source: row.meter.bar // STEPS_PER_BEAT for row in rows}
    assert all(len(chords) == beats[source] for (source, _), chords in known.items())
    # BWV 1.6 begins in F major: I, V, vi, I in bar 1, after a pickup.
    assert [chord.name() for chord in known["bwv1.6.mxl", 1]] == ["G", "C", "Am", "C"]


def test_windows_have_the_chords_of_their_bars_at_their_speed(folder: Path) -> None:
    data = dataset.load(folder, style=Style.CHORALE)
    rows = {folder / row.file: row for row in manifest.read(folder / manifest.NAME)}
    known, slow = table.read(folder), 0
    for file, chords in zip(data.files, table.chords_of(folder, data), strict=True):
        row = rows[file]
        bars = row.last_bar - row.first_bar + 1
        written = [known.get((row.source, row.first_bar + n), ()) for n in range(bars)]
        expected = [chord for bar in written for chord in bar]
        beat = STEPS_PER_BEAT * 4 // bars
        heard = [c.chord for c in chords for _ in range(c.duration // beat)]
        assert heard == expected
        slow += bars < 4
    assert slow


def test_tunes_to_learn_from_are_whole_pieces_of_one_split(folder: Path) -> None:
    data = dataset.load(folder, style=Style.CHORALE)
    tunes = table.harmonised_tunes(folder, data, np.ones(len(data), dtype=bool))
    assert tunes
    assert all(len(tune.chords) == len(tune.features) for tune in tunes)
    assert table.harmonised_tunes(folder, data, np.zeros(len(data), dtype=bool)) == []


def test_data_without_chords_have_none(folder: Path, tmp_path: Path) -> None:
    data = dataset.load(folder, style=Style.CHORALE)
    assert table.read(tmp_path) == {}
    assert table.chords_of(tmp_path, data) == [()] * len(data)


def test_a_new_run_replaces_the_table(tmp_path: Path) -> None:
    chorales = chorale_sources()[:2]
    preprocess(chorales, tmp_path, jobs=1)
    assert (tmp_path / table.NAME).exists()
    preprocess([Source(chorales[0].path, style=Style.OWN)], tmp_path, jobs=1)
    assert not (tmp_path / table.NAME).exists()


@pytest.mark.parametrize(
    "text", ["source,bar\na,1\n", "source,bar,chords\na,one,C\n", "source,bar,chords\na,1,H\n"]
)
def test_damaged_tables_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / table.NAME).write_text(text)
    with pytest.raises(BadInput, match="not a table written by"):
        table.read(tmp_path)


def test_tables_survive_a_round_trip(tmp_path: Path) -> None:
    bars = [[Chord.parse("C"), Chord.parse("F#m7b5")], [Chord.parse("Ebmaj7"), Chord.parse("Bdim7")]]
    table.write(tmp_path / table.NAME, {"a.mxl": bars})
    assert table.read(tmp_path) == {("a.mxl", 1): tuple(bars[0]), ("a.mxl", 2): tuple(bars[1])}
