"""Meters on the sixteenth grid, and styles."""

from __future__ import annotations

import pytest

from emomelody.errors import EmomelodyError
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.music.style import Style


@pytest.mark.parametrize(("name", "bar", "beat"), [("4/4", 16, 4), ("3/4", 12, 4), ("6/8", 12, 6)])
def test_a_meter_has_bars_and_beats(name: str, bar: int, beat: int) -> None:
    assert (Meter(name).bar, Meter(name).beat) == (bar, beat)


def test_styles_and_meters_have_names() -> None:
    assert (Style.parse("Folk"), Style.parse(Style.OWN)) == (Style.FOLK, Style.OWN)
    assert Meter.parse("6/8") is Meter.SIX_EIGHT
    with pytest.raises(EmomelodyError, match="unknown style 'jazz': use chorale, folk or own"):
        Style.parse("jazz")
    for text in ("12/8", 3):
        with pytest.raises(EmomelodyError, match="use 4/4, 3/4 or 6/8"):
            Meter.parse(text)


def test_the_beginning_of_a_melody() -> None:
    notes = (Note(0, 20, 60), Note(20, 8, 62))
    waltz = Melody(notes, 36, Meter.THREE_FOUR)
    assert waltz.beginning(2) == Melody((Note(0, 20, 60), Note(20, 4, 62)), 24, Meter.THREE_FOUR)
    assert waltz.beginning(1).notes == (Note(0, 12, 60),)
    assert waltz.beginning(4) == Melody(notes, 48, Meter.THREE_FOUR)


def test_a_melody_counts_the_bars_of_its_meter() -> None:
    notes = (Note(0, 12, 60),)
    assert Melody(notes, 48).bars == 3
    assert Melody(notes, 48, Meter.SIX_EIGHT).bars == 4
    assert Melody(notes, 40, Meter.THREE_FOUR).transposed(2) == Melody(
        (Note(0, 12, 62),), 40, Meter.THREE_FOUR
    )
