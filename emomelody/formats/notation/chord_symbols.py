"""Chord symbols of a score, as MusicXML and music21 know them."""

from __future__ import annotations

from typing import Any

from emomelody.music.chords import Chord, Quality
from emomelody.music.key import spell

_KINDS = {
    Quality.MAJOR: "major",
    Quality.MINOR: "minor",
    Quality.DIMINISHED: "diminished",
    Quality.AUGMENTED: "augmented",
    Quality.DOMINANT_SEVENTH: "dominant-seventh",
    Quality.MAJOR_SEVENTH: "major-seventh",
    Quality.MINOR_SEVENTH: "minor-seventh",
    Quality.HALF_DIMINISHED: "half-diminished-seventh",
    Quality.DIMINISHED_SEVENTH: "diminished-seventh",
}


def chord_symbol(chord: Chord, key: str) -> Any:
    """The ``music21.harmony.ChordSymbol`` of a chord, spelled as a key signature spells it."""
    from music21.harmony import ChordSymbol

    letter, alteration, _ = spell(60 + chord.root, key)
    symbol = ChordSymbol(root=letter + ("#" * alteration or "-" * -alteration), kind=_KINDS[chord.quality])
    symbol.chordKindStr = str(chord.quality)
    symbol.placement = "above"
    return symbol
