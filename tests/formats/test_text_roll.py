"""Piano rolls for terminals."""

from __future__ import annotations

from pieces import pieces_in_other_meters, short_piece

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


def test_a_row_has_four_bars_of_the_meter() -> None:
    for piece in pieces_in_other_meters():
        title, _, *lines = to_text(piece, metrics(piece.melody)).splitlines()
        assert title.endswith(f", {piece.melody.meter}")
        rows = [line for line in lines if "│" in line]
        assert {tuple(map(len, line.split("│")[1:])) for line in rows} == {(12, 12, 12, 12, 0)}
        assert [line.split() for line in lines if "│" not in line] == [[*"1234"], [*"5678"]]
