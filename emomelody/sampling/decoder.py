"""The decoders in numpy: from latents to tokens.

``Decoder`` is emoreg-va's autoregressive decoder, one GRU step per sixteenth; ``PaperDecoder`` is the single
pass of the paper's models. They compute what the models in torch do (``models.emoreg_va``, ``models.cvae``),
which a test checks. ``nucleus`` and ``choose`` turn logits and uniforms into tokens.

B melodies, T steps, V classes, H units of the decoder's GRU, G latent dimensions and attributes. A *class* is
the number of a token in the model's vocabulary. Everything is float32.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emomelody.music.melody import BARS, STEPS_PER_BAR, WINDOW_STEPS
from emomelody.music.tokens import Tokens
from emomelody.weights.config import LABELS, POSITION_UNITS, VAConfig
from emomelody.weights.container import Arrays

Floats32 = NDArray[np.float32]
SILENCE, KEPT = 12, 13  # instead of a pitch class: no note sounds; what sounded before goes on
LEAST_TEMPERATURE = 1e-3  # lower ones sample the same tokens, and would overflow the logits


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


class Decoder:
    """emoreg-va's decoder, with the inputs of every step precomputed. P = 12 pitch classes."""

    def __init__(self, config: VAConfig, tensors: Arrays, *, temperature: float, top_p: float) -> None:
        self.config, self._top_p = config, top_p
        self._gru = GRU(tensors)
        # The GRU's input is [previous token, position in the bar, condition, how many bars each
        # pitch class has sounded since the block began], so its matrix splits.
        ends = np.cumsum([config.embedding, POSITION_UNITS, config.condition])
        of_token, of_position, of_condition, of_totals = np.split(self._gru.of_inputs, ends)  # (…, 3H) each
        by_position = tensors["places.weight"] @ of_position + self._gru.bias  # (16, 3H)
        # What each previous token adds to the gates and to n at each position, (16, V + 1, 2H or H).
        inputs = tensors["tokens.weight"] @ of_token + by_position[:, None]
        self._gate_inputs, self._n_inputs = self._split(inputs)
        self._gates_of_condition, self._n_of_condition = self._split(of_condition)  # (condition, 2H or H)
        # What a step of each pitch class adds; the last row is that of silence, (P + 1, 2H or H). Older
        # weights have P = 0.
        of_totals = np.pad(of_totals / STEPS_PER_BAR, ((0, 1), (0, 0)))
        self._gates_of_total, self._n_of_total = self._split(of_totals)
        # The row of each class, (V,): that of its pitch class; a rest is silence, a hold leaves it as it was.
        self._chroma = np.append(tensors["chroma"][:-2], [SILENCE, KEPT]) if config.pitch_classes else None
        scaled, self._bias = tensors["output.weight"].T.copy(), tensors["output.bias"].copy()  # (…, V), (V,)
        scaled /= max(temperature, LEAST_TEMPERATURE)
        self._bias /= max(temperature, LEAST_TEMPERATURE)
        self._of_state: Floats32 = scaled[: config.decoder]  # (H, V)
        self._of_bar: Floats32 = scaled[config.decoder :]  # (condition, V)
        self._conditions = tensors["condition.weight"].T  # (G, 4 condition)
        self._condition_bias = tensors["condition.bias"]
        # Added to the logit of a hold, by the previous token, (V + 1,): −∞ at the beginning and after a rest,
        # where there is no note to hold.
        self._no_hold = np.zeros(config.classes + 1, dtype=np.float32)
        self._no_hold[[config.classes, config.classes - 2]] = -np.inf

    def _split(self, inputs: Floats32) -> tuple[Floats32, Floats32]:
        """Inputs (…, 3H) as those of the gates (…, 2H) and of n (…, H)."""
        gates, n = np.split(inputs, [self._gru.gates], -1)
        return np.ascontiguousarray(gates), np.ascontiguousarray(n)

    def start(self, count: int) -> tuple[Tokens, Floats32]:
        """The previous token (B,), none, and the state (B, H), zero, at the beginning of ``count`` pieces."""
        return np.full(count, self.config.classes), np.zeros((count, self.config.decoder), np.float32)

    def sample(
        self, given: Floats32, uniforms: Floats32, first: int, previous: Tokens, state: Floats32
    ) -> tuple[Tokens, Floats32]:
        """Sample T tokens from step ``first`` of a piece on.

        ``given`` (B, T, G) are the latents and attributes of each step, ``uniforms`` (B, T) in [0, 1) the
        only randomness, ``previous`` (B,) and ``state`` (B, H) the token and the state before step ``first``.
        Returns classes (B, T) and the state after them (B, H).
        """
        changes = [True, *(given[:, 1:] != given[:, :-1]).any((0, 2)).tolist()]  # (T,), do they change here?
        cell, sampled = GRUCell(self._gru, state), np.empty(uniforms.shape, dtype=np.int64)
        gates, n = np.empty((len(given), self._gru.gates), np.float32), np.empty_like(state)
        rows, sounding = np.arange(len(given)), np.full(len(given), SILENCE)  # (B,) each
        totals = np.zeros((len(given), len(self._gates_of_total)), np.float32)  # steps, (B, P + 1)
        for step in range(given.shape[1]):
            bar, position = divmod((first + step) % WINDOW_STEPS, STEPS_PER_BAR)
            if bar == position == 0:
                totals[:], sounding[:] = 0, SILENCE
            if changes[step] or position == 0:
                condition = self._condition(given[:, step], bar)  # (B, condition)
                bar_gates = condition @ self._gates_of_condition + totals @ self._gates_of_total  # (B, 2H)
                bar_n = condition @ self._n_of_condition + totals @ self._n_of_total  # (B, H)
                offset = condition @ self._of_bar + self._bias  # (B, V)
            # The tokens are in range; to check it, numpy would make a copy.
            self._gate_inputs[position].take(previous, 0, out=gates, mode="clip")
            self._n_inputs[position].take(previous, 0, out=n, mode="clip")
            gates += bar_gates
            n += bar_n
            cell.step(gates, n)
            logits: Floats32 = cell.state @ self._of_state  # (B, V)
            logits += offset
            logits[:, -1] += self._no_hold[previous]  # the last class is the hold
            previous = choose(nucleus(logits, self._top_p), uniforms[:, step])  # (B,)
            sampled[:, step] = previous
            if self._chroma is not None:
                begins = self._chroma[previous]  # (B,)
                sounding = np.where(begins == KEPT, sounding, begins)
                totals[rows, sounding] += 1
                bar_gates += self._gates_of_total[sounding]
                bar_n += self._n_of_total[sounding]
        return sampled, cell.state

    def _condition(self, given: Floats32, bar: int) -> Floats32:
        """The condition (B, condition) of a bar 0 … 3, from latents and attributes (B, G)."""
        size = self._conditions.shape[1] // BARS
        columns = slice(bar * size, (bar + 1) * size)
        condition: Floats32 = np.tanh(given @ self._conditions[:, columns] + self._condition_bias[columns])
        return condition


class PaperDecoder:
    """The decoder of base and emoreg, which has the same input at every step."""

    def __init__(self, tensors: Arrays) -> None:
        self._gru = GRU(tensors)
        self._of_state, self._bias = tensors["output.weight"].T, tensors["output.bias"]  # (H, V), (V,)

    def logits(self, z: Floats32, labels: Tokens) -> Floats32:
        """Logits (B, T, V) of every step, from latents (B, 2) and labels (B,) 0–3."""
        one_hot = np.eye(LABELS, dtype=np.float32)[labels]  # (B, 4)
        inputs = np.concatenate([z, one_hot], 1) @ self._gru.of_inputs + self._gru.bias  # (B, 3H)
        gates, n = map(np.ascontiguousarray, np.split(inputs, [self._gru.gates], 1))  # (B, 2H), (B, H)
        cell = GRUCell(self._gru, np.zeros((len(z), self._gru.units), np.float32))
        logits = np.empty((len(z), WINDOW_STEPS, len(self._bias)), np.float32)
        for step in range(WINDOW_STEPS):
            cell.step(gates, n)
            logits[:, step] = cell.state @ self._of_state
        logits += self._bias
        return logits


def nucleus(logits: Floats32, top_p: float) -> Floats32:
    """Logits (…, V) with −∞ for all but the likeliest tokens that together reach probability ``top_p``.

    At least one token is kept. Nucleus sampling: Holtzman et al., ICLR 2020.
    """
    if top_p >= 1:
        return logits
    order = np.argsort(-logits, -1, kind="stable")  # (…, V), the likeliest first
    ordered = np.take_along_axis(_exponentials(logits), order, -1)
    ordered /= ordered.sum(-1, keepdims=True)
    excluded = ordered.cumsum(-1) - ordered >= top_p
    excluded[..., 0] = False
    kept = np.empty_like(excluded)
    np.put_along_axis(kept, order, ~excluded, -1)
    return np.where(kept, logits, np.float32(-np.inf))


def choose(logits: Floats32, uniforms: Floats32) -> Tokens:
    """A sample from the softmax of logits (…, V) for each of ``uniforms`` (…) in [0, 1).

    Inverts the cumulative distribution, so that the same uniforms give the same classes (…).
    """
    exponentials = _exponentials(logits)  # (…, V), in proportion to the probabilities
    cumulative = exponentials @ _upper_triangle(logits.shape[-1])  # faster than numpy's cumsum
    threshold = uniforms[..., None] * cumulative[..., -1:]  # (…, 1)
    chosen: Tokens = (cumulative <= threshold).sum(-1)
    return chosen


@lru_cache(maxsize=8)
def _upper_triangle(size: int) -> Floats32:
    """Ones on and above the diagonal: rows times this matrix are their cumulative sums."""
    return np.triu(np.ones((size, size), np.float32))


def _exponentials(logits: Floats32) -> Floats32:
    """The numerators of the softmax."""
    exponentials: Floats32 = logits - logits.max(-1, keepdims=True)
    np.exp(exponentials, out=exponentials)
    return exponentials
