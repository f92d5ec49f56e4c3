"""Between two melodies: held-out melodies that lead from one to another. Only ``emoreg-va`` makes them."""

from __future__ import annotations

import numpy as np

from emomelody.emotions.distribution import StyleDistribution
from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.statistics import Figures, Rows, correlation
from emomelody.music import features
from emomelody.music.melody import BARS
from emomelody.music.tokens import Floats, from_tokens
from emomelody.sampling.own import encode_melodies
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample
from emomelody.weights.checkpoint import Checkpoint

PAIRS = 100
STEPS = 9
BETWEEN: Rows = {
    "falls": ("rank correlation of step and contour like the first melody", "{:+.2f}"),
    "rises": ("rank correlation of step and contour like the second", "{:+.2f}"),
    "first": ("contour of the first step, correlation with the first melody", "{:+.2f}"),
    "last": ("contour of the last step, correlation with the second", "{:+.2f}"),
    "requested": ("widest step of the requested points, share of the way", "{:.2f}"),
    "widest": ("widest mean step of the melodies made, share of the way", "{:.2f}"),
}


def evaluate_between(
    checkpoint: Checkpoint, distribution: StyleDistribution, reference: ReferenceSet, pairs: int = PAIRS
) -> Figures | None:
    """From one held-out melody to another: 100 random pairs, nine melodies of four bars on the way.

    An evaluation of fewer melodies per emotion takes as few pairs.

    The contour is the pitch at each step. Its correlation (Pearson's) with the contour of each of the two
    melodies is averaged over the pairs; the figures are the rank correlations (Spearman's) of these nine
    means with the number of the melody. The steps are the distances of neighbours, of their requested points
    on the plane, and of what the model's encoder says of the melodies (points and contents, mean over the
    pairs), as a share of the distance of the two melodies. Pairs of equal melodies are left out. None where
    there is no pair.
    """
    from scipy.stats import spearmanr

    rng, dataset = np.random.default_rng(0), reference.dataset
    chosen = rng.permutation(np.flatnonzero(reference.held_out))[: 2 * pairs]
    if len(chosen) < 2:
        return None
    meter = dataset.meter
    correlations, requested, made = [], [], []
    for number, (first, last) in enumerate(chosen[: len(chosen) // 2 * 2].reshape(-1, 2)):
        ends = [from_tokens(dataset.tokens[row], meter) for row in (first, last)]
        start, goal = encode_melodies(checkpoint, ends)
        way = np.linalg.norm(goal - start)
        if way == 0:  # versions of one tune may be equal
            continue
        request = Request(
            STEPS,
            like=ends[0],
            to=ends[1],
            spread=0,
            bars=BARS,
            style=distribution.style,
            meter=meter,
            seed=number,
        )
        samples = sample(checkpoint, request)
        contours = [features.contour(s.melody) for s in samples]
        correlations.append(
            [[correlation(contour, features.contour(end)) for contour in contours] for end in ends]
        )
        requested.append(_steps(np.array([s.trajectory[0] for s in samples])))
        encoded = encode_melodies(checkpoint, [s.melody for s in samples])
        made.append(np.linalg.norm(np.diff(encoded, axis=0), axis=1) / way)
    if not made:
        return None
    means = np.nanmean(np.array(correlations, dtype=float), 0)  # (2, STEPS)
    falls, rises = (float(spearmanr(np.arange(STEPS), row).statistic) for row in means)
    return {
        "falls": falls,
        "rises": rises,
        "first": float(means[0, 0]),
        "last": float(means[1, -1]),
        "requested": float(np.max(requested)),
        "widest": float(np.mean(made, 0).max()),
    }


def _steps(points: Floats) -> Floats:
    """The distances of successive points (n, 2) as shares of that of the first and the last, (n − 1,)."""
    way = max(float(np.linalg.norm(points[-1] - points[0])), 1e-9)
    return np.asarray(np.linalg.norm(np.diff(points, axis=0), axis=1) / way)
