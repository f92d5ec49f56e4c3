"""The chords of a piece in several voices, bar by bar."""

from __future__ import annotations

from pathlib import Path

from emomelody.data.corpus import SourcePiece
from emomelody.formats import musicxml
from emomelody.harmony.labels import label_beats
from emomelody.music.chords import Chord
from emomelody.music.melody import STEPS_PER_BEAT
from emomelody.music.meter import Meter

METERS = (Meter.FOUR_FOUR, Meter.THREE_FOUR)  # whose beats are quarter notes
LEAST_VOICES = 3


def chords_by_bar(path: Path, piece: SourcePiece, transposition: int) -> tuple[tuple[Chord, ...], ...]:
    """A chord for each quarter note of each bar of a piece, so many semitones higher.

    None for a piece of fewer than three voices, in 6/8, or in no format but MusicXML. Raises BadInput for a
    damaged file.
    """
    if piece.meter not in METERS or path.suffix not in musicxml.SUFFIXES:
        return ()
    voices = musicxml.read_voices(path)
    if len(voices) < LEAST_VOICES:
        return ()
    notes = [note for voice in voices for note in voice]
    end = max(note.end for note in piece.line)
    bars = [barline for barline in piece.barlines if barline < end]
    in_bar = piece.meter.bar // STEPS_PER_BEAT
    beats = [(bar + beat, bar + beat + 1) for bar in bars for beat in range(in_bar)]
    found = [chord.transposed(transposition) for chord in label_beats(notes, beats)]
    return tuple(tuple(found[first : first + in_bar]) for first in range(0, len(found), in_bar))
