"""Each loss against an independent computation of its equation."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from emomelody.models import losses


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
