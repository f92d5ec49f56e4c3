"""``preprocess`` as a command: what it writes, prints, skips and refuses."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
from conftest import COMMAND, Run
from songs import G_MAJOR, manifest_rows, read_row, write_notes, write_song

from emomelody.music.melody import TimedNote


def test_a_piece_becomes_windows_in_c(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "songs" / "walk.mid", G_MAJOR * 4)
    done = run("preprocess", "songs")
    rows = manifest_rows(tmp_path / "data")
    assert [row["bars"] for row in rows] == ["1-4", "5-8"]
    assert {row["key"] for row in rows} == {"G major"}
    assert {row["transposition"] for row in rows} == {"-7"}
    assert {(row["emotion"], row["label_from"], row["source"]) for row in rows} == {
        ("e1", "rule", "walk.mid")
    }
    assert [n.pitch for n in read_row(tmp_path / "data", rows[1]).notes] == [p - 7 for p in G_MAJOR * 2]
    assert "pieces read" in done.stdout
    assert "Wrote 2 melodies and manifest.csv to data" in done.stdout


def test_music_in_two_and_three_is_used_as_well(tmp_path: Path, run: Run) -> None:
    for beats in (2, 3):
        write_song(tmp_path / "songs" / f"{beats}.mid", [p + beats for p in G_MAJOR] * 3, beats=beats)
    done = run("preprocess", "songs")
    found = [(row["source"], row["meter"], row["bars"]) for row in manifest_rows(tmp_path / "data")]
    assert found == [
        ("2.mid", "4/4", "1-4"),  # two bars of 2/4 are one
        ("2.mid", "4/4", "5-8"),
        ("3.mid", "3/4", "1-4"),
        ("3.mid", "3/4", "5-8"),
    ]
    assert "melodies, own in 3/4" in done.stdout
    assert "melodies, own in 4/4" in done.stdout


def test_files_of_one_name_in_two_folders_can_be_told_apart(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "songs" / "one" / "a.mid", G_MAJOR * 2)
    write_song(tmp_path / "songs" / "two" / "a.mid", G_MAJOR[::-1] * 2)
    write_song(tmp_path / "b.mid", [*G_MAJOR, *G_MAJOR[::-1]])
    run("preprocess", "songs", "b.mid")
    assert [row["source"] for row in manifest_rows(tmp_path / "data")] == ["one/a.mid", "two/a.mid", "b.mid"]


def test_a_melody_of_several_files_is_written_once(tmp_path: Path, run: Run) -> None:
    """In any key; but again with another label, at another tempo, and where it recurs in its own piece."""
    songs = tmp_path / "songs"
    write_song(songs / "a.mid", G_MAJOR * 4)
    write_song(songs / "b.mid", [pitch + 2 for pitch in G_MAJOR * 2 + G_MAJOR[::-1] * 2], key="A")
    write_song(songs / "fast.mid", G_MAJOR * 2, tempos={0: 150})
    write_song(songs / "sad" / "c.mid", G_MAJOR * 2)
    done = run("-v", "preprocess", "songs")
    found = [(row["source"], row["bars"]) for row in manifest_rows(tmp_path / "data")]
    others = [("b.mid", "5-8"), ("fast.mid", "1-4"), ("sad/c.mid", "1-4")]
    assert found == [("a.mid", "1-4"), ("a.mid", "5-8"), *others]
    (line,) = [line for line in done.stdout.splitlines() if "exact duplicate of another melody" in line]
    assert line.split()[-2] == "1"
    assert "b.mid: exact duplicate of another melody: 1" in done.stderr


def test_pieces_without_a_melody_are_counted_by_reason_with_a_remedy(tmp_path: Path, run: Run) -> None:
    songs = tmp_path / "songs"
    write_song(songs / "a.mid", G_MAJOR * 4)
    write_song(songs / "b.mid", G_MAJOR * 4)
    for name, seed in (("c", 1), ("d", 2)):
        gaps = np.random.default_rng(seed).gamma(3, 0.2, 200)
        onsets = [Fraction(round(960 * onset), 960) for onset in np.cumsum(gaps)]
        notes = [TimedNote(onset, onset + Fraction(1, 8), 60 + n % 9) for n, onset in enumerate(onsets)]
        write_notes(songs / f"{name}.mid", notes)
    (songs / "e.abc").write_text("X:1\nM:4/4\nL:1/4\nK:C\nC|\n")
    done = run("preprocess", "songs")
    assert (
        "4 pieces gave no melody:"
        " 2 played without a beat (quantise the notes in a notation program or a sequencer first),"
        " 1 exact duplicate of another melody (it is written once),"
        " 1 without a whole bar (at least a bar is needed after the pickup)\n"
    ) in done.stderr
    assert "gave no melody" not in run("-q", "preprocess", "songs", "--force").stderr
    stderr = run("sample", "--like", "songs/c.mid", code=1).stderr
    assert "songs/c.mid: piece played without a beat: quantise the notes" in stderr


def test_windows_first_takes_one_of_each_piece(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "songs" / "walk.mid", G_MAJOR * 4)
    done = run("preprocess", "songs", "--windows", "first", "-o", "one")
    assert [row["bars"] for row in manifest_rows(tmp_path / "one")] == ["1-4"]
    assert "Wrote 1 melody and manifest.csv to one" in done.stdout


def test_bad_files_are_listed_and_the_others_written(tmp_path: Path, run: Run) -> None:
    songs = tmp_path / "songs"
    write_song(songs / "good.mid", G_MAJOR * 4)
    (songs / "text [").mkdir()
    (songs / "text [" / "b].mid").write_text("do re mi")  # a path that rich would read as markup
    (songs / "broken.mxl").write_bytes(b"PK\x03\x04 and no more")
    (songs / "broken.xml").write_text("<score-partwise><part></score-partwise>")
    write_song(songs / "five.mid", G_MAJOR * 4, beats=5)
    done = run("preprocess", "songs", code=1)
    assert len(manifest_rows(tmp_path / "data")) == 2
    assert "text [/b].mid: not a MIDI file" in done.stderr
    assert "broken.mxl: damaged MusicXML" in done.stderr
    assert "broken.xml: damaged MusicXML" in done.stderr
    assert "3 sources could not be used" in done.stderr
    assert "piece in 5/4" in done.stdout
    assert (
        "1 piece gave no melody: 1 in 5/4 (only 4/4, 2/2, 4/2, 2/4, 1/4, 3/4 and 6/8 are read)" in done.stderr
    )


def test_no_melody_at_all_is_an_error_with_the_reasons(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "short.mid", G_MAJOR[:3])
    write_song(tmp_path / "five.mid", G_MAJOR * 4, beats=5)
    stderr = run("preprocess", "short.mid", "five.mid", code=1).stderr
    assert "no melody found (window with more rest than sound: 1; piece in 5/4: 1)" in stderr
    assert "name the track Melody or make it the first part; only 4/4, 2/2" in stderr
    assert not (tmp_path / "data").exists()


def test_a_folder_in_use_is_refused_without_force(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "a.mid", G_MAJOR * 4)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("mine")
    assert "data: is not empty" in run("preprocess", "a.mid", code=1).stderr
    run("preprocess", "a.mid", "--force")
    run("preprocess", "a.mid", "--force", "--windows", "first")
    assert (tmp_path / "data" / "thesis.txt").read_text() == "mine"
    files = sorted(p.name for p in (tmp_path / "data").rglob("*.mid"))
    assert files == ["a-b001.mid"]  # what the first call wrote is gone
    (tmp_path / "bad.mid").write_text("no midi")
    run("preprocess", "bad.mid", "--force", code=1)
    assert (tmp_path / "data" / "e1" / "a-b001.mid").exists()  # a failing call removes nothing


def test_the_number_of_processes_changes_nothing(tmp_path: Path, run: Run) -> None:
    for number in range(6):
        write_song(tmp_path / "songs" / f"{number}.mid", [p + number for p in G_MAJOR] * 3)
    run("preprocess", "songs", "-o", "one", "--jobs", "1")
    run("preprocess", "songs", "-o", "two", "--jobs", "2")
    one, two = (
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert len(one) == 13
    assert one == two


def test_a_full_disk_leaves_no_data_folder(tmp_path: Path, small_data: Path) -> None:
    """A limit on the size of files stands in for the disk: no manifest fits."""
    limited = ["sh", "-c", 'ulimit -f 1; exec "$0" "$@"', str(COMMAND), "preprocess", str(small_data)]
    done = subprocess.run(limited, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "emomelody: data: cannot be written to (File too large)\n"
    assert not any(tmp_path.iterdir())


def test_a_corpus_is_read_instead_of_sources(run: Run) -> None:
    assert "leave out it or the SOURCE" in run("preprocess", "songs", "--corpus", "folk", code=2).stderr
    stderr = run("preprocess", "--corpus", "jazz", code=2).stderr
    assert "Invalid value for '--corpus': 'jazz' is not one of chorales, folk, all" in stderr


def test_wrong_numbers_are_usage_errors_in_plain_words(run: Run) -> None:
    for arguments, reason in {
        ("--jobs", "0"): "Invalid value for '--jobs': 0 is not a whole number of 1 or more",
        ("--seed", "x"): "Invalid value for '--seed': 'x' is not a whole number",
        ("--windows", "last"): "Invalid value for '--windows': 'last' is not one of first, all",
    }.items():
        assert reason in run("preprocess", *arguments, code=2).stderr
