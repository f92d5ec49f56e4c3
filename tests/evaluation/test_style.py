"""Closeness of the metrics and histograms, checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation.labelled import dataset, reference_of
from pieces import quarters

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation import style
from emomelody.evaluation.reference import DataSplit, ReferenceSet


def test_cells_and_gaps_by_hand() -> None:
    generated = {e: [] for e in Emotion} | {Emotion.E3: [quarters(60, 63), quarters(60, 67)]}  # ranges 3, 7
    reference = reference_of({Emotion.E3: [quarters(60, 62), quarters(60, 72)]})  # ranges 2 and 12
    table = style.evaluate_metrics(generated, reference)
    cell = table["cells"]["pitch_range"]["e3"]
    assert cell["generated"] == {"mean": 5, "deviation": 2}
    assert cell["training"] == {"mean": 7, "deviation": 5}
    assert cell["gap"] == pytest.approx(2 / 5)
    assert cell["w1"] == pytest.approx((1 + 5) / 2)
    assert cell["w1_split_half"] == 10  # every half is one of the two
    assert table["cells"]["pitch_range"]["e1"] == {
        "generated": None, "training": None, "gap": None, "w1": None, "w1_split_half": None
    }  # fmt: skip
    assert table["real"] is None  # too few to hold any out
    assert table["generated"] == {"e1": 0, "e2": 0, "e3": 2, "e4": 0}
    histograms = style.evaluate_histograms(generated, reference)
    assert histograms["intervals"]["e3"]["distance"] == pytest.approx(1)  # 3, 7 and 2, 12
    assert histograms["durations"]["e3"]["distance"] == 0
    assert histograms["durations"]["e1"] == {"distance": None, "split_half": None}


def test_real_melodies_have_a_gap_of_their_own() -> None:
    """Held-out melodies of range 3 and 7 beside others of range 2 and 12."""
    melodies = [quarters(60, 63), quarters(60, 67), quarters(60, 62), quarters(60, 72)]
    held_out = np.array([True, True, False, False])
    split = DataSplit(True, ~held_out, held_out)
    reference = ReferenceSet(dataset({Emotion.E3: melodies}), split)
    generated = {e: [] for e in Emotion} | {Emotion.E3: melodies[:2]}
    table = style.evaluate_metrics(generated, reference)
    assert table["cells"]["pitch_range"]["e3"]["gap"] == pytest.approx(2 / 5)
    assert table["real"] == {"mean_gap": table["mean_gap"], "worst_gap": table["worst_gap"]}
