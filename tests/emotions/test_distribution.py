"""What sampling in a style and meter starts from, in JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tiny import CLOSING, tiny_checkpoint

from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.plane import quadrants
from emomelody.emotions.plans import Plans


def test_it_survives_json() -> None:
    for style in tiny_checkpoint().styles:
        again = StyleDistribution.from_json(json.loads(json.dumps(style.to_json())), style.plans)
        assert json.dumps(again.to_json()) == json.dumps(style.to_json())
        assert (again.style, again.meter, again.plane.scale) == (style.style, style.meter, (1.5, 0.5))
        assert (again.plans, again.closing) == (style.plans, CLOSING)
    assert style.name == "folk 6/8"


def test_damage_is_refused() -> None:
    style = tiny_checkpoint().styles[0]
    for damage in (
        {"style": "punk"},
        {"meter": "5/4"},
        {"plane": {}},
        {"closing": [1.0, 0.5]},
        {"closing": [float("nan")] * 4},
    ):
        with pytest.raises((ValueError, IndexError, KeyError, TypeError)):
            StyleDistribution.from_json(style.to_json() | damage, style.plans)


def test_plans_have_latents_of_the_planes_scale() -> None:
    style, rng = tiny_checkpoint().styles[0], np.random.default_rng(0)
    plan = style.draw_plan(np.array([-0.9, 0.2]), 4, rng)
    assert set(quadrants(plan.points).tolist()) == {1}
    assert np.abs(plan.points[:, 0]).max() > 0.5  # the scale of valence is 1.5, that of arousal 0.5
    latents = np.array([[-0.9, 0.2], [0.9, 0.2]])
    assert (style.plan_along(latents, rng).points == latents).all()


def test_without_plans_there_is_neither_an_attribute_nor_a_form() -> None:
    nothing = Plans.from_array(np.zeros((0, 7), np.int16))
    style, rng = replace(tiny_checkpoint().styles[0], plans=nothing), np.random.default_rng(0)
    latent = np.array([0.5, -0.1])
    for plan in (style.draw_plan(latent, 2, rng), style.plan_along(np.tile(latent, (2, 1)), rng)):
        assert plan.points.tolist() == [[0.5, -0.1]] * 2
        assert plan.attributes.shape == (2, 0)
        assert plan.form.lags.tolist() == [0] * 8
