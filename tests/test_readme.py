"""Every command of the README runs, in its order, in one folder; and the package works from a wheel."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from evaluation import make_results

import emomelody
from emomelody.cli.app import app
from emomelody.models.checkpoint import bundled_weights
from emomelody.music.emotion import Emotion

README = (ROOT / "README.md").read_text(encoding="utf-8")
# Training is made short, and its weights replaced by shipped ones: one epoch leaves a model silent.
# Evaluation draws fewer melodies, with fewer seeds.
SHORTER = {"train": ("--epochs", 1), "evaluate": ("-n", 10, "--seeds", 2)}


def blocks() -> list[list[str]]:
    """The commands of each shell block, without comments."""
    found = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [[line for line in block.splitlines() if line and line[0] != "#"] for block in found]


def test_the_first_two_blocks_set_everything_up() -> None:
    """They are run as they stand by .ci/run."""
    install, tests = blocks()[:2]
    assert install[-1].endswith("emomelody sample --emotion sad -n 20")
    assert tests[-1].endswith("pytest")


@pytest.mark.slow
def test_every_further_command_runs(tmp_path: Path, environment: dict[str, str], small_data: Path) -> None:
    """By a shell, as a user types them, with a player that is deaf."""
    (tmp_path / "my-songs").mkdir()
    for path in (small_data / "e1").iterdir():
        (tmp_path / "my-songs" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "their-melodies").symlink_to(small_data)
    (tmp_path / "labels.csv").write_text("file,emotion\nmelody-0.mid,sad\n")
    (tmp_path / "musgenvae").mkdir()
    (tmp_path / "musgenvae" / "dataset").symlink_to(small_data)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "aplay").write_text("#!/bin/sh\n")
    (programs / "aplay").chmod(0o755)
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), environment["PATH"]])
    ran = 0
    for line in (line for block in blocks()[2:] for line in block):
        words = shlex.split(line, comments=True)
        assert words[0] in ("emomelody", "torchrun"), line
        command, *arguments = words[words.index("emomelody") + 1 :]
        options = () if "--generated" in arguments else SHORTER.get(command, ())
        more = shlex.join(map(str, options))
        done = subprocess.run(
            ["sh", "-c", f"{line} {more}"],
            cwd=tmp_path,
            env={**environment, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        if command == "train":
            for made in tmp_path.glob("*/*/model.safetensors"):
                name = re.sub(r"-\d+$", "", made.parent.name)  # of a second run
                shutil.copy(bundled_weights()[name], made)
        ran += 1
    assert ran > 10
    assert (tmp_path / "sad.mid").read_bytes()[:4] == b"MThd"


@pytest.mark.slow
def test_the_benchmarks_run() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "sampling", "--melodies", "32"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert re.findall(r"^\| `sample -m (\S+) -n 32` \| \d+ melodies/s", done.stdout, re.MULTILINE) == [
        "emoreg-va",
        "emoreg",
    ]


@pytest.mark.parametrize("program", ["README.md", "examples/scene.py"])
def test_the_programs_in_python_run(tmp_path: Path, program: str) -> None:
    source = (ROOT / program).read_text(encoding="utf-8")
    if program == "README.md":
        (source,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
        files = {"sad-19.mid", "sad.wav", "path.png", "sad-made-relaxed.musicxml"}
    else:
        files = {"scene.mid", "scene.musicxml", "scene.wav"}
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert files <= {path.name for path in tmp_path.iterdir()}
    assert "▐" in done.stdout


def test_the_examples_are_what_the_weights_make(tmp_path: Path) -> None:
    """Four melodies of each emotion by each model, the score and the sound of the first."""
    for model in bundled_weights():
        folder = ROOT / "examples" / model
        made = {path.name for path in folder.iterdir()}
        for emotion in Emotion:
            assert {f"{emotion.title}-{i}.mid" for i in range(4)} <= made
            assert {f"{emotion.title}-0.svg", f"{emotion.title}-0.wav"} <= made
            melodies = emomelody.load(model).sample(emotion, n=4, seed=3)
            for number, melody in enumerate(melodies):
                melody.write(tmp_path / f"{emotion.title}-{number}.mid")
                name = f"{emotion.title}-{number}.mid"
                assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_results_are_those_of_evaluate() -> None:
    page = make_results.PAGE.read_text(encoding="utf-8")
    assert make_results.fill(page) == page


def test_every_command_has_its_section() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"### `emomelody {command.callback.__name__}`" in README


@pytest.mark.slow
def test_a_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    program = (
        "import emomelody, sys; from emomelody.cli.app import main\n"
        "assert emomelody.__file__.startswith(sys.argv[1])\n"
        "sys.argv[1:] = ['sample', '-e', 'sad', '-n', '20']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, site],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (site / "emomelody" / "py.typed").exists()
    assert len(list((tmp_path / "samples").glob("sad-*.mid"))) == 20
