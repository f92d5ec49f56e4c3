"""Quadrants, placement, and the regions of emotions on the latent plane."""

from __future__ import annotations

import numpy as np
import pytest

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import Plane, placement, quadrants


def test_quadrants_agree_with_emotions_on_the_axes_too() -> None:
    latents = np.array([(v, a) for v in (-0.3, -0.0, 0, 2) for a in (-5, 0, 0.1)])
    assert quadrants(latents).tolist() == [Emotion.at(v, a).index for v, a in latents]


def test_placement_is_the_share_of_the_label_not_of_the_quadrant() -> None:
    """Three of four e1 in Q1 are 0.75, however many others lie there (the published code's figure)."""
    means = np.array([[1, 1], [2, 1], [1, 3], [-1, 1], [1, 1], [1, 2.0]])
    labels = np.array([0, 0, 0, 0, 2, 2])
    placed = placement(means, labels)
    assert placed[[0, 2]].tolist() == [0.75, 0]
    assert np.isnan(placed[[1, 3]]).all()


def plane() -> Plane:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), 50)
    centres = np.array([[e.valence, e.arousal] for e in Emotion])[labels]
    return Plane.fit(centres + rng.normal(0, 0.8, (200, 2)), np.full((200, 2), -4.0), labels, 0)


def test_samples_stay_inside_the_quadrant_and_the_plane() -> None:
    rng, fitted = np.random.default_rng(0), plane()
    for emotion in Emotion:
        samples = np.array([fitted.sample(emotion, rng) for _ in range(1000)])
        points = samples / fitted.scale
        assert (np.sign(samples) == [emotion.valence, emotion.arousal]).all()
        assert np.abs(points).max() <= 1


def test_an_emotion_never_seen_in_its_quadrant_gets_the_middle_of_it() -> None:
    means, labels = np.full((40, 2), 1.0), np.repeat(np.arange(4), 10)
    fitted = Plane.fit(means, np.full((40, 2), -9.0), labels, 0)
    assert fitted.regions[2].means.tolist() == [[-0.5, -0.5]]


def test_a_plane_survives_json() -> None:
    fitted = plane()
    restored = Plane.from_json(fitted.to_json())
    assert restored.scale == fitted.scale
    one, two = np.random.default_rng(3), np.random.default_rng(3)
    assert all((fitted.sample(e, one) == restored.sample(e, two)).all() for e in Emotion for _ in range(20))
    assert fitted.to_point(fitted.to_latent((0.5, -0.25))) == pytest.approx((0.5, -0.25))
