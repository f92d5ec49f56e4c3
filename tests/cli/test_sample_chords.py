"""``emomelody sample --chords``: chords under the melodies, which stay the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run

from emomelody.formats import midi, musicxml
from emomelody.formats.midi import CHORDS
from emomelody.music.chords import Chord

TUNE = ROOT / "examples" / "tunes" / "folk-happy.mid"


def described(folder: Path) -> list[dict[str, Any]]:
    """The melodies in a folder's samples.json."""
    runs = json.loads((folder / "samples.json").read_text())["runs"]
    return [entry for run in runs for entry in run["samples"]]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix == ".mid"}


def test_chords_do_not_change_the_melodies(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "happy", "-e", "sad", "-n", 3, "--seed", 1, "-o", "plain")
    run("sample", "-e", "happy", "-e", "sad", "-n", 3, "--seed", 1, "--chords", "-o", "chords")
    run("sample", "-e", "happy", "-n", 2, "--seed", 1, "--chords", "-o", "fewer")
    plain, chords = files(tmp_path / "plain"), files(tmp_path / "chords")
    assert plain.keys() == chords.keys()
    for name in plain:
        alone, together = (midi.read(tmp_path / folder / name) for folder in ("plain", "chords"))
        assert len(alone.tracks) == 1
        assert [track.name for track in together.tracks] == [Path(name).stem, CHORDS]
        assert together.melody().notes == alone.melody().notes == alone.tracks[0].notes
        assert (together.tempos, together.keys) == (alone.tempos, alone.keys)
    # Fewer melodies have the same chords.
    assert files(tmp_path / "fewer").items() <= chords.items()
    # Chords are recorded by bar, in the key of the melody.
    for entry in described(tmp_path / "chords"):
        assert entry["chords"][0][0] == 0
        assert all(Chord.parse(name) for _, name in entry["chords"])
        assert len(entry["chords"]) > 4
    assert not any("chords" in entry for entry in described(tmp_path / "plain"))


@pytest.mark.slow
def test_chords_are_reproduced_and_can_be_added_later(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "angry", "-n", 2, "--seed", 5, "-o", "plain")
    run("sample", "-e", "angry", "-n", 2, "--seed", 5, "--chords", "-o", "chords")
    run("sample", "--again", "chords/samples.json", "-o", "again")
    run("sample", "--again", "plain/samples.json", "--chords", "-o", "added")
    assert files(tmp_path / "again") == files(tmp_path / "added") == files(tmp_path / "chords")
    run(
        "sample",
        "--again",
        "chords/samples.json",
        "--chords-program",
        "strings",
        "--key",
        "D",
        "-o",
        "strings",
    )
    song = midi.read(tmp_path / "strings" / "angry-s5-000.mid")
    assert [track.program for track in song.tracks] == [0, 40]
    before, after = (described(tmp_path / name)[0]["chords"] for name in ("chords", "strings"))
    assert [Chord.parse(name).transposed(2) for _, name in before] == [Chord.parse(name) for _, name in after]


def test_chords_under_a_tune_of_ones_own(tmp_path: Path, run: Run) -> None:
    run(
        "sample",
        "--continue",
        TUNE,
        "--bars",
        4,
        "--chords",
        "--seed",
        2,
        "-o",
        "longer",
        "-f",
        "mid,musicxml",
    )
    (entry,) = described(tmp_path / "longer")
    name = Path(entry["files"][0]).stem
    song = midi.read(tmp_path / "longer" / f"{name}.mid")
    run("sample", "--continue", TUNE, "--bars", 4, "--seed", 2, "-o", "alone")
    assert song.melody().notes == midi.read(tmp_path / "alone" / f"{name}.mid").melody().notes
    score = (tmp_path / "longer" / f"{name}.musicxml").read_text()
    assert score.count("<harmony") == len(entry["chords"])
    assert musicxml.read(tmp_path / "longer" / f"{name}.musicxml").line


def test_chords_in_scores_and_pages(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "relaxed", "--seed", 3, "--chords", "-o", "out", "-f", "svg,html")
    (entry,) = described(tmp_path / "out")
    picture = (tmp_path / "out" / "relaxed-s3-000.svg").read_text()
    assert picture.count('class="harm') == len(entry["chords"])
    assert '"chords"' in (tmp_path / "out" / "relaxed-s3.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["-e", "sad", "--chords-program", "violin"],
            "--chords-program is the sound of chords: it needs --chords",
        ),
        (["-e", "sad", "--chords", "--chords-program", "kazoo"], "unknown program 'kazoo'"),
        (["-e", "sad", "--chords", "-m", "emoreg"], "emoreg know no chords: use emoreg-va"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], message: str) -> None:
    assert message in run("sample", *arguments, code=2).stderr
