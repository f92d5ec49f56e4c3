"""What sampling starts from, of the training melodies of a style and meter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from emomelody.data.dataset import load, tunes_of
from emomelody.emotions.plane import Plane
from emomelody.models.emoreg_va import EmoregVA
from emomelody.music.form import Form
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import HOLD, REST, Vocabulary
from emomelody.training.styles import FEW, _closing, _intraclass_correlation, fit_style
from emomelody.weights.config import VAConfig


def test_a_style_is_fitted_to_the_chosen_tunes(tunes_data: Path) -> None:
    dataset = load(tunes_data, meter=Meter.SIX_EIGHT, style=Style.FOLK)
    assert dataset.held_out is not None
    chosen, vocabulary = ~dataset.held_out, Vocabulary.of(dataset.tokens)
    torch.manual_seed(0)
    model = EmoregVA(VAConfig(len(vocabulary), 8, 6, 10, 5, 3, 4)).eval()
    model.set_pitches(vocabulary.pitches)
    plane = Plane((0.3, 0.7), ())
    style = fit_style(dataset, chosen, model, vocabulary, plane, 0)
    assert (style.name, style.plane.scale) == ("folk 6/8", (0.3, 0.7))
    # One tune of eighteen bars: the two empty ones of its last window do not count.
    (tune,) = tunes_of(dataset, chosen)
    counts = style.forms[0].counts + style.forms[1].counts
    assert counts.sum() == 18
    states = Form.of(dataset.tokens[tune].ravel(), 12).states[:18]
    assert counts.sum((0, 1)).tolist() == np.bincount(states, minlength=25).tolist()
    last_note = dataset.tokens[tune[-1]][dataset.tokens[tune[-1]] < REST][-1]
    assert style.closing == (float(last_note % 12 == 0),) * 4


def test_closings_are_shares_of_tunes_by_emotion() -> None:
    closing, open_end = [67, HOLD, 60, HOLD, REST], [60, HOLD, 67, HOLD, REST]
    tokens = np.array([closing] * 6 + [open_end] * (FEW - 6) + [closing])
    labels = np.array([1] * FEW + [2])
    share = 7 / (FEW + 1)  # of all, for emotions with few tunes
    assert _closing(tokens, labels) == pytest.approx((share, 6 / FEW, share, share))
    assert _closing(tokens[:0], labels[:0]) == (1, 1, 1, 1)


def test_windows_of_a_tune_correlate_as_their_variances_say() -> None:
    """Of valence 0.36 of the variance is between tunes, of arousal none; emotions differ by more."""
    rng = np.random.default_rng(0)
    tunes = np.repeat(np.arange(800), 4)
    labels = tunes % 4
    between = rng.normal(0, 0.6, (800, 2)) * [1, 0]
    means = 5.0 * labels[:, None] + between[tunes] + rng.normal(0, 0.8, (3200, 2))
    valence, arousal = _intraclass_correlation(means, labels, tunes)
    assert valence == pytest.approx(0.36, abs=0.05)
    assert arousal == pytest.approx(0, abs=0.05)
    alone = np.arange(3200)
    assert _intraclass_correlation(means, labels, alone) == (1, 1)
