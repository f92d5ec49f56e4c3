"""Paths, transfers and longer melodies of a model of emoreg-va that was trained for a moment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run
from evaluation.labelled import write_jigs

from emomelody.data.dataset import load
from emomelody.evaluation import paths
from emomelody.evaluation.reference import DataSplit, ReferenceSet, learned_style
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.training.config import TrainConfig
from emomelody.training.trainer import Trainer
from emomelody.weights.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def jigs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_jigs(tmp_path_factory.mktemp("jigs"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, small_data: Path, jigs: Path) -> Path:
    """Trained long enough not to be silent, in 4/4 and in 6/8."""
    folder = tmp_path_factory.mktemp("va")
    config = TrainConfig(model="emoreg-va", epochs=15, batch_size=8)
    datasets = [load(small_data), load(jigs, meter=Meter.SIX_EIGHT)]
    Trainer(datasets, config, small_data).run(folder)
    return folder / "model.safetensors"


def test_melodies_that_stay_as_they_are_were_not_transferred(
    weights: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, data = load_checkpoint(weights), load(small_data)
    real = ReferenceSet(data, DataSplit.of(data, checkpoint))
    originals = data.tokens[real.held_out]
    monkeypatch.setattr(paths, "decode", lambda *_arguments, **_content: originals)
    figures = paths.evaluate_transfer(checkpoint, checkpoint.styles[0], real)
    assert figures["contour"] == figures["contour_own"] == pytest.approx(1)
    assert figures["contour_random"] < 0.5
    assert figures["as_requested"] < 0.1  # the labels are almost always the rule's


def test_the_split_and_the_style_are_those_of_the_meter(weights: Path, jigs: Path) -> None:
    checkpoint, data = load_checkpoint(weights), load(jigs, meter=Meter.SIX_EIGHT)
    split = DataSplit.of(data, checkpoint)
    assert split.known
    assert (split.held_out == data.held_out).all()
    style = learned_style(checkpoint, Style.FOLK, Meter.SIX_EIGHT)  # it has learned its own alone
    assert style is checkpoint.styles[1]


@pytest.mark.slow
def test_evaluate_in_another_meter(weights: Path, jigs: Path, tmp_path: Path, run: Run) -> None:
    command = ("evaluate", "-m", weights, "--data", jigs, "--meter", "6/8", "-n", 3)
    done = run(*command, "-v", "--json", "f.json", "--report", "report")
    (system,) = json.loads((tmp_path / "f.json").read_text())["systems"]
    assert (system["style"], system["meter"], system["sampled_style"]) == ("own", "6/8", "own")
    path = system["path"]
    assert 0 <= path["both"] <= min(path["first"], path["last"]) <= 1
    for bars in (8, 16):
        for figure in ("mode", "tonic", "closing", "real_mode"):
            assert 0 <= system["long"][f"{figure}_{bars}"] <= 1
    assert 0 <= system["form"]["16"]["bar"] <= system["form"]["16"]["rhythm"] <= 1
    assert (system["form"]["16"]["melodies"], system["form"]["16"]["real"]["melodies"]) == (12, 12)
    assert system["form"]["32"]["real"]["motif"] is None  # no piece is as long
    assert 0 <= system["novelty"]["shared_16"] <= system["novelty"]["shared_8"] <= 1
    assert system["novelty"]["real"]["shared_16"] == 0
    assert "two_sample" not in system  # too few melodies
    assert ": no two-sample tests: they need 50 melodies of each set" in done.stderr
    assert system["validity"]["hold_first"] == system["validity"]["hold_after_rest"] == 0
    assert done.stdout.lstrip().startswith("Verdict: own melodies in 6/8")
    for title in (
        "both ends as requested",
        "Sixteen bars from one emotion to another",
        "Real melodies in another emotion",
        "requested mode found, 16 bars",
        "16 bars: recurring motifs",
        "16-bar tunes that share 16 intervals",
    ):
        assert title in done.stdout
    page = (tmp_path / "report" / "report.html").read_text()
    assert "against 48 own melodies in 6/8" in page


def test_a_model_without_the_meter_is_refused(weights: Path, jigs: Path, run: Run) -> None:
    for model, meter, reason in (
        ("base", "6/8", "base makes melodies in 4/4 alone, none in 6/8: use emoreg-va"),
        (weights, "3/4", "the model has learned own 4/4, own 6/8, but no melodies in 3/4"),
    ):
        stderr = run("evaluate", "-m", model, "--data", jigs, "--meter", meter, code=1).stderr
        assert reason in stderr.splitlines()[-1]
