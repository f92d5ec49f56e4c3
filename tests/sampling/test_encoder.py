"""The encoder against the model in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emomelody.models.build import to_model
from emomelody.models.emoreg_va import EmoregVA
from emomelody.sampling.encoder import Encoder, gelu
from emomelody.weights.checkpoint import VA, bundled_weights, load_checkpoint
from emomelody.weights.config import VAConfig


@pytest.mark.parametrize("steps", [64, 32, 16])
def test_latent_means_are_those_of_torch(steps: int) -> None:
    checkpoint = load_checkpoint(bundled_weights()[VA])
    model, config = to_model(checkpoint), checkpoint.config
    assert isinstance(model, EmoregVA) and isinstance(config, VAConfig)
    rng = np.random.default_rng(0)
    classes = rng.integers(0, config.classes, (50, steps))
    classes[:20, 1:] = np.where(rng.random((20, steps - 1)) < 0.7, config.classes - 1, classes[:20, 1:])
    classes[20] = config.classes - 2  # rests alone
    encoder = Encoder(config, checkpoint.tensors)
    with torch.inference_mode():
        expected, _ = model.encode(torch.from_numpy(classes))
    np.testing.assert_allclose(encoder.encode(classes), expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(encoder.encode_emotion(classes), expected[:, :2].numpy(), atol=1e-4)


def test_gelu_is_that_of_torch() -> None:
    x = np.linspace(-8, 8, 10_001, dtype=np.float32)
    expected = torch.nn.functional.gelu(torch.from_numpy(x).double()).numpy()
    np.testing.assert_allclose(gelu(x), expected, atol=1e-6)
