"""Maximum mean discrepancy: a kernel test of whether two sets of melodies have one distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emomelody.evaluation.statistics import Figures
from emomelody.evaluation.two_sample.descriptors import descriptor_table
from emomelody.music.meter import Meter
from emomelody.music.plane import Floats
from emomelody.music.tokens import Tokens

MOST = 1000  # melodies of a set; of more, a random sample is taken
PERMUTATIONS = 499


def discrepancy_test(
    generated: Tokens,
    real: Tokens,
    tunes: NDArray[np.int64],
    meter: Meter = Meter.FOUR_FOUR,
    *,
    generated_tunes: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Figures:
    """Squared maximum mean discrepancy (``mmd2``) of melodies (N, T) and (M, T), and its ``p`` value.

    The unbiased estimate of A. Gretton et al., "A Kernel Two-Sample Test" (2012), on standardised
    descriptors, with a Gaussian kernel as wide as the median distance. 0 for equal distributions.

    p is the share of permutations with so large a value. Tunes are permuted as wholes, because their melodies
    are alike. Generated melodies without tunes are put together at random into as large groups.
    """
    rng = np.random.default_rng(seed)
    size = min(len(generated), len(real), MOST)
    chosen = [np.sort(rng.permutation(len(side))[:size]) for side in (generated, real)]
    tokens = np.concatenate([generated[chosen[0]], real[chosen[1]]])  # (2 n, T)
    of_real = tunes[chosen[1]]
    of_generated = rng.permutation(of_real) if generated_tunes is None else generated_tunes[chosen[0]]
    groups = _numbers(of_generated, of_real)  # (2 n,)
    sizes = np.bincount(groups)
    orders = np.stack([rng.permutation(len(sizes)) for _ in range(PERMUTATIONS)])
    # A permutation fills the first set with whole tunes, up to as many melodies as it had.
    filled = np.take_along_axis(sizes[orders].cumsum(1), orders.argsort(1), 1) <= size  # (P, groups)
    first = np.arange(2 * size) < size
    kernel = _kernel(descriptor_table(tokens, meter))
    # A permutation fills the first set with whole tunes, up to as many melodies as it had.
    filled = np.take_along_axis(sizes[orders].cumsum(1), orders.argsort(1), 1) <= size  # (P, groups)
    found = _squared(kernel, np.vstack([first, filled[:, groups]]))
    return {"mmd2": float(found[0]), "p": float((found >= found[0]).mean())}


def _numbers(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers from 0 for the groups of two sets, (n,) and (m,), all different: (n + m,)."""
    (known, first), (_, second) = (np.unique(side, return_inverse=True) for side in (first, second))
    return np.concatenate([first, len(known) + second])


def _kernel(table: Floats) -> NDArray[np.float32]:
    """The kernel of every pair of rows (n, D) of a table of descriptors, (n, n), 0 of a row with itself."""
    from scipy.spatial.distance import pdist, squareform

    deviations = table.std(0)
    used = deviations > 0
    distances = pdist((table[:, used] - table[:, used].mean(0)) / deviations[used], "sqeuclidean")
    kernel = squareform(np.exp(-distances / (2 * np.median(distances) or 1)))
    return np.asarray(kernel, dtype=np.float32)


def _squared(kernel: NDArray[np.float32], firsts: Floats) -> Floats:
    """The squared discrepancy for each way to choose the first set, (P, n) of 0 and 1, (P,)."""
    first = firsts.astype(np.float32)
    of_first = first @ kernel  # (P, n), sums over the first set
    n, m = first.sum(1), (1 - first).sum(1)
    total = kernel.sum()
    within, across = (of_first * first).sum(1), (of_first * (1 - first)).sum(1)
    rest = total - within - 2 * across
    return np.asarray(within / (n * (n - 1)) + rest / (m * (m - 1)) - 2 * across / (n * m), dtype=float)
