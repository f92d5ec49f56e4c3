"""The paper's models: sizes, conditioning on the label, and sampling from the posterior."""

from __future__ import annotations

import math

import torch

from emomelody.models.cvae import CVAE, sample_posterior
from emomelody.weights.config import ModelConfig


def test_the_architecture_is_the_papers() -> None:
    model = CVAE(ModelConfig(classes=31))
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    assert shapes["label_sequence.weight"] == (64 * 4, 4)
    assert shapes["encoder.weight_ih_l0"] == (3 * 512, 35)
    assert shapes["bottleneck.weight"] == (100, 512)
    assert shapes["mu.weight"] == shapes["log_variance.weight"] == (2, 100)
    assert shapes["decoder.weight_ih_l0"] == (3 * 512, 2 + 4)
    assert shapes["output.weight"] == (31, 512)


def test_encoder_and_decoder_depend_on_the_label() -> None:
    torch.manual_seed(0)
    model = CVAE(ModelConfig(classes=9, hidden=16))
    classes, labels = torch.randint(0, 9, (5, 64)), torch.tensor([0, 1, 2, 3, 0])
    mu, log_variance = model.encode(classes, labels)
    assert mu.shape == log_variance.shape == (5, 2)
    logits = model.decode(mu, labels)
    assert logits.shape == (5, 64, 9)
    assert not torch.equal(model.encode(classes, labels.flip(0))[0], mu)
    assert not torch.equal(model.decode(mu, labels.flip(0)), logits)


def test_samples_of_the_posterior_have_its_moments() -> None:
    mu, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, math.log(0.25)]])
    noise = torch.randn(50_000, 2, generator=torch.Generator().manual_seed(0))
    draws = sample_posterior(mu, log_variance, noise)
    torch.testing.assert_close(draws.mean(0), mu[0], atol=0.02, rtol=0)
    torch.testing.assert_close(draws.std(0), torch.tensor([1.0, 0.5]), atol=0.02, rtol=0)
