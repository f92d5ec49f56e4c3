"""Every command and every program of the README runs; and the package works from a wheel."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest
from conftest import COMMAND, PREPROCESS_CHORALES, PREPROCESS_FIRST, ROOT, CommandServer, shell
from evaluation import make_results
from evaluation.listening.simulated import write_test

import emomelody
from emomelody.cli.app import app
from emomelody.data import manifest
from emomelody.emotions.emotion import Emotion
from emomelody.weights.checkpoint import bundled_weights

README = (ROOT / "README.md").read_text(encoding="utf-8")
PIECES = 24  # chorales in data/ and first/: enough for every emotion, and read in a second


def blocks() -> list[list[str]]:
    """The commands of each shell block, without comments."""
    found = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [[line for line in block.splitlines() if line and line[0] != "#"] for block in found]


SETUP, TESTS, *BLOCKS = blocks()


def test_the_first_two_blocks_set_everything_up() -> None:
    """They are run as they are by .ci/run."""
    assert SETUP[-1].endswith("emomelody sample --emotion sad -n 20")
    assert TESTS[-1].endswith("pytest")


def words_of(line: str) -> list[str]:
    """The words of a command, from the name of the program's command on; none for another program."""
    words = shlex.split(line, comments=True)
    return words[words.index("emomelody") + 1 :] if "emomelody" in words else []


def shorter(line: str) -> str:
    """The options that make a line take seconds; nothing else of it is changed.

    One epoch of training; fewer melodies to evaluate, and fewer seeds where there are several.
    """
    command, *arguments = words_of(line)
    if command == "train":
        return "--epochs 1"
    if command == "evaluate" and not {"--generated", "--answers"} & set(arguments):
        return "-n 3 --seeds 2" if "--seeds" in arguments else "-n 3"
    return ""


def needs_a_shell(line: str) -> bool:
    """Whether a line is more than the words of one ``emomelody`` command."""
    tokens = shlex.shlex(line, posix=False, punctuation_chars=True)
    tokens.whitespace_split = True
    return not line.startswith("emomelody ") or any(set(token) <= set("();<>|&$`") for token in tokens)


def first_of_each() -> set[str]:
    """The first line of each command: a shell starts the installed script for them."""
    lines = {words_of(line)[0]: line for block in reversed(BLOCKS) for line in reversed(block)}
    return set(lines.values())


def some_chorales(source: Path, folder: Path) -> None:
    """A data folder with the melodies of the first pieces of another."""
    rows = manifest.read(source / manifest.NAME)
    pieces = [list(rows) for _, rows in groupby(rows, lambda row: row.source)][:PIECES]
    for emotion in Emotion:
        (folder / emotion.code).mkdir(parents=True)
    for row in (row for piece in pieces for row in piece):
        (folder / row.file).symlink_to(source / row.file)
    manifest.write(folder / manifest.NAME, [row for piece in pieces for row in piece])


def prepare(folder: Path, commands: set[str], small_data: Path, request: pytest.FixtureRequest) -> None:
    """What the README's text names and what earlier blocks make, but nothing that these commands make."""
    (folder / "my-songs").mkdir()
    for path in (small_data / "e1").iterdir():
        (folder / "my-songs" / path.name).write_bytes(path.read_bytes())
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "their-melodies").symlink_to(small_data)
    (folder / "labels.csv").write_text("file,emotion\nmelody-0.mid,sad\n")
    write_test(folder / "answers", listeners=3, seed=0)
    (folder / "musgenvae").mkdir()
    (folder / "musgenvae" / "dataset").symlink_to(small_data)
    if commands & {"train", "evaluate"}:
        some_chorales(request.getfixturevalue("chorales"), folder / "data")
        some_chorales(request.getfixturevalue("first_windows"), folder / "first")
    if "train" not in commands:
        (folder / "runs").mkdir()
        for name, weights in bundled_weights().items():
            (folder / "runs" / name).mkdir()
            shutil.copy(weights, folder / "runs" / name / "model.safetensors")


@pytest.fixture(scope="session")
def readme_environment(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The tests' environment, with a silent player."""
    programs = tmp_path_factory.mktemp("bin")
    (programs / "aplay").write_text("#!/bin/sh\n")
    (programs / "aplay").chmod(0o755)
    path = os.pathsep.join([str(programs), str(COMMAND.parent), environment["PATH"]])
    return environment | {"PATH": path}


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: " ".join(words_of(block[0])[:2]))
def test_every_command_runs(
    block: list[str],
    tmp_path: Path,
    readme_environment: dict[str, str],
    request: pytest.FixtureRequest,
    small_data: Path,
) -> None:
    """As they are written, but with a shorter training and evaluation."""
    prepare(tmp_path, {words_of(line)[0] for line in block}, small_data, request)
    made = {PREPROCESS_CHORALES: ("data", "chorales"), PREPROCESS_FIRST: ("first", "first_windows")}
    for line in block:
        if line in made:  # these fixtures are what these very lines have made
            name, fixture = made[line]
            (tmp_path / name).symlink_to(request.getfixturevalue(fixture))
            continue
        command, *arguments = words_of(line)
        options = shorter(line)
        if line in first_of_each() or needs_a_shell(line) or sys.platform != "linux":
            done = shell(f"{line} {options}", tmp_path, readme_environment)
        else:
            server: CommandServer = request.getfixturevalue("command_server")
            words = [command, *arguments, *options.split()]
            done = server.call(words, tmp_path, {"PATH": readme_environment["PATH"]}, 1)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        if command == "train":  # one epoch leaves a model silent
            for weights in tmp_path.glob("*/*/model.safetensors"):
                name = re.sub(r"-\d+$", "", weights.parent.name)  # of a second run
                if name in bundled_weights():  # others are fine-tuned, and make melodies after one epoch
                    shutil.copy(bundled_weights()[name], weights)
        if "-o" in arguments:
            assert (tmp_path / arguments[arguments.index("-o") + 1]).exists()


def test_every_command_of_the_program_is_in_the_readme() -> None:
    named = {words_of(line)[0] for block in BLOCKS for line in block}
    assert {command.callback.__name__ for command in app.registered_commands if command.callback} == named


@pytest.mark.slow
def test_the_benchmarks_run() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "sampling", "--melodies", "8"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert re.findall(r"^\| `sample -m (\S+) -n 8` \| \d+ melodies/s", done.stdout, re.MULTILINE) == [
        "emoreg-va",
        "emoreg",
    ]


def programs() -> dict[str, str]:
    """The README's programs in Python, in their order, and the example's, by name."""
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    named = {f"README.md {number}": source for number, source in enumerate(blocks, 1)}
    return named | {"examples/scene.py": (ROOT / "examples" / "scene.py").read_text(encoding="utf-8")}


@pytest.mark.parametrize("program", programs())
def test_the_programs_in_python_run(tmp_path: Path, program: str) -> None:
    source = programs()[program]
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    written = re.findall(r'"([^"]*\.(?:mid|musicxml|svg|png|wav|html))"', source)
    assert written
    for name in written:
        assert list(tmp_path.glob(re.sub(r"\{[^}]*\}", "*", name))), name
    assert "print(" not in source or "▐" in done.stdout


def test_the_examples_are_what_the_weights_make(tmp_path: Path) -> None:
    """Four melodies of each emotion by each model, the score and the sound of the first."""
    for model in bundled_weights():
        folder = ROOT / "examples" / model
        made = {path.name for path in folder.iterdir()}
        for emotion in Emotion:
            assert {f"{emotion.title}-{i}.mid" for i in range(4)} <= made
            assert {f"{emotion.title}-0.svg", f"{emotion.title}-0.wav"} <= made
            melodies = emomelody.load(model).sample(emotion, n=4, seed=3, bars=4)
            for number, melody in enumerate(melodies):
                melody.write(tmp_path / f"{emotion.title}-{number}.mid")
                name = f"{emotion.title}-{number}.mid"
                assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_results_are_those_of_evaluate() -> None:
    for path in make_results.PAGES:
        page = path.read_text(encoding="utf-8")
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
