"""Styles: what kind of music a melody is from."""

from __future__ import annotations

from enum import StrEnum


class Style(StrEnum):
    """The styles of melodies."""

    CHORALE = "chorale"  # Bach's chorales
    FOLK = "folk"  # Irish, Scottish and American dance tunes and airs
    OWN = "own"  # the user's files
