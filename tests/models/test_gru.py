"""The recurrence against ``torch.nn.GRU``: states and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from emomelody.models.gru import gru


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
