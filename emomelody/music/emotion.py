"""Russell's plane: four emotions, one per quadrant of valence and arousal.

The only place that knows signs, names and aliases. Valence is horizontal (unpleasant −, pleasant +),
arousal vertical (calm −, excited +). A point on an axis counts as positive on that axis.
"""

from __future__ import annotations

from enum import Enum

from emomelody.errors import EmomelodyError


class Emotion(Enum):
    """The paper's e1–e4, in its order: the value is (title, valence sign, arousal sign)."""

    E1 = ("happy", +1, +1)
    E2 = ("angry", -1, +1)
    E3 = ("sad", -1, -1)
    E4 = ("relaxed", +1, -1)

    @property
    def title(self) -> str:
        """The emotion's everyday name, e.g. ``sad``."""
        return self.value[0]

    @property
    def code(self) -> str:
        """The paper's short name, ``e1`` … ``e4``; also the name of its folder in ``data/``."""
        return self.name.lower()

    @property
    def valence(self) -> int:
        """+1 pleasant, −1 unpleasant."""
        return self.value[1]

    @property
    def arousal(self) -> int:
        """+1 excited, −1 calm."""
        return self.value[2]

    @property
    def mode(self) -> str:
        """``major`` for positive, ``minor`` for negative valence: the mode of its melodies in C."""
        return "major" if self.valence > 0 else "minor"

    @property
    def index(self) -> int:
        """0 … 3, the class index of the label."""
        return list(Emotion).index(self)

    @property
    def aliases(self) -> tuple[str, str, str]:
        """Every name the emotion goes by, in lower case: ``e3``, ``q3``, ``sad``."""
        return self.code, f"q{self.index + 1}", self.title

    @classmethod
    def parse(cls, text: str) -> Emotion:
        """The emotion of that name (e1–e4, Q1–Q4, happy, angry, sad, relaxed; any case).

        Raises EmomelodyError listing the right names.
        """
        emotion = cls.named(text.strip())
        if emotion is None:
            raise EmomelodyError(f"unknown emotion '{text}': use {cls.names()}")
        return emotion

    @classmethod
    def named(cls, text: str) -> Emotion | None:
        """The emotion that goes by that name, or None: for folders, which may have any name."""
        return next((e for e in cls if text.lower() in e.aliases), None)

    @classmethod
    def names(cls) -> str:
        """The names as help texts and errors list them."""
        return ", ".join(f"{e.title} ({e.code}, Q{e.index + 1})" for e in cls)

    @classmethod
    def at(cls, valence: float, arousal: float) -> Emotion:
        """The emotion whose quadrant holds that point; 0 counts as positive on either axis."""
        if valence >= 0:
            return cls.E1 if arousal >= 0 else cls.E4
        return cls.E2 if arousal >= 0 else cls.E3


def describe(valence: float, arousal: float) -> str:
    """Describe a point in words: its emotion, or what lies on both sides of it where it is on an axis.

    ``sad`` inside a quadrant, ``happy-angry`` between two of them, ``neutral`` at (0, 0).
    """
    neighbours = [e.title for e in Emotion if e.valence * valence >= 0 and e.arousal * arousal >= 0]
    return "neutral" if len(neighbours) == len(Emotion) else "-".join(neighbours)
