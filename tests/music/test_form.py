"""The form of tunes: found in hand-written ones, spelled out in letters, followed or not."""

from __future__ import annotations

import numpy as np
import pytest

from emomelody.errors import EmomelodyError
from emomelody.music.form import LAGS, STATES, Form, Repetition, section_length
from emomelody.music.tokens import HOLD, REST

NONE, RHYTHM, VARIED, EXACT = map(int, Repetition)
BARS = {  # of four steps
    "a": [60, HOLD, 62, 64],
    "b": [65, 64, HOLD, 62],
    "c": [67, HOLD, HOLD, HOLD],
    "d": [71, 69, 67, 65],
    "A": [60, HOLD, 62, 67],  # two of three notes of a
    "r": [70, HOLD, 66, 68],  # the rhythm of a
    "-": [REST, REST, REST, REST],
}


def form_of(bars: str) -> tuple[list[int], list[int]]:
    form = Form.of(np.array([token for bar in bars for token in BARS[bar]]), 4)
    return form.lags.tolist(), form.kinds.tolist()


@pytest.mark.parametrize(
    ("bars", "lags", "kinds"),
    [
        # AABA of two bars each; the second A comes back after four bars as well as after six.
        ("abab" + "cd" + "ab", [0, 0, 2, 2, 0, 0, 4, 4], [0, 0, EXACT, EXACT, 0, 0, EXACT, EXACT]),
        ("aA", [0, 1], [NONE, VARIED]),
        ("ar", [0, 1], [NONE, RHYTHM]),
        # An exact repetition counts more than a nearer varied one, and a varied one more than a rhythm.
        ("aAa", [0, 1, 2], [NONE, VARIED, EXACT]),
        ("arA", [0, 1, 2], [NONE, RHYTHM, VARIED]),
        # One note is no rhythm, silence repeats nothing, and five bars are no lag.
        ("ca", [0, 0], [NONE, NONE]),
        ("--", [0, 0], [NONE, NONE]),
        ("abcd-a", [0] * 6, [NONE] * 6),
        # Of equally exact ones the preferred lag: eight before four, four before two.
        ("aaaaa" + "aaaa", [0, 1, 2, 2, 4, 4, 4, 4, 8], [NONE] + [EXACT] * 8),
    ],
)
def test_the_form_of_tunes_by_hand(bars: str, lags: list[int], kinds: list[int]) -> None:
    assert form_of(bars) == (lags, kinds)


def test_one_note_in_common_rhythm_is_no_repetition() -> None:
    """Whole notes of different pitches; and one at the same pitch is exact."""
    other = [*BARS["c"][1:], 0]
    tokens = np.array([*BARS["c"], 65, *other[:3], *BARS["c"]])
    form = Form.of(tokens, 4)
    assert (form.lags.tolist(), form.kinds.tolist()) == ([0, 0, 2], [NONE, NONE, EXACT])


def test_states_and_forms_are_each_others_inverse() -> None:
    states = np.arange(STATES)
    form = Form.from_states(states)
    assert (form.states == states).all()
    assert {*zip(form.lags.tolist(), form.kinds.tolist(), strict=True)} == {
        (0, NONE),
        *((lag, kind) for lag in LAGS for kind in (RHYTHM, VARIED, EXACT)),
    }


def test_forms_are_stacked_chosen_extended_and_reduced() -> None:
    one, other = Form(np.array([0, 1, 2]), np.array([0, 1, 2])), Form(np.array([0, 0, 1, 4]), np.arange(4))
    assert one.extended(other).lags.tolist() == [0, 1, 2, 4]
    assert one.extended(other).kinds.tolist() == [0, 1, 2, 3]
    assert other.extended(one).lags.tolist() == [0, 0, 1]
    both = Form.stack([one, other[:3]])
    assert both[np.array([1, 1])].lags.tolist() == [[0, 0, 1]] * 2
    less = one.without(np.array([False, True, False]))
    assert (less.lags.tolist(), less.kinds.tolist()) == ([0, 0, 2], [0, 0, 2])
    assert Form.none(2).states.tolist() == [0, 0]


def test_sections_by_letters() -> None:
    sampled = Form(np.array([0, 1, 2, 4, 1, 1, 4, 2]), np.array([0, 1, 2, 3, 1, 1, 3, 2]))
    form = sampled.with_sections("AABA")
    assert form.lags.tolist() == [0, 1, 2, 2, 0, 1, 4, 4]
    assert form.kinds.tolist() == [NONE, RHYTHM, EXACT, VARIED, NONE, RHYTHM, EXACT, VARIED]
    # C keeps the repetition within itself, and A is the latest A.
    assert sampled.with_sections("AC").lags.tolist() == [0, 1, 2, 0, 0, 1, 0, 2]
    short = sampled.with_sections("ABAABBAB")
    assert short.lags.tolist() == [0, 0, 2, 1, 3, 1, 3, 2]
    assert short.kinds[2:].tolist() == [EXACT] * 6  # a section of one bar has no ending to vary
    assert sampled.lags.tolist() == [0, 1, 2, 4, 1, 1, 4, 2]  # as it was


@pytest.mark.parametrize(
    ("letters", "reason"),
    [
        ("aaba", "must be capital letters"),
        ("", "must be capital letters"),
        ("A" * 65, "must be capital letters"),
        ("ABA", "8 bars cannot be divided into 3 sections"),
        ("A" * 16, "8 bars cannot be divided into 16 sections"),
    ],
)
def test_letters_that_do_not_fit(letters: str, reason: str) -> None:
    with pytest.raises(EmomelodyError, match=reason):
        section_length(letters, 8)


def test_bars_that_do_not_follow_their_form_are_counted() -> None:
    """Bars of four quarter notes; the third and the fourth are to vary and to repeat the first ones."""
    first, second = [60, 62, 64, 65], [67, 65, 64, 62]
    planned = Form(np.array([[0, 0, 2, 2]]), np.array([[NONE, NONE, VARIED, EXACT]]))
    varied = [60, 62, 64, 67]
    for third, fourth, count in (
        (varied, second, 0),
        (first, second, 1),  # exact instead of varied
        (varied, first, 1),  # another bar than planned, in the rhythm of the right one
        ([72, 71, 74, 76], first, 2),
    ):
        tokens = np.array([[*first, *second, *third, *fourth]])
        assert planned.departures(tokens, 4, 2).tolist() == [count]
        assert planned.departures(tokens, 4, 0).tolist() == [count]
    free = Form.stack([Form.none(4)] * 2)
    tokens = np.array([[*first, *second, *varied, *second], [*first, *second, *varied, 72, 71, 74, 76]])
    assert free.departures(tokens, 4, 0).tolist() == [1, 0]  # equal to an earlier bar without a plan
