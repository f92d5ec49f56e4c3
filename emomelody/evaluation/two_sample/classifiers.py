"""Classifier two-sample tests: how well can two sets of melodies be told apart?

D. Lopez-Paz and M. Oquab, "Revisiting Classifier Two-Sample Tests" (2017). A classifier learns to tell
generated from real melodies, and scores melodies that it has not seen. The figure is the area under its ROC
curve (AUC): 0.5 where it can only guess, 1 where it is always right.

K melodies of both sets, T steps. In whatever is fitted or scored, the emotions that both sets have weigh the
same in either (``sets.emotion_weights``): what tells emotions apart does not tell the sets apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.data.tunes import FOLDS
from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.evaluation.sets import MelodySet, emotion_weights
from emomelody.evaluation.statistics import Figures
from emomelody.evaluation.two_sample.descriptors import descriptor_table
from emomelody.evaluation.two_sample.network import network_scores
from emomelody.evaluation.two_sample.ngrams import ngram_table
from emomelody.music.meter import Meter
from emomelody.music.tokens import Floats, Tokens

TREES = 100
RESAMPLES = 1000
MOST = 1000  # melodies of an emotion and set that the network is trained on; of more, a random sample
INTERVAL = (2.5, 97.5)  # percentiles
# How much wider an interval is because the classifiers of the folds share what they learn from: the square
# root of 1 + folds · test size / training size. C. Nadeau and Y. Bengio, "Inference for the Generalization
# Error", Machine Learning 52, 2003.
WIDENING = (1 + FOLDS / (FOLDS - 1)) ** 0.5
# From the rows of training and of test melodies to scores of the test melodies.
Scorer = Callable[[NDArray[np.int64], NDArray[np.int64]], Floats]


@dataclass(frozen=True)
class Examples:
    """The melodies of both sets, the generated ones first; arrays (K,)."""

    generated: NDArray[np.bool_]
    emotions: NDArray[np.int64]  # 0–3 for e1–e4
    tunes: NDArray[np.int64]  # a tune may have the same number in both sets
    folds: NDArray[np.int64]  # 0–4

    @classmethod
    def of(cls, generated: MelodySet, real: MelodySet) -> Examples:
        """All melodies of two sets. Raises EmomelodyError for fewer than five tunes of one."""
        emotions, tunes, folds = (
            np.concatenate(pair)
            for pair in (
                (generated.labels, real.labels),
                (generated.tunes, real.tunes),
                (_folds(generated.tunes), _folds(real.tunes)),
            )
        )
        return cls(np.arange(len(folds)) < len(generated), emotions, tunes, folds)

    def weights(self, rows: NDArray[np.int64]) -> Floats:
        """The weights of some melodies (k,), with a mean of 1; each set has half of them."""
        generated, emotions = self.generated[rows], self.emotions[rows]
        weights = np.empty(len(rows))
        weights[generated], weights[~generated] = emotion_weights(emotions[generated], emotions[~generated])
        return weights * len(rows) / 2


def classifier_test(generated: MelodySet, real: MelodySet, *, seed: int = 0) -> Figures:
    """The AUC of three classifiers for generated against real melodies, of one meter and length.

    For each classifier ``auc``, and ``low`` and ``high``, its 95 % interval. No tune of a set is in two
    folds. Raises EmomelodyError for fewer than five tunes of a set, and for incomplete bars.
    """
    examples = Examples.of(generated, real)
    tokens = np.concatenate([generated.tokens, real.tokens]).astype(np.int64)
    figures: Figures = {}
    for name, score in _scorers(tokens, generated.meter, examples, seed).items():
        scores = cross_validated_scores(score, examples.folds)
        figures[name] = auc_in_folds(scores, examples, seed=seed)
    return figures


def cross_validated_scores(score: Scorer, folds: NDArray[np.int64]) -> Floats:
    """The score of each melody (K,) by a classifier that was fitted on the other folds."""
    scores = np.empty(len(folds))
    for fold in range(FOLDS):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        scores[test] = score(train, test)
    return scores


def auc_in_folds(scores: Floats, examples: Examples, *, seed: int = 0) -> Figures:
    """The mean AUC of the folds and its interval, of the scores of K melodies, (K,).

    The AUC is weighted: that of scikit-learn's ``roc_auc_score`` with ``sample_weight``. Scores are compared
    within a fold only: those of different folds come from different classifiers, which need not agree on
    their scale (G. Forman and M. Scholz, "Apples-to-Apples in Cross-Validation Studies", 2010).

    The interval is that of a bootstrap over tunes, drawn within each fold and set. The classifiers are not
    fitted again; for that it is half as wide again (``WIDENING``), within 0 … 1.
    """
    rng = np.random.default_rng(seed)
    values, resampled = [], []
    for fold in np.unique(examples.folds):
        rows = np.flatnonzero(examples.folds == fold)
        weights = examples.weights(rows)
        rows, weights = rows[weights > 0], weights[weights > 0]
        wins, above, below = _wins(scores[rows], examples.generated[rows], weights, examples.tunes[rows])
        draws = [rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) for n in wins.shape]  # (R, n) each
        values.append(float(wins.sum() / (above.sum() * below.sum())))
        won = ((draws[0] @ wins) * draws[1]).sum(1)  # (R,)
        resampled.append(won / ((draws[0] @ above) * (draws[1] @ below)))
    auc = float(np.mean(values))
    deviations = np.percentile(np.mean(resampled, 0) - auc, INTERVAL)
    low, high = np.clip(auc + WIDENING * deviations, 0, 1).tolist()
    return {"auc": auc, "low": low, "high": high}


def _wins(
    scores: Floats, generated: NDArray[np.bool_], weights: Floats, tunes: NDArray[np.int64]
) -> tuple[Floats, Floats, Floats]:
    """How many pairs of melodies the scores (k,) put in order, weighted and by tunes, ties as a half.

    (generated tunes, real tunes); and the weights of the generated and of the real tunes.
    """
    above, below = np.flatnonzero(generated), np.flatnonzero(~generated)
    ordered = (scores[above, None] > scores[below]) + 0.5 * (scores[above, None] == scores[below])
    by_rows = _sum_by(ordered * weights[below] * weights[above, None], tunes[above])
    return (
        _sum_by(by_rows.T, tunes[below]).T,
        _sum_by(weights[above, None], tunes[above])[:, 0],
        _sum_by(weights[below, None], tunes[below])[:, 0],
    )


def _sum_by(rows: Floats, groups: NDArray[np.int64]) -> Floats:
    """The sums of the rows (n, columns) of each group (n,), in the order of the groups."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[:1]] - 1))
    return np.add.reduceat(rows[order], starts, axis=0)


def _folds(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The fold 0–4 of each melody (n,); melodies of one group are in one fold."""
    from sklearn.model_selection import GroupKFold

    if len(np.unique(groups)) < FOLDS:
        raise EmomelodyError(f"a two-sample test needs {FOLDS} melodies and {FOLDS} tunes on either side")
    folds = np.empty(len(groups), dtype=np.int64)
    for fold, (_, test) in enumerate(GroupKFold(FOLDS).split(groups, groups=groups)):
        folds[test] = fold
    return folds


def _scorers(tokens: Tokens, meter: Meter, examples: Examples, seed: int) -> dict[str, Scorer]:
    """The classifiers by name, as functions that fit one to some melodies (K, T) and score others."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    forest = RandomForestClassifier(TREES, min_samples_leaf=3, random_state=seed)
    regression = LogisticRegression(max_iter=1000)

    def network(train: Tokens, test: Tokens) -> Floats:
        some = _sample(train, examples, seed)
        labels, weights = examples.generated[some], examples.weights(some)
        return network_scores(tokens[some], labels, weights, tokens[test], meter, seed=seed)

    return {
        "forest": partial(_fit_and_score, forest, descriptor_table(tokens, meter), examples),
        "regression": partial(_fit_and_score, regression, ngram_table(tokens, meter), examples),
        "network": network,
    }


def _fit_and_score(model: Any, table: Any, examples: Examples, train: Tokens, test: Tokens) -> Floats:
    """Fit a scikit-learn classifier to rows of a table, and score others by its probability."""
    model.fit(table[train], examples.generated[train], sample_weight=examples.weights(train))
    probabilities: Floats = model.predict_proba(table[test])[:, 1]
    return probabilities


def _sample(rows: Tokens, examples: Examples, seed: int) -> Tokens:
    """At most ``MOST`` of the rows (k,) of each emotion and set."""
    order = np.random.default_rng(seed).permutation(rows)
    kind = examples.emotions[order] + len(Emotion) * examples.generated[order]
    return np.concatenate([order[kind == number][:MOST] for number in range(2 * len(Emotion))])
