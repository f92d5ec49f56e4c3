"""Schedules of the recipes, and the loss of emoreg-va."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from tiny import random_passages, tiny_model

from emomelody.emotions.attributes import NAMES, OUTLINE
from emomelody.models.passages import Passages
from emomelody.music.meter import Meter
from emomelody.training.passages import PassageExamples
from emomelody.training.processes import SINGLE_PROCESS
from emomelody.training.recipes import RECIPES, WARM_UP, VARecipe, _gather, annealing


def test_the_default_number_of_epochs_makes_the_papers_updates() -> None:
    recipe = RECIPES["emoreg"](1.0)
    assert recipe.epochs(275, 16) == 700
    assert recipe.epochs(2918, 16) == 69


def test_emoreg_va_makes_its_updates_but_no_more_passes_than_a_small_set_bears() -> None:
    recipe = replace(VARecipe(), updates=2000, passes=110)
    assert recipe.epochs(6400, 64) == 20
    assert recipe.epochs(6401, 64) == 20  # 101 batches
    assert recipe.epochs(275, 64) == 110


def test_annealing_begins_after_seven_tenths() -> None:
    for progress, share in ((0, 0), (0.7, 0), (0.85, 0.5), (1, 1)):
        assert annealing(progress) == pytest.approx(share)


def test_the_learning_rate_of_emoreg_va_rises_and_falls() -> None:
    rate = VARecipe().rate
    assert rate(0) == pytest.approx(0.04)
    assert rate(WARM_UP) == pytest.approx(1)
    assert rate(1) == pytest.approx(0)
    assert rate((1 + WARM_UP) / 2) == pytest.approx(0.5)


def batch(meter: Meter, count: int, windows: int) -> PassageExamples:
    """Passages of which the last bars of every second one are beyond the end of its tune."""
    passages = random_passages(meter, count, windows)
    within = torch.ones(count, 4 * windows, dtype=torch.bool)
    within[::2, -3:] = False
    return PassageExamples(
        **{field.name: getattr(passages, field.name) for field in fields(Passages)},
        within=within,
        labels=torch.arange(count * windows).reshape(count, windows) % 4,
        targets=torch.randn(count, windows, 2),
        attributes=torch.randn(count, windows, len(NAMES)),
    )


@pytest.mark.parametrize("meter", Meter)
def test_the_loss_of_emoreg_va_by_its_equation(meter: Meter) -> None:
    count, windows, bar = 5, 3, meter.bar
    model, recipe = tiny_model(4), VARecipe()
    examples = batch(meter, count, windows)
    for progress, growth in ((0.0, 0.0), (WARM_UP / 2, 0.5), (0.9, 1.0)):
        terms = recipe.terms(model, examples, torch.Generator().manual_seed(0), progress)
        draws = torch.Generator().manual_seed(0)
        noise = torch.randn(count, windows, 5, generator=draws)
        with_content = torch.rand(count, generator=draws) >= recipe.without_content
        withheld = torch.rand(count, windows * 4 * bar, generator=draws) < recipe.withheld
        assert 0 < with_content.sum() < count
        by_window = examples.classes.unflatten(1, (windows, -1))
        encoded = [model.encode(by_window[:, number], meter) for number in range(windows)]
        mu, log_variance = (torch.stack(side, 1).double() for side in zip(*encoded, strict=True))
        z = mu + log_variance.mul(0.5).exp() * noise
        z[~with_content, :, 2:] = 0
        flag = with_content[:, None, None].expand(-1, windows, 1)
        attributes = examples.attributes.clone()
        attributes[:, :, OUTLINE] *= ~with_content[:, None, None]
        given = torch.cat([z, flag, attributes], 2).float()
        logits = model.decode(given, examples, withheld).double()
        nats = -logits.log_softmax(2).gather(2, examples.classes[..., None])[..., 0]  # (5, T)
        inside = examples.within.repeat_interleave(bar, 1)
        reconstruction = nats[inside].sum() / (inside.sum() / (4 * bar))
        whole = torch.ones(count, windows, dtype=torch.bool)
        whole[::2, -1] = False
        m, v, t = mu[whole], log_variance[whole], examples.targets[whole].double()
        divergences = 0.5 * (m**2 + v.exp() - 1 - v)
        of_plane, of_content = divergences[:, :2].sum(1).mean(), divergences[:, 2:].sum(1).mean()
        cosines = [-(t[:, axis] @ m[:, axis]) / (t[:, axis].norm() * m[:, axis].norm()) for axis in (0, 1)]
        expected = reconstruction + recipe.plane_divergence * of_plane
        expected += growth * recipe.content_divergence * of_content + recipe.cosine * sum(cosines)
        assert terms.loss.item() == pytest.approx(expected.item(), rel=1e-5)
        assert terms.reconstruction.item() == pytest.approx(reconstruction.item(), rel=1e-5)
        assert terms.divergence.item() == pytest.approx((of_plane + of_content).item(), rel=1e-5)
        assert [terms.valence.item(), terms.arousal.item()] == pytest.approx(
            [cosine.item() for cosine in cosines], abs=1e-5
        )
        assert torch.equal(terms.labels, examples.labels[whole])
        assert terms.mu.shape == (len(terms.labels), 5)


def test_a_batch_without_a_complete_window_has_a_loss() -> None:
    model, examples = tiny_model(4), batch(Meter.SIX_EIGHT, 1, 1)
    assert not examples.whole.any()
    terms = VARecipe().terms(model, examples, torch.Generator().manual_seed(0), 0.5)
    terms.loss.backward()
    assert terms.loss.item() == pytest.approx(terms.reconstruction.item())
    assert (terms.divergence.item(), terms.arousal.item(), len(terms.labels)) == (0, 0, 0)
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.filterwarnings("ignore:std")  # of no melody
def test_a_process_without_an_example_computes_nothing() -> None:
    model, examples = tiny_model(4), batch(Meter.SIX_EIGHT, 2, 2)[:0]
    mu, log_variance, labels = VARecipe().posteriors(model, examples)
    assert mu.shape == log_variance.shape == (0, 5)
    assert labels.shape == VARecipe().reconstruction(model, examples).shape == (0,)


def test_what_is_gathered_keeps_its_shape() -> None:
    """Also of no example, as a process may have of a small batch."""
    rng = np.random.default_rng(0)
    for shape in ((3, 2), (3, 4, 2), (0, 4, 2)):
        mu, log_variance = (torch.from_numpy(rng.normal(size=shape)) for _ in range(2))
        nats = torch.arange(float(shape[0]))
        gathered = _gather(SINGLE_PROCESS, mu, log_variance, nats, shape[0])
        for one, other in zip(gathered, (mu, log_variance, nats), strict=True):
            assert torch.equal(one, other)
