"""Closeness: do generated melodies have the same distributions as the training melodies?"""

from __future__ import annotations

import numpy as np

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation import statistics
from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.statistics import Figures, Melodies, Rows, or_none
from emomelody.music import features
from emomelody.music.tokens import Floats

GAPS: Rows = {"mean_gap": ("mean |Δμ|/σ", "{:.2f}"), "worst_gap": ("worst |Δμ|/σ", "{:.2f}")}


def evaluate_metrics(melodies: Melodies, reference: ReferenceSet) -> Figures:
    """Mean and standard deviation of seven metrics, per emotion, of generated and of training melodies.

    The first four metrics are those of the paper's table 3, computed by MusPy (``muspy.metrics``): pitch
    range, number of different pitches, and the shares of notes in C major and in C minor. The others are the
    number of onsets, MusPy's pitch-class entropy (bits), and the grooving pattern similarity of S.-L. Wu and
    Y.-H. Yang, "The Jazz Transformer on the Front Line" (2020): how alike the rhythms of all pairs of bars
    are, 0 to 1.

    |Δμ|/σ (``gap``) is the distance between the generated and the training mean, in standard deviations of
    the training melodies. Its mean and its largest value (``mean_gap``, ``worst_gap``) are taken over the 16
    cells of table 3, four metrics by four emotions; for real melodies they compare the held-out with the
    training melodies. W1 is the Wasserstein-1 distance of the two distributions
    (``scipy.stats.wasserstein_distance``) in the metric's unit. Its split-half value is the 95th percentile
    between random halves of the training melodies: a smaller W1 can be chance.
    """
    ours = {e: features.metrics_table(list(melodies[e])) for e in Emotion}
    theirs = {e: reference.table[reference.of(e)] for e in Emotion}
    cells = {
        name: {e.code: _cell(ours[e], theirs[e], name, reference.split_half[e][name]) for e in Emotion}
        for name in features.METRIC_NAMES
    }
    return {
        "cells": cells,
        **_summary(ours, theirs),
        "real": _real_gaps(reference),
        "generated": {e.code: len(melodies[e]) for e in Emotion},
        "training": {e.code: len(reference.of(e)) for e in Emotion},
    }


def evaluate_histograms(melodies: Melodies, reference: ReferenceSet) -> Figures:
    """Distance between the histograms of generated and of training melodies, per emotion.

    The histograms count all intervals between consecutive notes (semitones) and all note durations (sixteenth
    steps) of an emotion's melodies. The distance is Jensen–Shannon's
    (``scipy.spatial.distance.jensenshannon``, base 2): 0 for equal histograms, 1 for histograms that share
    nothing. The split-half value is the 95th percentile between random halves of the training melodies: a
    smaller distance can be chance.
    """
    figures: Figures = {name: {} for name in features.HISTOGRAMS}
    for emotion in Emotion:
        for name in features.HISTOGRAMS:
            ours = features.counts(melodies[emotion], name)  # (n, bins)
            distance = statistics.histogram_distance(ours, reference.histogram(emotion, name))
            figures[name][emotion.code] = {
                "distance": or_none(distance),
                "split_half": or_none(reference.split_half[emotion][name]),
            }
    return figures


def _cell(ours: Floats, theirs: Floats, name: str, split_half: float) -> Figures:
    """The figures of one metric and emotion, from the tables (n, 7) of both sides."""
    a, b = features.column(ours, name), features.column(theirs, name)
    return {
        "generated": _moments(a),
        "training": _moments(b),
        "gap": _gap(a, b),
        "w1": statistics.wasserstein(a, b) if len(a) and len(b) else None,
        "w1_split_half": or_none(split_half),
    }


def _summary(ours: dict[Emotion, Floats], theirs: dict[Emotion, Floats]) -> Figures:
    """The mean and the worst gap over the cells of table 3 that have one."""
    cells = [
        _gap(features.column(ours[e], name), features.column(theirs[e], name))
        for e in Emotion
        for name in features.PAPER_METRICS
    ]
    gaps = [gap for gap in cells if gap is not None]
    return {"mean_gap": float(np.mean(gaps)) if gaps else None, "worst_gap": max(gaps, default=None)}


def _real_gaps(reference: ReferenceSet) -> Figures | None:
    """The same of the held-out melodies against all others; None where none is held out."""
    if not reference.held_out.any():
        return None
    labels, held_out = reference.dataset.labels, reference.held_out
    ours = {e: reference.table[held_out & (labels == e.index)] for e in Emotion}
    theirs = {e: reference.table[~held_out & (labels == e.index)] for e in Emotion}
    return _summary(ours, theirs)


def _gap(a: Floats, b: Floats) -> float | None:
    """|Δμ|/σ of two samples (N,) and (M,); σ is that of the second. None where it does not exist."""
    if len(a) == 0 or len(b) == 0 or np.ptp(b) == 0:
        return None
    return float(abs(a.mean() - b.mean()) / b.std())


def _moments(values: Floats) -> Figures | None:
    return {"mean": float(values.mean()), "deviation": float(values.std())} if len(values) else None
