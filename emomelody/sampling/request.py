"""Melodies by ``emoreg-va``: drawn in blocks of four bars, several candidates for each, the truest one kept.

A drawn block is encoded again, and of the candidates the one stays whose own place on the plane is nearest to
the asked one, and whose content, where one is asked for: the model is its own judge, no rule or classifier is
asked. Copies of training melodies lose. Of the last block's candidates of a melody longer than one block
those come first that close, with a long tonic or dominant on a strong beat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emomelody.errors import EmomelodyError
from emomelody.models.checkpoint import Checkpoint
from emomelody.models.emoreg_va import EmoregVA
from emomelody.music.emotion import Emotion
from emomelody.music.melody import BARS, Melody
from emomelody.music.path import EmotionPath
from emomelody.music.tokens import Tokens

TEMPERATURE = 1.05  # where none is asked for


@dataclass(frozen=True)
class DecodingConfig:
    """How tokens are drawn; temperature None: the model's own, which for the paper's is the likeliest."""

    temperature: float | None = None
    top_p: float = 1.0


MAX_BARS = 64
DEFAULT = DecodingConfig()
SPREAD = 0.1


@dataclass(frozen=True)
class Request:
    """What to sample: an emotion, a point (valence, arousal) in [−1, 1]² or a path, and maybe a melody.

    For an emotion every melody has a latent of its own, drawn from where the emotion's training melodies
    lie and always inside its quadrant. For a point the latent is the point's, and the label its quadrant's
    (``Emotion.at``: a point on an axis counts as positive). Along a path it moves from one to the next.
    ``like`` is a melody of four bars in C, whose content is taken, with normal noise of the deviation
    ``spread``; without an emotion, point or path its place on the plane too, with noise in units of the
    scale. Only ``emoreg-va`` has paths, other lengths than four bars, and ``like``.
    """

    n: int = 1
    emotion: Emotion | None = None
    point: tuple[float, float] | None = None
    path: EmotionPath | None = None
    like: Melody | None = None
    spread: float = SPREAD
    bars: int = BARS
    seed: int = 0
    drawing: DecodingConfig = DEFAULT


@dataclass(frozen=True)
class Sample:
    """A melody and where on the plane it was asked for."""

    melody: Melody
    emotion: Emotion  # the label given to the decoder
    trajectory: tuple[tuple[float, float], ...]  # (valence, arousal) in [−1, 1]², in each bar
    latent: tuple[float, float]  # in the first
    tokens: Tokens  # (T,), what the model made, before any repair
    silent_draws: int  # how many melodies without a note were drawn before it


def check_request(checkpoint: Checkpoint, request: Request) -> None:
    """Raise EmomelodyError, in words for the command line's user, for what cannot be sampled."""
    path, drawing, bars = request.path, request.drawing, request.bars
    places = sum(given is not None for given in (request.emotion, request.point, path))
    if places > 1 or (places == 0 and request.like is None):
        raise EmomelodyError("ask for an emotion, a point or a path: one of them, or --like")
    for at in [request.point] if path is None else [stop.point for stop in path.waypoints]:
        if at is not None and not all(-1 <= coordinate <= 1 for coordinate in at):
            raise EmomelodyError(f"point {at[0]:g} {at[1]:g} is outside the plane: use −1 … 1")
    if drawing.temperature is not None and not 0 < drawing.temperature <= 10:
        raise EmomelodyError(f"temperature {drawing.temperature:g} must be above 0 and at most 10")
    for name, value, least, most in (
        ("top-p", drawing.top_p, 0, 1),
        ("spread", request.spread, 0, 1),
        ("seed", request.seed, 0, np.inf),
        ("number of melodies", request.n, 1, np.inf),
        ("number of bars", bars, 1, MAX_BARS),
    ):
        if not least <= value <= most:
            span = f"less than {least}" if most == np.inf else f"outside {least} … {most}"
            raise EmomelodyError(f"{name} {value:g} is {span}")
    if drawing.top_p == 0:
        raise EmomelodyError("top-p 0 leaves no token to draw: take a larger one")
    paper = not isinstance(checkpoint.model, EmoregVA)
    if paper and drawing.top_p < 1 and drawing.temperature is None:
        raise EmomelodyError(f"{checkpoint.name} takes the likeliest tokens: --top-p needs --temperature")
    if paper and (path is not None or request.like is not None or bars != BARS):
        raise EmomelodyError(
            f"{checkpoint.name} makes {BARS} bars of one emotion: --bars, --path and --like need emoreg-va"
        )
    if path is not None and path.waypoints[-1].bar >= bars:
        raise EmomelodyError(
            f"the path goes on to bar {path.waypoints[-1].bar}, and there are {bars} bars: add --bars"
        )
