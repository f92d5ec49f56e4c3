"""The shapes that a weights file must have against those of the models in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emomelody.models.build import build_model
from emomelody.music.meter import Meter
from emomelody.weights.config import BUFFERS, ModelConfig, VAConfig, first_place, interval_columns


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(classes=9, hidden=16, bottleneck=5),
        VAConfig(
            classes=9, embedding=4, encoder=6, decoder=10, condition=3, content=2, repeated=5, learned=7
        ),
    ],
)
def test_the_shapes_are_those_of_the_model(config: ModelConfig | VAConfig) -> None:
    tensors = build_model(config).state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == config.shapes()
    others = {name for name, tensor in tensors.items() if tensor.dtype != torch.float32}
    assert others == ({*BUFFERS} if isinstance(config, VAConfig) else set())


def test_the_positions_of_the_meters_lie_one_behind_the_other() -> None:
    assert {meter: first_place(meter) for meter in Meter} == {"4/4": 0, "3/4": 16, "6/8": 28}


def test_columns_of_intervals_by_hand() -> None:
    """C, D, a rest, a hold, after C, D, a rest, a hold and nothing; 33 is the column of no interval."""
    expected = [[16, 18, 33, 33], [14, 16, 33, 33], *[[33] * 4] * 3]
    assert interval_columns(np.array([60, 62])).tolist() == expected
    assert interval_columns(np.array([40, 60]))[0, 1] == 32  # more than sixteen semitones
