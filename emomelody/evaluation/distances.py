"""How far two sets of melodies are apart, and how far apart two halves of one set are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emomelody.music.plane import Floats

HALVES = 200  # random divisions
PERCENTILE = 95


def wasserstein(a: Floats, b: Floats) -> float:
    """Wasserstein-1 distance of two samples (N,) and (M,), in their own unit (``scipy.stats``)."""
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(a, b))


def histogram_distance(a: Floats, b: Floats) -> float:
    """Jensen–Shannon distance of two tables of counts (melodies, bins), each summed: 0 equal … 1 disjoint.

    The square root of the divergence in bits (``scipy.spatial.distance.jensenshannon``). NaN where one is
    empty.
    """
    from scipy.spatial.distance import jensenshannon

    totals = a.sum(0), b.sum(0)
    if not all(total.any() for total in totals):
        return float("nan")
    return float(jensenshannon(*totals, base=2))


def split_half_distance(
    rows: NDArray[np.float64], distance: Callable[[Floats, Floats], float], seed: int
) -> float:
    """The 95th percentile of a distance between random halves of a sample (N, …): what chance alone makes.

    NaN for fewer than two rows.
    """
    if len(rows) < 2:
        return float("nan")
    rng, half = np.random.default_rng(seed), len(rows) // 2
    orders = (rng.permutation(len(rows)) for _ in range(HALVES))
    found = [distance(rows[order[:half]], rows[order[half:]]) for order in orders]
    return float(np.percentile(found, PERCENTILE))
