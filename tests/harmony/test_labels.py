"""The chords that several voices sound together."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from emomelody.data import corpus
from emomelody.formats import musicxml
from emomelody.harmony.labels import label_beats
from emomelody.music.chords import Chord
from emomelody.music.melody import TimedNote

BEATS = [(Fraction(beat), Fraction(beat + 1)) for beat in range(3)]


def voices(*beats: str) -> list[TimedNote]:
    """A quarter note for each pitch of each beat, such as ``48 64 67``."""
    return [
        TimedNote(Fraction(beat), Fraction(beat + 1), int(pitch))
        for beat, pitches in enumerate(beats)
        for pitch in pitches.split()
    ]


@pytest.mark.parametrize(
    ("pitches", "name"),
    [
        ("48 60 64 67", "C"),
        ("52 60 67 72", "C"),  # its first inversion
        ("45 60 64 69", "Am"),
        ("43 59 62 65", "G7"),
        ("47 59 62 65", "Bdim"),
        ("42 57 60 64", "F#m7b5"),
        ("44 59 62 65", "G#dim7"),
        ("41 57 60 64", "Fmaj7"),
    ],
)
def test_chords_of_four_voices(pitches: str, name: str) -> None:
    assert [chord.name() for chord in label_beats(voices(pitches), BEATS[:1])] == [name]


def test_notes_that_pass_by_do_not_count() -> None:
    passing = [*voices("48 64 67"), TimedNote(Fraction(0), Fraction(1, 2), 72)]
    passing.append(TimedNote(Fraction(1, 2), Fraction(1), 74))
    assert label_beats(passing, BEATS[:1]) == [Chord.parse("C")]


def test_silent_beats_have_the_chord_before_or_the_first() -> None:
    silence_first = [TimedNote(n.onset + 1, n.end + 1, n.pitch) for n in voices("43 59 62")]
    assert [chord.name() for chord in label_beats(silence_first, BEATS)] == ["G", "G", "G"]
    assert label_beats([], BEATS) == []


@pytest.mark.slow
def test_roots_agree_with_published_analyses() -> None:
    """With the Roman numerals that come with music21, on chorales that no constant was chosen on."""
    from music21 import converter, roman

    folder = Path(corpus.chorales()[0]).parent
    agreed = []
    for number, work in ((6, "281"), (8, "40.8"), (12, "65.2"), (18, "318")):
        analysis = folder / "choraleAnalyses" / f"riemenschneider{number:03d}.rntxt"
        assert re.search(rf"BWV:\s*{work}\b", analysis.read_text())
        numerals = [
            (Fraction(n.getOffsetInHierarchy(score)).limit_denominator(96), n.root().pitchClass)
            for score in [converter.parse(str(analysis), format="romantext")]
            for n in score.recurse().getElementsByClass(roman.RomanNumeral)
        ]
        notes = [n for voice in musicxml.read_voices(folder / f"bwv{work}.mxl") for n in voice]
        end = int(max(note.end for note in notes))
        beats = [(Fraction(beat), Fraction(beat + 1)) for beat in range(end)]
        for (start, _), chord in zip(beats, label_beats(notes, beats), strict=True):
            at_start = [root for onset, root in numerals if onset <= start]
            if at_start:
                agreed.append(chord.root == at_start[-1])
    assert len(agreed) > 200
    assert sum(agreed) / len(agreed) > 0.8  # of what the analysis has at the beginning of the beat
