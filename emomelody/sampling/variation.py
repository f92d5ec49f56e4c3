"""Variations: a melody once more, in which bars are as they were, varied, or keep their rhythm alone.

The decoder knows varied repetitions from the tunes that it learned. So the original is given to it as the
first part of a longer tune, whose second part repeats it bar by bar.

K blocks of four bars, M bars of the variation, P bars of the original with rests to whole blocks, S steps of
a bar.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.plans import Plan
from emomelody.music.draft import OPEN
from emomelody.music.form import Form, Repetition
from emomelody.music.melody import BARS, Melody
from emomelody.music.tokens import REST, Floats, Tokens, to_tokens
from emomelody.sampling.own import OwnTune

ALL_VARIED = 0.2  # the spread from which on no bar stays as it was


def vary(
    melody: Melody, own: OwnTune, points: Floats, bars: int, spread: float, rng: np.random.Generator
) -> tuple[Plan, Tokens]:
    """The plan of an original and its variation of ``bars`` bars, and the tokens (T,) that are given in both.

    ``points`` (K, 2) are those of the variation's blocks. Bars that repeat an earlier one of the original do
    so in the variation. Of the others, a share that grows with the ``spread`` is varied, and a share of these
    as large as the spread keeps the rhythm alone.
    """
    size, blocks = melody.meter.bar, len(own.latents)
    tokens = to_tokens(melody.beginning(BARS * blocks))  # (P S,)
    original = tokens.reshape(-1, size)[np.arange(bars) % (BARS * blocks)]  # (M, S)
    form = _once_more(own.form, original, BARS * blocks, spread, rng)
    as_it_was = (form.kinds == Repetition.EXACT) & (form.lags == BARS * blocks)  # (M,)
    kept = np.where(as_it_was[:, None], original, OPEN).ravel()
    number = np.append(np.arange(blocks), np.arange(len(points)) % blocks)
    before = own.form.extended(Form.none(BARS * blocks))
    both = Form(np.append(before.lags, form.lags), np.append(before.kinds, form.kinds))
    plan = Plan(np.concatenate([own.plan.points, points]), own.attributes[number], both)
    return plan, np.append(tokens, kept)


def _once_more(form: Form, original: Tokens, bars: int, spread: float, rng: np.random.Generator) -> Form:
    """The form of a variation (M,) of an original (M, S), which is ``bars`` bars before it.

    ``form`` is that of the original. Bars without an onset repeat none.
    """
    count, sounds = len(original), (original < REST).any(1)  # (M,)
    varied = rng.random(count) < spread / ALL_VARIED
    own = form.extended(Form.none(count))
    again = (own.kinds == Repetition.EXACT) & (own.lags <= np.arange(count))  # with the bar that it repeats
    if spread > 0 and not varied[sounds & ~again].any():
        varied[_one_of(sounds & ~again, rng)] = True
    of_varied = np.where(rng.random(count) < spread, Repetition.RHYTHM, Repetition.VARIED)
    kinds = np.where(again, own.kinds, np.where(varied, of_varied, Repetition.EXACT))
    lags = np.where(again, own.lags, bars)
    return Form(np.where(sounds | ~varied, lags, 0), np.where(sounds | ~varied, kinds, Repetition.NONE))


def _one_of(chosen: NDArray[np.bool_], rng: np.random.Generator) -> Tokens:
    """The number of one of the chosen bars, (1,); none of none."""
    numbers = np.flatnonzero(chosen)
    return rng.choice(numbers, 1) if len(numbers) else numbers
