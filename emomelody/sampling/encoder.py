"""emoreg-va's encoder in numpy: from melodies to their latent means.

Computes what ``models.encoder.Encoder.encode`` does, which explains it and a test compares it with.

B melodies, T steps, P steps of a bar, V classes, E units of each layer, C content dimensions, Z = 2 + C.
"""

from __future__ import annotations

import numpy as np

from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.music.tokens import Tokens
from emomelody.sampling.gru import Floats32
from emomelody.weights.config import HALVES, LATENT, LEAST_RANGE, VAConfig, first_place, staff_heights
from emomelody.weights.container import Arrays


class Encoder:
    """The encoder for one meter, with the features of every class at every position precomputed."""

    def __init__(self, config: VAConfig, tensors: Arrays, meter: Meter = Meter.FOUR_FOUR) -> None:
        self._config, self._tensors, self._meter = config, tensors, meter
        first = first_place(meter)
        places = tensors["places.weight"][first : first + meter.bar]  # (P, 16)
        tokens = tensors["tokens.weight"][:-1]  # (V, …)
        self._heights = np.append(staff_heights(tensors["pitches"]), [0, 0]).astype(np.float32)  # (V,)
        pairs = [np.repeat(tokens[None], meter.bar, 0), np.repeat(places[:, None], len(tokens), 1)]
        features = gelu(self._linear("step.0", np.concatenate(pairs, 2)))  # (P, V, E)
        self._features = features.reshape(-1, features.shape[2])  # (P V, E)

    def encode(self, classes: Tokens) -> Floats32:
        """The latent means (B, Z) of classes (B, T), T at most 4 P."""
        return np.concatenate([self.encode_emotion(classes), self._encode_content(classes)], 1)

    def encode_emotion(self, classes: Tokens) -> Floats32:
        """The latent means of valence and arousal alone, (B, 2), of classes (B, T)."""
        counts = self._counts(classes)  # (B, P V)
        onsets = counts.reshape(len(classes), self._meter.bar, -1).copy()  # (B, P, V)
        onsets[:, :, -2:] = 0  # neither rests nor holds
        onset_mean = onsets.reshape(counts.shape) @ self._features  # (B, E)
        onset_mean /= np.maximum(onsets.sum((1, 2)), 1)[:, None]
        mean = counts @ self._features  # (B, E)
        mean /= classes.shape[1]
        return self._perceptron("emotion", np.concatenate([mean, onset_mean], 1))[:, :LATENT]

    def _encode_content(self, classes: Tokens) -> Floats32:
        return self._perceptron("content", self._outline(classes))[:, : self._config.content]

    def _outline(self, classes: Tokens) -> Floats32:
        """The shape and density (B, 17) of classes (B, T), continued with holds to four bars."""
        steps, half = BARS * self._meter.bar, self._meter.bar // 2
        missing = ((0, 0), (0, steps - classes.shape[1]))
        classes = np.pad(classes, missing, constant_values=self._config.classes - 1)  # (B, 4 P)
        onset = classes < self._config.classes - 2  # (B, 4 P)
        # The step of the last onset so far; before the first onset, that of the first.
        last = np.where(onset, np.arange(steps), onset.argmax(1)[:, None])
        last = np.maximum.accumulate(last, 1)  # (B, 4 P)
        heights = self._heights[np.take_along_axis(classes, last, 1)]  # (B, 4 P)
        by_half = heights.reshape(-1, HALVES, half).mean(2)  # (B, 8)
        mean = by_half.mean(1, keepdims=True)  # (B, 1)
        shape = (by_half - mean) / (by_half.std(1, ddof=1, keepdims=True) + np.float32(LEAST_RANGE))  # (B, 8)
        counts = onset.reshape(-1, HALVES, half).sum(2, dtype=np.float32)  # (B, 8)
        density = counts * HALVES / np.maximum(counts.sum(1, keepdims=True), 1) - 1  # (B, 8)
        return np.concatenate([mean, shape, density], 1)

    def _counts(self, classes: Tokens) -> Floats32:
        """How often each class occurs at each position of the bar, (B, P V), in classes (B, T)."""
        count, steps = classes.shape
        size = len(self._features)
        position = np.arange(steps) % self._meter.bar  # (T,)
        pairs = np.arange(count)[:, None] * size + position * self._config.classes + classes  # (B, T)
        return np.bincount(pairs.ravel(), minlength=count * size).reshape(count, size).astype(np.float32)

    def _perceptron(self, name: str, x: Floats32) -> Floats32:
        return self._linear(f"{name}.2", gelu(self._linear(f"{name}.0", x)))

    def _linear(self, name: str, x: Floats32) -> Floats32:
        product: Floats32 = x @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"]
        return product


def gelu(x: Floats32) -> Floats32:
    """x Φ(x), with the normal distribution function Φ, to about 1e-7.

    numpy has no error function, and importing scipy's takes as long as sampling. This approximation is 7.1.26
    in Abramowitz and Stegun, Handbook of Mathematical Functions.
    """
    a = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * a)
    factors = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    polynomial = np.zeros_like(t)
    for factor in map(np.float32, factors):
        polynomial = polynomial * t + factor
    erf = 1 - polynomial * t * np.exp(-a * a)
    value: Floats32 = x * (1 + np.copysign(erf, x)) / 2
    return value
