"""Weights of earlier versions in today's layout: what their decoders do not read has weights of zero."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.attributes import NAMES
from emomelody.emotions.plane import quadrants
from emomelody.emotions.plans import Plans
from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.weights.config import KIND_UNITS, LATENT, PITCH_CLASSES, PLACES, POSITION_UNITS, VAConfig
from emomelody.weights.container import Arrays

Floats32 = NDArray[np.float32]
DRAWN = 2000  # plans, from a distribution
_GONE = ("chroma", "heights")  # tensors that are computed from the pitches today
_NEW = (  # tensors that version 0.3 did not have
    *("styles.weight", "meters.weight", "elapsed.weight", "remaining.weight"),
    *("repeated.weight", "kinds.weight", "intervals.weight", "copy"),
)


def upgrade(description: dict[str, Any], tensors: Arrays) -> tuple[dict[str, Any], Arrays]:
    """The description and the tensors of a weights file as this version writes them.

    Version 0.4 of emoreg-va knew fewer attributes; until then it knew four bars in 4/4 of one style, without
    a form; version 0.2 had no attributes. Raises KeyError, TypeError or ValueError for what no version wrote.
    """
    if description["name"] != "emoreg-va" or "plans.0" in tensors:
        return {"styles": [], **description}, tensors
    if "styles" in description:
        return description, _with_attributes(description, tensors)
    fields = dict(description["config"])
    attributes, totals = fields.pop("attributes", 0), fields.pop("pitch_classes", 0)
    config = VAConfig(**fields, without_content=False)
    style = {
        "style": Style.CHORALE,
        "meter": Meter.FOUR_FOUR,
        "plane": description["plane"],
        "closing": (1, 1, 1, 1),
    }
    plans = {"plans.0": _draw_plans(description.get("attributes"))}
    known = {name: tensor for name, tensor in tensors.items() if name not in _GONE}
    known["pitches"] = np.array(description["vocabulary"], dtype=np.int64)
    before = LATENT + config.content
    known["condition.weight"] = _spread(
        known["condition.weight"], [before, 0, attributes], [before, 1, len(NAMES)]
    )
    form = config.repeated + KIND_UNITS + 1
    known["decoder.weight_ih_l0"] = _spread(
        known["decoder.weight_ih_l0"],
        [config.embedding, 0, POSITION_UNITS, config.condition, totals, 0],
        [config.embedding, config.embedding, POSITION_UNITS, config.condition, PITCH_CLASSES, form],
    )
    of_other_meters = PLACES - Meter.FOUR_FOUR.bar
    known["places.weight"] = np.pad(known["places.weight"], ((0, of_other_meters), (0, 0)))
    shapes = config.shapes()
    known |= {name: np.zeros(shapes[name], np.float32) for name in _NEW} | plans
    return {**description, "config": asdict(config), "styles": [style]}, known


def _with_attributes(description: dict[str, Any], tensors: Arrays) -> Arrays:
    """The tensors of version 0.4, with inputs for the attributes that it did not know, and with plans."""
    name = "condition.weight"
    missing = VAConfig(**description["config"]).shapes()[name][1] - tensors[name].shape[1]
    plans = [_draw_plans(style["attributes"]) for style in description["styles"]]
    return {
        **tensors,
        name: np.pad(tensors[name], ((0, 0), (0, max(missing, 0)))),
        **{f"plans.{number}": rows for number, rows in enumerate(plans)},
    }


def _draw_plans(distribution: dict[str, Any] | None) -> NDArray[np.int16]:
    """Plans of four bars all over the plane, with attributes as versions 0.3 and 0.4 drew them.

    The attributes were normal, their means linear in the point; each emotion had its own coefficients
    (3, D) and covariances (D, D). There was no form, or one that is not known any more.
    """
    if distribution is None:
        return np.zeros((0, 2 + BARS + 1), np.int16)
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (DRAWN, 2))
    with_constant = np.concatenate([points, np.ones((DRAWN, 1))], 1)
    coefficients, covariances = (np.array(distribution[name]) for name in ("coefficients", "covariances"))
    attributes = np.stack(
        [
            rng.multivariate_normal(inputs @ coefficients[emotion], covariances[emotion])
            for inputs, emotion in zip(with_constant, quadrants(points), strict=True)
        ]
    )
    every = np.ones(DRAWN, dtype=bool)
    return Plans.of(points, attributes, np.zeros((DRAWN, BARS), np.int64), every, every).rows


def _spread(matrix: Floats32, old: list[int], new: list[int]) -> Floats32:
    """The blocks of columns of a matrix, of ``old`` sizes, each filled up with zeros to its ``new`` size."""
    blocks = np.split(matrix, np.cumsum(old)[:-1], 1)
    wider = [np.pad(b, ((0, 0), (0, n - o))) for b, o, n in zip(blocks, old, new, strict=True)]
    return np.concatenate(wider, 1)
