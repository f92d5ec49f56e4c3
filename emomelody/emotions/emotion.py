"""Russell's plane: four emotions, one per quadrant of valence and arousal.

This module alone knows their names, aliases and signs. Valence is horizontal (unpleasant −, pleasant +),
arousal vertical (low −, high +). Where a class is needed, a point on an axis counts as positive on it;
``describe`` says in words that it lies between two emotions.
"""

from __future__ import annotations

from enum import Enum

from emomelody.errors import EmomelodyError


class Emotion(Enum):
    """The paper's e1–e4 in its order. Each value is (title, sign of valence, sign of arousal)."""

    E1 = ("happy", +1, +1)
    E2 = ("angry", -1, +1)
    E3 = ("sad", -1, -1)
    E4 = ("relaxed", +1, -1)

    @property
    def title(self) -> str:
        """The English name, e.g. ``sad``."""
        return self.value[0]

    @property
    def code(self) -> str:
        """The paper's name, ``e1`` … ``e4``; also the name of the emotion's folder in a data set."""
        return self.name.lower()

    @property
    def valence(self) -> int:
        """+1 pleasant, −1 unpleasant."""
        return self.value[1]

    @property
    def arousal(self) -> int:
        """+1 high, −1 low."""
        return self.value[2]

    @property
    def mode(self) -> str:
        """The mode of the emotion's melodies: ``major`` for positive valence, ``minor`` for negative."""
        return "major" if self.valence > 0 else "minor"

    @property
    def index(self) -> int:
        """The class index, 0 … 3."""
        return list(Emotion).index(self)

    @property
    def aliases(self) -> tuple[str, str, str]:
        """All names of the emotion in lower case, e.g. ``e3``, ``q3``, ``sad``."""
        return self.code, f"q{self.index + 1}", self.title

    @classmethod
    def parse(cls, text: str) -> Emotion:
        """Return the emotion with this name (e1–e4, Q1–Q4, happy, angry, sad, relaxed), in any case.

        For classes, as those of a data set; ``words.parse_emotion`` takes all that can be requested. Raises
        EmomelodyError, which lists the names, for an unknown one.
        """
        emotion = cls.named(text.strip())
        if emotion is None:
            raise EmomelodyError(f"unknown emotion '{text}': use {cls.names()}")
        return emotion

    @classmethod
    def named(cls, text: str) -> Emotion | None:
        """Return the emotion with this name, or None: for folders, which may have any name."""
        return next((e for e in cls if text.lower() in e.aliases), None)

    @classmethod
    def names(cls) -> str:
        """Return the names as help texts and errors list them."""
        return ", ".join(f"{e.title} ({e.code}, Q{e.index + 1})" for e in cls)

    @classmethod
    def at(cls, valence: float, arousal: float) -> Emotion:
        """Return the emotion of the point's quadrant; 0 counts as positive on either axis."""
        if valence >= 0:
            return cls.E1 if arousal >= 0 else cls.E4
        return cls.E2 if arousal >= 0 else cls.E3


def describe(valence: float, arousal: float) -> str:
    """Describe a point in words.

    The result is the emotion inside a quadrant (``sad``), both neighbours on an axis (``happy-angry``), and
    ``neutral`` at (0, 0).
    """
    neighbours = [e.title for e in Emotion if e.valence * valence >= 0 and e.arousal * arousal >= 0]
    return "neutral" if len(neighbours) == len(Emotion) else "-".join(neighbours)
