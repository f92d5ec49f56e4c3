"""``sample --format html`` and ``--grid``: which pages are written, and what is on them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run, checked


def melodies_of(page: Path) -> list[dict[str, Any]]:
    """What the player of a page knows."""
    text = page.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="player-data">(.*?)</script>', text)
    found: list[dict[str, Any]] = json.loads(data)["melodies"]
    return found


def runs_of(folder: Path) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads((folder / "samples.json").read_text())["runs"]
    return runs


def test_a_call_writes_one_page_of_all_its_melodies(tmp_path: Path, run: Run) -> None:
    done = checked(run("sample", "-e", "sad", "-e", "gloomy", "-n", 2, "--seed", 3, "-f", "mid,html"), 0)
    page = tmp_path / "samples" / "sad-gloomy-s3.html"
    assert done.stderr.endswith(f"open samples/{page.name} in a browser to hear them\n")
    titles = [f"{name}-s3-{number:03}" for name in ("sad", "gloomy") for number in range(2)]
    assert [melody["title"] for melody in melodies_of(page)] == titles
    runs = runs_of(tmp_path / "samples")
    assert [entry["files"] for r in runs for entry in r["samples"]] == [[f"{title}.mid"] for title in titles]
    assert {r["page"] for r in runs} == {page.name}
    text = page.read_text()
    assert "<code>emomelody sample -e sad -e gloomy -n 2 --seed 3 -f mid,html</code>" in text
    assert "emoreg-va, seed 3" in text
    # The same from samples.json, and refused where it is.
    checked(run("sample", "--again", "samples/samples.json", "-o", "again"), 0)
    again = (tmp_path / "again" / page.name).read_text()
    without = [re.sub("<code>.*</code>", "", each) for each in (text, again)]
    assert without[0] == without[1]
    refused = run("sample", "-e", "sad", "-e", "gloomy", "-n", 2, "--seed", 3, "-f", "html", code=1)
    assert "sad-gloomy-s3.html is there already" in refused.stderr


def test_a_page_is_replaced_with_its_runs(tmp_path: Path, run: Run) -> None:
    checked(run("sample", "-e", "sad", "--seed", 3, "-f", "html,mid", "-o", "out"), 0)
    checked(run("sample", "-e", "happy", "--seed", 3, "-f", "html", "-o", "out"), 0)
    done = checked(run("sample", "-e", "sad", "-n", 2, "--seed", 3, "-f", "html", "-o", "out", "--force"), 0)
    assert "replaced an earlier run of 1 melody, sad-s3-000.mid to sad-s3.html" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "sad-s3.html", "happy-s3.html", "samples.json",
    }  # fmt: skip
    assert len(melodies_of(tmp_path / "out" / "sad-s3.html")) == 2


def test_a_grid_has_a_melody_for_each_point(tmp_path: Path, run: Run) -> None:
    size = 3
    done = checked(run("sample", "--grid", size, "--bars", 4, "--seed", 1, "-o", "grid.html"), 0)
    assert f"Wrote {size**2} melodies to grid.html ({size} × {size} points, emoreg-va, seed 1)" in done.stdout
    axis = [-1.0, 0.0, 1.0]
    points = [melody["point"] for melody in melodies_of(tmp_path / "grid.html")]
    assert points == [[valence, arousal] for arousal in axis for valence in axis]
    checked(run("sample", "--grid", size, "--bars", 4, "--seed", 1, "-o", "out"), 0)
    (recorded,) = runs_of(tmp_path / "out")
    assert recorded["grid"] == size
    assert [entry["point"] for entry in recorded["samples"]] == points
    checked(run("sample", "--again", "out/samples.json", "-o", "again"), 0)
    for path in (tmp_path / "out").glob("*.mid"):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_a_grid_of_the_papers_model_and_of_a_file(tmp_path: Path, run: Run) -> None:
    checked(run("sample", "--grid", 2, "-m", "emoreg", "-o", "paper"), 0)
    checked(run("sample", "-e", "happy", "-o", "song.mid", "--seed", 1), 0)
    checked(run("sample", "--like", "song.mid", "--grid", 2, "-f", "html", "--seed", 1, "-o", "like"), 0)
    shown = melodies_of(tmp_path / "like" / "song-s1.html")
    assert [melody["emotion"] for melody in shown] == ["sad", "relaxed", "angry", "happy"]
    assert [melody["keys"][0][1] for melody in shown] == ["minor", "major", "minor", "major"]


def test_a_path_is_drawn_bar_by_bar(tmp_path: Path, run: Run) -> None:
    checked(run("sample", "--path", "sad@0 happy@4", "--bars", 6, "-o", "path.html"), 0)
    (melody,) = melodies_of(tmp_path / "path.html")
    assert melody["about"].startswith("sad → ")
    assert len(melody["path"]) == 6
    valences = [valence for valence, _ in melody["path"]]
    assert valences == sorted(valences)
    assert valences[0] < 0 < valences[-1]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--grid", "1"), "2"),
        (("--grid", "51"), "50"),
        (("--grid", "3", "-n", "9"), "with --grid leave out --num"),
        (("--grid", "3", "-e", "sad"), "--emotion and --grid exclude each other"),
        (("--grid", "3", "--key", "Am"), "a grid has melodies in both modes: use --key A"),
        (("--grid", "3", "--continue", "a.mid"), "with --grid leave out --continue"),
        (("-e", "sad", "-n", "2", "-o", "a.mid"), "is one file: for several melodies give a folder"),
        (("-e", "sad", "-n", "2", "-f", "html,mid", "-o", "a.html"), "leave out --format"),
    ],
)
def test_what_cannot_be(run: Run, arguments: tuple[str, ...], line: str) -> None:
    assert line in run("sample", *arguments, code=2).stderr


def test_the_page_goes_to_stdout(run: Run) -> None:
    done = checked(run("sample", "-e", "sad", "-n", 2, "-f", "html", "-o", "-", "--seed", 1), 0)
    assert done.stdout.startswith("<!DOCTYPE html>")
    assert "Wrote 2 melodies to stdout" in done.stderr


@pytest.mark.slow
def test_the_example_is_what_the_command_on_it_makes(tmp_path: Path, run: Run) -> None:
    page = ROOT / "examples" / "plane.html"
    (command,) = re.findall("<code>emomelody (.*)</code>", page.read_text(encoding="utf-8"))
    checked(run(*command.split()), 0)
    assert melodies_of(tmp_path / "plane.html") == melodies_of(page)
