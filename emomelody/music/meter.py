"""Meters, on a grid of sixteenth steps."""

from __future__ import annotations

from enum import StrEnum

from emomelody.errors import EmomelodyError

STEPS_PER_WHOLE = 16  # sixteenth steps in a whole note


class Meter(StrEnum):
    """The meters of melodies. 2/2, 4/2, 2/4 and 1/4 are read as 4/4, two bars of 2/4 as one."""

    FOUR_FOUR = "4/4"
    THREE_FOUR = "3/4"
    SIX_EIGHT = "6/8"

    @classmethod
    def parse(cls, text: str) -> Meter:
        """The meter written so, e.g. ``6/8``. Raises EmomelodyError for another one."""
        try:
            return cls(text)
        except ValueError as error:
            raise EmomelodyError(f"unknown meter '{text}': use 4/4, 3/4 or 6/8") from error

    @property
    def numerator(self) -> int:
        """The upper number."""
        return int(self.value.split("/")[0])

    @property
    def denominator(self) -> int:
        """The lower number: 4 for quarter notes, 8 for eighths."""
        return int(self.value.split("/")[1])

    @property
    def bar(self) -> int:
        """The steps of a bar: 16 in 4/4, 12 in 3/4 and 6/8."""
        return self.numerator * STEPS_PER_WHOLE // self.denominator

    @property
    def beat(self) -> int:
        """The steps of a beat: a quarter note (4), in 6/8 a dotted quarter (6)."""
        return 6 if self is Meter.SIX_EIGHT else 4
