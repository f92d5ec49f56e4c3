"""Notes and melodies; the top line of a source and its quantisation."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import melodies

from emomelody.music.melody import Melody, Note, TimedNote, quantise, skyline


def test_notes_cannot_overlap_be_empty_or_leave_the_melody() -> None:
    for notes in (
        (Note(0, 5, 60), Note(4, 1, 62)),
        (Note(63, 2, 60),),
        (Note(0, 1, 128),),
        (Note(0, 0, 60),),
    ):
        with pytest.raises(ValueError, match="Note"):
            Melody(notes)


@given(melodies(), st.integers(-24, 24))
def test_transposing_up_and_down_again_changes_nothing(melody: Melody, semitones: int) -> None:
    inside = all(0 <= note.pitch + semitones <= 127 for note in melody.notes)
    if inside:
        assert melody.transposed(semitones).transposed(-semitones) == melody
    else:
        with pytest.raises(ValueError, match="outside MIDI's pitches"):
            melody.transposed(semitones)


def test_quantising_keeps_the_later_of_two_notes_on_a_step() -> None:
    line = [TimedNote(Fraction(0), Fraction(1, 16), 60), TimedNote(Fraction(1, 16), Fraction(1), 62)]
    assert quantise(line, 64).notes == (Note(0, 4, 62),)
    slow = quantise([TimedNote(Fraction(0), Fraction(1), 60)], 64, speed=Fraction(1, 2))
    assert slow.notes == (Note(0, 8, 60),)


def test_the_top_line_drops_lower_notes_and_keeps_legato() -> None:
    def note(onset: int, end: int, pitch: int) -> TimedNote:
        return TimedNote(Fraction(onset), Fraction(end), pitch)

    played = [TimedNote(Fraction(i), Fraction(i) + Fraction(17, 16), 72 - i) for i in range(4)]
    assert [n.pitch for n in skyline(played)] == [72, 71, 70, 69]  # legato, overlapping a little
    chord_then_step = [note(0, 2, 60), note(0, 2, 67), note(1, 2, 62), note(1, 3, 72), note(3, 3, 90)]
    assert skyline(chord_then_step) == [note(0, 1, 67), note(1, 3, 72)]
