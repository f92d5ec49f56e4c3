"""Meters on the sixteenth grid."""

from __future__ import annotations

import pytest

from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter


@pytest.mark.parametrize(("name", "bar", "beat"), [("4/4", 16, 4), ("3/4", 12, 4), ("6/8", 12, 6)])
def test_a_meter_has_bars_and_beats(name: str, bar: int, beat: int) -> None:
    assert (Meter(name).bar, Meter(name).beat) == (bar, beat)


def test_a_melody_counts_the_bars_of_its_meter() -> None:
    notes = (Note(0, 12, 60),)
    assert Melody(notes, 48).bars == 3
    assert Melody(notes, 48, Meter.SIX_EIGHT).bars == 4
    assert Melody(notes, 40, Meter.THREE_FOUR).transposed(2) == Melody(
        (Note(0, 12, 62),), 40, Meter.THREE_FOUR
    )
