"""How far from the mean of real melodies the mean of others can be by chance.

N real melodies of an emotion, D draws, M metrics.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.statistics import CONFIDENCE
from emomelody.music.tokens import Floats

DRAWS = 1000
FEWEST = 5  # tunes; of fewer the spread of the mean is not known


def bands(
    real: Mapping[Emotion, Floats],
    tunes: Mapping[Emotion, NDArray[np.int64]],
    generated: Mapping[Emotion, int],
    *,
    seed: int = 0,
) -> dict[str, Floats]:
    """Where the means of M metrics lie in 95 of 100 cases if the melodies are like real ones, (2, M) each.

    By the emotions' codes and ``all``, the mean of the emotions, from the metrics (N, M) and tunes (N,) of
    the real melodies and the number of generated ones. NaN where fewer than ``FEWEST`` tunes have the metric.

    Each of 1,000 draws first takes as many tunes as there are, with replacement, because melodies of one tune
    are alike and other tunes might have been held out; and then, out of their melodies, as many as were
    generated. The band holds the middle 95 % of the means of the draws.
    """
    if not real:
        return {}
    rng = np.random.default_rng(seed)
    names = np.unique(np.concatenate([*tunes.values()]))
    resampled = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)  # (D, tunes)
    draws: dict[str, Floats] = {}  # (D, M) each
    known: dict[str, NDArray[np.int64]] = {}  # of how many tunes there is each metric, (M,)
    for emotion, values in real.items():  # (N, M)
        tune = np.searchsorted(names, tunes[emotion])  # (N,)
        weights = resampled[:, tune]  # (D, N)
        some = np.flatnonzero(weights.sum(1))  # an emotion of few tunes is not in every draw
        chosen = np.zeros_like(weights)
        chosen[some] = rng.multinomial(
            generated[emotion], weights[some] / weights[some].sum(1, keepdims=True)
        )
        draws[emotion.code] = _means(chosen, values)
        known[emotion.code] = np.array([len(np.unique(tune[~np.isnan(column)])) for column in values.T])
    draws["all"], known["all"] = np.mean([*draws.values()], 0), np.min([*known.values()], 0)
    return {code: _middle(means, known[code]) for code, means in draws.items()}


def _means(weights: NDArray[np.int64], values: Floats) -> Floats:
    """The means of values (N, M) that exist, with weights (D, N): (D, M); NaN where no weight is left."""
    exists = ~np.isnan(values)
    totals, counts = weights @ np.where(exists, values, 0), weights @ exists.astype(float)
    return np.asarray(np.where(counts > 0, totals / np.where(counts > 0, counts, 1), np.nan))


def _middle(means: Floats, tunes: NDArray[np.int64]) -> Floats:
    """The band (2, M) of means (D, M) of metrics that so many tunes (M,) have."""
    tail = 50 * (1 - CONFIDENCE)  # percent on either side
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a metric that no melody has
        edges = np.nanpercentile(means, (tail, 100 - tail), axis=0)  # (2, M)
    return np.asarray(np.where(tunes >= FEWEST, edges, np.nan))
