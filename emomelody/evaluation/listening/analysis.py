"""The figures of a listening test, one function per block. Shares are 0 … 1.

All intervals have 95 % confidence. Wilson's takes answers to be independent, which those of one listener and
those to one melody are not: it is too narrow where listeners or melodies differ. The interval "over
listeners" is a bootstrap that draws whole listeners, so it allows for how they differ from each other, not
for how melodies do. With a handful of listeners it too is narrow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import Labels
from emomelody.evaluation.listening.agreement import evaluate_agreement
from emomelody.evaluation.listening.answers import REAL, AnswerFile
from emomelody.evaluation.listening.arrays import AnswerArrays
from emomelody.evaluation.statistics import CONFIDENCE, Figures, share, spearman, wilson_interval

RESAMPLES = 2000  # of the bootstrap
_SIGNS = np.array([(emotion.valence, emotion.arousal) for emotion in Emotion])  # (4, 2)


def evaluate_answers(files: Sequence[AnswerFile]) -> Figures:
    """All figures of one or more finished files of one test, each by another listener.

    ``systems`` has those of each system, the real melodies last; ``all`` those of all melodies together.
    """
    answers = AnswerArrays.of(files)
    real = answers[answers.systems == REAL]
    names = sorted(set(answers.systems.tolist()), key=lambda name: (name == REAL, name))
    systems = {name: answers[answers.systems == name] for name in names}
    return {
        "test": files[0].test,
        "listeners": len(files),
        "systems": [
            _counts(name, chosen)
            | {
                "emotion": evaluate_emotion(chosen),
                "human": evaluate_human(chosen),
                "told_from_real": None if name == REAL else evaluate_told_from_real(chosen, real),
                "musical": evaluate_musical(chosen),
                "plane": evaluate_plane(chosen),
                "prediction": evaluate_prediction(chosen),
                "agreement": evaluate_agreement(chosen),
            }
            for name, chosen in systems.items()
        ],
        "all": _counts("all", answers)
        | {
            "told_from_real": evaluate_told_from_real(answers[answers.systems != REAL], real),
            "prediction": evaluate_prediction(answers),
            "agreement": evaluate_agreement(answers),
        },
    }


def evaluate_emotion(answers: AnswerArrays) -> Figures:
    """Do listeners hear the requested emotion (of real melodies: that of their label)?

    Accuracy by requested emotion and of all answers, chance 1/4; "valence" and "arousal" ask only for the
    right side of that axis, chance 1/2. "interval" are Wilson's. The confusion matrix has the requested
    emotion in rows and the shares of the answered ones in columns; "answers" is how many a row has.
    """
    right = answers.emotions == answers.requested
    sides = _SIGNS[answers.emotions] == _SIGNS[answers.requested]  # (N, 2)
    rows = {emotion.code: answers.requested == emotion.index for emotion in Emotion}
    hits = {code: right[row] for code, row in rows.items()}
    hits |= {"all": right, "valence": sides[:, 0], "arousal": sides[:, 1]}
    return {
        **{key: share(some) for key, some in hits.items()},
        "interval": {key: wilson_interval(some) for key, some in hits.items()},
        "over_listeners": interval_over_listeners((answers.listeners, right)),
        "confusion": {
            code: {heard.code: share(answers.emotions[row] == heard.index) for heard in Emotion}
            for code, row in rows.items()
        },
        "answers": {code: int(row.sum()) for code, row in rows.items()},
    }


def evaluate_human(answers: AnswerArrays) -> Figures:
    """How often are the melodies taken for a human's? With Wilson's interval."""
    return {"share": share(answers.human), "interval": wilson_interval(answers.human)}


def evaluate_told_from_real(generated: AnswerArrays, real: AnswerArrays) -> Figures | None:
    """Can listeners tell generated melodies from real ones? None where there are none of either.

    The accuracy is the mean of two shares: real melodies taken for a human's, and generated ones taken for a
    machine's. It is 1/2 by chance whatever the numbers of melodies and however often listeners say "human".
    Its interval is over listeners. p is Fisher's exact test that both sides are as often taken for a human's
    (``scipy.stats.fisher_exact``); like Wilson's interval, it takes answers to be independent.
    """
    from scipy.stats import fisher_exact

    if not (len(generated) and len(real)):
        return None
    table = [[int(side.human.sum()), int((~side.human).sum())] for side in (real, generated)]
    return {
        "accuracy": float((real.human.mean() + (~generated.human).mean()) / 2),
        "over_listeners": interval_over_listeners(
            (real.listeners, real.human), (generated.listeners, ~generated.human)
        ),
        "p": float(fisher_exact(table).pvalue),
    }


def evaluate_musical(answers: AnswerArrays) -> Figures:
    """How musical are the melodies, from 1 to 7? Mean and standard deviation of the answers."""
    spread = float(answers.musical.std(ddof=1)) if len(answers) > 1 else None
    return {"mean": float(answers.musical.mean()), "deviation": spread}


def evaluate_plane(answers: AnswerArrays) -> Figures:
    """Are melodies placed on the plane in the order of their requested points?

    Spearman rank correlations of requested valence and arousal with the mean of the answers to each melody,
    over the melodies with a requested point.
    """
    placed = answers[~np.isnan(answers.points[:, 0])]
    first, melodies = _by_melody(placed)
    sums = [np.bincount(melodies, axis, len(first)) for axis in placed.placed.T]
    means = np.stack(sums) / np.bincount(melodies, minlength=len(first))  # (2, M)
    valence, arousal = (spearman(*pair) for pair in zip(placed.points[first].T, means, strict=True))
    return {"valence": valence, "arousal": arousal, "melodies": len(first)}


def evaluate_prediction(answers: AnswerArrays) -> Figures:
    """How good is the listener judge, the linear model of ratings in ``performance.listeners``?

    "Answers" is the share of answers that are the predicted emotion. "Requested" is the share of melodies
    whose predicted emotion is the requested one, as ``evaluate`` gives it without listeners, and
    "most_frequent" the share whose most frequent answer is; of k equally frequent answers each counts 1/k.
    """
    first, melodies = _by_melody(answers)
    counts = np.zeros((len(first), len(Emotion)))
    np.add.at(counts, (melodies, answers.emotions), 1)
    most = counts == counts.max(1, keepdims=True)
    credit = most / most.sum(1, keepdims=True)  # (M, 4)
    requested = answers.requested[first]
    return {
        "answers": share(answers.emotions == answers.predicted),
        "requested": share(answers.predicted[first] == requested),
        "most_frequent": float(credit[np.arange(len(first)), requested].mean()),
    }


def interval_over_listeners(*groups: tuple[Labels, NDArray[np.bool_]]) -> list[float] | None:
    """The 95 % interval of the mean of one or more shares, by a percentile bootstrap over listeners.

    Each group is the listeners (N,) of its answers and its hits (N,). Whole listeners are drawn, of those who
    have answers in every group. None for fewer than two of them.
    """
    number = 1 + max(int(listeners.max()) for listeners, _ in groups)
    totals = np.stack([np.bincount(listeners, minlength=number) for listeners, _ in groups], 1)
    hits = np.stack([np.bincount(listeners, right, number) for listeners, right in groups], 1)
    present = totals.all(1)
    count = int(present.sum())
    if count < 2:
        return None
    rng = np.random.default_rng(0)
    draws = rng.multinomial(count, np.full(count, 1 / count), RESAMPLES)  # how often each listener is drawn
    shares = (draws @ hits[present]) / (draws @ totals[present])  # (RESAMPLES, groups)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(shares.mean(1), (tail, 100 - tail)).tolist()
    return [low, high]


def _counts(name: str, answers: AnswerArrays) -> Figures:
    return {"name": name, "melodies": len(np.unique(answers.melodies)), "answers": len(answers)}


def _by_melody(answers: AnswerArrays) -> tuple[Labels, Labels]:
    """The first answer (M,) to each of M melodies, and which of them each answer (N,) is to."""
    _, first, melodies = np.unique(answers.melodies, return_index=True, return_inverse=True)
    return first, melodies
