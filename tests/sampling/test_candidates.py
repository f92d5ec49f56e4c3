"""Which candidate of a block is kept."""

from __future__ import annotations

import numpy as np
import pytest

from emomelody.music.attributes import NAMES, measure
from emomelody.music.emotion import Emotion
from emomelody.music.tokens import HOLD, fingerprints
from emomelody.music.tonality import MINOR, find_keys
from emomelody.sampling.candidates import ATTRIBUTES, _attribute_cost, _cheapest
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample
from emomelody.weights.checkpoint import bundled_weights, load_checkpoint


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


def test_attributes_cost_their_squared_distance_and_clarity_has_no_upper_limit() -> None:
    tokens = np.array(
        [[60, HOLD, HOLD, HOLD, 64, HOLD, HOLD, HOLD, 67, HOLD, 62, HOLD, 60, HOLD, HOLD, HOLD] * 4]
    )
    major = np.array([[0.5, 0.5]])
    own = measure(tokens, np.array([False]))  # (1, D)
    assert _attribute_cost(tokens, major, own) == pytest.approx([0])
    for number, (name, (_, cost)) in enumerate(ATTRIBUTES.items()):
        assert NAMES[number] == name
        for change in (-1, 1):
            target = own.copy()
            target[0, number] += change  # with −1 the melody has more than is asked for
            expected = 0 if change < 0 and name in ("mode", "tonic") else cost
            assert _attribute_cost(tokens, major, target) == pytest.approx([expected]), name


@pytest.mark.parametrize("emotion", Emotion)
def test_melodies_establish_their_mode_and_tonic(emotion: Emotion) -> None:
    """By a key finder with other profiles than those that the candidates are chosen by."""
    checkpoint = load_checkpoint(bundled_weights()["emoreg-va"])
    for bars, modes, tonics in ((4, 0.85, 0.7), (8, 0.95, 0.85)):
        sampled = sample(checkpoint, Request(64, emotion, bars=bars, seed=2))
        keys = find_keys(np.stack([s.tokens for s in sampled]))
        assert ((keys >= MINOR) == (emotion.mode == "minor")).mean() > modes
        assert (keys % MINOR == 0).mean() > tonics


def test_no_melody_copies_a_training_melody() -> None:
    checkpoint = load_checkpoint(bundled_weights()["emoreg-va"])
    learned = checkpoint.tensors["learned"]
    assert len(learned) > 1000
    tokens = np.stack([s.tokens for s in sample(checkpoint, Request(48, Emotion.E4, seed=1))])
    assert not np.isin(fingerprints(tokens), learned).any()
