"""Tunes are recognised in any key and at any speed, and splits keep them together."""

from __future__ import annotations

import numpy as np

from emomelody.data.tunes import FOLK_PASSAGE, PASSAGE, group_tunes, hold_out, number_tunes


def test_tunes_are_recognised_in_any_key_and_at_any_speed() -> None:
    rng = np.random.default_rng(0)
    one, other = (rng.integers(55, 75, 30).tolist() for _ in range(2))
    lines = [one, other, [p + 5 for p in one], one[:9], other[10:25], [60, 62], [65, 67], [60, 61]]
    assert group_tunes(lines) == [0, 1, 0, 0, 1, 2, 2, 3]


def test_later_lines_do_not_change_the_numbers_of_the_first() -> None:
    rng = np.random.default_rng(0)
    one, other, third = (rng.integers(55, 75, 30).tolist() for _ in range(3))
    both = one + other  # would make them one tune
    lines, first = [third, one, both, other, third[3:20]], [False, True, False, True, False]
    assert number_tunes(lines, first, PASSAGE) == [3, 1, 1, 2, 3]


def test_folk_tunes_share_longer_passages() -> None:
    rng = np.random.default_rng(0)
    turn, *rest = (rng.integers(55, 75, size).tolist() for size in (15, 30, 30))
    lines = [turn + line for line in rest]
    assert group_tunes(lines, PASSAGE) == [0, 0]
    assert group_tunes(lines, FOLK_PASSAGE) == [0, 1]


def test_no_tune_is_on_both_sides_of_the_split() -> None:
    labels, tunes = np.repeat(np.arange(4), 100), np.arange(400) // 4
    held_out = hold_out(labels, tunes, 0)
    assert not set(tunes[held_out]) & set(tunes[~held_out])
    assert [held_out[labels == label].sum() for label in range(4)] == [20] * 4
    assert (hold_out(labels, tunes, 0) == held_out).all()
    assert not (hold_out(labels, tunes, 1) == held_out).all()
    assert hold_out(labels, None, 0).sum() == 80
