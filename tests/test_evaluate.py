"""``evaluate``: the figures against values worked out by hand, and the installed command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from conftest import Run

from emomelody import features
from emomelody.checkpoint import load_checkpoint, save_checkpoint
from emomelody.dataset import Split, load
from emomelody.emotion import Emotion
from emomelody.evaluate import evaluate_metrics, evaluate_placement
from emomelody.melody import Melody, Note
from emomelody.train import TrainConfig, Trainer


def melody(*pitches: int) -> Melody:
    return Melody(tuple(Note(4 * i, 4, pitch) for i, pitch in enumerate(pitches)))


def test_the_four_metrics_of_a_melody() -> None:
    """C D Eb G, C again: range 7, four pitches, D and G and both C in major; all five in C minor."""
    measured = features.metrics(melody(60, 62, 63, 67, 60))
    assert measured == features.Metrics(7, 4, pytest.approx(0.8), pytest.approx(1.0))
    assert features.onsets(melody(60, 62, 63, 67, 60)) == 5
    with pytest.raises(ValueError, match="without notes"):
        features.metrics(Melody(()))


def test_a_table_has_no_gap_to_itself() -> None:
    some = {e: [melody(60, 64, 67), melody(60, 61, 63, 72)] for e in Emotion}
    table = evaluate_metrics(some, some)
    assert table["mean_gap"] == table["worst_gap"] == 0


def test_cells_and_gaps_by_hand() -> None:
    generated = {Emotion.E3: [melody(60, 63), melody(60, 67)]}  # ranges 3 and 7
    reference = {Emotion.E3: [melody(60, 62), melody(60, 72)]}  # ranges 2 and 12
    table = evaluate_metrics(generated, reference)
    cell = table["cells"]["pitch_range"]["e3"]
    assert cell["generated"] == {"mean": 5, "deviation": 2}
    assert cell["reference"] == {"mean": 7, "deviation": 5}
    assert cell["gap"] == pytest.approx(2 / 5)
    assert table["cells"]["pitch_range"]["e1"]["generated"] is None
    assert table["generated"] == {"e1": 0, "e2": 0, "e3": 2, "e4": 0}


def test_a_model_on_foreign_data(tmp_path: Path, run: Run, small_data: Path) -> None:
    done = run("evaluate", "--data", small_data, "-n", 5, "--json", "figures.json", "--plots", "plots")
    assert "unseen (40)" in done.stdout
    assert "paper's emoreg" in done.stdout
    assert "not the data that the weights were trained on" in done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["placement"]["unseen"]["examples"] == 40
    assert figures["metrics"]["generated"] == {e.code: 5 for e in Emotion}
    assert sorted(p.name for p in (tmp_path / "plots").iterdir()) == [
        "latent-space.png",
        "melodies.png",
    ]


def test_a_run_knows_its_own_data(small_data: Path, tmp_path: Path) -> None:
    dataset, config = load(small_data), TrainConfig(epochs=1, split=Split.RANDOM, seed=5)
    checkpoint = Trainer(dataset, config).run(tmp_path)
    placement = evaluate_placement(checkpoint, dataset)
    assert placement["training"]["examples"] == 32
    assert placement["held_out"]["examples"] == 8
    for side in ("training", "held_out"):
        rounded = {e.code: round(placement[side][e.code], 2) for e in Emotion}
        assert rounded == checkpoint.training[f"placement_{side}"]


def test_a_model_that_makes_only_silence_says_so(tmp_path: Path, run: Run, small_data: Path) -> None:
    run("train", small_data, "--epochs", 1, "--lr", 1e-9)
    run_folder = tmp_path / "runs" / "emoreg"
    checkpoint = load_checkpoint(run_folder / "model.safetensors")
    with torch.no_grad():
        checkpoint.model.output.bias[-1] = 100  # hold, always
    save_checkpoint(checkpoint, run_folder / "model.safetensors")
    stderr = run("sample", "-e", "sad", "-m", "runs/emoreg", code=1).stderr
    assert "make only silence here: train longer" in stderr


def test_any_systems_output_can_be_scored(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "theirs")
    (tmp_path / "theirs" / "e1" / "bad.mid").write_text("no midi")
    done = run("evaluate", "--generated", "theirs", "--data", small_data, "--json", "f.json")
    assert "left out: theirs/e1/bad.mid: not a MIDI file" in done.stderr
    assert json.loads((tmp_path / "f.json").read_text())["metrics"]["mean_gap"] == 0


def test_data_here_is_the_default(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    assert "unseen (40)" in run("evaluate", "-n", 1).stdout


def test_wrong_requests_are_one_line(tmp_path: Path, run: Run, small_data: Path) -> None:
    for arguments, reason in {
        ("--generated", "x", "-m", "base"): "--generated needs no model",
        ("--generated", "x"): "x: no such folder",
        ("--data", "nowhere"): "nowhere: no such folder",
        ("-m", "nobody", "--data", "x"): "no such model",
        ("--data", str(small_data), "-n", "1", "--json", "no/such/f.json"): "cannot be written",
    }.items():
        stderr = run("evaluate", *arguments, code=1).stderr
        assert reason in stderr.splitlines()[-1]


@pytest.mark.slow
def test_shipped_weights_on_the_chorales(tmp_path: Path, run: Run, cache: Path) -> None:
    """Without data/ the chorales are built into the cache: the shipped weights' own training data."""
    for model, worst in {"emoreg": 95, "base": 0}.items():
        there = any(cache.rglob("manifest.csv"))
        done = run("evaluate", "-m", model, "-n", 20, "--json", "figures.json")
        assert ("building the chorales once" in done.stderr) is not there
        figures = json.loads((tmp_path / "figures.json").read_text())
        assert "unseen" not in figures["placement"], "these chorales are not the trained ones"
        training = figures["placement"]["training"]
        assert min(training[e.code] for e in Emotion) >= worst
        assert training["mean"] >= 95 or model == "base"
        assert figures["metrics"]["mean_gap"] < 0.8
