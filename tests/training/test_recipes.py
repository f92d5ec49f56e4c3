"""Schedules of the recipes, and the loss of emoreg-va."""

from __future__ import annotations

import math

import pytest
import torch

from emomelody.models.emoreg_va import EmoregVA
from emomelody.training.examples import Examples
from emomelody.training.recipes import RECIPES, WARM_UP, VARecipe, annealing
from emomelody.weights.config import VAConfig

SMALL = VAConfig(
    classes=7, embedding=8, encoder=6, decoder=10, condition=5, content=3, attributes=2, pitch_classes=12
)


def test_the_default_number_of_epochs_makes_the_papers_updates() -> None:
    recipe = RECIPES["emoreg"](1.0)
    assert recipe.epochs(275, 16) == 700
    assert recipe.epochs(2918, 16) == 69
    assert RECIPES["emoreg-va"](1.0).epochs(2918, 64) == 36
    assert RECIPES["emoreg-va"](1.0).epochs(275, 64) == 110


def test_annealing_begins_after_seven_tenths() -> None:
    for progress, share in ((0, 0), (0.7, 0), (0.85, 0.5), (1, 1)):
        assert annealing(progress) == pytest.approx(share)


def test_the_learning_rate_of_emoreg_va_rises_and_falls() -> None:
    rate = VARecipe().rate
    assert rate(0) == pytest.approx(0.04)
    assert rate(WARM_UP) == pytest.approx(1)
    assert rate(1) == pytest.approx(0)
    assert rate((1 + WARM_UP) / 2) == pytest.approx(0.5)


def batch(count: int) -> Examples:
    torch.manual_seed(4)
    none = torch.full((count - 1, 64), -1)
    return Examples(
        classes=torch.randint(0, 7, (count, 64)),
        labels=torch.zeros(count, dtype=torch.int64),
        targets=torch.randn(count, 2),
        attributes=torch.randn(count, SMALL.attributes),
        preceding=torch.cat([torch.randint(0, 7, (1, 64)), none]),
        preceding_attributes=torch.randn(count, SMALL.attributes),
    )


def test_training_continues_from_the_end_of_the_melody_before() -> None:
    examples, model = batch(2), EmoregVA(SMALL).eval()
    previous, state = VARecipe().initial_context(model, examples, torch.ones(2, dtype=torch.bool))
    z, _ = model.encode(examples.preceding[:1])
    assert previous.tolist() == [examples.preceding[0, -1], 7]  # 7: none
    inputs = model.previous_tokens(examples.preceding[:1])
    given = torch.cat([z, examples.preceding_attributes[:1]], 1)
    torch.testing.assert_close(state[0], model.states(given, inputs)[-1, 0])
    assert not state[1].any()


def test_the_loss_of_emoreg_va_is_its_weighted_terms() -> None:
    examples, model, recipe = batch(5), EmoregVA(SMALL).eval(), VARecipe()
    for progress, content in ((0.0, 0.0), (WARM_UP / 2, 0.175), (0.9, 0.35)):
        terms = recipe.terms(model, examples, torch.Generator().manual_seed(0), progress)
        mu, log_variance = model.encode(examples.classes)
        of_plane, of_content = (
            sum(
                0.5 * (m * m + math.exp(v) - 1 - v)
                for row, variances in zip(mu[:, part].tolist(), log_variance[:, part].tolist(), strict=True)
                for m, v in zip(row, variances, strict=True)
            )
            / 5
            for part in (slice(2), slice(2, None))
        )
        expected = terms.reconstruction + 0.05 * of_plane + content * of_content
        expected += 20 * (terms.arousal + terms.valence)
        assert terms.loss.item() == pytest.approx(expected.item(), rel=1e-5)
        assert terms.divergence.item() == pytest.approx(of_plane + of_content, rel=1e-5)
