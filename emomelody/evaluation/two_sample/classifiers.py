"""Classifier two-sample tests: how well can two sets of melodies be told apart?

D. Lopez-Paz and M. Oquab, "Revisiting Classifier Two-Sample Tests" (2017). A classifier learns to tell
generated from real melodies, and scores melodies that it has not seen. The figure is the area under its ROC
curve (AUC): 0.5 where it can only guess, 1 where it is always right.

N generated and M real melodies, T steps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.data.tunes import FOLDS
from emomelody.errors import EmomelodyError
from emomelody.evaluation.statistics import Figures
from emomelody.evaluation.two_sample.descriptors import descriptor_table
from emomelody.evaluation.two_sample.network import network_scores
from emomelody.evaluation.two_sample.ngrams import ngram_table
from emomelody.music.meter import Meter
from emomelody.music.plane import Floats
from emomelody.music.tokens import Tokens

TREES = 100
RESAMPLES = 1000
INTERVAL = (2.5, 97.5)  # percentiles
# How much wider an interval is because the classifiers of the folds share what they learn from: the square
# root of 1 + folds · test size / training size. C. Nadeau and Y. Bengio, "Inference for the Generalization
# Error", Machine Learning 52, 2003.
WIDENING = (1 + FOLDS / (FOLDS - 1)) ** 0.5
# From the rows of training and of test melodies, and the training labels, to scores of the test melodies.
Scorer = Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]], Floats]


def classifier_test(
    generated: Tokens,
    real: Tokens,
    tunes: NDArray[np.int64],
    meter: Meter = Meter.FOUR_FOUR,
    *,
    generated_tunes: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Figures:
    """The AUC of three classifiers for generated (N, T) against real melodies (M, T) of tunes (M,).

    For each classifier ``auc``, and ``low`` and ``high``, its 95 % interval. ``generated_tunes`` (N,) are
    given where the first set is of real melodies, too. No tune of a set is in two folds.

    Raises EmomelodyError for fewer than five melodies or tunes of a set, and for incomplete bars.
    """
    first_tunes = np.arange(len(generated)) if generated_tunes is None else generated_tunes
    tokens = np.concatenate([generated, real]).astype(np.int64)
    labels = np.arange(len(tokens)) < len(generated)  # true for the generated ones
    groups = np.concatenate([first_tunes, tunes])
    folds = np.concatenate([_folds(first_tunes), _folds(tunes)])
    figures: Figures = {}
    for name, score in _scorers(tokens, meter, seed).items():
        scores = cross_validated_scores(score, labels, folds)
        figures[name] = auc_in_folds(scores, labels, folds, groups, seed=seed)
    return figures


def cross_validated_scores(score: Scorer, labels: NDArray[np.bool_], folds: NDArray[np.int64]) -> Floats:
    """The score of each melody (K,) by a classifier that was fitted on the other folds."""
    scores = np.empty(len(labels))
    for fold in range(FOLDS):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        scores[test] = score(train, test, labels[train])
    return scores


def auc_in_folds(
    scores: Floats,
    labels: NDArray[np.bool_],
    folds: NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    seed: int = 0,
) -> Figures:
    """The mean AUC of the folds and its interval, of scores of K melodies, (K,) each.

    Scores are compared within a fold only: those of different folds come from different classifiers, which
    need not agree on their scale (G. Forman and M. Scholz, "Apples-to-Apples in Cross-Validation Studies",
    2010).

    The interval is that of a bootstrap over ``groups``, the tunes, drawn within each fold and label. The
    classifiers are not fitted again; for that it is half as wide again (``WIDENING``), within 0 … 1.
    """
    rng = np.random.default_rng(seed)
    values, resampled = [], []
    for fold in np.unique(folds):
        in_fold = folds == fold
        wins, pairs = _wins(scores[in_fold], labels[in_fold], groups[in_fold])
        draws = [rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) for n in wins.shape]  # (R, n) each
        values.append(float(wins.sum() / pairs.sum()))
        resampled.append(_weighted(wins, *draws) / _weighted(pairs, *draws))
    auc = float(np.mean(values))
    deviations = np.percentile(np.mean(resampled, 0) - auc, INTERVAL)
    low, high = np.clip(auc + WIDENING * deviations, 0, 1).tolist()
    return {"auc": auc, "low": low, "high": high}


def _wins(scores: Floats, labels: NDArray[np.bool_], groups: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Pairs of melodies that the scores (k,) put in order, ties as a half, and all pairs, by two groups.

    (groups of the true label, groups of the false label) each.
    """
    above, below = np.flatnonzero(labels), np.flatnonzero(~labels)
    ordered = (scores[above, None] > scores[below]) + 0.5 * (scores[above, None] == scores[below])
    wins, pairs = (
        _sum_by(_sum_by(table, groups[above]).T, groups[below]).T
        for table in (ordered, np.ones_like(ordered))
    )
    return wins, pairs


def _sum_by(rows: Floats, groups: NDArray[np.int64]) -> Floats:
    """The sums of the rows (n, columns) of each group (n,), in the order of the groups."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[:1]] - 1))
    return np.add.reduceat(rows[order], starts, axis=0)


def _weighted(table: Floats, rows: Tokens, columns: Tokens) -> Floats:
    """The sums of a table (n, m) with weights of its rows (R, n) and columns (R, m), (R,)."""
    return np.asarray(((rows @ table) * columns).sum(1))


def _folds(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The fold 0–4 of each melody (n,); melodies of one group are in one fold."""
    from sklearn.model_selection import GroupKFold

    if len(np.unique(groups)) < FOLDS:
        raise EmomelodyError(f"a two-sample test needs {FOLDS} melodies and {FOLDS} tunes on either side")
    folds = np.empty(len(groups), dtype=np.int64)
    for fold, (_, test) in enumerate(GroupKFold(FOLDS).split(groups, groups=groups)):
        folds[test] = fold
    return folds


def _scorers(tokens: Tokens, meter: Meter, seed: int) -> dict[str, Scorer]:
    """The classifiers by name, as functions that fit one to some melodies (K, T) and score others."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    forest = RandomForestClassifier(
        TREES, min_samples_leaf=3, class_weight="balanced_subsample", random_state=seed
    )
    regression = LogisticRegression(class_weight="balanced", max_iter=1000)

    def network(train: Tokens, test: Tokens, labels: NDArray[np.bool_]) -> Floats:
        return network_scores(tokens[train], labels, tokens[test], meter, seed=seed)

    return {
        "forest": partial(_fit_and_score, forest, descriptor_table(tokens, meter)),
        "regression": partial(_fit_and_score, regression, ngram_table(tokens, meter)),
        "network": network,
    }


def _fit_and_score(model: Any, table: Any, train: Tokens, test: Tokens, labels: NDArray[np.bool_]) -> Floats:
    """Fit a scikit-learn classifier to rows of a table, and score others by its probability."""
    probabilities: Floats = model.fit(table[train], labels).predict_proba(table[test])[:, 1]
    return probabilities
