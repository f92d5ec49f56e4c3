"""Paths and transfers of a model of emoreg-va that was trained for a moment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run

from emomelody.data.dataset import load
from emomelody.evaluation import paths
from emomelody.evaluation.reference import DataSplit, ReferenceSet
from emomelody.training.config import TrainConfig
from emomelody.training.trainer import Trainer
from emomelody.weights.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> Path:
    """Trained long enough not to be silent."""
    folder = tmp_path_factory.mktemp("va")
    config = TrainConfig(model="emoreg-va", epochs=30, batch_size=8)
    Trainer(load(small_data), config, small_data).run(folder)
    return folder / "model.safetensors"


def test_melodies_that_stay_as_they_are_were_not_transferred(
    weights: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, data = load_checkpoint(weights), load(small_data)
    real = ReferenceSet(data, DataSplit.of(data, checkpoint))
    originals = data.tokens[real.held_out]
    monkeypatch.setattr(paths, "decode", lambda *_arguments, **_content: originals)
    figures = paths.evaluate_transfer(checkpoint, real)
    assert figures["contour"] == figures["contour_own"] == pytest.approx(1)
    assert figures["contour_random"] < 0.5
    assert figures["as_requested"] < 0.1  # the labels are almost always the rule's


def test_evaluate_measures_paths(weights: Path, tmp_path: Path, run: Run, small_data: Path) -> None:
    done = run("evaluate", "-v", "-m", weights, "--data", small_data, "-n", 3, "--json", "f.json")
    (system,) = json.loads((tmp_path / "f.json").read_text())["systems"]
    path = system["path"]
    assert 0 <= path["both"] <= min(path["first"], path["last"]) <= 1
    assert path["closing"] > path["closing_real"]
    for bars in (8, 16):
        for figure in ("mode", "tonic", "closing"):
            assert 0 <= system["long"][f"{figure}_{bars}"] <= 1
        assert system["long"][f"real_mode_{bars}"] is None  # each melody is a piece of its own
    assert 0 <= system["form"]["16"]["bar"] <= system["form"]["16"]["rhythm"] <= 1
    assert system["form"]["32"]["real"]["motif"] is None
    assert "two_sample" not in system  # too few melodies
    assert ": no two-sample tests: they need 50 melodies of each set" in done.stderr
    assert system["validity"]["hold_first"] == system["validity"]["hold_after_rest"] == 0
    assert "both ends as requested" in done.stdout
    assert "Sixteen bars from one emotion to another" in done.stdout
    assert "Real melodies in another emotion" in done.stdout
    assert "requested mode found, 16 bars" in done.stdout
    assert "16 bars: recurring motifs" in done.stdout
