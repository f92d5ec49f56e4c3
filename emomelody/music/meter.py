"""Meters, on a grid of sixteenth steps."""

from __future__ import annotations

from enum import StrEnum

from emomelody.errors import EmomelodyError

STEPS_PER_WHOLE = 16  # sixteenth steps in a whole note


class _Signature(StrEnum):
    """What can be told from the two numbers of a meter or a time signature."""

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
        """The steps of a beat: a quarter note (4), in 2/2 a half (8), in 6/8 a dotted quarter (6)."""
        return 6 if self.denominator == 8 else STEPS_PER_WHOLE // self.denominator


class Meter(_Signature):
    """The meters of melodies. 2/2 and 2/4 are read as 4/4, two bars of 2/4 as one."""

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


class TimeSignature(_Signature):
    """How a melody is written: with the signature of its meter, or one of those that are read as 4/4."""

    FOUR_FOUR = "4/4"
    TWO_TWO = "2/2"
    TWO_FOUR = "2/4"
    THREE_FOUR = "3/4"
    SIX_EIGHT = "6/8"

    @classmethod
    def of(cls, meter: Meter, written: str | None) -> TimeSignature:
        """The signature that melodies of a meter are written with: 4/4 also as 2/2 or 2/4."""
        if meter is Meter.FOUR_FOUR and written in (cls.TWO_TWO, cls.TWO_FOUR):
            return cls(written)
        return cls(meter)
