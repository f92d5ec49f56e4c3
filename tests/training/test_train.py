"""``train`` through the installed command, and weights files."""

from __future__ import annotations

import csv
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run
from damage import mutants
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from emomelody.data.dataset import Split, load
from emomelody.errors import BadWeights, EmomelodyError
from emomelody.models import container
from emomelody.models.checkpoint import load_checkpoint, save_checkpoint
from emomelody.training import recipes
from emomelody.training.config import TrainConfig
from emomelody.training.history import Epoch
from emomelody.training.state import NAME as STATE_NAME
from emomelody.training.trainer import Trainer, resume, training_data_of


def test_a_run_leaves_weights_history_and_pictures(tmp_path: Path, run: Run, small_data: Path) -> None:
    done = run("train", small_data, "--model", "emoreg", "--epochs", 2, "--seed", 3)
    folder = tmp_path / "runs" / "emoreg"
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["curves.png", "history.csv", "latent-0002.png", "model.safetensors"]
    with (folder / "history.csv").open(newline="") as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == ["1", "2"]
    assert all(np.isfinite(float(value)) for row in history for value in row.values())
    assert [float(row["learning_rate"]) for row in history] == [0.001, 0.001]
    checkpoint = load_checkpoint(folder / "model.safetensors")
    assert checkpoint.name == "emoreg"
    assert checkpoint.training["epochs"] == 2
    assert checkpoint.training["seed"] == 3
    assert checkpoint.training["examples"] + checkpoint.training["examples_held_out"] == 40
    assert "held-out" in done.stdout
    run("train", small_data, "--epochs", 1, "--model", "base")
    run("train", small_data, "--model", "emoreg", "--epochs", 1)
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["base", "emoreg", "emoreg-2"]


def test_the_same_seed_gives_the_same_weights(tmp_path: Path, run: Run, small_data: Path) -> None:
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("train", small_data, "--model", "emoreg", "--epochs", 1, "--seed", seed, "-o", out)
    one, same, other = (load_file(tmp_path / out / "emoreg" / "model.safetensors") for out in "abc")
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["mu.weight"], other["mu.weight"])


@pytest.mark.slow
def test_emoreg_pulls_melodies_into_their_quadrants_and_base_does_not(
    small_data: Path, tmp_path: Path
) -> None:
    dataset = load(small_data)
    placed = {}
    for model in ("base", "emoreg"):
        config = TrainConfig(model=model, epochs=60, batch_size=4, split=Split.RANDOM)
        trained = Trainer(dataset, config, small_data).run(tmp_path)
        placed[model] = np.mean(list(trained.training["placement_training"].values()))
    assert placed["emoreg"] >= 0.9
    assert placed["base"] <= 0.6


def test_the_default_number_of_epochs_makes_the_papers_updates() -> None:
    recipe = recipes.RECIPES["emoreg"](1.0)
    assert recipe.epochs(275, 16) == 700
    assert recipe.epochs(2918, 16) == 69
    assert recipes.RECIPES["emoreg-va"](1.0).epochs(2918, 64) == 36
    assert recipes.RECIPES["emoreg-va"](1.0).epochs(275, 64) == 110


def test_annealing_begins_after_seven_tenths() -> None:
    for progress, share in ((0, 0), (0.7, 0), (0.85, 0.5), (1, 1)):
        assert recipes.annealing(progress) == pytest.approx(share)


def test_the_learning_rate_falls_and_the_emotion_weight_grows(small_data: Path, tmp_path: Path) -> None:
    final = {}
    for weight in (1.0, 30.0):
        config = TrainConfig(
            model="emoreg", epochs=20, batch_size=8, emotion_weight=weight, split=Split.RANDOM
        )
        trainer = Trainer(load(small_data), config, small_data)
        trainer.run(tmp_path)
        final[weight] = trainer.history
    rates = [epoch.learning_rate for epoch in final[1.0]]
    assert rates[:15] == [0.001] * 15
    assert rates[-1] == pytest.approx(0.001 * (1 - 0.9 * 5 / 6))
    assert [e.reconstruction for e in final[1.0][:15]] == [e.reconstruction for e in final[30.0][:15]]
    assert final[1.0][-1].reconstruction != final[30.0][-1].reconstruction


def test_bad_data_and_devices_are_one_line(tmp_path: Path, run: Run, small_data: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (
        "empty: no melodies in e1, e2, e3 or e4" in run("train", "empty", "--model", "emoreg", code=1).stderr
    )
    assert "nowhere: no such folder" in run("train", "nowhere", "--model", "emoreg", code=1).stderr
    stderr = run("train", small_data, "--model", "emoreg", "--device", "abacus", "--epochs", 1, code=1).stderr
    assert "device 'abacus' cannot be used here" in stderr
    assert not (tmp_path / "runs").exists()


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path, run: Run, small_data: Path) -> None:
    stderr = run("train", small_data, "--model", "emoreg", "--epochs", 5, "--lr", 1e30, code=1).stderr
    assert "is not finite: use a smaller --lr" in stderr
    assert not any((tmp_path / "runs").iterdir())


def test_a_loss_that_becomes_no_number_leaves_the_last_good_weights(small_data: Path, tmp_path: Path) -> None:
    config = TrainConfig(model="emoreg", epochs=5, batch_size=16)
    trainer = Trainer(load(small_data), config, small_data)

    def spoil(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            with torch.no_grad():
                trainer.learner.model.mu.weight.fill_(torch.nan)

    with pytest.raises(EmomelodyError, match=r"the loss of epoch 3 .* the weights of epoch 2 are in"):
        trainer.run(tmp_path, spoil)
    assert load_checkpoint(tmp_path / "model.safetensors").training["epochs"] == 2
    assert len(resume(tmp_path, load(small_data), small_data, "cpu").history) == 2


def test_ctrl_c_keeps_the_weights(tmp_path: Path, small_data: Path) -> None:
    program = Path(sys.executable).with_name("emomelody")
    command = [program, "train", small_data, "--model", "emoreg", "--epochs", "9999"]
    environment = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "GITHUB_ACTIONS")}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "epoch 10/" in line:
                break
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "its weights are in runs/emoreg; to continue: emomelody train --resume runs/emoreg" in stderr
    assert "Traceback" not in stderr
    folder = tmp_path / "runs" / "emoreg"
    assert load_checkpoint(folder / "model.safetensors").training["epochs"] >= 10
    assert training_data_of(folder) == small_data.resolve()


def killed(folder: Path, arguments: list[object]) -> None:
    """Train until the first state has been written, then kill without warning."""
    command = [Path(sys.executable).with_name("emomelody"), "-q", "train", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not (folder / STATE_NAME).exists():
            assert process.poll() is None, "it came to its end before it was killed"
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["emoreg", "emoreg-va"])
def test_a_killed_run_goes_on_to_the_same_weights(
    model: str, tmp_path: Path, run: Run, small_data: Path
) -> None:
    """Dropout, the order, the noise, the optimiser and the schedule: nothing may be lost."""
    common = ["-m", model, "--epochs", 8 if model == "emoreg" else 30, "--batch-size", 8, "--seed", 5]
    run("train", small_data, *common, "-o", "whole")
    folder = tmp_path / "cut" / model
    killed(folder, [small_data, *common, "-o", tmp_path / "cut"])
    done = run("train", "--resume", folder)
    assert f"Resuming {model} after epoch" in done.stderr
    whole = tmp_path / "whole" / model
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    histories = [path.joinpath("history.csv").read_text().splitlines() for path in (folder, whole)]
    assert [row.rsplit(",", 1)[0] for row in histories[0]] == [r.rsplit(",", 1)[0] for r in histories[1]]
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in whole.iterdir())
    assert "there is nothing to resume" in run("train", "--resume", folder, code=1).stderr


def test_what_cannot_be_resumed(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    config = TrainConfig(model="emoreg", epochs=3, batch_size=16)
    trainer = Trainer(load(tmp_path / "data"), config, tmp_path / "data")
    folder = tmp_path / "run"
    folder.mkdir()

    def stop(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.run(folder, stop)
    state = folder / STATE_NAME
    good = state.read_bytes()
    assert len(resume(folder, load(tmp_path / "data"), tmp_path, "cpu").history) == 2
    for content, reason in (
        (good[:1000], "state.safetensors: not a readable safetensors file"),
        (good[:-1] + bytes([good[-1] ^ 1]), "damaged: its contents do not match their checksum"),
        ((folder / "model.safetensors").read_bytes(), "not the state of a training run"),
    ):
        state.write_bytes(content)
        assert reason in run("train", "--resume", folder, code=1).stderr
    state.write_bytes(good)
    stderr = run("train", "--resume", folder, "--epochs", 9, "--lr", 1, code=1).stderr
    assert "leave out --epochs, --lr" in stderr
    assert (
        "not a run folder: it has no state.safetensors" in run("train", "--resume", tmp_path, code=1).stderr
    )
    assert "give a folder of training data, or --resume" in run("train", code=2).stderr
    (tmp_path / "data" / "e1" / "melody-0.mid").unlink()
    assert "not the data that" in run("train", "--resume", folder, code=1).stderr


def test_a_run_whose_folder_is_gone_ends_in_one_line(small_data: Path, tmp_path: Path) -> None:
    config = TrainConfig(model="emoreg", epochs=50, batch_size=16)
    trainer = Trainer(load(small_data), config, small_data)
    folder = tmp_path / "run"
    folder.mkdir()

    def remove(epoch: Epoch) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    with pytest.raises(EmomelodyError, match="cannot be written \\(No such file or directory\\)"):
        trainer.run(folder, remove)


def test_a_full_disk_ends_training_in_one_line(tmp_path: Path, small_data: Path) -> None:
    """A limit on the size of files stands in for the disk: the first state does not fit."""
    words = ["train", str(small_data), "-m", "emoreg", "--epochs", "9"]
    command = ["sh", "-c", 'ulimit -f 100; exec "$0" "$@"', str(Path(sys.executable).with_name("emomelody"))]
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "safetensors: cannot be written (File too large)" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.rglob("*.part"))


def test_too_little_to_hold_out_is_one_line(tmp_path: Path, run: Run, small_data: Path) -> None:
    (tmp_path / "songs" / "sad").mkdir(parents=True)
    shutil.copy(small_data / "e3" / "melody-0.mid", tmp_path / "songs" / "sad")
    run("preprocess", "songs")
    assert "holds nothing out" in run("train", "data", "--model", "emoreg", code=1).stderr


def test_a_bad_file_among_good_data_is_named(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    (tmp_path / "data" / "e2" / "text.mid").write_text("la la la")
    stderr = run("train", "data", "--model", "emoreg", "--epochs", 1).stderr
    assert "skipped: data/e2/text.mid: not a MIDI file" in stderr


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> Path:
    folder = tmp_path_factory.mktemp("run")
    config = TrainConfig(model="emoreg", epochs=1, split=Split.RANDOM)
    Trainer(load(small_data), config, small_data).run(folder)
    return folder / "model.safetensors"


def test_weights_survive_saving(weights: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(weights)
    save_checkpoint(checkpoint, tmp_path / "again.safetensors")
    again = load_checkpoint(tmp_path / "again.safetensors")
    assert again.checksum == checkpoint.checksum
    assert again.vocabulary == checkpoint.vocabulary
    assert (tmp_path / "again.safetensors").read_bytes() == weights.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["again.safetensors"]


@pytest.mark.slow
def test_mutated_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    """Bytes changed, removed, doubled or filled in; by hand, 600 of them."""
    path = tmp_path / "bad.safetensors"
    for data in mutants(weights.read_bytes(), int(os.environ.get("MUTANTS", "60")), 0):
        path.write_bytes(data)
        with pytest.raises(BadWeights):
            load_checkpoint(path)


def test_a_flipped_bit_is_noticed_anywhere(weights: Path, tmp_path: Path) -> None:
    whole, path = weights.read_bytes(), tmp_path / "bad.safetensors"
    rng = np.random.default_rng(0)
    for position in [*rng.integers(0, len(whole), 40), *rng.integers(0, 3000, 40)]:
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(BadWeights):
            load_checkpoint(path)


def test_other_files_are_refused_with_a_reason(weights: Path, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "w.safetensors"
    with safe_open(weights, framework="pt") as file:
        description = json.loads(file.metadata()["emomelody"].partition(" ")[2])
    contents = {
        "no such weights file": None,
        "not a readable safetensors file": weights.read_bytes()[:5000],
        "not a weights file of emomelody": "foreign",
        "header": pickle.dumps({"a": 1}),
    }
    for reason, content in contents.items():
        path.unlink(missing_ok=True)
        if content == "foreign":
            save_file({"a": torch.zeros(2)}, path)
        elif content is not None:
            path.write_bytes(content)
        stderr = run("sample", "-e", "sad", "-m", "w.safetensors", code=1).stderr
        assert reason in stderr
        assert stderr.count("\n") == 1
    assert description["format"] == "emomelody-1"


def test_weights_that_lie_are_refused(weights: Path, tmp_path: Path) -> None:
    """Their checksum is right, and what they say is not: a stranger can make such a file."""
    tensors, good, _ = container.read(weights)
    path = tmp_path / "lie.safetensors"
    region = good["plane"]["regions"][0]
    flat = {**region, "covariances": np.zeros((len(region["weights"]), 2, 2)).tolist()}
    unsure = {**region, "weights": [0.0] * len(region["weights"])}
    first = next(name for name, tensor in tensors.items() if tensor.ndim == 2)
    for change, reason in (
        ({"format": "emomelody-9"}, "format emomelody-9"),
        ({"config": {**good["config"], "hidden": 10**7}}, "size mismatch"),
        ({"config": {**good["config"], "hidden": -1}}, "not usable"),
        ({"config": {**good["config"], "colour": 1}}, "colour"),
        ({"vocabulary": [60, 60]}, "different pitches"),
        ({"vocabulary": [60, 400]}, "0–127"),
        ({"plane": {**good["plane"], "scale": [0, 1]}}, "scale"),
        ({"plane": {**good["plane"], "regions": [flat] * 4}}, "covariance"),
        ({"plane": {**good["plane"], "regions": [unsure] * 4}}, "must sum to 1"),
        ({"name": "nobody"}, "unknown model name"),
        ({"vocabulary": good["vocabulary"][1:]}, "another size"),
    ):
        container.write(path, tensors, {**good, **change})
        with pytest.raises(BadWeights, match=reason):
            load_checkpoint(path)
    for other in (
        {n: t for n, t in tensors.items() if n != first},
        {**tensors, "more": torch.zeros(1)},
        {**tensors, first: torch.full_like(tensors[first], torch.nan)},
        {**tensors, first: tensors[first].double()},
        {**tensors, first: tensors[first].flatten()},
    ):
        container.write(path, other, good)
        with pytest.raises(BadWeights, match="not usable"):
            load_checkpoint(path)
    with path.open("wb") as file:
        file.truncate(container.MAX_BYTES + 1)
    with pytest.raises(BadWeights, match="larger than 500 MB"):
        load_checkpoint(path)
