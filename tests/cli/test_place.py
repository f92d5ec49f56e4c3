"""``emomelody place``: where a user's melodies lie on the plane."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run
from songs import G_MAJOR, write_song

import emomelody
from emomelody.emotions.emotion import Emotion

COLUMNS = ["file", "tune", "bars", "meter", "key", "mode", "tempo", "valence", "arousal", "emotion"]
C_MINOR = [60, 62, 63, 65, 67, 65, 63, 62]
HAPPY = ROOT / "examples" / "emoreg-va" / "happy-0.mid"
# A jig in G without a tempo, and a waltz in D minor.
TUNES = """X:7
T:Jig
M:6/8
L:1/8
K:G
GAB BAG|ABc cBA|GAB d2B|AGF G3|GAB BAG|ABc cBA|GAB d2B|AGF G3|

X:12
T:Waltz
M:3/4
L:1/4
Q:1/4=90
K:Dm
DEF|A2A|GFE|D3|
"""


def placed(text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


@pytest.fixture
def tunes(tmp_path: Path) -> Path:
    path = tmp_path / "tunes.abc"
    path.write_text(TUNES)
    return path


def test_a_table_shows_every_piece(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "one.mid", G_MAJOR * 4, tempos={0: 90})
    write_song(tmp_path / "two [b].mid", C_MINOR * 2, key="Cm")
    done = run("place", "one.mid", "two [b].mid")
    assert done.stderr == ""
    title, columns, *rows = filter(str.strip, done.stdout.splitlines())
    assert title.strip() == "Placed 2 pieces"
    assert columns.split() == [column for column in COLUMNS if column not in ("tune", "mode")]
    number = r"([+-]\d\.\d\d)"
    for row, start in zip(
        rows[1:], (r"one\.mid +8 +4/4 +G major +90", r"two \[b\]\.mid +4 +4/4 +C minor +–"), strict=True
    ):
        found = re.fullmatch(rf" {start} +{number} +{number} +(\w+) *", row)
        assert found, row
        emotion = Emotion.parse(found[3])
        assert Emotion.at(float(found[1]), float(found[2])) is emotion
        assert emotion.mode == ("major" if "major" in start else "minor")
    assert run("place", "one.mid", "two [b].mid", "-q").stdout == done.stdout


def test_json_has_the_points_of_the_python_interface(tmp_path: Path, run: Run) -> None:
    song = write_song(tmp_path / "one.mid", G_MAJOR * 4, tempos={0: 90})
    (row,) = placed(run("place", "one.mid", "--json", "-").stdout)
    assert list(row) == COLUMNS
    assert {name: row[name] for name in COLUMNS[:7]} == {
        "file": "one.mid", "tune": None, "bars": 8, "meter": "4/4", "key": "G major", "mode": "major",
        "tempo": pytest.approx(90, abs=1e-3),
    }  # fmt: skip
    point = emomelody.load().place(song)
    assert (row["valence"], row["arousal"]) == (round(point.valence, 4), round(point.arousal, 4))
    assert row["emotion"] == point.emotion.title


def test_every_tune_of_an_abc_file_has_a_row(tunes: Path, run: Run) -> None:
    done = run("place", "tunes.abc", "--csv", "-")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert list(rows[0]) == COLUMNS
    assert [[row[name] for name in COLUMNS[:7]] for row in rows] == [
        ["tunes.abc", "7", "8", "6/8", "G major", "major", ""],
        ["tunes.abc", "12", "4", "3/4", "D minor", "minor", "90.0"],
    ]
    # Stdout has the rows alone; the table is on stderr.
    assert re.search(r"^ tunes\.abc#7 +8 +6/8 +G major +– ", done.stderr, re.MULTILINE)
    assert re.search(r"^ tunes\.abc#12 +4 +3/4 +D minor +90 ", done.stderr, re.MULTILINE)
    assert run("place", "tunes.abc", "--csv", "-", "-q").stderr == ""


def test_folders_are_searched_and_files_written(tmp_path: Path, tunes: Path, run: Run) -> None:
    write_song(tmp_path / "songs" / "a.mid", G_MAJOR * 2)
    write_song(tmp_path / "songs" / "more" / "a.mid", C_MINOR * 2, key="Cm")
    (tmp_path / "songs" / "notes.txt").write_text("no music")
    # A file that is given twice is placed once.
    arguments = ("place", "songs", "songs/a.mid", "tunes.abc", "--json", "a.json", "--csv", "a.csv")
    assert "Placed 4 pieces" in run(*arguments).stdout
    rows = placed((tmp_path / "a.json").read_text())
    assert [row["file"] for row in rows] == ["songs/a.mid", "songs/more/a.mid", "tunes.abc", "tunes.abc"]
    with (tmp_path / "a.csv").open(newline="") as file:
        written = [{name: "" if row[name] is None else str(row[name]) for name in COLUMNS} for row in rows]
        assert list(csv.DictReader(file)) == written
    assert "a.json: exists already" in run(*arguments, code=1).stderr
    run(*arguments, "--force")


def test_bad_files_are_listed_after_the_others(tmp_path: Path, tunes: Path, run: Run) -> None:
    write_song(tmp_path / "one.mid", G_MAJOR * 2)
    write_song(tmp_path / "five.mid", G_MAJOR * 2, beats=5)
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    with tunes.open("a") as file:
        file.write("\nX:13\nT:Lost\n")
    done = run("place", "bad.mid", "five.mid", "one.mid", "tunes.abc", "none", "--json", "a.json", code=1)
    assert "Placed 3 pieces" in done.stdout
    assert len(placed((tmp_path / "a.json").read_text())) == 3
    missing, bad, five, lost, end = done.stderr.splitlines()
    assert missing == "skipped: none: no such file or folder"
    assert bad.startswith("skipped: bad.mid: ")
    assert five == "skipped: five.mid: in 5/4: it must be in 4/4 or 3/4 or 6/8"
    assert lost.startswith("skipped: tunes.abc: tune 13 (Lost): no K: field")
    assert end == "emomelody: 4 of 7 pieces could not be placed"


def test_without_a_usable_file_nothing_is_printed_or_written(tmp_path: Path, run: Run) -> None:
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    (tmp_path / "empty").mkdir()
    done = run("place", "bad.mid", "empty", "--json", "a.json", code=1)
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == "emomelody: 2 of 2 pieces could not be placed"
    done = run("place", "bad.mid", "--json", "a.json", code=1)
    assert re.fullmatch(r"emomelody: bad\.mid: .*\n", done.stderr)
    assert not (tmp_path / "a.json").exists()


def test_models_that_cannot_place_are_refused(tmp_path: Path, tunes: Path, run: Run, old_model: Path) -> None:
    shutil.copy(HAPPY, tmp_path / "happy.mid")
    for model in ("base", "emoreg"):
        stderr = run("place", "tunes.abc", "-m", model, code=1).stderr
        assert stderr == f"emomelody: {model} cannot place a melody without its label: use emoreg-va\n"
    stderr = run("place", "tunes.abc", "-m", "nobody", code=1).stderr
    assert re.fullmatch(r"emomelody: nobody: no such model: .*\n", stderr)
    done = run("place", "happy.mid", "tunes.abc", "-m", old_model, code=1)
    assert "Placed 1 piece\n" in re.sub(" +\n", "\n", done.stdout)
    assert "skipped: tunes.abc: tune 7 (Jig): in 6/8: it must be in 4/4\n" in done.stderr


def test_wrong_usage_is_one_line(tmp_path: Path, run: Run) -> None:
    shutil.copy(HAPPY, tmp_path / "happy.mid")
    for arguments, reason in (
        ((), "Missing argument"),
        (("happy.mid", "--json", "-", "--csv", "-"), "--json and --csv cannot both go to stdout"),
    ):
        stderr = run("place", *arguments, code=2).stderr
        assert re.fullmatch(f"emomelody: .*{reason}.*\n", stderr)
    stderr = run("place", "happy.mid", "--csv", "no/such/a.csv", code=1).stderr
    assert stderr == "emomelody: no/such/a.csv: cannot be written: there is no folder no/such\n"


def test_nothing_heavy_is_imported_for_midi_files() -> None:
    """Neither torch nor what other formats and commands need, where the file names its key."""
    heavy = ("torch", "music21", "muspy", "matplotlib", "scipy", "sklearn", "pretty_midi")
    program = (
        "import sys; from emomelody.cli.app import main\n"
        f"try: main()\nfinally: print([name for name in {heavy} if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, "place", str(HAPPY)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
