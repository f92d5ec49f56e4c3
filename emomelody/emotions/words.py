"""More words for emotions: those of Russell's circumplex, each a point of the plane.

J. A. Russell, "A circumplex model of affect", Journal of Personality and Social Psychology 39(6), 1980,
scaled 28 words to directions on a circle. Four of them are the names of the ``Emotion``s. These stay
regions, whole quadrants, and do not shrink to the directions that Russell found for them: happy 7.8°,
angry 99.0°, sad 207.5°, relaxed 318.0°. A data set has no other classes than these four.
"""

from __future__ import annotations

from difflib import get_close_matches
from enum import Enum
from math import cos, radians, sin

from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError

# Russell gives directions only. At the edge of the plane, beyond which one melody in a hundred lies, a tired
# one would have two notes.
RADIUS = 0.7


class Word(Enum):
    """A word and its direction in degrees: 0 is pleasant, 90 aroused, 180 unpleasant, 270 sleepy."""

    DELIGHTED = 24.9
    EXCITED = 48.6
    ASTONISHED = 69.8
    AROUSED = 73.8
    TENSE = 92.8
    ALARMED = 96.5
    AFRAID = 116.0
    ANNOYED = 123.0
    DISTRESSED = 138.0
    FRUSTRATED = 141.0
    MISERABLE = 188.7
    GLOOMY = 209.0
    DEPRESSED = 210.0
    BORED = 242.0
    DROOPY = 256.6
    TIRED = 267.7
    SLEEPY = 271.9
    CALM = 316.2
    SATISFIED = 319.0
    AT_EASE = 321.0
    CONTENT = 323.0
    SERENE = 328.6
    GLAD = 349.0
    PLEASED = 353.2

    @property
    def title(self) -> str:
        """The word as it is typed and as files are named, e.g. ``gloomy``; ``at-ease`` has a hyphen."""
        return self.name.lower().replace("_", "-")

    @property
    def point(self) -> tuple[float, float]:
        """Its (valence, arousal), ``RADIUS`` from the middle of the plane.

        Rounded to the four decimals of samples.json, as the last digits of a cosine differ between systems.
        """
        angle = radians(self.value)
        return round(RADIUS * cos(angle), 4), round(RADIUS * sin(angle), 4)

    @property
    def emotion(self) -> Emotion:
        """The emotion of the point's quadrant."""
        return Emotion.at(*self.point)


def parse_emotion(text: str) -> Emotion | Word:
    """Return the emotion with any of its names, or the word, in any case; ``at ease`` is ``at-ease``.

    Raises EmomelodyError, which suggests similar names, for an unknown one.
    """
    named: dict[str, Emotion | Word] = {name: emotion for emotion in Emotion for name in emotion.aliases}
    named |= {word.title: word for word in Word}
    wanted = "-".join(text.lower().split())
    if wanted in named:
        return named[wanted]
    near = get_close_matches(wanted, named)
    hint = f"did you mean {', '.join(near)}?" if near else f"use {Emotion.names()} or another word:"
    raise EmomelodyError(f"unknown emotion '{text}': {hint} 'emomelody sample --emotion list' shows them all")
