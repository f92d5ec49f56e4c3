"""Which candidate of a block is kept."""

from __future__ import annotations

import numpy as np

from emomelody.music.emotion import Emotion
from emomelody.music.tokens import HOLD, REST, fingerprints
from emomelody.sampling.candidates import _cheapest, has_closing_note
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample
from emomelody.weights.checkpoint import bundled_weights, load_checkpoint


def test_closing_notes_by_hand() -> None:
    def ending(*last: int) -> list[int]:
        return [60, HOLD] * 8 + [62] * (16 - len(last)) + list(last)

    held = [HOLD] * 7
    rows = [
        ending(60, *held),  # a half note on the third beat, tonic
        ending(67, *held),  # dominant
        ending(62, *held),  # neither
        ending(60, *held[:-1], REST),  # not held to the end
        ending(60, *[HOLD] * 3),  # short, on the fourth beat
        ending(60, *[HOLD] * 9),  # long, off the beat
        [REST] * 32,
    ]
    assert has_closing_note(np.array(rows)).tolist() == [True, True, False, False, False, False, False]


def test_the_cheapest_candidate_that_is_no_copy_is_kept() -> None:
    count = 8  # candidates of each of two melodies
    tokens = np.full((2 * count, 4), 60)
    tokens[:, 1] = 60 + np.arange(2 * count)
    cost = np.full((2, count), 5.0)
    cost[0, 3], cost[0, 6], cost[1, 2] = 1.0, 2.0, 3.0
    nothing = np.array([], dtype=np.int64)
    assert _cheapest(cost, tokens, nothing).tolist() == [3, count + 2]
    transposed = fingerprints(tokens[3:4] + 5)
    assert _cheapest(cost, tokens, transposed).tolist() == [6, count + 2]
    assert _cheapest(cost, tokens, fingerprints(tokens)).tolist() == [3, count + 2]  # copies alone


def test_no_melody_copies_a_training_melody() -> None:
    checkpoint = load_checkpoint(bundled_weights()["emoreg-va"])
    learned = checkpoint.tensors["learned"]
    assert len(learned) > 1000
    tokens = np.stack([s.tokens for s in sample(checkpoint, Request(48, Emotion.E4, seed=1))])
    assert not np.isin(fingerprints(tokens), learned).any()
