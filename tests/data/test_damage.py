"""Damaged files are refused for their reason, or read correctly; never with a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import damage
import pytest
from conftest import Run
from songs import manifest_rows

from emomelody.data.sources import Source
from emomelody.data.windows import Windows, cut_windows
from emomelody.errors import BadInput
from emomelody.formats import midi


@pytest.mark.slow
def test_every_damaged_file_is_refused_for_its_reason_or_read_correctly(tmp_path: Path, run: Run) -> None:
    expected = damage.write(tmp_path / "songs")
    assert len(expected) > 100
    # Each with a label of its own, as the same melody is written once for each.
    labels = [f"{name},0.5,{number / len(expected)}\n" for number, name in enumerate(expected)]
    (tmp_path / "labels.csv").write_text("".join(["file,valence,arousal\n", *labels]))
    done = run("-v", "preprocess", "songs", "--labels", "labels.csv", "--windows", "first", code=1)
    made = {row["source"].removesuffix("#1"): row["file"] for row in manifest_rows(tmp_path / "data")}
    wrong = {}
    for name, outcome in expected.items():
        found = [line for line in done.stderr.splitlines() if f"songs/{name}: " in line]
        if name in made:
            melody = midi.read_melody(tmp_path / "data" / made[name])
            got = damage.SAME if melody == damage.MELODY else damage.OTHER
        else:
            got = found[0] if found else "silence"
        read = outcome in (damage.SAME, damage.OTHER)
        if (got != outcome) if read else (outcome not in got or name in made):
            wrong[name] = (outcome, got)
    assert not wrong
    assert len(made) == sum(outcome in (damage.SAME, damage.OTHER) for outcome in expected.values())


# The long run has thousands of mutants of each of the four formats.
@pytest.mark.slow
@pytest.mark.parametrize("count", [160, pytest.param(5000, marks=pytest.mark.long)])
def test_mutated_files_are_read_or_refused(tmp_path: Path, count: int) -> None:
    """Whatever is raised and is not BadInput fails the test."""
    midis, scores, tunes = damage.midi_files(), damage.score_files(), damage.tune_files()
    originals = {
        "a.mid": [midis[name][0] for name in ("good", "running-status", "drums-too", "title-in-greek")],
        "a.musicxml": [scores["good.musicxml"][0]],
        "a.mxl": [scores["good.mxl"][0]],
        "a.abc": [tunes["good.abc"][0], tunes["decorated.abc"][0]],
    }
    outcomes = {"kept": 0, "skipped": 0, "refused": 0}
    for name, files in originals.items():
        for number, original in enumerate(files):
            for data in damage.mutants(original, count // len(files), number):
                (tmp_path / name).write_bytes(data)
                found = cut_windows(Source(tmp_path / name), Windows.FIRST)
                kind = "refused" if isinstance(found, BadInput) else "kept" if found.windows else "skipped"
                outcomes[kind] += 1
    assert sum(outcomes.values()) == 4 * count
    assert min(outcomes.values()) > 0


def test_pipes_and_circular_links_are_refused(tmp_path: Path, run: Run) -> None:
    os.mkfifo(tmp_path / "pipe.mid")
    (tmp_path / "circle.xml").symlink_to(tmp_path / "circle.xml")
    assert "pipe.mid: is not a file" in run("sample", "--like", "pipe.mid", code=1).stderr
    stderr = run("sample", "--like", "circle.xml", code=1).stderr
    assert "circle.xml: Too many levels of symbolic links" in stderr
