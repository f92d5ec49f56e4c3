"""Fine-tuning: what the weights learn, and what they keep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from emomelody.data.dataset import Dataset, load, load_all
from emomelody.data.preprocess import preprocess
from emomelody.data.sources import find_sources
from emomelody.errors import BadWeights, EmomelodyError
from emomelody.evaluation.plane import evaluate_plane
from emomelody.evaluation.reference import DataSplit
from emomelody.formats import abc
from emomelody.models.build import to_model
from emomelody.models.emoreg_va import EmoregVA
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.training.config import TrainConfig
from emomelody.training.fine_tuning import Start
from emomelody.training.history import Epoch
from emomelody.training.passages import fingerprints_of, make_passages
from emomelody.training.processes import SINGLE_PROCESS
from emomelody.training.trainer import Trainer, load_datasets, resume
from emomelody.weights.checkpoint import find_weights, load_checkpoint, save_checkpoint

CONFIG = TrainConfig(epochs=2, precision="float32")
ENCODER = ("tokens", "places", "step", "emotion", "content", "pitches")


def folk(folder: Path) -> list[Dataset]:
    """The folk tunes of ``tunes_data`` in 4/4, as the user's own: four to learn, one held out."""
    return [replace(load(folder, style=Style.FOLK), style=Style.OWN)]


def test_the_plane_stays_and_the_decoder_learns(tunes_data: Path, small_model: Path, tmp_path: Path) -> None:
    start = Start.load(small_model)
    (dataset,) = datasets = folk(tunes_data)
    trained = Trainer(datasets, CONFIG, tunes_data, start).run(tmp_path)
    checkpoint, before = load_checkpoint(tmp_path / "model.safetensors"), start.checkpoint
    same = {name for name in before.tensors if np.array_equal(before.tensors[name], trained.tensors[name])}
    assert same == {name for name in before.tensors if name.split(".")[0] in ENCODER}
    assert checkpoint.vocabulary == before.vocabulary
    assert checkpoint.plane.to_json() == before.plane.to_json()
    own, *others = checkpoint.styles
    assert (own.name, own.plane.scale) == ("own 4/4", before.plane.scale)
    assert [style.name for style in others] == [style.name for style in before.styles]
    assert all((a.plans.rows == b.plans.rows).all() for a, b in zip(others, before.styles, strict=True))
    assert checkpoint.distribution(None, Meter.FOUR_FOUR) is own
    assert dataset.held_out is not None
    new = fingerprints_of(dataset, ~dataset.held_out)
    assert set(checkpoint.tensors["learned"]) == {*before.tensors["learned"], *new}


def test_the_weights_name_their_origin_and_all_their_data(
    tunes_data: Path, small_model: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second"
    (old,) = load_datasets(tunes_data, "emoreg")
    training = {"data": {old.name: old.fingerprint}, "split": "tune", "seed": 0}
    save_checkpoint(replace(load_checkpoint(small_model), training=training), first)
    second.mkdir()
    (new,) = folk(tunes_data)
    Trainer([new], CONFIG, tunes_data, Start.load(first)).run(second)
    checkpoint = load_checkpoint(second / "model.safetensors")
    assert checkpoint.training["data"] == {"own 4/4": new.fingerprint}
    origin = checkpoint.training["from"]
    assert (origin["name"], origin["checksum"]) == ("emoreg-va", load_checkpoint(first).checksum)
    for dataset in (old, new):
        split = DataSplit.of(dataset, checkpoint)
        assert split.known
        assert split.held_out.tolist() == (dataset.held_out.tolist() if dataset.held_out is not None else [])
    assert not DataSplit.of(replace(new, style=Style.CHORALE), checkpoint).known


def test_known_styles_are_replaced_and_not_remembered(tunes_data: Path, small_model: Path) -> None:
    start, datasets = Start.load(small_model), load_datasets(tunes_data, "emoreg-va")
    assert start.recipe(folk(tunes_data)).remembered == (Style.CHORALE, Style.FOLK)
    assert start.recipe(datasets).remembered == (Style.CHORALE,)
    folk_style = start.checkpoint.styles[2]
    names = [style.name for style in start.with_styles([folk_style])]
    assert names == ["folk 4/4", "chorale 4/4", "chorale 3/4", "folk 3/4", "folk 6/8"]


@pytest.mark.parametrize("with_content", [False, True])
def test_what_is_forgotten_is_nothing_at_first_and_then_a_divergence(
    tunes_data: Path, small_model: Path, with_content: bool
) -> None:
    start, (dataset,) = Start.load(small_model), folk(tunes_data)
    recipe, model = start.recipe([dataset]), to_model(start.checkpoint)
    assert isinstance(model, EmoregVA)
    chosen = np.ones(len(dataset), dtype=bool)
    batch = make_passages(dataset, chosen, start.checkpoint.vocabulary, torch.device("cpu"))[-1]
    flags = torch.full((len(batch),), with_content)

    def forgotten() -> float:
        nats = recipe._forgotten(model, batch, Style.FOLK, flags, SINGLE_PROCESS)
        return nats.item()

    assert forgotten() == 0
    with torch.no_grad():
        model.styles.weight[list(Style).index(Style.OWN)] += 1  # of another style
    assert forgotten() == 0
    with torch.no_grad():
        model.output.bias[3] += 1
    assert forgotten() > 0.01


def test_an_interrupted_run_ends_with_the_weights_of_a_whole_one(
    tunes_data: Path, small_model: Path, tmp_path: Path
) -> None:
    path, whole, cut = tmp_path / "start.safetensors", tmp_path / "whole", tmp_path / "cut"
    path.write_bytes(small_model.read_bytes())
    whole.mkdir()
    cut.mkdir()
    datasets = load_all(tunes_data)
    Trainer(datasets, CONFIG, tunes_data, Start.load(path)).run(whole)

    def interrupt(epoch: Epoch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainer(datasets, CONFIG, tunes_data, Start.load(path)).run(cut, interrupt)
    resume(cut, None, "cpu").run(cut)
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_run_is_not_resumed_from_other_weights(tunes_data: Path, small_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "start.safetensors"
    path.write_bytes(small_model.read_bytes())
    trainer = Trainer(folk(tunes_data), CONFIG, tunes_data, Start.load(path))
    state = trainer._capture()
    assert state.start == (str(path), load_checkpoint(path).checksum)
    save_checkpoint(replace(load_checkpoint(path), training={"reconstruction_held_out": 1.0}), path)
    with pytest.raises(BadWeights, match="not the weights that the run fine-tunes"):
        Start.again(*state.start)
    path.unlink()
    with pytest.raises(BadWeights, match="no such weights file"):
        Start.again(*state.start)


def test_weights_and_meters_that_cannot_be_fine_tuned(tunes_data: Path, old_model: Path) -> None:
    with pytest.raises(BadWeights, match="base cannot be fine-tuned: use weights of emoreg-va"):
        Start.load(find_weights("base"))
    datasets = load_datasets(tunes_data, "emoreg-va")
    with pytest.raises(EmomelodyError, match="the weights know melodies in 4/4, none in 6/8"):
        Trainer(datasets, CONFIG, tunes_data, Start.load(old_model))


@pytest.mark.slow
def test_the_bundled_weights_learn_chinese_songs_and_keep_the_plane(tmp_path: Path) -> None:
    """Forty songs of Essen's collection, which are none of the styles that the weights know."""
    from music21 import corpus

    (path,) = (Path(name) for name in corpus.getComposer("essenFolksong") if Path(name).name == "han1.abc")
    songs = tmp_path / "songs"
    songs.mkdir()
    for tune in abc.tunes(path)[:40]:
        (songs / f"{tune.number}.abc").write_text(tune.text)
    data = tmp_path / "data"
    preprocess(find_sources([songs], {}).sources, data, jobs=1)
    trainer = Trainer(load_all(data), TrainConfig(epochs=10), data, Start.load(find_weights("emoreg-va")))
    before = trainer.learner.evaluate(trainer.held_out)["reconstruction_held_out"]
    checkpoint = trainer.run(tmp_path)
    assert trainer.history[-1].reconstruction_held_out < 0.88 * before
    figures, _ = evaluate_plane(checkpoint, checkpoint.distribution(Style.FOLK, Meter.FOUR_FOUR))
    assert min(figures["arousal"], figures["valence"]) > 0.95
