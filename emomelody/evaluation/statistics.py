"""Distances, correlations and shares that several blocks of figures use.

A figure that does not exist (of an empty set, of a constant) is None, so that JSON can hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.music.melody import Melody
from emomelody.music.tokens import Floats

Melodies = Mapping[Emotion, Sequence[Melody]]  # by requested emotion
Figures = dict[str, Any]  # nested, with strings as keys and numbers, strings, lists or None as leaves
Rows = dict[str, tuple[str, str]]  # of a table: by key of the figures, a title and a format
SPLITS = 200  # random halvings of a set
PERCENTILE = 95
CONFIDENCE = 0.95  # of intervals


def wasserstein(a: Floats, b: Floats) -> float:
    """Wasserstein-1 distance of two samples (N,) and (M,), in their own unit (``scipy.stats``)."""
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(a, b))


def histogram_distance(a: Floats, b: Floats) -> float:
    """Jensen–Shannon distance of two tables of counts (melodies, bins), summed over the melodies.

    0 for equal histograms, 1 for disjoint ones; NaN where one is empty. It is the square root of the
    divergence in bits (``scipy.spatial.distance.jensenshannon``).
    """
    from scipy.spatial.distance import jensenshannon

    totals = a.sum(0), b.sum(0)  # (bins,) each
    if not all(total.any() for total in totals):
        return float("nan")
    return float(jensenshannon(*totals, base=2))


def split_half_distance(
    rows: NDArray[np.float64], distance: Callable[[Floats, Floats], float], seed: int
) -> float:
    """The 95th percentile of a distance between random halves of a sample (N, …), over 200 splits.

    So large a distance arises by chance alone. NaN for fewer than two rows.
    """
    if len(rows) < 2:
        return float("nan")
    rng, half = np.random.default_rng(seed), len(rows) // 2
    orders = (rng.permutation(len(rows)) for _ in range(SPLITS))
    found = [distance(rows[order[:half]], rows[order[half:]]) for order in orders]
    return float(np.percentile(found, PERCENTILE))


def spearman(a: Floats, b: Floats) -> float | None:
    """Spearman's rank correlation of (N,) and (N,); 0 where one is constant, None for N < 2."""
    from scipy.stats import spearmanr

    if len(a) < 2:
        return None
    return float(spearmanr(a, b).statistic) if np.ptp(b) > 0 and np.ptp(a) > 0 else 0.0


def correlation(a: Floats, b: Floats) -> float:
    """Pearson's correlation of (N,) and (N,); 0 where one is constant."""
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0


def share(hits: NDArray[np.bool_]) -> float | None:
    """The share that is true, 0 … 1; None of an empty array."""
    return float(hits.mean()) if len(hits) else None


def wilson_interval(hits: NDArray[np.bool_]) -> list[float] | None:
    """The 95 % interval [low, high] of ``share``, by E. B. Wilson's method (``scipy.stats.binomtest``).

    It takes the hits (N,) to be independent. None of an empty array.
    """
    from scipy.stats import binomtest

    if not len(hits):
        return None
    interval = binomtest(int(hits.sum()), len(hits)).proportion_ci(CONFIDENCE, method="wilson")
    return [float(interval.low), float(interval.high)]


def or_none(value: float) -> float | None:
    """The value, or None for NaN."""
    return None if np.isnan(value) else value


def by_emotion(values: Sequence[float] | Floats) -> dict[str, float | None]:
    """Four values by the emotions' codes e1 … e4."""
    return {e.code: or_none(float(v)) for e, v in zip(Emotion, values, strict=True)}
