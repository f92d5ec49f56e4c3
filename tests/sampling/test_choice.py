"""From logits and uniforms to tokens."""

from __future__ import annotations

import numpy as np
import pytest

from emomelody.sampling.decoder import choose, nucleus


def test_choices_have_the_probabilities_of_the_softmax() -> None:
    with np.errstate(divide="ignore"):
        logits = np.repeat(np.log(np.float32([[0.5, 0.2, 0.0, 0.3]])), 40_000, 0)
    chosen = choose(logits, np.random.default_rng(0).random(40_000, dtype=np.float32))
    shares = np.bincount(chosen, minlength=4) / 40_000
    np.testing.assert_allclose(shares, [0.5, 0.2, 0.0, 0.3], atol=0.01)
    greatest = np.full(3, 1 - 2**-24, np.float32)  # the largest float32 below 1
    assert choose(np.float32([[0.1, 0.3, -np.inf]] * 3), greatest).tolist() == [1, 1, 1]


def test_the_nucleus_by_hand() -> None:
    logits = np.log(np.float32([[0.5, 0.1, 0.3, 0.1]]))

    def probabilities(top_p: float) -> list[float]:
        kept = np.exp(nucleus(logits, top_p)[0])
        return (kept / kept.sum()).tolist()

    assert probabilities(0.45) == pytest.approx([1, 0, 0, 0])
    assert probabilities(0.6) == pytest.approx([0.625, 0, 0.375, 0])
    assert nucleus(logits, 1.0) is logits
