"""The training loop: what it learns, measures and saves, and what ends it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from emomelody.data.dataset import Split, load
from emomelody.errors import EmomelodyError
from emomelody.training.config import TrainConfig
from emomelody.training.history import Epoch
from emomelody.training.trainer import Trainer, resume
from emomelody.weights.checkpoint import load_checkpoint


@pytest.mark.slow
@pytest.mark.parametrize(("model", "least", "most"), [("emoreg", 0.9, 1.0), ("base", 0.0, 0.6)])
def test_emoreg_pulls_melodies_into_their_quadrants_and_base_does_not(
    model: str, least: float, most: float, small_data: Path, tmp_path: Path
) -> None:
    config = TrainConfig(model=model, epochs=11, batch_size=4, split=Split.RANDOM)
    trained = Trainer(load(small_data), config, small_data).run(tmp_path)
    assert least <= np.mean(list(trained.training["placement_training"].values())) <= most


def test_the_learning_rate_falls_and_the_emotion_weight_grows(small_data: Path, tmp_path: Path) -> None:
    final = {}
    for weight in (1.0, 30.0):
        config = TrainConfig(
            model="emoreg", epochs=10, batch_size=16, emotion_weight=weight, split=Split.RANDOM
        )
        trainer = Trainer(load(small_data), config, small_data)
        trainer.run(tmp_path)
        final[weight] = trainer.history
    rates = [epoch.learning_rate for epoch in final[1.0]]
    assert rates[:8] == [0.001] * 8
    assert rates[-1] == pytest.approx(0.001 * (1 - 0.9 * 2 / 3))
    assert [e.reconstruction for e in final[1.0][:8]] == [e.reconstruction for e in final[30.0][:8]]
    assert final[1.0][-1].reconstruction != final[30.0][-1].reconstruction


@pytest.mark.parametrize("model", ["emoreg", "emoreg-va"])
def test_the_held_out_loss_is_at_the_latent_means_and_draws_nothing(small_data: Path, model: str) -> None:
    config = TrainConfig(model=model, epochs=1, split=Split.RANDOM, precision="float32")
    trainer = Trainer(load(small_data), config, small_data)
    learner, held_out = trainer.learner, trainer.held_out
    learner.train_epoch(trainer.training, 16, 0.0)
    states = torch.get_rng_state(), learner.generator.get_state()
    measured = learner.evaluate(held_out)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert torch.equal(learner.generator.get_state(), states[1])
    module = learner.model.eval()
    with torch.inference_mode():
        mu, _ = module.encode(held_out.classes, held_out.labels)
        if model == "emoreg":
            logits = module.decode(mu, held_out.labels)
        else:
            before = functional.pad(held_out.classes[:, :-1], (1, 0), value=module.config.classes)
            logits = module.decode(torch.cat([mu, held_out.attributes], 1), before)
        chosen = logits.log_softmax(2).gather(2, held_out.classes[..., None])  # (8, 64, 1)
    assert measured["reconstruction_held_out"] == pytest.approx(-float(chosen.sum()) / 8, rel=1e-5)
    assert 0 <= measured["placement_held_out"] <= 1


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", ["emoreg", "emoreg-va"])
def test_an_interrupted_run_ends_with_the_weights_of_a_whole_one(
    small_data: Path, tmp_path: Path, model: str, precision: str
) -> None:
    """Dropout, order, noise, optimiser and schedule, in either precision, to the bit."""
    dataset = load(small_data)
    config = TrainConfig(model=model, epochs=4, batch_size=16, seed=5, precision=precision)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    Trainer(dataset, config, small_data).run(whole)

    def interrupt(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainer(dataset, config, small_data).run(cut, interrupt)
    torch.manual_seed(99)
    resumed = resume(cut, dataset, small_data, "cpu")
    assert (resumed.learner.precision, len(resumed.history)) == (precision, 2)
    resumed.run(cut)
    # Weights and description: the files are the same byte by byte.
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert load_checkpoint(cut / "model.safetensors").training["precision"] == precision


def test_the_precisions_differ(small_data: Path, tmp_path: Path) -> None:
    trained = [
        Trainer(load(small_data), TrainConfig("emoreg-va", epochs=1, precision=precision), small_data)
        .run(tmp_path)
        .tensors["output.weight"]
        for precision in ("float32", "bfloat16")
    ]
    assert (trained[0] != trained[1]).any()
    np.testing.assert_allclose(*trained, atol=0.01, rtol=0.1)


def test_a_loss_that_becomes_infinite_leaves_the_last_good_weights(small_data: Path, tmp_path: Path) -> None:
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


def test_options_that_do_not_fit(small_data: Path) -> None:
    dataset = load(small_data)
    for config, reason in (
        (TrainConfig("base", emotion_weight=2), "--emotion-weight is for the model emoreg"),
        (TrainConfig(learning_rate=0), "learning rate 0 must be above 0"),
        (TrainConfig(device="abacus"), "device 'abacus' cannot be used"),
    ):
        with pytest.raises(EmomelodyError, match=reason):
            Trainer(dataset, config, small_data)


def test_a_run_whose_folder_disappears_ends_with_a_reason(small_data: Path, tmp_path: Path) -> None:
    config = TrainConfig(model="emoreg", epochs=50, batch_size=16)
    trainer = Trainer(load(small_data), config, small_data)
    folder = tmp_path / "run"
    folder.mkdir()

    def remove(epoch: Epoch) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    with pytest.raises(EmomelodyError, match=r"cannot be written \(No such file or directory\)"):
        trainer.run(folder, remove)
