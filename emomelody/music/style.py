"""Styles: what kind of music a melody is from."""

from __future__ import annotations

from enum import StrEnum

from emomelody.errors import EmomelodyError


class Style(StrEnum):
    """The styles of melodies."""

    CHORALE = "chorale"  # Bach's chorales
    FOLK = "folk"  # Irish, Scottish and American dance tunes and airs
    OWN = "own"  # the user's files

    @classmethod
    def parse(cls, name: str) -> Style:
        """The style of that name, in any case. Raises EmomelodyError for another name."""
        try:
            return cls(str(name).lower())
        except ValueError as error:
            raise EmomelodyError(f"unknown style '{name}': use chorale, folk or own") from error
