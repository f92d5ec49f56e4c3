"""Paths over the plane: emotions, words or points at given bars, with straight lines between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emomelody.emotions.emotion import Emotion, describe
from emomelody.emotions.words import Word, parse_emotion
from emomelody.errors import EmomelodyError
from emomelody.music.meter import Meter
from emomelody.music.tokens import Floats

Point = tuple[float, float]  # (valence, arousal) in [−1, 1]²

_WAYPOINT = re.compile(r"(?P<target>[^@\s]+)@(?P<bar>\d+)")
_NUMBER = r"[-+]?[\d.]+(?:e[-+]?\d+)?"
_POINT = re.compile(rf"(?P<valence>{_NUMBER}),(?P<arousal>{_NUMBER})")


@dataclass(frozen=True)
class Waypoint:
    """A target at the beginning of a bar, counted from 0: an emotion, a word for a point, or a point."""

    bar: int
    target: Emotion | Word | Point

    @property
    def point(self) -> Point | None:
        """The point; None for an emotion, which is a region."""
        if isinstance(self.target, Emotion):
            return None
        return self.target.point if isinstance(self.target, Word) else self.target

    @property
    def label(self) -> Emotion:
        """The emotion, or that of the point's quadrant."""
        if isinstance(self.target, Emotion):
            return self.target
        return self.target.emotion if isinstance(self.target, Word) else Emotion.at(*self.target)

    @property
    def description(self) -> str:
        """The target in words: its own word, or what ``describe`` says of a point."""
        return self.target.title if isinstance(self.target, Emotion | Word) else describe(*self.target)

    def __str__(self) -> str:
        target = self.target
        word = target.title if isinstance(target, Emotion | Word) else "{},{}".format(*target)
        return f"{word}@{self.bar}"


@dataclass(frozen=True)
class EmotionPath:
    """Two or more waypoints at ascending bars."""

    waypoints: tuple[Waypoint, ...]

    def __str__(self) -> str:
        """Return the text that ``parse`` reads."""
        return " ".join(map(str, self.waypoints))

    @classmethod
    def parse(cls, text: str) -> EmotionPath:
        """Parse a path such as ``sad@0 happy@8``, ``gloomy@0 excited@8`` or ``-0.5,0.2@0 0.8,0.8@4``.

        Raises EmomelodyError where the text is not a path.
        """
        waypoints = tuple(map(_parse_waypoint, text.split()))
        bars = [waypoint.bar for waypoint in waypoints]
        if len(waypoints) < 2 or sorted(set(bars)) != bars:
            raise EmomelodyError(
                "a path needs two or more waypoints at ascending bars: write e.g. 'sad@0 happy@8'"
            )
        return cls(waypoints)


def parse_point(text: str) -> Point:
    """The point (valence, arousal) in ``-0.5,0.4``. Raises EmomelodyError for another text."""
    try:
        valence, arousal = map(float, text.split(","))
    except ValueError as error:
        raise EmomelodyError(f"point '{text}' is not valence,arousal: write e.g. -0.5,0.4") from error
    return valence, arousal


def _parse_waypoint(word: str) -> Waypoint:
    found = _WAYPOINT.fullmatch(word)
    if not found:
        raise EmomelodyError(
            f"path '{word}' is not an emotion or point at a bar: write e.g. sad@0 or -0.5,0.2@0"
        )
    target, bar = found["target"], int(found["bar"])
    point = _POINT.fullmatch(target)
    if not point:
        return Waypoint(bar, parse_emotion(target))
    try:
        return Waypoint(bar, (float(point["valence"]), float(point["arousal"])))
    except ValueError as error:  # two decimal points
        raise EmomelodyError(f"path '{word}': '{target}' is not a point, write e.g. -0.5,0.2@0") from error


def interpolate(
    waypoints: Sequence[Waypoint], latents: Floats, bars: int, meter: Meter = Meter.FOUR_FOUR
) -> Floats:
    """Interpolate the latents (W, 2) of W waypoints linearly; returns the latent of each step, (T, 2).

    Before the first waypoint and after the last one the latent is constant. T is the steps of
    ``bars`` bars, 16 each in 4/4 and 12 in 3/4 and 6/8.
    """
    at = [waypoint.bar * meter.bar for waypoint in waypoints]
    steps = np.arange(bars * meter.bar)
    return np.stack([np.interp(steps, at, latents[:, axis]) for axis in range(2)], 1)
