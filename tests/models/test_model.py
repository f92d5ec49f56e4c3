"""The models' equations against independent computations."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from emomelody.models import losses
from emomelody.models.cvae import CVAE, ModelConfig, sample_posterior
from emomelody.models.gru import gru


def test_reconstruction_is_the_sum_of_log_probabilities() -> None:
    torch.manual_seed(0)
    logits, classes = torch.randn(3, 5, 7), torch.randint(0, 7, (3, 5))
    expected = 0.0
    for melody, answer in zip(logits.tolist(), classes.tolist(), strict=True):
        for step, chosen in zip(melody, answer, strict=True):
            expected -= math.log(math.exp(step[chosen]) / sum(map(math.exp, step)))
    assert losses.reconstruction(logits, classes).sum().item() == pytest.approx(expected, rel=1e-5)


def test_divergence_is_that_of_torch_distributions() -> None:
    torch.manual_seed(0)
    mu, log_variance = torch.randn(6, 2), torch.randn(6, 2)
    posterior = Independent(Normal(mu, (0.5 * log_variance).exp()), 1)
    prior = Independent(Normal(torch.zeros(6, 2), torch.ones(6, 2)), 1)
    expected = kl_divergence(posterior, prior).mean()
    assert losses.divergence(mu, log_variance).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(("term", "axis"), [(losses.valence, 0), (losses.arousal, 1)])
def test_emotion_losses_are_minus_the_cosine_over_the_batch(term, axis: int) -> None:
    torch.manual_seed(0)
    mu, signs = torch.randn(9, 2), torch.tensor([1.0, -1, -1, 1, 1, 1, -1, -1, 1])
    dot = norm_mu = norm_signs = 0.0
    for point, sign in zip(mu.tolist(), signs.tolist(), strict=True):
        dot += point[axis] * sign
        norm_mu += point[axis] ** 2
        norm_signs += sign**2
    expected = -dot / math.sqrt(norm_mu * norm_signs)
    assert term(signs, mu).item() == pytest.approx(expected, rel=1e-5)
    assert term(signs, signs[:, None].expand(-1, 2)).item() == pytest.approx(-1)


@pytest.mark.parametrize(("constant", "started"), [(False, False), (True, False), (False, True)])
def test_the_recurrence_and_its_gradients_are_those_of_torch(constant: bool, started: bool) -> None:
    torch.manual_seed(0)
    layer = nn.GRU(5, 8).double()
    x = torch.randn(1 if constant else 6, 3, 5, dtype=torch.double, requires_grad=True)
    weights = torch.randn(6, 3, 8, dtype=torch.double)
    start = torch.randn(3, 8, dtype=torch.double) if started else None
    expected = layer(x.expand(6, -1, -1), None if start is None else start[None])[0]
    inputs = (x, *layer.parameters())
    expected_gradients = torch.autograd.grad((expected * weights).sum(), inputs)
    states = gru(layer, x, 6, start)
    gradients = torch.autograd.grad((states * weights).sum(), inputs)
    torch.testing.assert_close(states, expected)
    for ours, theirs in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_recurrence_in_bfloat16_is_close() -> None:
    torch.manual_seed(0)
    layer, x = nn.GRU(5, 32), torch.randn(20, 4, 5)
    with torch.autocast("cpu", torch.bfloat16):
        low = gru(layer, x, 20)
    low.sum().backward()
    low_gradient = layer.weight_hh_l0.grad.clone()
    layer.zero_grad()
    gru(layer, x, 20).sum().backward()
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, gru(layer, x, 20), atol=0.02, rtol=0)
    difference = (low_gradient - layer.weight_hh_l0.grad).norm() / layer.weight_hh_l0.grad.norm()
    assert difference < 0.02


def test_the_architecture_is_the_papers() -> None:
    model = CVAE(ModelConfig(classes=31))
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    assert shapes["label_sequence.weight"] == (64 * 4, 4)
    assert shapes["encoder.weight_ih_l0"] == (3 * 512, 35)
    assert shapes["bottleneck.weight"] == (100, 512)
    assert shapes["mu.weight"] == shapes["log_variance.weight"] == (2, 100)
    assert shapes["decoder.weight_ih_l0"] == (3 * 512, 2 + 4)
    assert shapes["output.weight"] == (31, 512)


def test_shapes_and_what_the_label_changes() -> None:
    torch.manual_seed(0)
    model = CVAE(ModelConfig(classes=9, hidden=16))
    classes, labels = torch.randint(0, 9, (5, 64)), torch.tensor([0, 1, 2, 3, 0])
    mu, log_variance = model.encode(classes, labels)
    assert mu.shape == log_variance.shape == (5, 2)
    logits = model.decode(mu, labels)
    assert logits.shape == (5, 64, 9)
    assert not torch.equal(model.encode(classes, labels.flip(0))[0], mu)
    assert not torch.equal(model.decode(mu, labels.flip(0)), logits)


def test_posterior_draws_have_its_moments() -> None:
    mu, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, math.log(0.25)]])
    noise = torch.randn(50_000, 2, generator=torch.Generator().manual_seed(0))
    draws = sample_posterior(mu, log_variance, noise)
    torch.testing.assert_close(draws.mean(0), mu[0], atol=0.02, rtol=0)
    torch.testing.assert_close(draws.std(0), torch.tensor([1.0, 0.5]), atol=0.02, rtol=0)
