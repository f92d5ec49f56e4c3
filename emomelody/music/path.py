"""Paths over the plane: emotions or points at given bars, with straight lines between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emomelody.errors import EmomelodyError
from emomelody.music.emotion import Emotion
from emomelody.music.melody import STEPS_PER_BAR
from emomelody.music.plane import Floats

_WAYPOINT = re.compile(r"(?P<target>[^@\s]+)@(?P<bar>\d+)")
_NUMBER = r"[-+]?[\d.]+(?:e[-+]?\d+)?"
_POINT = re.compile(rf"(?P<valence>{_NUMBER}),(?P<arousal>{_NUMBER})")


@dataclass(frozen=True)
class Waypoint:
    """An emotion, or a point (valence, arousal), at the beginning of a bar, counted from 0."""

    bar: int
    emotion: Emotion | None
    point: tuple[float, float] | None

    @property
    def label(self) -> Emotion:
        """The emotion, or that of the point's quadrant."""
        return self.emotion or Emotion.at(*(self.point or (0, 0)))

    def __str__(self) -> str:
        target = self.emotion.title if self.emotion else "{},{}".format(*(self.point or (0, 0)))
        return f"{target}@{self.bar}"


@dataclass(frozen=True)
class EmotionPath:
    """Two or more waypoints at ascending bars."""

    waypoints: tuple[Waypoint, ...]

    def __str__(self) -> str:
        """Return the text that ``parse`` reads."""
        return " ".join(map(str, self.waypoints))

    @classmethod
    def parse(cls, text: str) -> EmotionPath:
        """Parse a path such as ``sad@0 happy@8`` or ``-0.5,0.2@0 0.8,0.8@4``.

        Raises EmomelodyError where the text is not a path.
        """
        waypoints = tuple(map(_parse_waypoint, text.split()))
        bars = [waypoint.bar for waypoint in waypoints]
        if len(waypoints) < 2 or sorted(set(bars)) != bars:
            raise EmomelodyError(
                "a path needs two or more waypoints at ascending bars: write e.g. 'sad@0 happy@8'"
            )
        return cls(waypoints)


def _parse_waypoint(word: str) -> Waypoint:
    found = _WAYPOINT.fullmatch(word)
    if not found:
        raise EmomelodyError(
            f"path '{word}' is not an emotion or point at a bar: write e.g. sad@0 or -0.5,0.2@0"
        )
    target, bar = found["target"], int(found["bar"])
    point = _POINT.fullmatch(target)
    if not point:
        return Waypoint(bar, Emotion.parse(target), None)
    try:
        return Waypoint(bar, None, (float(point["valence"]), float(point["arousal"])))
    except ValueError as error:  # two decimal points
        raise EmomelodyError(f"path '{word}': '{target}' is not a point, write e.g. -0.5,0.2@0") from error


def interpolate(waypoints: Sequence[Waypoint], latents: Floats, bars: int) -> Floats:
    """Interpolate the latents (W, 2) of W waypoints linearly; returns the latent of each step, (T, 2).

    Before the first waypoint and after the last one the latent is constant. T is 16 ``bars``.
    """
    at = [waypoint.bar * STEPS_PER_BAR for waypoint in waypoints]
    steps = np.arange(bars * STEPS_PER_BAR)
    return np.stack([np.interp(steps, at, latents[:, axis]) for axis in range(2)], 1)
