"""Weights of earlier versions in today's layout: what their decoders do not read has weights of zero."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.attributes import NAMES
from emomelody.music.form import FormDistribution
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.weights.config import KIND_UNITS, LATENT, PITCH_CLASSES, PLACES, POSITION_UNITS, VAConfig
from emomelody.weights.container import Arrays

Floats32 = NDArray[np.float32]
_GONE = ("chroma", "heights")  # tensors that are computed from the pitches today
_NEW = (  # tensors that version 0.3 did not have
    *("styles.weight", "meters.weight", "elapsed.weight", "remaining.weight"),
    *("repeated.weight", "kinds.weight", "intervals.weight", "copy"),
)


def upgrade(description: dict[str, Any], tensors: Arrays) -> tuple[dict[str, Any], Arrays]:
    """The description and the tensors of a weights file as version 0.4 writes them.

    Until then emoreg-va knew four bars in 4/4 of one style, without a form; version 0.2 had no attributes.
    Raises KeyError, TypeError or ValueError for what no version wrote.
    """
    if "styles" in description:
        return description, tensors
    if description["name"] != "emoreg-va":
        return {**description, "styles": []}, tensors
    fields = dict(description["config"])
    attributes, totals = fields.pop("attributes", 0), fields.pop("pitch_classes", 0)
    config = VAConfig(**fields, without_content=False)
    style = {
        "style": Style.CHORALE,
        "meter": Meter.FOUR_FOUR,
        "plane": description["plane"],
        "attributes": description.get("attributes"),
        "forms": [FormDistribution.fit([]).to_json()] * 2,
        "correlation": (1, 1),
        "closing": (1, 1, 1, 1),
    }
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
    known |= {name: np.zeros(shapes[name], np.float32) for name in _NEW}
    return {**description, "config": asdict(config), "styles": [style]}, known


def _spread(matrix: Floats32, old: list[int], new: list[int]) -> Floats32:
    """The blocks of columns of a matrix, of ``old`` sizes, each filled up with zeros to its ``new`` size."""
    blocks = np.split(matrix, np.cumsum(old)[:-1], 1)
    wider = [np.pad(b, ((0, 0), (0, n - o))) for b, o, n in zip(blocks, old, new, strict=True)]
    return np.concatenate(wider, 1)
