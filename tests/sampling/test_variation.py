"""Variations: which bars stay as they were, which are varied, and which repeat another one."""

from __future__ import annotations

import numpy as np
import pytest

from emomelody.music.draft import OPEN
from emomelody.music.form import Form, Repetition
from emomelody.music.melody import Melody, Note
from emomelody.music.tokens import to_tokens
from emomelody.sampling.own import OwnTune
from emomelody.sampling.variation import ALL_VARIED, vary

# Six bars of four quarters, of which the fifth is the first again, and the last is silent.
PITCHES = ((60, 62, 64, 65), (67, 65, 64, 62), (60, 64, 67, 72), (71, 69, 67, 65), (60, 62, 64, 65))
NOTES = tuple(
    Note(16 * bar + 4 * n, 4, pitch) for bar, row in enumerate(PITCHES) for n, pitch in enumerate(row)
)
MELODY = Melody(NOTES, 96)
OWN = OwnTune(np.zeros((2, 5)), np.arange(6.0).reshape(2, 3), Form.of(to_tokens(MELODY), 16))
POINTS = np.full((2, 2), 0.5)
FIRST = 8  # bars before the variation: the original in whole blocks


def varied(spread: float, seed: int, bars: int = 6) -> tuple[Form, np.ndarray]:
    plan, kept = vary(MELODY, OWN, POINTS, bars, spread, np.random.default_rng(seed))
    assert (plan.points[:2] == 0).all() and (plan.points[2:] == 0.5).all()
    assert (plan.attributes == np.tile(OWN.attributes, (2, 1))).all()
    assert (kept[:96] == to_tokens(MELODY)).all()
    return plan.form[slice(FIRST, None)], kept[FIRST * 16 :].reshape(bars, 16)


def test_without_spread_every_bar_is_given() -> None:
    form, kept = varied(0, 0)
    again = (form.kinds == Repetition.EXACT) & (form.lags == 4)
    assert np.flatnonzero(again).tolist() == [4]  # with the first bar, which is given
    assert (kept[~again].ravel() == to_tokens(MELODY).reshape(6, 16)[~again].ravel()).all()


@pytest.mark.parametrize("seed", range(20))
def test_with_a_small_spread_at_least_one_bar_is_varied(seed: int) -> None:
    form, kept = varied(0.01, seed)
    is_varied = np.isin(form.kinds, (Repetition.VARIED, Repetition.RHYTHM))
    assert 1 <= is_varied.sum() < 4
    assert (form.lags[is_varied] == FIRST).all()
    assert (kept[is_varied] == OPEN).all()


def test_with_a_larger_spread_no_bar_stays_and_in_the_end_the_rhythm_alone() -> None:
    form, kept = varied(ALL_VARIED, 0)
    assert (kept == OPEN).all()
    assert form.kinds[4:].tolist() == [Repetition.EXACT, Repetition.NONE]  # the first bar again; a rest
    form, _ = varied(1, 0)
    assert form.kinds[:4].tolist() == [Repetition.RHYTHM] * 4


def test_a_longer_variation_begins_again() -> None:
    form, kept = varied(0, 0, bars=8 + 2)
    assert (kept[8:] == to_tokens(MELODY).reshape(6, 16)[:2]).all()
    assert form.lags[8:].tolist() == [FIRST] * 2
