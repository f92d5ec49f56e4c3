"""The form of tunes: found in hand-written ones, sampled from a Markov chain, spelled out in letters."""

from __future__ import annotations

import json

import numpy as np
import pytest

from emomelody.errors import EmomelodyError
from emomelody.music.form import LAGS, STATES, Form, FormDistribution, Repetition, section_length
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
    assert sampled.with_sections("ABAABBAB").lags.tolist() == [0, 0, 2, 1, 3, 1, 3, 2]
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


def test_sampled_forms_have_the_shares_of_the_real_ones() -> None:
    """After four bars, half of the tunes go back by four, and always twice; the others by one."""
    back = Form(np.array([0, 0, 0, 0, 4, 4]), np.array([0, 0, 0, 0, 3, 3]))
    near = Form(np.array([0, 0, 0, 0, 1, 0]), np.array([0, 0, 0, 0, 1, 0]))
    distribution = FormDistribution.fit([(back, True)] * 50 + [(near, True)] * 50)
    rng = np.random.default_rng(0)
    states = np.stack([distribution.sample(6, rng).states for _ in range(2000)])
    of_back, of_near = back.states[4], near.states[4]
    assert not states[:, :4].any()
    assert (states[:, 4] == of_back).mean() == pytest.approx(0.5, abs=0.04)
    assert set(states[:, 4].tolist()) == {of_back, of_near}
    after = states[states[:, 4] == of_back, 5]
    assert (after == of_back).mean() > 0.98  # but for the smoothing
    assert set(after.tolist()) <= {0, of_back}


def test_beyond_sixteen_bars_only_the_place_among_eight_counts() -> None:
    lags = np.where(np.arange(32) % 8 == 3, 2, 0)
    lags[3] = 0  # the first eight bars are different
    tune = Form(lags, np.where(lags > 0, EXACT, NONE))
    distribution = FormDistribution.fit([(tune, False)] * 4)
    sampled = distribution.sample(64, np.random.default_rng(0))
    assert np.flatnonzero(sampled.lags).tolist() == list(range(11, 64, 8))
    assert set(sampled.lags[11::8].tolist()) == {2}


def test_tunes_of_any_length_end_as_real_ones_do() -> None:
    """Their last bars have a distribution of their own, where the end of the tune is known."""
    lags = np.array([0] * 10 + [4, 8])
    tune = Form(lags, np.where(lags > 0, EXACT, NONE))
    for ends, expected in ((True, [4, 8]), (False, [0, 0])):
        distribution = FormDistribution.fit([(tune, ends)])
        for bars in (9, 30):
            sampled = distribution.sample(bars, np.random.default_rng(0)).lags
            assert sampled[-2:].tolist() == expected
            assert not sampled[:-4].any() or not ends
    # A tune of three bars has none to go back to.
    assert not FormDistribution.fit([(tune, True)]).sample(3, np.random.default_rng(0)).lags.any()


def test_the_last_bar_can_be_left_free_to_close() -> None:
    form = Form(np.array([0, 1, 2]), np.array([NONE, EXACT, EXACT])).with_free_end()
    assert form.kinds.tolist() == [NONE, EXACT, VARIED]
    assert Form.none(2).with_free_end().kinds.tolist() == [NONE, NONE]


def test_without_a_tune_nothing_is_repeated() -> None:
    assert not FormDistribution.fit([]).sample(20, np.random.default_rng(0)).lags.any()


def test_a_distribution_survives_json_and_damage_is_refused() -> None:
    rng = np.random.default_rng(0)
    lags = np.minimum(rng.choice([0, 1, 2, 4], 40), np.arange(40))
    lags[lags == 3] = 0
    distribution = FormDistribution.fit([(Form(lags, np.where(lags > 0, 3, 0)), True)] * 3)
    data = json.loads(json.dumps(distribution.to_json()))
    assert (FormDistribution.from_json(data).counts == distribution.counts).all()
    places, counts = data["places"], data["counts"]
    for damage in (
        {"places": places, "counts": counts[:-1]},
        {"places": [10**7], "counts": [1]},
        {"places": [-1], "counts": [1]},
        {"places": places, "counts": [0] * len(counts)},
        {"places": places, "counts": [float("nan")] * len(counts)},
        {"places": places},
    ):
        with pytest.raises((ValueError, IndexError, KeyError)):
            FormDistribution.from_json(damage)
