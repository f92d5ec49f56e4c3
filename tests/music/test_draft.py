"""Which steps of a draft are given, and which bars a text names."""

from __future__ import annotations

import numpy as np
import pytest

from emomelody.errors import EmomelodyError
from emomelody.music.draft import NO_HOLD, OPEN, Draft, parse_bars
from emomelody.music.melody import Melody, Note
from emomelody.music.tokens import HOLD, REST, to_tokens

# Six bars of 4/4: the second note lasts into the third bar, the third one from there into the fifth.
MELODY = Melody((Note(0, 16, 60), Note(16, 20, 62), Note(40, 30, 64), Note(80, 4, 65)), 96)


def test_kept_bars_are_given_and_open_ones_are_not() -> None:
    tokens = Draft(MELODY, (True, True, False, False, True, True)).tokens()
    assert (tokens[:32] == to_tokens(MELODY)[:32]).all()
    assert tokens[32:36].tolist() == [HOLD] * 4  # the last note of a kept bar keeps its duration
    assert tokens[36] == NO_HOLD  # and is not lengthened
    assert (tokens[37:64] == OPEN).all()
    assert tokens[64:70].tolist() == [64] + [HOLD] * 5  # a note from an open bar begins anew
    assert (tokens[70:80] == REST).all()
    assert tokens[80] == 65


def test_a_note_that_sounds_through_open_bars_to_the_end() -> None:
    one = Melody((Note(0, 64, 60),), 64)
    tokens = Draft(one, (True, False, True, False)).tokens()
    assert tokens[:32].tolist() == [60] + [HOLD] * 31
    assert tokens[32:].tolist() == [60] + [HOLD] * 31


def test_a_melody_goes_on_after_its_end() -> None:
    draft = Draft.continued(MELODY, 3)
    assert draft.kept == (True,) * 6 + (False,) * 3
    assert draft.open_blocks.tolist() == [False, True, True]
    tokens = draft.tokens()
    assert (tokens[:96] == to_tokens(MELODY)).all()
    assert tokens[96] == NO_HOLD
    assert (tokens[97:] == OPEN).all()
    assert len(tokens) == 9 * 16


def test_bars_are_kept_by_their_numbers() -> None:
    assert Draft.keeping(MELODY, "1-2, 5").kept == (True, True, False, False, True, False)
    assert Draft.keeping(MELODY, "6", 8).kept == (False,) * 5 + (True, False, False)
    assert Draft.keeping(MELODY, "1-4", 4 + 1).bars == 5
    with pytest.raises(EmomelodyError, match="bars 1-6 are all bars"):
        Draft.keeping(MELODY, "1-6")


@pytest.mark.parametrize("text", ["0", "7", "3-2", "1-7", "", "a", "1,,2", "1-2-3", "-1"])
def test_bars_that_a_melody_does_not_have(text: str) -> None:
    with pytest.raises(EmomelodyError, match="are not from 1 to 6: write e"):
        parse_bars(text, 6)


def test_a_draft_has_bars_of_both_kinds() -> None:
    for kept in ((True,) * 6, (False,) * 6, (True, False)):
        with pytest.raises(ValueError, match="bars"):
            Draft(MELODY, kept)


def test_random_drafts_keep_what_sounds_in_their_kept_bars() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        edges = np.unique(rng.integers(0, 96, 12))
        pitches = rng.integers(60, 72, len(edges) - 1).tolist()
        notes = tuple(
            Note(int(a), int(b - a), pitch)
            for a, b, pitch in zip(edges[:-1], edges[1:], pitches, strict=True)
        )
        kept = rng.random(6) < 0.5
        if kept.all() or not kept.any():
            continue
        tokens, sounding = (
            Draft(Melody(notes, 96), tuple(kept.tolist())).tokens(),
            to_tokens(Melody(notes, 96)),
        )
        given = np.repeat(kept, 16)
        same = tokens == sounding
        begun_anew = given & (sounding == HOLD) & (np.arange(96) % 16 == 0)
        assert (same | begun_anew)[given].all()
        assert np.isin(tokens[~given], (OPEN, NO_HOLD, HOLD)).all()
