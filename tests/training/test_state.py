"""Saved states: killed runs continue from them, and what is not one is refused."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from conftest import COMMAND, Run

from emomelody.data.dataset import load
from emomelody.training.config import TrainConfig
from emomelody.training.history import Epoch
from emomelody.training.state import NAME, RunState
from emomelody.training.trainer import Trainer
from emomelody.weights import container


def interrupted_run(folder: Path, data: Path) -> None:
    """A run of three epochs that is interrupted after the second."""
    config = TrainConfig(model="emoreg", epochs=3, batch_size=16)
    trainer = Trainer([load(data)], config, data)
    folder.mkdir()

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.run(folder, stop)


def kill_after_state(folder: Path, arguments: list[object], delay: float) -> None:
    """Train until a new state is written and for ``delay`` seconds more, then kill without warning."""
    state = folder / NAME
    before = state.stat().st_mtime_ns if state.exists() else None
    process = subprocess.Popen([COMMAND, "-q", "train", *map(str, arguments)], stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            if state.exists() and state.stat().st_mtime_ns != before:
                time.sleep(delay)
                break
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()


# The long run is killed again and again, at any moment.
@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize(("model", "epochs"), [("emoreg", 4), ("emoreg-va", 8)])
def test_a_killed_run_ends_with_the_weights_of_a_whole_one(
    model: str, epochs: int, kills: int, tmp_path: Path, run: Run, small_data: Path, tunes_data: Path
) -> None:
    data = tunes_data if model == "emoreg-va" else small_data
    common = ["-m", model, "--epochs", epochs * kills, "--batch-size", 8, "--seed", 5]
    run("train", data, *common, "-o", "whole")
    folder, rng = tmp_path / "cut" / model, random.Random(0)
    kill_after_state(folder, [data, *common, "-o", tmp_path / "cut"], 0)
    assert (folder / NAME).exists(), "it came to its end before it was killed"
    for _ in range(kills - 1):
        if (folder / NAME).exists():
            kill_after_state(folder, ["--resume", folder], rng.random() / 10)
    if (folder / NAME).exists():
        done = run("train", "--resume", folder)
        assert f"Resuming {model} after epoch" in done.stderr
    whole = tmp_path / "whole" / model
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    histories = [path.joinpath("history.csv").read_text().splitlines() for path in (folder, whole)]
    assert [row.rsplit(",", 1)[0] for row in histories[0]] == [r.rsplit(",", 1)[0] for r in histories[1]]
    names = {path.name for path in whole.iterdir()}
    assert names <= {path.name for path in folder.iterdir()}
    assert "this run is finished" in run("train", "--resume", folder, code=1).stderr


def test_a_state_is_read_as_it_was_written(tmp_path: Path, small_data: Path) -> None:
    interrupted_run(tmp_path / "run", small_data)
    state = RunState.read(tmp_path / "run")
    assert (len(state.history), state.epochs, state.source) == (2, 3, str(small_data.resolve()))
    (tmp_path / "copy").mkdir()
    state.write(tmp_path / "copy")
    assert (tmp_path / "copy" / NAME).read_bytes() == (tmp_path / "run" / NAME).read_bytes()


def test_what_cannot_be_resumed(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    folder = tmp_path / "run"
    interrupted_run(folder, tmp_path / "data")
    state = folder / NAME
    good = state.read_bytes()
    for content, reason in (
        (good[:1000], "state.safetensors: not a readable safetensors file"),
        (good[:-1] + bytes([good[-1] ^ 1]), "damaged: its contents do not match their checksum"),
        ((folder / "model.safetensors").read_bytes(), "not the state of a training run"),
    ):
        state.write_bytes(content)
        assert reason in run("train", "--resume", folder, code=1).stderr
    state.write_bytes(good)
    tensors, description, _ = container.read(state)
    for change in ({"config": {**description["config"], "colour": 1}}, {"epochs": None}, {"history": [1]}):
        container.write(state, tensors, {**description, **change})
        assert "not a state that can be resumed" in run("train", "--resume", folder, code=1).stderr
    state.write_bytes(good)
    stderr = run("train", "--resume", folder, "--epochs", 9, "--lr", 1, code=2).stderr
    assert "leave out --epochs, --lr" in stderr
    stderr = run("train", "--resume", tmp_path, code=1).stderr
    assert "not a run folder: it has no state.safetensors" in stderr
    (tmp_path / "data" / "e1" / "melody-0.mid").unlink()
    assert "not the data that" in run("train", "--resume", folder, code=1).stderr
