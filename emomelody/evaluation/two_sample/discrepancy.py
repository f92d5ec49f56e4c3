"""Maximum mean discrepancy: a kernel test of whether two sets of melodies have one distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.sets import MelodySet
from emomelody.evaluation.statistics import Figures
from emomelody.evaluation.two_sample.descriptors import descriptor_table
from emomelody.music.tokens import Floats, Tokens

MOST = 250  # melodies of an emotion and set; of more, a random sample is taken
PERMUTATIONS = 499


def discrepancy_test(generated: MelodySet, real: MelodySet, *, seed: int = 0) -> Figures:
    """Squared maximum mean discrepancy (``mmd2``) of two sets of one meter and length, and its ``p`` value.

    The unbiased estimate of A. Gretton et al., "A Kernel Two-Sample Test" (2012), on standardised
    descriptors, with a Gaussian kernel as wide as the median distance. 0 for equal distributions. Both sets
    give as many melodies of each emotion. Melodies of one tune are not compared with each other: they are
    alike, and would make a set look narrow.

    p is the share of permutations with so large a value. Tunes are permuted as wholes. Generated melodies
    that are a tune each are put together at random into groups as large as the real tunes.
    """
    rng = np.random.default_rng(seed)
    first, second = _equal_emotions(generated, real, rng)
    tokens = np.concatenate([first.tokens, second.tokens])  # (2 n, T)
    singles = len(np.unique(generated.tunes)) == len(generated)
    groups = _numbers(rng.permutation(second.tunes) if singles else first.tunes, second.tunes)  # (2 n,)
    size, sizes = len(first), np.bincount(groups)
    orders = np.stack([rng.permutation(len(sizes)) for _ in range(PERMUTATIONS)])
    # A permutation fills the first set with whole tunes, up to as many melodies as it had.
    filled = np.take_along_axis(sizes[orders].cumsum(1), orders.argsort(1), 1) <= size  # (P, groups)
    firsts = np.vstack([np.arange(2 * size) < size, filled[:, groups]])  # (1 + P, 2 n)
    compared = _numbers(first.tunes, second.tunes)
    different = (compared[:, None] != compared).astype(np.float32)
    found = _squared(_kernel(descriptor_table(tokens, generated.meter)) * different, different, firsts)
    return {"mmd2": float(found[0]), "p": float((found >= found[0]).mean())}


def _equal_emotions(
    first: MelodySet, second: MelodySet, rng: np.random.Generator
) -> tuple[MelodySet, MelodySet]:
    """As many melodies of each emotion of both sets, at random, in the order of the emotions."""
    chosen: tuple[list[Tokens], list[Tokens]] = ([], [])
    for emotion in Emotion:
        rows = [rng.permutation(np.flatnonzero(side.labels == emotion.index)) for side in (first, second)]
        for some, those in zip(chosen, rows, strict=True):
            some.append(those[: min(*map(len, rows), MOST)])
    return first[np.concatenate(chosen[0])], second[np.concatenate(chosen[1])]


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


def _squared(kernel: NDArray[np.float32], pairs: NDArray[np.float32], firsts: NDArray[np.bool_]) -> Floats:
    """The squared discrepancy for each way to choose the first set, (P, n), (P,).

    From the kernel (n, n) of the ``pairs`` (n, n) that count, 1, and 0 of the others, 0.
    """
    first = firsts.astype(np.float32)
    second = 1 - first

    def mean(one: NDArray[np.float32], other: NDArray[np.float32]) -> Floats:
        sums, counts = (((one @ table) * other).sum(1, dtype=float) for table in (kernel, pairs))
        return np.asarray(sums / counts)

    return mean(first, first) + mean(second, second) - 2 * mean(first, second)
