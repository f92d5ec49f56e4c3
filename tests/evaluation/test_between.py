"""From one held-out melody to another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evaluation.labelled import dataset, two_of_each

from emomelody.evaluation.own.between import evaluate_between
from emomelody.evaluation.reference import DataSplit, ReferenceSet
from emomelody.weights.checkpoint import bundled_weights, load_checkpoint


@pytest.mark.parametrize("same", [False, True])
def test_pairs_of_equal_melodies_are_left_out(same: bool) -> None:
    data = dataset(two_of_each())
    data = replace(data, tokens=data.tokens[np.array([0, 0, 2, 3, 4, 5, 6, 7])]) if same else data
    held_out = np.arange(len(data)) < 2
    reference = ReferenceSet(data, DataSplit(True, ~held_out, held_out))
    checkpoint = load_checkpoint(bundled_weights()["emoreg-va"])
    figures = evaluate_between(checkpoint, checkpoint.styles[0], reference, pairs=1)
    assert (figures is None) == same
    assert figures is None or 0.1 < figures["widest"] < 1
