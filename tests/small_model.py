"""A small emoreg-va of random weights, which knows every style and meter of the bundled one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from emomelody.emotions.attributes import NAMES
from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.plane import Plane, quadrants
from emomelody.emotions.plans import Plans
from emomelody.music.form import Repetition
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import Vocabulary
from emomelody.weights.checkpoint import VA, Checkpoint, save_checkpoint
from emomelody.weights.config import VAConfig
from emomelody.weights.container import Arrays

VOCABULARY = Vocabulary(tuple(range(55, 80)))
CONFIG = VAConfig(
    len(VOCABULARY), embedding=8, encoder=8, decoder=12, condition=6, content=3, repeated=4, learned=0
)
STYLES = (
    (Style.CHORALE, Meter.FOUR_FOUR),
    (Style.CHORALE, Meter.THREE_FOUR),
    (Style.FOLK, Meter.FOUR_FOUR),
    (Style.FOLK, Meter.THREE_FOUR),
    (Style.FOLK, Meter.SIX_EIGHT),
)


def save_small_model(path: Path, *, old: bool = False) -> Path:
    """Write its weights; ``old`` ones know chorales in 4/4 alone, and no form, as those of version 0.3."""
    plane, plans = _random_distributions(with_forms=not old)
    styles = tuple(StyleDistribution(*known, plane, plans) for known in STYLES)
    training = {"reconstruction_held_out": None}
    checkpoint = Checkpoint(
        VA, CONFIG, _random_tensors(), VOCABULARY, plane, training, styles[:1] if old else styles
    )
    save_checkpoint(checkpoint, path)
    return path


@cache
def _random_distributions(*, with_forms: bool) -> tuple[Plane, Plans]:
    """Of tunes of eight bars all over the plane, whose last bar repeats the first, if any does."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (80, 2))
    attributes, first = rng.normal(size=(80, len(NAMES))), np.arange(80) % 2 == 0
    plane = Plane.fit(points, np.full((80, 2), -4.0), quadrants(points), 0)
    states = np.zeros((80, 4), dtype=np.int64)
    states[~first, 0] = with_forms * (3 + 1)  # the rhythm of the bar four bars before
    return plane, Plans.of(points, attributes, states, first, ~first)


def _random_tensors() -> Arrays:
    """Weights that make no rests, and whose exact repetitions are exact."""
    rng = np.random.default_rng(1)
    tensors: Arrays = {
        name: rng.normal(scale=0.3, size=shape).astype(np.float32) for name, shape in CONFIG.shapes().items()
    }
    tensors["pitches"] = np.array(VOCABULARY.pitches, dtype=np.int64)
    tensors["learned"] = np.zeros(0, dtype=np.int64)
    tensors["output.bias"][-2] = -50  # of the rest
    classes = np.arange(CONFIG.classes)
    tensors["copy"][Repetition.EXACT, :, classes, classes] += 50
    return tensors
