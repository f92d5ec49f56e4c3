"""The recurrence in numpy against torch."""

from __future__ import annotations

import numpy as np
import torch

from emomelody.sampling.gru import GRU, GRUCell


def test_the_recurrence_is_that_of_torch() -> None:
    torch.manual_seed(0)
    layer, x, start = torch.nn.GRU(5, 8), torch.randn(6, 3, 5), torch.randn(3, 8)
    tensors = {f"decoder.{name}": tensor.detach().numpy() for name, tensor in layer.named_parameters()}
    gru = GRU(tensors)
    for state in (start, torch.zeros(3, 8)):
        cell = GRUCell(gru, state.numpy())
        expected = layer(x, state[None])[0].detach().numpy()
        for step in range(6):
            inputs = x[step].numpy() @ gru.of_inputs + gru.bias
            cell.step(inputs[:, :16], inputs[:, 16:])
            np.testing.assert_allclose(cell.state, expected[step], atol=1e-6)
