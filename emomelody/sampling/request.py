"""What to sample (``Request``), how to decode it (``DecodingConfig``), and the result (``Sample``).

Imports no torch, so that a bad request is refused before any weights are loaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import EmotionPath, Point, Waypoint
from emomelody.emotions.words import Word
from emomelody.errors import EmomelodyError
from emomelody.music.chords import TimedChord
from emomelody.music.draft import Draft
from emomelody.music.form import section_length
from emomelody.music.melody import BARS, Melody
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import Tokens

TEMPERATURE = 0.9  # emoreg-va's default
SPREAD = 0.1
TUNE_BARS = 8  # emoreg-va's default
GRIDS = (2, 50)  # melodies along an axis, at least and at most
MAX_BARS = 64
MAX_TEMPERATURE = 10
MAX_SEED = 2**32 - 1


def _check_point(point: Point | None) -> None:
    if point is None:
        return
    if len(point) != 2 or not all(isinstance(coordinate, Real) for coordinate in point):
        raise EmomelodyError(f"point {point!r} is not a pair of numbers: valence and arousal")
    if not all(-1 <= coordinate <= 1 for coordinate in point):
        raise EmomelodyError(
            f"point {point[0]:g},{point[1]:g} is outside the plane: valence and arousal go from -1 to 1"
        )


def _check_kind(name: str, value: float, kind: type) -> None:
    if isinstance(value, bool) or not isinstance(value, kind):
        raise EmomelodyError(f"{name} {value!r} is not a {'whole ' if kind is Integral else ''}number")


def _check_range(name: str, value: float, kind: type, least: float, most: float = math.inf) -> None:
    _check_kind(name, value, kind)
    if not least <= value <= most:
        limits = f"at least {least:,}" if most == math.inf else f"from {least:,} to {most:,}"
        raise EmomelodyError(f"{name} {value:,} must be {limits}")


def _check_above_zero(name: str, value: float, most: float) -> None:
    _check_kind(name, value, Real)
    if not 0 < value <= most:
        raise EmomelodyError(f"{name} {value:,} must be above 0 and at most {most}")


@dataclass(frozen=True)
class DecodingConfig:
    """How tokens are sampled from the decoder's logits.

    Raises EmomelodyError for a value out of range.
    """

    # Divides the logits, in (0, 10]. None: 0.9 for emoreg-va, the likeliest token for base and emoreg.
    temperature: float | None = None
    top_p: float = 1.0  # in (0, 1]: sample from the likeliest tokens that together reach this probability

    def __post_init__(self) -> None:
        if self.temperature is not None:
            _check_above_zero("temperature", self.temperature, MAX_TEMPERATURE)
        _check_above_zero("top-p", self.top_p, 1)


DEFAULT = DecodingConfig()


@dataclass(frozen=True)
class Request:
    """A request for ``n`` melodies of an emotion, at a point, along a path, or like another melody.

    - ``emotion``: each melody gets a latent of its own, sampled from the region of the emotion's training
      melodies and always inside the emotion's quadrant. A ``Word`` instead is a point.
    - ``point`` (valence, arousal) in [−1, 1]²: its latent. The label is its quadrant's (``Emotion.at``).
    - ``path``: the latent moves from waypoint to waypoint.
    - ``like``, a melody in C: its form and the contents of its blocks of four bars are kept, the contents
      with normal noise of standard deviation ``spread``. Without an emotion, point or path its own points are
      varied too, with noise in units of the plane's scale.
    - ``to``, a second melody in C, of the same meter: melody i of ``n`` lies i / (n − 1) of the way from
      ``like`` to it, in points and contents.
    - ``grid``: a melody for each of ``grid`` × ``grid`` points, from −1 to 1 along both axes, ``n`` in all;
      as similar to each other as their points are.
    - ``draft``: its open bars are composed, in the emotion, at the point or on the path, or else as its kept
      bars go on.
    - ``form``, letters for sections of equal length, such as ``AABA``; without it, the form is one like those
      of real melodies.

    At most one of emotion, point, path and grid, and of ``like`` and ``draft``; ``to`` needs ``like``. All
    but an emotion, a point or a grid, in four bars of 4/4, needs ``emoreg-va``. Raises EmomelodyError for a
    request that no model can meet.
    """

    n: int = 1
    emotion: Emotion | Word | None = None
    point: Point | None = None
    path: EmotionPath | None = None
    grid: int | None = None
    like: Melody | None = None
    to: Melody | None = None
    draft: Draft | None = None
    mode: str | None = None  # of the key of ``like`` or ``draft``; None: by its valence
    spread: float = SPREAD  # 0 … 1
    bars: int = BARS  # 1 … 64; of a draft its own number
    style: Style | None = None  # None: the first that the model knows in the meter
    meter: Meter = Meter.FOUR_FOUR
    form: str | None = None
    seed: int = 0  # 0 … 2³² − 1
    decoding: DecodingConfig = DEFAULT
    chords: bool = False  # whether the melodies get chords, which do not change them

    def __post_init__(self) -> None:
        targets = sum(target is not None for target in (self.emotion, self.point, self.path, self.grid))
        if targets > 1:
            raise EmomelodyError("an emotion, point, path and grid exclude each other: give one of them")
        if targets == 0 and self.like is None and self.draft is None:
            raise EmomelodyError("give an emotion, a point, a path, a grid, or a melody to vary")
        if not isinstance(self.emotion, Emotion | Word | None):
            raise EmomelodyError(f"emotion {self.emotion!r} is not an Emotion or a Word")
        for waypoint in self.waypoints:
            _check_point(waypoint.point)
        _check_range("number of melodies", self.n, Integral, 1)
        if self.grid is not None:
            self._check_grid(self.grid)
        if self.draft is None:
            _check_range("number of bars", self.bars, Integral, 1, MAX_BARS)
        _check_range("seed", self.seed, Integral, 0, MAX_SEED)
        _check_range("spread", self.spread, Real, 0, 1)
        for melody in (self.like, self.to, self.draft.melody if self.draft else None):
            if melody is not None and melody.meter is not self.meter:
                raise EmomelodyError(f"the melody to vary is in {melody.meter}, not in {self.meter}")
        if self.form is not None:
            section_length(self.form, self.bars)
        if self.path is not None and self.waypoints[-1].bar >= self.bars:
            last = self.waypoints[-1].bar
            raise EmomelodyError(
                f"the path ends at bar {last} (bars count from 0), beyond the {self.bars} bars of the melody:"
                f" ask for {last + 1} bars or more"
            )

    def _check_grid(self, size: int) -> None:
        _check_range("grid", size, Integral, *GRIDS)
        if self.n != size**2:
            raise EmomelodyError(f"a grid of {size} has {size**2} melodies, not {self.n}")
        if self.draft is not None or self.to is not None:
            raise EmomelodyError("a grid is of new melodies, or of one melody in each emotion")

    @property
    def points(self) -> tuple[Point, ...]:
        """The points of a grid, one for each melody, row by row from the lowest arousal; none without."""
        if self.grid is None:
            return ()
        axis = [2 * n / (self.grid - 1) - 1 for n in range(self.grid)]
        return tuple((valence, arousal) for arousal in axis for valence in axis)

    @property
    def waypoints(self) -> tuple[Waypoint, ...]:
        """The targets: those of the path, or the emotion or point at bar 0. Empty without one of these."""
        if self.path is not None:
            return self.path.waypoints
        target = self.point if self.emotion is None else self.emotion
        return () if target is None else (Waypoint(0, target),)

    def modes(self, trajectory: Sequence[Point]) -> tuple[str, ...]:
        """The mode, major or minor, of each bar with these targets.

        It is the user's own, ``mode``, in kept bars, and where another emotion is not asked for; else the
        mode of the target.
        """
        asked = tuple(Emotion.at(*point).mode for point in trajectory)
        if self.mode is None or self.grid or (self.waypoints and self.draft is None):
            return asked
        kept = self.draft.kept if self.draft and self.waypoints else (True,) * len(asked)
        return tuple(self.mode if own else mode for own, mode in zip(kept, asked, strict=True))

    @property
    def description(self) -> str | None:
        """The target at the beginning in words, as ``Sample.description``; None where none is given."""
        return self.waypoints[0].description if self.waypoints else None


@dataclass(frozen=True)
class Sample:
    """A melody and the target that it was sampled for."""

    melody: Melody
    emotion: Emotion  # the label given to the decoder
    description: str  # the target of the first bar in words; ``neutral`` or e.g. ``happy-angry`` on an axis
    trajectory: tuple[Point, ...]  # the target of each bar
    latent: tuple[float, float]  # the target of the first bar in the model's units
    tokens: Tokens  # (T,), as sampled, before any repair
    silent_draws: int  # melodies without a note that were sampled and discarded before this one
    chords: tuple[TimedChord, ...] = ()  # in C, where the request asks for them
