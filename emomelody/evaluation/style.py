"""Every figure of ``evaluate``, as one dictionary; no printing.

Each block is a function whose docstring is its definition, and stands under the block in the report. Shares
are 0 … 1, but D of formula (9), which is in percent as in the paper. A figure that cannot be had is None.
"""

from __future__ import annotations

import numpy as np

from emomelody.evaluation import distances
from emomelody.evaluation.figures import Figures, Melodies, _number
from emomelody.evaluation.reference import ReferenceSet
from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.plane import Floats


def evaluate_metrics(melodies: Melodies, real: ReferenceSet) -> Figures:
    """Table 3: mean and deviation (population's) of each metric per emotion, beside the training melodies'.

    The first four are the paper's, by MusPy; pitch-class entropy (bits) is MusPy's, onsets are counted, and
    grooving similarity is S.-L. Wu and Y.-H. Yang's (2020), over all pairs of bars on sixteen steps. |Δμ|/σ
    (``gap``) is the distance of the means in deviations of the training melodies, ``mean_gap`` and
    ``worst_gap`` over the paper's 16 cells. W1 is the Wasserstein-1 distance of the two distributions in the
    metric's unit, and beside it stands what chance makes of it: the 95th percentile of W1 between random
    halves of the training melodies.
    """
    cells: dict[str, Figures] = {name: {} for name in features.METRIC_NAMES}
    gaps = []
    for emotion in Emotion:
        ours, theirs = features.metrics_table(list(melodies[emotion])), real.table[real.of(emotion)]
        for name in features.METRIC_NAMES:
            a, b = features.column(ours, name), features.column(theirs, name)
            both = len(a) > 0 and len(b) > 0
            gap = abs(a.mean() - b.mean()) / b.std() if both and np.ptp(b) > 0 else None
            cells[name][emotion.code] = {
                "generated": _moments(a),
                "training": _moments(b),
                "gap": gap,
                "w1": distances.wasserstein(a, b) if both else None,
                "w1_halves": _number(real.bands[emotion][name]),
            }
            if gap is not None and name in features.PAPER_METRICS:
                gaps.append(gap)
    return {
        "cells": cells,
        "mean_gap": float(np.mean(gaps)) if gaps else None,
        "worst_gap": max(gaps, default=None),
        "generated": {e.code: len(melodies[e]) for e in Emotion},
        "training": {e.code: len(real.of(e)) for e in Emotion},
    }


def evaluate_histograms(melodies: Melodies, real: ReferenceSet) -> Figures:
    """How far the histograms of intervals (semitones) and of durations (steps) are from the training
    melodies'.

    The Jensen–Shannon distance of the pooled histograms per emotion: 0 for equal ones, 1 where they share
    nothing. Beside it stands what chance makes of it: the 95th percentile between random halves of the
    training melodies.
    """
    figures: Figures = {name: {} for name in features.HISTOGRAMS}
    for emotion in Emotion:
        for name in features.HISTOGRAMS:
            ours = features.counts(melodies[emotion], name)
            found = distances.histogram_distance(ours, real.histogram(emotion, name))
            figures[name][emotion.code] = {
                "distance": _number(found),
                "halves": _number(real.bands[emotion][name]),
            }
    return figures


def _moments(values: Floats) -> Figures | None:
    return {"mean": float(values.mean()), "deviation": float(values.std())} if len(values) else None
