"""``train`` as a command: what it writes, prints, warns of and refuses."""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import COMMAND, Run
from safetensors.torch import load_file
from songs import write_song

from emomelody.emotions.emotion import Emotion
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample
from emomelody.training.state import RunState
from emomelody.weights.checkpoint import load_checkpoint


def test_a_run_leaves_weights_history_and_pictures(tmp_path: Path, run: Run, small_data: Path) -> None:
    done = run("train", small_data, "--model", "emoreg", "--epochs", 2, "--seed", 3)
    folder = tmp_path / "runs" / "emoreg"
    names = sorted(p.name for p in folder.iterdir())
    assert names == ["curves.png", "history.csv", "latent-0002.png", "model.safetensors"]
    written = "model.safetensors, history.csv, curves.png, latent-0002.png"
    assert f"Wrote {written} to runs/emoreg" in done.stdout
    with (folder / "history.csv").open(newline="") as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == ["1", "2"]
    assert all(np.isfinite(float(value)) for row in history for value in row.values())
    assert [float(row["learning_rate"]) for row in history] == [0.001, 0.001]
    for row in history:
        assert 0 <= float(row["placement_training"]) <= 1
        assert 0 <= float(row["placement_held_out"]) <= 1
        assert float(row["reconstruction_held_out"]) > 0
    checkpoint = load_checkpoint(folder / "model.safetensors")
    assert checkpoint.name == "emoreg"
    assert checkpoint.training["epochs"] == 2
    assert checkpoint.training["seed"] == 3
    assert checkpoint.training["examples"] + checkpoint.training["examples_held_out"] == 40
    assert all(0 <= share <= 1 for share in checkpoint.training["placement_training"].values())
    assert "held-out" in done.stdout
    run("train", small_data, "--epochs", 1, "--model", "base")
    stderr = run("train", small_data, "--model", "emoreg", "--epochs", 1).stderr
    assert "1 epoch on cpu" in stderr
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["base", "emoreg", "emoreg-2"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(
    tmp_path: Path, run: Run, run_installed: Run, small_data: Path
) -> None:
    for out, seed, call in (("a", 1, run), ("b", 1, run_installed), ("c", 2, run)):
        call("train", small_data, "--model", "emoreg", "--epochs", 1, "--seed", seed, "-o", out)
    one, same, other = (load_file(tmp_path / out / "emoreg" / "model.safetensors") for out in "abc")
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["mu.weight"], other["mu.weight"])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_precision_is_chosen_and_recorded(
    tmp_path: Path, run: Run, small_data: Path, precision: str
) -> None:
    done = run("train", small_data, "--epochs", 1, "--precision", precision)
    assert f"on cpu in {precision}" in done.stderr
    weights = tmp_path / "runs" / "emoreg-va" / "model.safetensors"
    assert load_checkpoint(weights).training["precision"] == precision


def test_emoreg_va_learns_tunes_in_several_styles_and_meters(
    tmp_path: Path, run: Run, tunes_data: Path
) -> None:
    done = run("train", tunes_data, "--epochs", 1)
    assert "Training emoreg-va: 20 melodies, 4 held out by tune, 1 epoch" in done.stderr
    checkpoint = load_checkpoint(tmp_path / "runs" / "emoreg-va" / "model.safetensors")
    assert [style.name for style in checkpoint.styles] == ["folk 4/4", "folk 6/8", "own 4/4"]
    request = Request(2, Emotion.E1, bars=8, style=Style.FOLK, meter=Meter.SIX_EIGHT)
    assert [len(sampled.tokens) for sampled in sample(checkpoint, request)] == [96, 96]


@pytest.mark.parametrize("model", ["base", "emoreg"])
def test_the_papers_models_learn_the_first_style_in_4_4(
    tmp_path: Path, run: Run, tunes_data: Path, model: str
) -> None:
    done = run("train", tunes_data, "-m", model, "--epochs", 1)
    assert f"Training {model}: 13 melodies, 2 held out by tune, 1 epoch" in done.stderr
    assert load_checkpoint(tmp_path / "runs" / model / "model.safetensors").styles == ()


def write_songs(folder: Path) -> Path:
    """Six tunes of eight bars, of which one is held out, and a file that is none."""
    rng = np.random.default_rng(0)
    for number in range(6):
        write_song(folder / f"song-{number}.mid", rng.choice([55, 60, 62, 64, 67, 93], 32).tolist(), key="C")
    (folder / "broken.mid").write_text("la la la")
    return folder


def test_fine_tuning_on_tunes_as_they_are(tmp_path: Path, run: Run, small_model: Path) -> None:
    done = run("train", "--from", small_model, write_songs(tmp_path / "songs"), "--epochs", 1, "--seed", 3)
    folder = tmp_path / "runs" / "emoreg-va-songs"
    found = re.search(r"Fine-tuning emoreg-va: (\d+) melodies, (\d+) held out by tune, 1 epoch", done.stderr)
    assert found
    assert sum(map(int, found.groups())) == 12
    assert "skipped: " in done.stderr
    assert "songs/broken.mid: not a MIDI file" in done.stderr
    assert re.search(r"do not know the pitch of \d+ notes: moved by octaves", done.stderr)
    assert "melodies, own in 4/4" in done.stdout
    assert "to runs/emoreg-va-songs" in done.stdout
    assert sorted(p.name for p in folder.iterdir()) == [
        "curves.png",
        "data",
        "history.csv",
        "latent-0001.png",
        "model.safetensors",
    ]
    training = load_checkpoint(folder / "model.safetensors").training
    assert training["from"]["checksum"] == load_checkpoint(small_model).checksum
    assert [*training["data"]] == ["own 4/4"]
    for style in ("own", "chorale"):
        options = ("-e", "sad", "-n", 1, "--bars", 8, "--style", style, "-o", style)
        assert "Wrote" in run("sample", "-m", folder, *options).stdout
    again = run("train", "--from", folder, folder / "data", "--epochs", 1)
    assert found[0] in again.stderr
    assert load_checkpoint(tmp_path / "runs" / "emoreg-va-data" / "model.safetensors").training["from"]


def test_what_cannot_be_fine_tuned_is_one_line_and_leaves_nothing(
    tmp_path: Path, run: Run, small_model: Path
) -> None:
    songs = write_songs(tmp_path / "songs")
    (tmp_path / "empty").mkdir()
    write_song(tmp_path / "short" / "song.mid", [60, 62, 64, 65] * 4)
    for name, data, options, reason in (
        ("emoreg", songs, (), "emoreg cannot be fine-tuned: use weights of emoreg-va"),
        ("gan", songs, (), "gan: no such model"),
        ("runs/x", songs, (), "no such weights file"),
        (small_model, "empty", (), "empty: holds no .mid"),
        (small_model, "nowhere", (), "nowhere: no such file or folder"),
        (small_model, "short", (), "holds out no melodies"),
        (small_model, songs, ("--device", "abacus"), "device 'abacus' cannot be used here"),
    ):
        stderr = run("train", "--from", name, data, *options, code=1).stderr.splitlines()
        assert reason in stderr[-1]
        assert len([line for line in stderr if not line.startswith("skipped")]) == 1
    assert not any(tmp_path.glob("runs/*"))


def test_rare_emotions_are_warned_of(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    shutil.rmtree(tmp_path / "data" / "e2")
    for number in range(6):
        (tmp_path / "data" / "e4" / f"melody-{number}.mid").unlink()
    options = ("--epochs", 1, "--split", "random", "--model", "emoreg")
    stderr = run("train", "data", *options).stderr
    assert "warning: e2 angry has no melodies: the model cannot learn it" in stderr
    assert "warning: e4 relaxed has only 3 melodies" in stderr
    assert stderr.count("warning") == 2
    assert "warning" not in run("train", small_data, *options).stderr


def test_bad_data_and_devices_are_one_line(tmp_path: Path, run: Run, small_data: Path) -> None:
    (tmp_path / "empty").mkdir()
    for data, options, reason in (
        ("empty", (), "empty: no own melodies in 4/4 in e1, e2, e3 or e4"),
        ("nowhere", (), "nowhere: no such folder"),
        (small_data, ("--device", "abacus"), "device 'abacus' cannot be used here"),
        (small_data, ("--emotion-weight", 2), "--emotion-weight is for the model emoreg"),
    ):
        stderr = run("train", data, *options, code=1).stderr
        assert reason in stderr
        assert stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_wrong_options_are_usage_errors_in_plain_words(run: Run, small_data: Path) -> None:
    for arguments, reason in {
        ("--epochs", "x"): "Invalid value for '--epochs': 'x' is not a whole number of 1 or more",
        ("--lr", "0"): "Invalid value for '--lr': 0 is not a number above 0",
        ("--seed", "-1"): "-1 is not a whole number from 0 to 4,294,967,295",
        ("--resume", "runs/x", "--lr", "1"): "--resume continues a run with its own options: leave out --lr",
        ("--resume", "runs/x", "--from", "x"): "leave out --from",
        ("--from", "emoreg-va", "--model", "base"): "--from says which model is trained: leave out --model",
        ("--model", "gan"): "Invalid value for '--model' / '-m': 'gan' is not one of base, emoreg, emoreg-va",
        ("--precision", "half"): "'half' is not one of auto, float32, bfloat16",
    }.items():
        assert reason in run("train", small_data, *arguments, code=2).stderr
    assert "give a folder of training data, or --resume" in run("train", code=2).stderr


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path, run: Run, small_data: Path) -> None:
    stderr = run("train", small_data, "--model", "emoreg", "--epochs", 5, "--lr", 1e30, code=1).stderr
    assert "is not finite: use a smaller --lr" in stderr
    assert not any((tmp_path / "runs").iterdir())


def test_ctrl_c_keeps_the_weights(tmp_path: Path, small_data: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "GITHUB_ACTIONS")}
    process = subprocess.Popen(
        [COMMAND, "train", small_data, "--model", "emoreg", "--epochs", "9999"],
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
    assert RunState.read(folder).source == str(small_data.resolve())


@pytest.mark.slow
def test_a_full_disk_ends_training_in_one_line(tmp_path: Path, small_data: Path) -> None:
    """A limit on the size of files stands in for the disk: the first state does not fit."""
    words = ["train", str(small_data), "-m", "emoreg", "--epochs", "9"]
    command = ["sh", "-c", 'ulimit -f 100; exec "$0" "$@"', str(COMMAND)]
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "safetensors: cannot be written (File too large)" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.rglob("*.part"))


def test_too_few_melodies_to_hold_out_are_one_line(tmp_path: Path, run: Run, small_data: Path) -> None:
    (tmp_path / "songs" / "sad").mkdir(parents=True)
    shutil.copy(small_data / "e3" / "melody-0.mid", tmp_path / "songs" / "sad")
    run("preprocess", "songs")
    assert "holds out no melodies" in run("train", "data", "--model", "emoreg", code=1).stderr


def test_a_bad_file_among_good_data_is_named(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    (tmp_path / "data" / "e2" / "text.mid").write_text("la la la")
    stderr = run("train", "data", "--model", "emoreg", "--epochs", 1).stderr
    assert "skipped: data/e2/text.mid: not a MIDI file" in stderr
