"""Weights of versions 0.2 and 0.3 give the logits that their own decoder gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import PITCHES, tiny_checkpoint

from emomelody.emotions.attributes import NAMES
from emomelody.emotions.plane import quadrants
from emomelody.emotions.plans import Plans
from emomelody.errors import BadWeights
from emomelody.models.build import to_model
from emomelody.models.emoreg_va import EmoregVA
from emomelody.models.passages import Passages
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.weights import container
from emomelody.weights.checkpoint import load_checkpoint
from emomelody.weights.config import VAConfig

EMBEDDING, ENCODER, DECODER, CONDITION, CONTENT, LEARNED = 5, 6, 10, 4, 3, 2
V, D = len(PITCHES) + 2, 7
# Attributes of e1–e4: linear in valence and arousal, and what is left of them.
OLD_ATTRIBUTES = {
    "names": NAMES[:D],
    "coefficients": np.random.default_rng(2).uniform(-0.5, 0.5, (4, 3, D)).tolist(),
    "covariances": [(np.eye(D) * 0.04 * (emotion + 1)).tolist() for emotion in range(4)],
}


def write_old(path: Path, version: str) -> dict[str, np.ndarray]:
    """A weights file as 0.2 or 0.3 wrote it; the former had neither attributes nor pitch class totals."""
    attributes, totals = (D, 12) if version == "0.3" else (0, 0)
    inputs = EMBEDDING + 16 + CONDITION + totals
    shapes = {
        "tokens.weight": (V + 1, EMBEDDING),
        "places.weight": (16, 16),
        "step.0.weight": (ENCODER, EMBEDDING + 16),
        "step.0.bias": (ENCODER,),
        "emotion.0.weight": (ENCODER, 2 * ENCODER),
        "emotion.0.bias": (ENCODER,),
        "emotion.2.weight": (4, ENCODER),
        "emotion.2.bias": (4,),
        "content.0.weight": (ENCODER, 17),
        "content.0.bias": (ENCODER,),
        "content.2.weight": (2 * CONTENT, ENCODER),
        "content.2.bias": (2 * CONTENT,),
        "condition.weight": (4 * CONDITION, 2 + CONTENT + attributes),
        "condition.bias": (4 * CONDITION,),
        "decoder.weight_ih_l0": (3 * DECODER, inputs),
        "decoder.weight_hh_l0": (3 * DECODER, DECODER),
        "decoder.bias_ih_l0": (3 * DECODER,),
        "decoder.bias_hh_l0": (3 * DECODER,),
        "output.weight": (V, DECODER + CONDITION),
        "output.bias": (V,),
        "heights": (V,),
    }
    rng = np.random.default_rng(0)
    tensors = {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    tensors["learned"] = np.array([-5, 7])
    config = {
        "classes": V,
        "embedding": EMBEDDING,
        "encoder": ENCODER,
        "decoder": DECODER,
        "condition": CONDITION,
        "content": CONTENT,
        "dropout": 0.5,
        "learned": LEARNED,
    }
    distribution = tiny_checkpoint().styles[0]
    description: dict[str, Any] = {
        "format": "emomelody-1",
        "name": "emoreg-va",
        "vocabulary": PITCHES,
        "plane": distribution.plane.to_json(),
        "training": {"reconstruction_held_out": 1.0},
    }
    if version == "0.3":
        tensors["chroma"] = np.array([pitch % 12 for pitch in PITCHES] + [0, 0])
        config |= {"attributes": D, "pitch_classes": 12}
        description["attributes"] = OLD_ATTRIBUTES
    container.write(path, tensors, {**description, "config": config})
    return tensors


def assert_plans_are_drawn_from(distribution: dict[str, Any], plans: Plans) -> None:
    assert plans.attributes.shape == (len(plans), D)
    for emotion, label in enumerate(quadrants(plans.points) == np.arange(4)[:, None]):
        inputs = np.concatenate([plans.points[label], np.ones((label.sum(), 1))], 1)
        rest = plans.attributes[label] - inputs @ np.array(distribution["coefficients"][emotion])
        assert rest.mean(0) == pytest.approx(0, abs=0.08)
        assert rest.std(0) == pytest.approx(0.2 * (emotion + 1) ** 0.5, rel=0.15)


def old_logits(tensors: dict[str, np.ndarray], given: np.ndarray, classes: list[int]) -> np.ndarray:
    """Logits (T, V) of the old decoder, from a latent with its attributes and the tokens of four bars."""
    w = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    conditions = np.tanh(w["condition.weight"] @ given + w["condition.bias"]).reshape(4, CONDITION)
    h, totals, sounding, rows = np.zeros(DECODER), np.zeros(12), None, []
    for step, previous in enumerate([V, *classes[:-1]]):
        if previous < V - 2:
            sounding = PITCHES[previous] % 12
        elif previous == V - 2:
            sounding = None
        if sounding is not None:
            totals[sounding] += 1 / 16
        condition = conditions[step // 16]
        x = np.concatenate([w["tokens.weight"][previous], w["places.weight"][step % 16], condition])
        if "chroma" in w:
            x = np.append(x, totals)
        of_x = w["decoder.weight_ih_l0"] @ x + w["decoder.bias_ih_l0"]
        of_h = w["decoder.weight_hh_l0"] @ h + w["decoder.bias_hh_l0"]
        r, z = (1 / (1 + np.exp(-(of_x + of_h)[part : part + DECODER])) for part in (0, DECODER))
        n = np.tanh(of_x[2 * DECODER :] + r * of_h[2 * DECODER :])
        h = (1 - z) * n + z * h
        rows.append(w["output.weight"] @ np.append(h, condition) + w["output.bias"])
    return np.array(rows)


@pytest.mark.parametrize("version", ["0.2", "0.3"])
def test_old_weights_decode_as_they_did(version: str, tmp_path: Path) -> None:
    tensors = write_old(tmp_path / "old.safetensors", version)
    checkpoint = load_checkpoint(tmp_path / "old.safetensors")
    (style,) = checkpoint.styles
    assert (style.style, style.meter) == (Style.CHORALE, Meter.FOUR_FOUR)
    assert not style.plans.has_forms
    if version == "0.2":
        assert len(style.plans) == 0
    else:
        assert_plans_are_drawn_from(OLD_ATTRIBUTES, style.plans)
    assert isinstance(checkpoint.config, VAConfig)
    assert not checkpoint.config.without_content
    assert checkpoint.tensors["pitches"].tolist() == [*PITCHES]
    assert checkpoint.tensors["learned"].tolist() == [-5, 7]
    model, rng = to_model(checkpoint), np.random.default_rng(1)
    assert isinstance(model, EmoregVA)
    classes, latent, attributes = rng.integers(0, V, 64), rng.normal(size=2 + CONTENT), rng.normal(size=D)
    unknown = rng.normal(size=len(NAMES) - D)
    # What sampling gives without a content, for instance.
    given = np.concatenate([latent, [0.0], attributes, unknown])
    passages = Passages(
        Meter.FOUR_FOUR,
        torch.from_numpy(classes)[None],
        torch.tensor([V]),
        torch.from_numpy(rng.integers(0, V + 1, (1, 64))),
        torch.tensor([[0, 1, 2, 3]]),
        torch.tensor([1]),
        torch.arange(4)[None],
        torch.tensor([[4, 3, 2, 1]]),
    )
    with torch.inference_mode():
        (logits,) = model.decode(torch.tensor(given, dtype=torch.float32)[None, None], passages)
    inputs = latent if version == "0.2" else np.append(latent, attributes)
    np.testing.assert_allclose(logits.numpy(), old_logits(tensors, inputs, classes.tolist()), atol=1e-5)


@pytest.mark.parametrize("name", ["condition.weight", "places.weight", "output.bias", "learned"])
def test_old_weights_without_a_tensor_or_with_another_shape_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "old.safetensors"
    write_old(path, "0.3")
    tensors, description, _ = container.read(path)
    container.write(path, {key: tensor for key, tensor in tensors.items() if key != name}, description)
    with pytest.raises(BadWeights, match="not usable"):
        load_checkpoint(path)
    container.write(path, {**tensors, name: tensors[name][:-1]}, description)
    with pytest.raises(BadWeights, match="not usable"):
        load_checkpoint(path)
