"""Candidates that copy a training melody are not kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emomelody.music.draft import OPEN
from emomelody.music.fingerprints import fingerprints, passages
from emomelody.music.notes import Notes
from emomelody.music.tokens import HOLD, REST, Tokens
from emomelody.sampling.copies import Learned, cheapest

NOTHING = np.array([], dtype=np.int64)
TUNE = np.random.default_rng(0).integers(55, 80, (1, 40))  # 39 intervals


def passages_of(tokens: Tokens) -> NDArray[np.int64]:
    return np.unique(passages(Notes.of(tokens))[1])


def test_the_cheapest_candidate_that_is_no_copy_is_kept() -> None:
    count = 8  # candidates of each of two melodies
    tokens = np.full((2 * count, 4), 60)
    tokens[:, 1] = 60 + np.arange(2 * count)
    cost = np.full((2, count), 5.0)
    cost[0, 3], cost[0, 6], cost[1, 2] = 1.0, 2.0, 3.0
    assert cheapest(cost, tokens, Learned(NOTHING, 4)).tolist() == [3, count + 2]
    transposed = fingerprints(tokens[3:4] + 5)
    assert cheapest(cost, tokens, Learned(transposed, 4)).tolist() == [6, count + 2]
    copies_alone = Learned(np.sort(fingerprints(tokens)), 4)
    assert cheapest(cost, tokens, copies_alone).tolist() == [3, count + 2]


def test_a_passage_of_sixteen_intervals_is_a_copy_at_any_place_speed_and_height() -> None:
    learned = Learned(passages_of(TUNE), 64)
    seventeen = np.full((1, 40), REST)
    seventeen[0, 3:20] = TUNE[0, 10:27] - 4
    assert learned.copied(seventeen).tolist() == [True]
    slower = np.stack([seventeen, np.full((1, 40), HOLD)], 2).reshape(1, 80)
    assert learned.copied(slower).tolist() == [True]
    seventeen[0, 3] += 1  # leaves fifteen intervals
    assert learned.copied(seventeen).tolist() == [False]


def test_what_the_user_has_brought_along_is_no_copy() -> None:
    draft = np.append(TUNE, np.full((1, 40), OPEN), 1)
    repeated = np.append(TUNE, TUNE, 1)
    other = np.append(TUNE, np.random.default_rng(1).integers(55, 80, (1, 40)), 1)
    both = np.union1d(passages_of(TUNE), passages_of(other))
    assert Learned(both, 40).copied(repeated).tolist() == [True]
    assert Learned(both, 40, draft).copied(repeated).tolist() == [False]
    assert Learned(both, 40, draft).copied(other).tolist() == [True]
