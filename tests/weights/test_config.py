"""The shapes that a weights file must have against those of the models in torch."""

from __future__ import annotations

import pytest
import torch

from emomelody.models.build import build_model
from emomelody.weights.config import ModelConfig, VAConfig


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(classes=9, hidden=16, bottleneck=5),
        VAConfig(classes=9, embedding=4, encoder=6, decoder=10, condition=3, content=2, learned=7),
    ],
)
def test_the_shapes_are_those_of_the_model(config: ModelConfig | VAConfig) -> None:
    tensors = build_model(config).state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == config.shapes()
    others = {name for name, tensor in tensors.items() if tensor.dtype != torch.float32}
    assert others <= {"learned"}
