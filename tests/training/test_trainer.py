"""The training loop: what it learns, measures and saves, and what ends it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from emomelody.data.dataset import Split, load
from emomelody.errors import EmomelodyError
from emomelody.music.fingerprints import fingerprints
from emomelody.training.config import TrainConfig
from emomelody.training.examples import Examples
from emomelody.training.history import Epoch
from emomelody.training.trainer import Trainer, _balanced, load_datasets, resume
from emomelody.weights.checkpoint import load_checkpoint


@dataclass
class Datasets:
    """Tunes in two styles and meters, or for the paper's models the four-bar melodies."""

    tunes: Path
    melodies: Path

    def trainer(self, config: TrainConfig) -> Trainer:
        folder = self.tunes if config.model == "emoreg-va" else self.melodies
        return Trainer(load_datasets(folder, config.model), config, folder)


@pytest.fixture
def data(tunes_data: Path, small_data: Path) -> Datasets:
    return Datasets(tunes_data, small_data)


def make_part(count: int) -> Examples:
    return Examples(torch.zeros(count, 64), torch.zeros(count), torch.zeros(count, 2))


@pytest.mark.slow
@pytest.mark.parametrize(("model", "least", "most"), [("emoreg", 0.9, 1.0), ("base", 0.0, 0.6)])
def test_emoreg_pulls_melodies_into_their_quadrants_and_base_does_not(
    model: str, least: float, most: float, small_data: Path, tmp_path: Path
) -> None:
    config = TrainConfig(model=model, epochs=11, batch_size=4, split=Split.RANDOM)
    trained = Trainer([load(small_data)], config, small_data).run(tmp_path)
    assert least <= np.mean(list(trained.training["placement_training"].values())) <= most


@pytest.mark.slow
def test_the_learning_rate_falls_and_the_emotion_weight_grows(small_data: Path, tmp_path: Path) -> None:
    final = {}
    for weight in (1.0, 30.0):
        config = TrainConfig(
            model="emoreg", epochs=10, batch_size=16, emotion_weight=weight, split=Split.RANDOM
        )
        trainer = Trainer([load(small_data)], config, small_data)
        trainer.run(tmp_path)
        final[weight] = trainer.history
    rates = [epoch.learning_rate for epoch in final[1.0]]
    assert rates[:8] == [0.001] * 8
    assert rates[-1] == pytest.approx(0.001 * (1 - 0.9 * 2 / 3))
    assert [e.reconstruction for e in final[1.0][:8]] == [e.reconstruction for e in final[30.0][:8]]
    assert final[1.0][-1].reconstruction != final[30.0][-1].reconstruction


@pytest.mark.parametrize("model", ["emoreg", "emoreg-va"])
def test_the_held_out_loss_is_at_the_latent_means_and_draws_nothing(data: Datasets, model: str) -> None:
    """Of emoreg-va over the complete windows of all passages."""
    split = Split.TUNE if model == "emoreg-va" else Split.RANDOM
    trainer = data.trainer(TrainConfig(model=model, epochs=1, split=split, precision="float32"))
    learner, held_out = trainer.learner, trainer.held_out
    learner.train_epoch(trainer.epoch, 16, 0.0)
    states = torch.get_rng_state(), learner.generator.get_state()
    measured = learner.evaluate(held_out)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert torch.equal(learner.generator.get_state(), states[1])
    module, nats, _hits = learner.model.eval(), [], []
    for part in held_out:
        with torch.inference_mode():
            if model == "emoreg":
                mu, _ = module.encode(part.classes, part.labels)
                logits, whole = module.decode(mu, part.labels), torch.ones(len(part), 1, dtype=torch.bool)
            else:
                windows = part.classes.unflatten(1, (-1, 4 * part.meter.bar))
                mu, _ = module.encode(windows.flatten(0, 1), part.meter)
                mu, whole = mu.unflatten(0, part.labels.shape), part.within.unflatten(1, (-1, 4)).all(2)
                logits = module.decode(module.given(mu, part.attributes, torch.ones(len(part))), part)
            chosen = logits.log_softmax(2).gather(2, part.classes[..., None])  # (B, T, 1)
            nats.append(-chosen.unflatten(1, (whole.shape[1], -1)).sum((2, 3))[whole])
    assert measured["reconstruction_held_out"] == pytest.approx(float(torch.cat(nats).mean()), rel=1e-5)
    assert 0 <= measured["placement_held_out"] <= 1


@pytest.mark.parametrize(
    ("model", "precision"), [("emoreg", "float32"), ("emoreg-va", "float32"), ("emoreg-va", "bfloat16")]
)
@pytest.mark.slow
def test_an_interrupted_run_ends_with_the_weights_of_a_whole_one(
    data: Datasets, tmp_path: Path, model: str, precision: str
) -> None:
    """Dropout, order, noise, optimiser and schedule, in either precision, to the bit."""
    config = TrainConfig(model=model, epochs=4, batch_size=16, seed=5, precision=precision)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    data.trainer(config).run(whole)

    def interrupt(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data.trainer(config).run(cut, interrupt)
    torch.manual_seed(99)
    resumed = resume(cut, None, "cpu")
    assert (resumed.learner.precision, len(resumed.history)) == (precision, 2)
    resumed.run(cut)
    # Weights and description: the files are the same byte by byte.
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert load_checkpoint(cut / "model.safetensors").training["precision"] == precision


def test_emoreg_va_learns_every_style_and_meter_and_the_papers_models_the_first(
    tunes_data: Path, tmp_path: Path
) -> None:
    checkpoints = {}
    for model in ("emoreg-va", "emoreg"):
        (tmp_path / model).mkdir()
        config, datasets = TrainConfig(model, epochs=1), load_datasets(tunes_data, model)
        Trainer(datasets, config, tunes_data).run(tmp_path / model)
        checkpoints[model] = load_checkpoint(tmp_path / model / "model.safetensors")
    names = ["folk 4/4", "folk 6/8", "own 4/4"]
    assert [style.name for style in checkpoints["emoreg-va"].styles] == names
    assert [*checkpoints["emoreg-va"].training["data"]] == names
    windows = np.concatenate([fingerprints(d.tokens) for d in load_datasets(tunes_data, "emoreg-va")])
    learned = np.isin(windows, checkpoints["emoreg-va"].tensors["learned"])
    assert (len(windows) - learned.sum(), checkpoints["emoreg-va"].training["examples_held_out"]) == (4, 4)
    assert checkpoints["emoreg"].styles == ()
    assert [*checkpoints["emoreg"].training["data"]] == ["folk 4/4"]


def test_rare_styles_are_learned_more_often() -> None:
    """The square root of how much rarer they are, as often as that is rounded."""
    part = make_part(40)
    large, small, none = [part, part], [make_part(9)], []
    assert _balanced([large, small, none], 0.5) == [part, part, *small * 3]
    assert _balanced([large, small], 0.0) == [part, part, *small]
    assert _balanced([small], 0.5) == small


def test_every_example_is_trained_on_once_and_parts_are_mixed(tunes_data: Path) -> None:
    datasets = load_datasets(tunes_data, "emoreg-va")
    learner, parts = (trainer := Trainer(datasets, TrainConfig(epochs=1), tunes_data)).learner, trainer.epoch
    orders = []
    for _ in range(2):
        batches = list(learner._shuffled_batches(parts, 4))
        assert all(batch.labels.numel() <= 4 for batch in batches)
        seen = torch.cat([batch.classes.flatten() for batch in batches]).sort().values
        assert torch.equal(seen, torch.cat([part.classes.flatten() for part in parts]).sort().values)
        orders.append([(batch.meter, batch.labels.tolist()) for batch in batches])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) != orders[0]


def test_a_style_without_held_out_melodies_is_trained_on_and_all_together_are_not(
    tunes_data: Path,
) -> None:
    *_, own = datasets = load_datasets(tunes_data, "emoreg-va")
    assert own.held_out is not None
    assert not own.held_out.any()
    assert len(Trainer(datasets, TrainConfig(epochs=1), tunes_data).labels) == 4 + 2 + 5 + 2 + 5 + 2
    with pytest.raises(EmomelodyError, match="holds out no melodies"):
        Trainer([own], TrainConfig(epochs=1), tunes_data)
    short = [replace(dataset, remaining=np.full(len(dataset), 3)) for dataset in datasets]
    with pytest.raises(EmomelodyError, match="no training melody is four bars long"):
        Trainer(short, TrainConfig(epochs=1), tunes_data)


def test_the_precisions_differ(small_data: Path, tmp_path: Path) -> None:
    trained = [
        Trainer([load(small_data)], TrainConfig("emoreg-va", epochs=1, precision=precision), small_data)
        .run(tmp_path)
        .tensors["output.weight"]
        for precision in ("float32", "bfloat16")
    ]
    assert (trained[0] != trained[1]).any()
    np.testing.assert_allclose(*trained, atol=0.01, rtol=0.1)


def test_a_loss_that_becomes_infinite_leaves_the_last_good_weights(small_data: Path, tmp_path: Path) -> None:
    config = TrainConfig(model="emoreg", epochs=5, batch_size=16)
    trainer = Trainer([load(small_data)], config, small_data)

    def spoil(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            with torch.no_grad():
                trainer.learner.model.mu.weight.fill_(torch.nan)

    with pytest.raises(EmomelodyError, match=r"the loss of epoch 3 .* the weights of epoch 2 are in"):
        trainer.run(tmp_path, spoil)
    assert load_checkpoint(tmp_path / "model.safetensors").training["epochs"] == 2
    assert len(resume(tmp_path, None, "cpu").history) == 2


def test_options_that_do_not_fit(small_data: Path) -> None:
    dataset = load(small_data)
    for config, reason in (
        (TrainConfig("base", emotion_weight=2), "--emotion-weight is for the model emoreg"),
        (TrainConfig(learning_rate=0), "learning rate 0 must be above 0"),
        (TrainConfig(device="abacus"), "device 'abacus' cannot be used"),
    ):
        with pytest.raises(EmomelodyError, match=reason):
            Trainer([dataset], config, small_data)


def test_a_run_whose_folder_disappears_ends_with_a_reason(small_data: Path, tmp_path: Path) -> None:
    config = TrainConfig(model="emoreg", epochs=50, batch_size=16)
    trainer = Trainer([load(small_data)], config, small_data)
    folder = tmp_path / "run"
    folder.mkdir()

    def remove(epoch: Epoch) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    with pytest.raises(EmomelodyError, match=r"cannot be written \(No such file or directory\)"):
        trainer.run(folder, remove)
