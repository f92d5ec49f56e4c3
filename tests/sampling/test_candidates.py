"""Which candidate of a block is kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import CONFIG, tiny_checkpoint

from emomelody.emotions.attributes import NAMES, measure
from emomelody.emotions.emotion import Emotion
from emomelody.models.build import to_model
from emomelody.music.fingerprints import fingerprints
from emomelody.music.tokens import HOLD
from emomelody.music.tonality import MINOR, find_keys
from emomelody.sampling import candidates
from emomelody.sampling.candidates import (
    ATTRIBUTES,
    CONTENT,
    COST,
    POINT,
    WRONG_QUADRANT,
    CandidateSampler,
    _clearer,
)
from emomelody.sampling.encoder import Encoder
from emomelody.sampling.request import DecodingConfig, Request
from emomelody.sampling.sampler import sample
from emomelody.sampling.targets import plan_along
from emomelody.weights.checkpoint import Checkpoint, bundled_weights, load_checkpoint


def sampler(checkpoint: Checkpoint, number: int = 0) -> CandidateSampler:
    return CandidateSampler(checkpoint, DecodingConfig(), checkpoint.styles[number])


def test_attributes_cost_their_squared_distance() -> None:
    tokens = np.array(
        [[60, HOLD, HOLD, HOLD, 64, HOLD, HOLD, HOLD, 67, HOLD, 62, HOLD, 60, HOLD, HOLD, HOLD] * 4]
    )
    major, of = np.array([[0.5, 0.5]]), sampler(tiny_checkpoint())
    own = measure(tokens, np.array([False]))  # (1, D)
    assert of._attribute_cost(tokens, major, own, True) == pytest.approx([0])
    for number, (name, (_, cost)) in enumerate(ATTRIBUTES.items()):
        assert NAMES[number] == name
        for change in (-1, 1):
            target = own.copy()
            target[0, number] += change
            assert of._attribute_cost(tokens, major, target, True) == pytest.approx([cost]), name
            # Where the content is given, the outline is its own matter.
            without_outline = 0 if name in ("register", "rise") else cost
            assert of._attribute_cost(tokens, major, target, False) == pytest.approx([without_outline]), name
    some = own[:, :7] + 1  # of weights that know no more
    assert of._attribute_cost(tokens, major, some, True) == pytest.approx([COST[:7].sum()])


def test_attributes_are_clearer_the_further_from_the_axis() -> None:
    attributes = np.zeros((3, len(NAMES)))
    clearer = _clearer(attributes, np.array([[0.0, 1.0], [-0.25, -1.0], [1.0, 0.0]]), 0.5)
    for number, (above, _) in enumerate(ATTRIBUTES.values()):
        assert clearer[:, number] == pytest.approx([0, above / 4, above / 2])
    assert _clearer(attributes[:, :0], np.ones((3, 2)), 1.0).shape == (3, 0)


def test_points_and_contents_cost_their_squared_distance() -> None:
    checkpoint, rng = tiny_checkpoint(), np.random.default_rng(0)
    style = checkpoint.styles[1]
    classes = rng.integers(0, 8, (30, 48))
    target, content = rng.uniform(-1, 1, (30, 2)), rng.normal(size=(30, 3))
    with torch.inference_mode():
        latents = to_model(checkpoint).encode(torch.from_numpy(classes), style.meter)[0].double().numpy()
    point = (((latents[:, :2] - target) / [1.5, 0.5]) ** 2).sum(1)
    wrong = np.array([Emotion.at(*a) != Emotion.at(*b) for a, b in zip(latents[:, :2], target, strict=True)])
    assert 0 < wrong.sum() < 30
    expected = POINT * point + WRONG_QUADRANT * wrong
    of = sampler(checkpoint, 1)
    assert of._cost(classes, target, None) == pytest.approx(expected, rel=1e-4)
    expected += CONTENT * ((latents[:, 2:] - content) ** 2).sum(1)
    assert of._cost(classes, target, content) == pytest.approx(expected, rel=1e-4)


def test_the_best_of_several_candidates_is_nearer_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks of four bars and a rest of two, in each style and meter; by the point alone."""
    monkeypatch.setattr(candidates, "COST", 0 * candidates.COST)
    monkeypatch.setattr(candidates, "NO_MODE", 0.0)
    monkeypatch.setattr(candidates, "NO_FORM", 0.0)
    checkpoint = tiny_checkpoint()
    for number, style in enumerate(checkpoint.styles):
        bars, encoder = 6, Encoder(CONFIG, checkpoint.tensors, style.meter)
        targets = np.tile([[[0.2, -0.1]]], (16, bars * style.meter.bar, 1))
        distances = []
        for count in (1, 24):
            monkeypatch.setattr(candidates, "CANDIDATES", count)
            monkeypatch.setattr(candidates, "OF_FOUR_BARS", count)
            rngs = [np.random.default_rng(row) for row in range(16)]
            plans = [plan_along(style, row, rng) for row, rng in zip(targets, rngs, strict=True)]
            tokens = sampler(checkpoint, number).sample(plans, None, rngs)
            assert tokens.shape == (16, bars * style.meter.bar)
            classes, _ = checkpoint.vocabulary.encode(tokens[:, : 4 * style.meter.bar])
            latents = encoder.encode_emotion(classes)
            distances.append(np.square((latents - [0.2, -0.1]) / [1.5, 0.5]).sum(1).mean())
        assert distances[1] < distances[0]


@pytest.mark.parametrize("emotion", Emotion)
def test_melodies_establish_their_mode_and_tonic(emotion: Emotion) -> None:
    """By a key finder with other profiles than those that the candidates are chosen by."""
    checkpoint = load_checkpoint(bundled_weights()["emoreg-va"])
    for bars, modes, tonics in ((4, 0.85, 0.7), (8, 0.85, 0.5)):
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
