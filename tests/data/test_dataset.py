"""A data folder is read as arrays, with the manifest's split where it has one."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from songs import G_MAJOR, manifest_rows, write_song

from emomelody.data import dataset
from emomelody.data.dataset import Split, load, load_all, styles_in, tunes_of
from emomelody.errors import BadInput, EmomelodyError
from emomelody.music.meter import Meter
from emomelody.music.style import Style


def test_the_papers_layout_loads_without_a_manifest(small_data: Path) -> None:
    melodies = load(small_data)
    assert len(melodies) == 40
    assert melodies.held_out is None
    assert np.bincount(melodies.labels).tolist() == [10] * 4
    assert 6 <= melodies.split(Split.TUNE, 0).sum() <= 10


def test_a_window_has_the_index_of_the_one_before_it_in_its_piece(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "songs" / "march.mid", G_MAJOR * 6)
    write_song(tmp_path / "songs" / "walk.mid", G_MAJOR[::-1] * 4)
    run("preprocess", "songs")
    songs = load(tmp_path / "data")
    found = {
        file.stem: songs.files[n].stem if n >= 0 else None
        for file, n in zip(songs.files, songs.previous, strict=True)
    }
    assert found == {
        "march-b001": None,
        "march-b005": "march-b001",
        "march-b009": "march-b005",
        "walk-b001": None,
        "walk-b005": "walk-b001",
    }


def test_each_meter_and_style_is_loaded_alone(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "songs" / "march.mid", G_MAJOR * 4)
    write_song(tmp_path / "songs" / "waltz.mid", (G_MAJOR * 5)[:36], beats=3)
    run("preprocess", "songs")
    folder = tmp_path / "data"
    assert styles_in(folder) == [(Style.OWN, Meter.FOUR_FOUR), (Style.OWN, Meter.THREE_FOUR)]
    march, waltz = load(folder), load(folder, meter=Meter.THREE_FOUR, style=Style.OWN)
    assert [dataset.name for dataset in load_all(folder)] == [march.name, waltz.name]
    assert (march.tokens.shape, march.meter) == ((2, 64), Meter.FOUR_FOUR)
    assert (waltz.tokens.shape, waltz.meter) == ((3, 48), Meter.THREE_FOUR)
    assert waltz.tokens[1, 0] == G_MAJOR[12 % 8] - 7
    assert waltz.name == "own 3/4"
    assert {path.name[:5] for path in waltz.files} == {"waltz"}
    with pytest.raises(BadInput, match="no own melodies in 6/8"):
        load(folder, meter=Meter.SIX_EIGHT)
    with pytest.raises(BadInput, match="no folk melodies in 4/4"):
        load(folder, style=Style.FOLK)


def test_without_a_manifest_all_are_in_4_4(small_data: Path) -> None:
    assert styles_in(small_data) == [(Style.OWN, Meter.FOUR_FOUR)]
    melodies = load(small_data)
    assert (melodies.style, melodies.remaining) == (Style.OWN, None)
    assert melodies.whole.all()
    with pytest.raises(BadInput, match="no own melodies in 3/4"):
        load(small_data, meter=Meter.THREE_FOUR)


def test_many_files_are_read_in_processes_as_in_one(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(small_data, folder)
    (folder / "e2" / "melody-5.mid").write_text("la la la")
    alone = load(folder)
    monkeypatch.setattr(dataset, "CHUNK", 4)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    together = load(folder)
    assert together.files == alone.files
    assert together.fingerprint == alone.fingerprint
    assert [error.path.name for error in together.skipped] == ["melody-5.mid"]


def test_whole_pieces_are_successive_windows(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "songs" / "march.mid", G_MAJOR * 6)
    write_song(tmp_path / "songs" / "walk.mid", G_MAJOR[::-1] * 2)
    run("preprocess", "songs")
    songs = load(tmp_path / "data")

    def names(*left_out: str) -> list[list[str]]:
        chosen = np.array([path.stem not in left_out for path in songs.files])
        return sorted([songs.files[n].stem for n in piece] for piece in tunes_of(songs, chosen))

    assert names() == [["march-b001", "march-b005", "march-b009"], ["walk-b001"]]
    assert names("march-b005", "walk-b001") == [["march-b001"], ["march-b009"]]


def test_windows_have_their_place_in_the_piece(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "songs" / "march.mid", (G_MAJOR * 6)[:44])  # eleven bars
    run("preprocess", "songs")
    songs = load(tmp_path / "data")
    assert songs.remaining is not None
    places = zip((path.stem for path in songs.files), songs.remaining, songs.whole, strict=True)
    assert sorted(places) == [("march-b001", 11, True), ("march-b005", 7, True), ("march-b009", 3, False)]


def test_the_fingerprint_follows_melodies_labels_and_split(small_data: Path, tmp_path: Path) -> None:
    known = load(small_data).fingerprint
    copied = tmp_path / "data"
    shutil.copytree(small_data, copied)
    assert load(copied).fingerprint == known
    (copied / "e1" / "melody-0.mid").rename(copied / "e2" / "melody-x.mid")
    assert load(copied).fingerprint != known


def test_manifests_of_earlier_versions_are_read(tmp_path: Path, run: Run) -> None:
    """They lack the last columns of these. The same melodies with points are other training data."""
    write_song(tmp_path / "walk.mid", G_MAJOR * 4)
    run("preprocess", "walk.mid", "--arousal", "notes")
    path = tmp_path / "data" / "manifest.csv"
    new = load(tmp_path / "data")
    later = ("valence", "arousal", "arousal_by", "style", "meter", "of_bars")
    old = [
        {name: cell for name, cell in row.items() if name not in later}
        for row in manifest_rows(tmp_path / "data")
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(old[0]))
        writer.writeheader()
        writer.writerows(old)
    assert load(tmp_path / "data").fingerprint == new.fingerprint
    run("preprocess", "walk.mid", "--arousal", "time", "--force")
    assert load(tmp_path / "data").fingerprint != new.fingerprint


@pytest.mark.parametrize("cells", ["0.5,", "x,0.5", "nan,0.5"])
def test_points_that_are_no_numbers_are_refused(tmp_path: Path, run: Run, cells: str) -> None:
    write_song(tmp_path / "walk.mid", G_MAJOR * 2)
    (tmp_path / "labels.csv").write_text("file,valence,arousal\nwalk.mid,0.5,0.25\n")
    run("preprocess", "walk.mid", "--labels", "labels.csv")
    path = tmp_path / "data" / "manifest.csv"
    path.write_text(path.read_text().replace("0.5,0.25", cells))
    with pytest.raises(BadInput, match="not a manifest"):
        load(tmp_path / "data")


def test_folders_that_hold_no_melodies(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere: no such folder"):
        load(tmp_path / "nowhere")
    (tmp_path / "e1").mkdir()
    (tmp_path / "e1" / "text.mid").write_text("la la la")
    with pytest.raises(BadInput, match=r"no own melodies in 4/4 in e1, e2, e3 or e4 \(text.mid: not a MIDI"):
        load(tmp_path)


def test_a_file_that_the_manifest_does_not_list_is_refused(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "walk.mid", G_MAJOR * 4)
    run("preprocess", "walk.mid")
    with pytest.raises(EmomelodyError, match="holds out no melodies"):
        load(tmp_path / "data").split(Split.TUNE, 0)
    shutil.copy(tmp_path / "data" / "e1" / "walk-b001.mid", tmp_path / "data" / "e1" / "new.mid")
    with pytest.raises(BadInput, match=r"manifest.csv: does not list e1/new.mid"):
        load(tmp_path / "data")
    (tmp_path / "data" / "manifest.csv").write_text("file,source\na,b\n")
    with pytest.raises(BadInput, match="not a manifest"):
        load(tmp_path / "data")
