"""What sampling starts from, of the training melodies of a style and meter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import tiny_checkpoint

from emomelody.data.dataset import load, tunes_of
from emomelody.emotions.attributes import measure
from emomelody.emotions.plane import Plane, quadrants
from emomelody.emotions.plans import Plans
from emomelody.models.emoreg_va import EmoregVA
from emomelody.models.inference import encode_all
from emomelody.music.form import Form
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import HOLD, REST, Vocabulary
from emomelody.training.styles import FEW, _closing, complete, fit_style
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
    # One tune of eighteen bars: its last window, with two empty bars, has no plan.
    (tune,) = tunes_of(dataset, chosen)
    assert (len(tune), len(style.plans)) == (5, 4)
    states = Form.of(dataset.tokens[tune].ravel(), 12).states
    assert style.plans.rows[:, -5:-1].ravel().tolist() == states[:16].tolist()
    assert style.plans.rows[:, -1].tolist() == [1, 0, 0, 0]
    windows = dataset.tokens[tune[:4]]
    latents, _ = encode_all(model, torch.from_numpy(vocabulary.encode(windows)[0]), Meter.SIX_EIGHT)
    np.testing.assert_allclose(style.plans.points, (latents / [0.3, 0.7]).clip(-3, 3), atol=1e-4)
    minor = np.isin(dataset.labels[tune[:4]], (1, 2))
    expected = measure(windows, minor, Meter.SIX_EIGHT)
    np.testing.assert_allclose(style.plans.attributes, expected, atol=1e-4)
    last_note = dataset.tokens[tune[-1]][dataset.tokens[tune[-1]] < REST][-1]
    assert style.closing == (float(last_note % 12 == 0),) * 4


def test_closings_are_shares_of_tunes_by_emotion() -> None:
    closing, open_end = [67, HOLD, 60, HOLD, REST], [60, HOLD, 67, HOLD, REST]
    tokens = np.array([closing] * 6 + [open_end] * (FEW - 6) + [closing])
    labels = np.array([1] * FEW + [2])
    share = 7 / (FEW + 1)  # of all, for emotions with few tunes
    assert _closing(tokens, labels) == pytest.approx((share, 6 / FEW, share, share))
    assert _closing(tokens[:0], labels[:0]) == (1, 1, 1, 1)


def test_an_emotion_with_few_windows_has_the_plans_and_the_region_of_another_style() -> None:
    folk, _, other = tiny_checkpoint(0).styles
    happy = folk.plans.points[:, 0] * folk.plans.points[:, 1] > 0  # or sad
    regions = tuple(replace(region, means=-region.means) for region in other.plane.regions)
    style = replace(folk, plans=Plans(folk.plans.rows[happy]), plane=replace(folk.plane, regions=regions))
    completed = complete(style, other)
    assert [region is own for region, own in zip(completed.plane.regions, regions, strict=True)] == [
        True,
        False,
        True,
        False,
    ]
    assert (completed.plans.rows[:40] == style.plans.rows).all()
    assert np.bincount(quadrants(completed.plans.points)).tolist() == [20] * 4
    assert completed.closing == style.closing
