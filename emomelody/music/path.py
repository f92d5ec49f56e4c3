"""A way over the plane: emotions or points at bars, and straight lines between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emomelody.errors import EmomelodyError
from emomelody.music.emotion import Emotion
from emomelody.music.melody import STEPS_PER_BAR
from emomelody.music.plane import Floats

_STOP = re.compile(r"(?P<place>[^@\s]+)@(?P<bar>\d+)")
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
        place = self.emotion.title if self.emotion else "{},{}".format(*(self.point or (0, 0)))
        return f"{place}@{self.bar}"


@dataclass(frozen=True)
class EmotionPath:
    """Stops at ascending bars."""

    stops: tuple[Waypoint, ...]

    def __str__(self) -> str:
        """The text that ``parse`` makes it of."""
        return " ".join(map(str, self.stops))

    @classmethod
    def parse(cls, text: str) -> EmotionPath:
        """The path of a text such as ``sad@0 happy@8`` or ``-0.5,0.2@0 0.8,0.8@4``. Raises EmomelodyError."""
        stops = []
        for word in text.split():
            found = _STOP.fullmatch(word)
            if not found:
                raise EmomelodyError(f"path '{word}' is not an emotion or V,A at a bar: write e.g. sad@0")
            point = _POINT.fullmatch(found["place"])
            try:
                place = (float(point["valence"]), float(point["arousal"])) if point else None
            except ValueError as error:
                raise EmomelodyError(f"path '{word}': {found['place']} is not a point") from error
            emotion = None if place else Emotion.parse(found["place"])
            stops.append(Waypoint(int(found["bar"]), emotion, place))
        bars = [stop.bar for stop in stops]
        if len(stops) < 2 or sorted(set(bars)) != bars:
            raise EmomelodyError("a path needs two or more places at ascending bars, e.g. 'sad@0 happy@8'")
        return cls(tuple(stops))


def interpolate(stops: Sequence[Waypoint], latents: Floats, bars: int) -> Floats:
    """The latent of each step, (T, 2), between those of the stops, (stops, 2); constant before and after."""
    at = [stop.bar * STEPS_PER_BAR for stop in stops]
    steps = np.arange(bars * STEPS_PER_BAR)
    return np.stack([np.interp(steps, at, latents[:, axis]) for axis in range(2)], 1)
