"""Weights files: what is written is read again, and damaged or foreign files are refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from damage import mutants
from safetensors import safe_open
from safetensors.numpy import save_file

from emomelody.data.dataset import Split, load
from emomelody.errors import BadWeights
from emomelody.training.config import TrainConfig
from emomelody.training.trainer import Trainer
from emomelody.weights import container
from emomelody.weights.checkpoint import bundled_weights, find_weights, load_checkpoint, save_checkpoint


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> Path:
    folder = tmp_path_factory.mktemp("run")
    config = TrainConfig(model="emoreg", epochs=1, split=Split.RANDOM)
    Trainer([load(small_data)], config, small_data).run(folder)
    return folder / "model.safetensors"


def test_weights_survive_saving(weights: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(weights)
    save_checkpoint(checkpoint, tmp_path / "again.safetensors")
    again = load_checkpoint(tmp_path / "again.safetensors")
    assert again.checksum == checkpoint.checksum
    assert again.vocabulary == checkpoint.vocabulary
    assert (tmp_path / "again.safetensors").read_bytes() == weights.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["again.safetensors"]


def test_a_summary_in_percent_is_read_as_shares(weights: Path, tmp_path: Path) -> None:
    """Weights of version 0.1 have placement accuracy in percent, and no held-out reconstruction."""
    tensors, description, _ = container.read(weights)
    summary = description["training"] | {"placement_training": {"e1": 87.5, "e2": None, "e3": 0.5, "e4": 0}}
    del summary["reconstruction_held_out"]
    container.write(tmp_path / "old.safetensors", tensors, {**description, "training": summary})
    loaded = load_checkpoint(tmp_path / "old.safetensors").training
    assert loaded["placement_training"] == {"e1": 0.875, "e2": None, "e3": 0.005, "e4": 0}


def test_weights_are_found_by_name_run_folder_or_path(weights: Path) -> None:
    assert find_weights("emoreg") == bundled_weights()["emoreg"]
    assert find_weights(str(weights.parent)) == find_weights(str(weights)) == weights
    with pytest.raises(BadWeights, match="no such model: use base, emoreg"):
        find_weights("nobody")


# The long run has a thousand.
@pytest.mark.slow
@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_mutated_weights_are_refused(weights: Path, tmp_path: Path, count: int) -> None:
    """Bytes changed, removed, doubled or filled in."""
    path = tmp_path / "bad.safetensors"
    for data in mutants(weights.read_bytes(), count, 0):
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
    with safe_open(weights, framework="np") as file:
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
            save_file({"a": np.zeros(2)}, path)
        elif content is not None:
            path.write_bytes(content)
        stderr = run("sample", "-e", "sad", "-m", "w.safetensors", code=1).stderr
        assert reason in stderr
        assert stderr.count("\n") == 1
    assert description["format"] == "emomelody-1"


def test_files_with_a_false_description_are_refused(weights: Path, tmp_path: Path) -> None:
    """Their checksum is right, but anybody can compute it."""
    tensors, good, _ = container.read(weights)
    path = tmp_path / "lie.safetensors"
    region = good["plane"]["regions"][0]
    flat = {**region, "covariances": np.zeros((len(region["weights"]), 2, 2)).tolist()}
    unsure = {**region, "weights": [0.0] * len(region["weights"])}
    first = next(name for name, tensor in tensors.items() if tensor.ndim == 2)
    for change, reason in (
        ({"format": "emomelody-9"}, "format emomelody-9"),
        ({"config": {**good["config"], "hidden": 10**7}}, "expected float32"),
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
        {**tensors, "more": np.zeros(1)},
        {**tensors, first: np.full_like(tensors[first], np.nan)},
        {**tensors, first: tensors[first].astype(np.float64)},
        {**tensors, first: tensors[first].ravel()},
    ):
        container.write(path, other, good)
        with pytest.raises(BadWeights, match="not usable"):
            load_checkpoint(path)
    with path.open("wb") as file:
        file.truncate(container.MAX_BYTES + 1)
    with pytest.raises(BadWeights, match="larger than 500 MB"):
        load_checkpoint(path)
