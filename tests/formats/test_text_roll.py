"""Piano rolls for terminals."""

from __future__ import annotations

from pieces import short_piece

from emomelody.formats.text_roll import to_text
from emomelody.music.features import metrics
from emomelody.performance.setting import Setting


def test_a_text_roll_shows_key_range_and_notes() -> None:
    piece = short_piece(Setting("A"))
    lines = to_text(piece, metrics(short_piece().melody)).splitlines()
    assert lines[0] == "by-hand: sad, A minor"
    assert lines[1].startswith("5 onsets, A3–F4 (8 semitones), ")
    assert lines[2].startswith("  F4 │                │    ▐███████████│")
    assert lines[-2].startswith("  A3 │  ▐█████        │                │▐███████████████│                │")
    assert lines[-1].split() == ["1", "2", "3", "4"]
