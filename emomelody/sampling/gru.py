"""The recurrence of the decoders, a GRU in numpy, one step at a time.

B melodies, H units, I inputs. Everything is float32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emomelody.weights.container import Arrays

Floats32 = NDArray[np.float32]


class GRU:
    """The parameters of the decoder's recurrence, a layer of ``torch.nn.GRU``.

        r = σ(x_r + W_r h + b_r)    z = σ(x_z + W_z h + b_z)
        n = tanh(x_n + r · (W_n h + b_n))    h' = (1 − z) n + z h

    σ(a) = ½ tanh(½ a) + ½, so that one pass of tanh computes both gates. What is summed in them is halved
    here, in advance, and so is what r multiplies; halves are exact in floating point.
    """

    def __init__(self, tensors: Arrays) -> None:
        recurrent, bias = tensors["decoder.weight_hh_l0"], tensors["decoder.bias_hh_l0"]  # (3H, H), (3H,)
        self.units = recurrent.shape[1]
        self.gates = 2 * self.units
        self.of_gates = np.ascontiguousarray(recurrent[: self.gates].T) / 2  # (H, 2H)
        self.of_n = np.ascontiguousarray(recurrent[self.gates :].T) / 2  # (H, H)
        self.bias_n = bias[self.gates :] / 2  # (H,)
        # For the inputs x: their matrix, and all biases but that of n, which r multiplies.
        self.of_inputs = np.ascontiguousarray(tensors["decoder.weight_ih_l0"].T)  # (I, 3H)
        self.of_inputs[:, : self.gates] /= 2
        self.bias = tensors["decoder.bias_ih_l0"].copy()  # (3H,)
        self.bias[: self.gates] += bias[: self.gates]
        self.bias[: self.gates] /= 2


class GRUCell:
    """A GRU that advances one step at a time, in memory that is allocated once.

    ``state`` (B, H) is the state after the last step.
    """

    def __init__(self, gru: GRU, state: Floats32) -> None:
        self.state, self._gru = state.copy(), gru
        self._rz, self._n = np.empty((len(state), gru.gates), np.float32), np.empty_like(state)
        self._r, self._z = self._rz[:, : gru.units], self._rz[:, gru.units :]
        self._product = np.empty_like(state)
        self._is_zero = not state.any()  # before the first step of a piece: products need no computing

    def step(self, gates: Floats32, n: Floats32) -> None:
        """Advance by one step; the inputs x with their biases are ``gates`` (B, 2H) and ``n`` (B, H)."""
        if self._is_zero:
            self._rz[:], self._n[:], self._is_zero = gates, self._gru.bias_n, False
        else:
            np.matmul(self.state, self._gru.of_gates, out=self._rz)
            self._rz += gates
            np.matmul(self.state, self._gru.of_n, out=self._n)
            self._n += self._gru.bias_n
        np.tanh(self._rz, out=self._rz)  # 2 r − 1 and 2 z − 1
        np.multiply(self._n, self._r, out=self._product)
        self._n += self._product
        self._n += n
        np.tanh(self._n, out=self._n)
        # h' = ½ (h + n + (2 z − 1) (h − n))
        np.subtract(self.state, self._n, out=self._product)
        self._product *= self._z
        self.state += self._n
        self.state += self._product
        self.state *= 0.5
