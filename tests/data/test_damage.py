"""What preprocess makes of damaged files: each refused for its reason, or read rightly; never a traceback."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import damage
import pytest
from conftest import Run

from emomelody.data.windows import Source, Windows, cut_windows
from emomelody.errors import BadInput
from emomelody.formats import midi
from emomelody.music.emotion import Emotion

MUTANTS = 400  # of each kind; by hand: python tests/test_damage.py 5000
COMMAND = Path(sys.executable).with_name("emomelody")


def manifest(folder: Path) -> dict[str, str]:
    """The file made of each source's first window, by the source's name."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {row["source"]: row["file"] for row in csv.DictReader(file)}


@pytest.mark.slow
def test_every_damaged_file_is_refused_for_its_reason_or_read_rightly(tmp_path: Path, run: Run) -> None:
    expected = damage.write(tmp_path / "songs")
    assert len(expected) > 80
    done = run("-v", "preprocess", "songs", "--windows", "first", code=1)
    made = manifest(tmp_path / "data")
    wrong = {}
    for name, outcome in expected.items():
        found = [line for line in done.stderr.splitlines() if f"songs/{name}: " in line]
        if name in made:
            melody = midi.read_melody(tmp_path / "data" / made[name])
            got = damage.SAME if melody == damage.MELODY else "another melody"
        else:
            got = found[0] if found else "silence"
        if (got != outcome) if outcome == damage.SAME else (outcome not in got or name in made):
            wrong[name] = (outcome, got)
    assert not wrong
    assert len(made) == sum(outcome == damage.SAME for outcome in expected.values())


def fuzz(folder: Path, count: int) -> dict[str, int]:
    """Read mutants of both formats; returns how many came to what. Whatever is not BadInput gets through."""
    midis, scores = damage.midi_files(), damage.score_files()
    kinds = {
        "a.mid": [midis[name][0] for name in ("good", "running-status", "drums-too", "title-in-greek")],
        "a.musicxml": [scores["good.musicxml"][0]],
        "a.mxl": [scores["good.mxl"][0]],
    }
    outcomes = {"kept": 0, "left out": 0, "refused": 0}
    for name, originals in kinds.items():
        for number, original in enumerate(originals):
            for data in damage.mutants(original, count // len(originals), number):
                (folder / name).write_bytes(data)
                found = cut_windows(Source(folder / name), Windows.FIRST)
                kind = "refused" if isinstance(found, BadInput) else "kept" if found.windows else "left out"
                outcomes[kind] += 1
    return outcomes


@pytest.mark.slow
def test_mutants_are_read_or_refused(tmp_path: Path) -> None:
    outcomes = fuzz(tmp_path, MUTANTS)
    assert sum(outcomes.values()) == 3 * MUTANTS
    assert min(outcomes.values()) > 0


def test_what_a_pipe_or_a_circle_is_called(tmp_path: Path, run: Run) -> None:
    os.mkfifo(tmp_path / "pipe.mid")
    (tmp_path / "circle.xml").symlink_to(tmp_path / "circle.xml")
    assert "pipe.mid: is not a file" in run("sample", "--like", "pipe.mid", code=1).stderr
    stderr = run("sample", "--like", "circle.xml", code=1).stderr
    assert "circle.xml: Too many levels of symbolic links" in stderr


def test_a_full_disk_leaves_no_data_folder(tmp_path: Path, small_data: Path) -> None:
    """A limit on the size of files stands in for the disk: no manifest fits."""
    limited = ["sh", "-c", 'ulimit -f 1; exec "$0" "$@"', str(COMMAND), "preprocess", str(small_data)]
    done = subprocess.run(limited, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "emomelody: data: cannot be written to (File too large)\n"
    assert not any(tmp_path.iterdir())


def test_odd_labels_do_no_harm(tmp_path: Path, run: Run) -> None:
    """A file that says of itself what it is not is taken at its word, or refused; its folder stays whole."""
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "good.mid").write_bytes(damage.song())
    (tmp_path / "labels.csv").write_text('file,emotion\n"../../good.mid",sad\n"good.mid",angry\n')
    run("preprocess", "songs", "--labels", "labels.csv")
    assert Emotion.E2.code in manifest(tmp_path / "data")["good.mid"]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        print(fuzz(Path(place), int(sys.argv[1])))
