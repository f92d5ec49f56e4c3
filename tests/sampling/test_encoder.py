"""The encoder against the model in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import CONFIG, HOLD, NONE, REST, tiny_model

from emomelody.models.build import to_arrays
from emomelody.music.meter import Meter
from emomelody.sampling.encoder import Encoder, gelu


@pytest.mark.parametrize("bars", [4, 2, 1])
@pytest.mark.parametrize("meter", Meter)
def test_latent_means_are_those_of_torch(meter: Meter, bars: int) -> None:
    model, rng, steps = tiny_model(0), np.random.default_rng(0), bars * meter.bar
    classes = rng.integers(0, NONE, (50, steps))
    classes[:20, 1:] = np.where(rng.random((20, steps - 1)) < 0.7, HOLD, classes[:20, 1:])
    classes[20] = REST  # rests alone
    encoder = Encoder(CONFIG, to_arrays(model), meter)
    with torch.inference_mode():
        expected, _ = model.encode(torch.from_numpy(classes), meter)
    np.testing.assert_allclose(encoder.encode(classes), expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_emotion(classes), expected[:, :2].numpy(), atol=1e-5)


def test_gelu_is_that_of_torch() -> None:
    x = np.linspace(-8, 8, 10_001, dtype=np.float32)
    expected = torch.nn.functional.gelu(torch.from_numpy(x).double()).numpy()
    np.testing.assert_allclose(gelu(x), expected, atol=1e-6)
