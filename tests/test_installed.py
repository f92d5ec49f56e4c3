"""Every command through the installed script, in a process of its own, beside the tests' ``run``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import Run

FORMATS = [word for name in ("mid", "musicxml", "svg", "png", "wav", "html") for word in ("--format", name)]


def contents(folder: Path) -> dict[Path, bytes]:
    """The files below a folder, by their paths within it; of a run's history without the seconds."""
    found = {}
    for path in filter(Path.is_file, sorted(folder.rglob("*"))):
        data = path.read_bytes()
        if path.name == "history.csv":
            data = b"\n".join(row.rpartition(b",")[0] for row in data.splitlines())
        found[path.relative_to(folder)] = data
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 0),
        (("--version",), 0),
        (("train", "--help"), 0),
        (("sample", "-n", "0"), 2),
        (("sample", "-e", "sad", "-o", "data/e1/melody-0.mid/out"), 1),
        (("sample", "-e", "sad", "-n", 2, "--seed", 1, "--show", *FORMATS, "-o", "out"), 0),
        (("place", "data", "--json", "-"), 0),
        (("-v", "preprocess", "data", "-o", "out"), 0),
        (("train", "data", "--model", "emoreg-va", "--epochs", 1, "-o", "out"), 0),
        (("evaluate", "-m", "emoreg", "--data", "data", "-n", 2, "--json", "f.json", "--report", "out"), 0),
    ],
)
def test_the_installed_command_does_what_run_does(
    arguments: tuple[object, ...], code: int, tmp_path: Path, run: Run, run_installed: Run, small_data: Path
) -> None:
    """The same exit code, output and files, byte for byte: imports and warnings of its own change nothing."""
    (tmp_path / "data").symlink_to(small_data)
    mine = run_installed(*arguments, code=code)
    made = contents(tmp_path)
    for path in tmp_path.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    (tmp_path / "data").symlink_to(small_data)
    again = run(*arguments, code=code)
    assert (again.stdout, again.stderr) == (mine.stdout, mine.stderr)
    assert contents(tmp_path) == made
