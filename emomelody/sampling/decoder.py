"""The decoders in numpy: from latents to tokens.

``Decoder`` is emoreg-va's, one GRU step per sixteenth, from latents, attributes and a form; ``PaperDecoder``
is the single pass of the paper's models. They compute what the models in torch do (``models.emoreg_va``,
``models.cvae``), which a test checks.

B melodies, T steps so far, S steps of a block, P steps of a bar, M bars, V classes, H units of the GRU,
G numbers that a step is decoded from. Everything is float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emomelody.music.draft import NO_HOLD
from emomelody.music.form import Form
from emomelody.music.melody import BARS, WINDOW_STEPS
from emomelody.music.meter import Meter
from emomelody.music.tokens import Tokens
from emomelody.sampling.gru import GRU, Floats32, GRUCell
from emomelody.weights.config import (
    BAR_SCALE,
    ELAPSED,
    KIND_UNITS,
    LABELS,
    PITCH_CLASSES,
    POSITION_UNITS,
    REMAINING,
    WIDEST,
    VAConfig,
    first_place,
    interval_columns,
)
from emomelody.weights.container import Arrays

LEAST_TEMPERATURE = 1e-3  # lower ones sample the same tokens, and would overflow the logits
SILENCE, KEPT = 12, 13  # instead of a pitch class: no note sounds; what sounded before goes on


@dataclass(frozen=True)
class Melodies:
    """B melodies as far as they are sampled, with the state of the decoder."""

    classes: Tokens  # (B, T), the T steps so far
    last: Tokens  # (B,), the class of the last onset; V where there is none
    state: Floats32  # (B, H)
    fit: Floats32  # (B,), log-likelihood of the kept classes among the steps that were added last

    def __getitem__(self, chosen: NDArray[np.int64]) -> Melodies:
        """The melodies of these numbers, one may be chosen repeatedly."""
        return Melodies(self.classes[chosen], self.last[chosen], self.state[chosen], self.fit[chosen])


class Decoder:
    """emoreg-va's decoder for one style and meter, with the inputs of every step precomputed.

    P steps of a bar, V classes, 3H: what is added to the gates and to n.
    """

    def __init__(
        self,
        config: VAConfig,
        tensors: Arrays,
        style: int,
        meter: Meter,
        *,
        temperature: float,
        top_p: float,
    ) -> None:
        self.config, self.meter, self._top_p = config, meter, top_p
        self._gru = GRU(tensors)
        # The GRU's input is [previous token, last pitch, position in the bar, condition, how long each
        # pitch class has sounded, repeated token, kind of the repetition, agreement], so its matrix splits.
        sizes = [config.embedding, config.embedding, POSITION_UNITS, config.condition, PITCH_CLASSES]
        ends = np.cumsum([*sizes, config.repeated, KIND_UNITS])
        of_previous, of_last, of_position, self._of_condition, of_totals, of_repeated, of_kind, agrees = (
            np.split(self._gru.of_inputs, ends)
        )  # (…, 3H) each
        self._by_previous = tensors["tokens.weight"] @ of_previous + self._gru.bias  # (V + 1, 3H)
        self._by_last = tensors["tokens.weight"] @ of_last  # (V + 1, 3H)
        first = first_place(meter)
        self._by_position = tensors["places.weight"][first : first + meter.bar] @ of_position  # (P, 3H)
        self._by_repeated = tensors["repeated.weight"] @ of_repeated  # (V + 1, 3H)
        by_kind = tensors["kinds.weight"] @ of_kind  # (4, 3H)
        # By the kind of the repetition, and whether the bar agrees so far, (4, 2, 3H).
        self._by_kind = np.stack([by_kind, by_kind + agrees], 1)
        # What a step of each pitch class adds; the last row is that of silence, (12 + 1, 3H).
        self._by_sounding = np.pad(of_totals / BAR_SCALE, ((0, 1), (0, 0)))
        # The row of each class, (V,): that of its pitch class; a rest is silence, a hold leaves it as it was.
        self._chroma = np.append(tensors["pitches"] % PITCH_CLASSES, [SILENCE, KEPT])
        scale = np.float32(1 / max(temperature, LEAST_TEMPERATURE))
        output: Floats32 = np.concatenate([tensors["output.weight"], tensors["intervals.weight"]]).T * scale
        self._of_state = np.ascontiguousarray(output[: config.decoder])  # (H, V + intervals)
        self._of_bar = np.ascontiguousarray(output[config.decoder :])  # (condition, V + intervals)
        self._bias = np.pad(tensors["output.bias"] * scale, (0, 2 * WIDEST + 1))  # (V + intervals,)
        self._columns = interval_columns(tensors["pitches"])  # (V + 1, V)
        self._copy = tensors["copy"] * scale  # (4, 2, V + 1, V)
        self._conditions = tensors["condition.weight"].T  # (G, 4 condition)
        constant = tensors["styles.weight"][style] + tensors["meters.weight"][list(Meter).index(meter)]
        self._condition_bias = tensors["condition.bias"] + np.tile(constant, BARS)  # (4 condition,)
        self._elapsed, self._remaining = tensors["elapsed.weight"], tensors["remaining.weight"]
        # Added to the logit of a hold, by the previous token, (V + 1,): −∞ at the beginning and after a rest,
        # where there is no note to hold.
        self._no_hold = np.zeros(config.classes + 1, dtype=np.float32)
        self._no_hold[[config.classes, config.classes - 2]] = -np.inf

    def start(self, count: int) -> Melodies:
        """``count`` melodies without any step."""
        classes, none = np.empty((count, 0), np.int64), np.full(count, self.config.classes)
        state = np.zeros((count, self.config.decoder), np.float32)
        return Melodies(classes, none, state, np.zeros(count, np.float32))

    def sample(
        self,
        melodies: Melodies,
        given: Floats32,
        uniforms: Floats32,
        form: Form,
        bars: int,
        kept: Tokens | None = None,
    ) -> Melodies:
        """The melodies (B), of whole blocks of four bars, with S more steps: a block, or fewer bars.

        ``given`` (B, S, G) is what each step is decoded from, ``uniforms`` (B, S) in [0, 1) the only
        randomness. ``form`` has the lags and kinds (B, M) of the whole melodies of M = ``bars`` bars.
        ``kept`` has the classes (B, S) that are not sampled, ``OPEN`` or ``NO_HOLD`` for those that are.
        """
        count, steps, _ = given.shape
        changes = [True, *(given[:, 1:] != given[:, :-1]).any((0, 2)).tolist()]  # (S,), do they change here?
        cell, last, first = GRUCell(self._gru, melodies.state), melodies.last, melodies.classes.shape[1]
        classes = np.concatenate([melodies.classes, np.empty((count, steps), np.int64)], 1)
        previous = classes[:, first - 1] if first else melodies.last
        sounding, fit = np.full(count, SILENCE), np.zeros(count, np.float32)  # (B,) each
        for step in range(steps):
            bar, position = divmod(first + step, self.meter.bar)
            if position == 0:
                repeated, kinds = self._repeated(classes, form, bar), form.kinds[:, bar]  # (B, P), (B,)
                agreed = np.ones(count, dtype=np.int64)
            else:
                agreed = agreed & (previous == repeated[:, position - 1])
            if changes[step] or position == 0:
                condition = self._condition(given[:, step], bar, bars)  # (B, condition)
                of_bar = condition @ self._of_condition  # (B, 3H)
                offset = condition @ self._of_bar + self._bias  # (B, V + intervals)
            if step == 0:
                totals = np.zeros_like(of_bar)  # (B, 3H), of the pitch classes that have sounded
            inputs = of_bar + totals + self._by_position[position]
            inputs += self._by_previous[previous]
            inputs += self._by_last[last]
            inputs += self._by_repeated[repeated[:, position]]
            inputs += self._by_kind[kinds, agreed]
            cell.step(inputs[:, : self._gru.gates], inputs[:, self._gru.gates :])
            scores: Floats32 = cell.state @ self._of_state  # (B, V + intervals)
            scores += offset
            logits = self._logits(scores, last)
            logits += self._copy[kinds, agreed, repeated[:, position]]
            logits[:, -1] += self._no_hold[previous]  # the last class is the hold
            if kept is not None:
                logits[kept[:, step] == NO_HOLD, -1] = -np.inf
            previous = choose(nucleus(logits, self._top_p), uniforms[:, step])  # (B,)
            if kept is not None:
                previous = np.where(kept[:, step] >= 0, kept[:, step], previous)
                fit += np.where(kept[:, step] >= 0, log_likelihood(logits, previous), 0)
            classes[:, first + step] = previous
            last = np.where(previous < self.config.classes - 2, previous, last)
            begins = self._chroma[previous]  # (B,)
            sounding = np.where(begins == KEPT, sounding, begins)
            totals += self._by_sounding[sounding]
        return Melodies(classes, last, cell.state, fit)

    def _repeated(self, classes: Tokens, form: Form, bar: int) -> Tokens:
        """The classes (B, P) of the bar that a bar repeats, V where it repeats none."""
        lags = form.lags[:, bar]  # (B,)
        steps = (bar - lags)[:, None] * self.meter.bar + np.arange(self.meter.bar)  # (B, P)
        repeated = np.take_along_axis(classes, steps, 1)
        return np.where(lags[:, None] > 0, repeated, self.config.classes)

    def _logits(self, scores: Floats32, last: Tokens) -> Floats32:
        """Logits (B, V) of the tokens, from the scores of tokens and intervals (B, V + intervals)."""
        size = self.config.classes
        by_interval = np.pad(scores[:, size:], ((0, 0), (0, 1)))  # (B, intervals + 1)
        logits: Floats32 = scores[:, :size] + np.take_along_axis(by_interval, self._columns[last], 1)
        return logits

    def _condition(self, given: Floats32, bar: int, bars: int) -> Floats32:
        """The condition (B, condition) of a bar, from what is given (B, G)."""
        size = self._conditions.shape[1] // BARS
        columns = slice(bar % BARS * size, (bar % BARS + 1) * size)
        place = self._elapsed[min(bar, ELAPSED)] + self._remaining[min(bars - bar, REMAINING + 1)]
        condition: Floats32 = np.tanh(
            given @ self._conditions[:, columns] + (self._condition_bias[columns] + place)
        )
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


def log_likelihood(logits: Floats32, classes: Tokens) -> Floats32:
    """The logarithm of the softmax of logits (B, V) at these classes (B,), (B,)."""
    largest = logits.max(1)
    total: Floats32 = np.log(np.exp(logits - largest[:, None]).sum(1)) + largest
    return np.asarray(np.take_along_axis(logits, classes[:, None], 1)[:, 0] - total)


@lru_cache(maxsize=8)
def _upper_triangle(size: int) -> Floats32:
    """Ones on and above the diagonal: rows times this matrix are their cumulative sums."""
    return np.triu(np.ones((size, size), np.float32))


def _exponentials(logits: Floats32) -> Floats32:
    """The numerators of the softmax."""
    exponentials: Floats32 = logits - logits.max(-1, keepdims=True)
    np.exp(exponentials, out=exponentials)
    return exponentials
