"""Attributes of a melody, inputs of emoreg-va's decoder besides the point, and how they are distributed.

They leave the point alone to say what emotion a melody has, and say what else it is like: how clearly it
establishes its mode and tonic, how far its pitches reach, whether it closes. Sampling asks for those of real
melodies at the same point, but for a clearer mode and tonic: excerpts of chorales often establish neither.

N melodies, T steps, D attributes. Attributes are in standard deviations of the chorales' from their mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import quadrants
from emomelody.music.meter import Meter
from emomelody.music.tokens import REST, Floats, Tokens
from emomelody.music.tonality import has_closing_note, majorness, pitch_class_totals

# Mean and standard deviation of each attribute in the four-bar windows of the chorales.
SCALES = {
    "mode": (0.054, 0.137),  # how clear it is, see ``tonality.majorness``
    "tonic": (0.19, 0.15),  # share of the sounding time
    "scale": (1.61, 0.165),  # in-C-major rate plus in-C-minor rate
    "range": (7.4, 3.0),  # semitones
    "pitches": (5.2, 1.6),  # different ones
    "grooving": (0.925, 0.057),  # grooving similarity, see ``features.grooving_similarity``
    "closing": (0.24, 0.43),  # 1 for a closing note, else 0
}
NAMES = tuple(SCALES)
MEANS, DEVIATIONS = np.array(list(SCALES.values())).T  # (D,) each
LARGEST = 3.0  # standard deviations
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)  # scales on C


def measure(tokens: Tokens, minor: NDArray[np.bool_], meter: Meter = Meter.FOUR_FOUR) -> Floats:
    """The attributes (N, D) of melodies (N, T) of whole bars, in C minor or major as ``minor`` (N,) says."""
    onset = tokens < REST  # (N, T)
    count = np.maximum(onset.sum(1), 1)  # (N,)
    used = np.zeros((len(tokens), REST), dtype=bool)  # (N, 128)
    rows, steps = np.nonzero(onset)
    used[rows, tokens[rows, steps]] = True
    lowest, highest = used.argmax(1), REST - 1 - used[:, ::-1].argmax(1)  # (N,)
    in_scale = np.isin(tokens % 12, _MAJOR) * 1.0 + np.isin(tokens % 12, _MINOR)  # (N, T)
    totals = pitch_class_totals(tokens)  # (N, 12)
    attributes = {
        "mode": np.where(minor, -1, 1) * majorness(totals),
        "tonic": totals[:, 0] / np.maximum(totals.sum(1), 1),
        "scale": (in_scale * onset).sum(1) / count,
        "range": np.maximum(highest - lowest, 0),
        "pitches": used.sum(1),
        "grooving": _grooving_similarity(onset, meter.bar),
        "closing": has_closing_note(tokens, meter),
    }
    values = np.stack([attributes[name] for name in NAMES], 1)
    return np.asarray(np.clip((values - MEANS) / DEVIATIONS, -LARGEST, LARGEST))


def _grooving_similarity(onset: NDArray[np.bool_], bar: int) -> Floats:
    """``features.grooving_similarity`` of N melodies of several bars of P steps with onsets (N, T), (N,)."""
    bars = onset.reshape(len(onset), -1, bar).astype(float)  # (N, bars, P)
    count = bars.shape[1]
    ones = bars.sum(1)  # (N, P), the bars with an onset at each step
    differing = (ones * (count - ones)).sum(1) / bar  # over all pairs of bars
    return np.asarray(1 - differing / (count * (count - 1) / 2))


@dataclass(frozen=True)
class AttributeDistribution:
    """Linear regressions of the attributes on the point, one for the real melodies of each emotion."""

    coefficients: Floats  # (4, 3, D): of valence, of arousal, and the constant
    covariances: Floats  # (4, D, D), of what is left

    @cached_property
    def cholesky_factors(self) -> Floats:
        """The Cholesky factors of the covariances, (4, D, D)."""
        jitter = 1e-6 * np.eye(len(NAMES))  # an attribute may be constant
        return np.asarray(np.linalg.cholesky(self.covariances + jitter))

    @classmethod
    def fit(cls, points: Floats, attributes: Floats, labels: NDArray[np.int64]) -> AttributeDistribution:
        """Fit to the points (N, 2), attributes (N, D) and class indices (N,) of real melodies.

        An emotion with too few melodies has the distribution of all.
        """
        fits = []
        for emotion in Emotion:
            chosen = labels == emotion.index
            if chosen.sum() <= 2 * len(NAMES):
                chosen[:] = True
            inputs = _with_constant(points[chosen])  # (n, 3)
            coefficients = np.linalg.lstsq(inputs, attributes[chosen], rcond=None)[0]
            rest = attributes[chosen] - inputs @ coefficients
            fits.append((coefficients, rest.T @ rest / len(rest)))
        coefficients, covariances = zip(*fits, strict=True)
        return cls(np.stack(coefficients), np.stack(covariances))

    def sample(self, points: Floats, normals: Floats) -> Floats:
        """Attributes (N, D) of melodies at these points (N, 2), from standard normal deviates (N, D)."""
        emotion = quadrants(points)  # (N,)
        means = np.einsum("ni,nid->nd", _with_constant(points), self.coefficients[emotion])
        return np.asarray(means + np.einsum("nij,nj->ni", self.cholesky_factors[emotion], normals))

    def to_json(self) -> dict[str, Any]:
        """Plain lists, for the metadata of a weights file."""
        return {
            "names": NAMES,
            "coefficients": self.coefficients.tolist(),
            "covariances": self.covariances.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AttributeDistribution:
        """Invert ``to_json``. Raises KeyError, TypeError or ValueError for anything else."""
        found = cls(np.array(data["coefficients"], float), np.array(data["covariances"], float))
        shapes = found.coefficients.shape, found.covariances.shape
        count, size = len(Emotion), len(NAMES)
        if tuple(data["names"]) != NAMES or shapes != ((count, 3, size), (count, size, size)):
            raise ValueError(f"attributes must be {', '.join(NAMES)}")
        if not (np.isfinite(found.coefficients).all() and np.isfinite(found.covariances).all()):
            raise ValueError("a distribution of attributes has values that are not finite")
        try:
            _ = found.cholesky_factors
        except np.linalg.LinAlgError as error:
            raise ValueError("a covariance of attributes is not positive definite") from error
        return found


def _with_constant(points: Floats) -> Floats:
    """Points (N, 2) with a column of ones, (N, 3)."""
    return np.concatenate([points, np.ones((len(points), 1))], 1)
