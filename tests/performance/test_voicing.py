"""Voicings of chords: what they hold, where they lie and how far their voices move."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from emomelody.music.chords import Chord, Quality
from emomelody.performance.registers import RANGES
from emomelody.performance.voicing import Accompanied, compass, voice

SEQUENCES = (
    "C F G7 C",
    "C Am F G7 Em Am D7 G7 C E7 Am F#m7b5 B7 Em Dm7 G7 Cmaj7 Fmaj7 Bm7b5 E7 Am Bdim C",
    "Cm Fm7 Bb7 Ebmaj7 Abmaj7 Dm7b5 G7 Cm Abaug Bdim7 Cm",
)
PIANO, LEADING_NOTE = 0, 11


def under(names: str, lowest: int = 72, program: int = PIANO) -> list[tuple[int, ...]]:
    """Voicings of chords under a melody that never goes below a pitch."""
    melody = tuple(float(pitch >= lowest) for pitch in range(128))
    chords = [Accompanied(Chord.parse(name), melody, melody) for name in names.split()]
    return [tuple(voicing) for voicing in voice(chords, program, LEADING_NOTE)]


@pytest.mark.parametrize("names", SEQUENCES)
@pytest.mark.parametrize("lowest", [48, 55, 60, 72])
def test_voices_move_little(names: str, lowest: int) -> None:
    moves = np.abs(np.diff(under(names, lowest), axis=0))  # (N − 1, 4)
    assert moves[:, 0].max() <= 12  # the bass, an octave
    assert moves[:, 1:].max() <= 5  # the others, a fourth
    assert moves[:, 1:].mean() < 2.5
    if lowest == 72:
        assert moves[:, 1:].mean() < 1.7


@pytest.mark.parametrize("names", SEQUENCES)
def test_no_two_voices_move_in_parallel_fifths_or_octaves(names: str) -> None:
    for before, after in itertools.pairwise(under(names)):
        for low, high in itertools.combinations(range(4), 2):
            intervals = {(voices[high] - voices[low]) % 12 for voices in (before, after)}
            moves = np.sign([after[low] - before[low], after[high] - before[high]])
            assert intervals not in ({0}, {7}) or moves.prod() <= 0


@pytest.mark.parametrize("names", SEQUENCES)
def test_chords_have_their_notes_and_double_none_that_wants_to_move(names: str) -> None:
    voicings = under(names)
    for name, voicing in zip(names.split(), voicings, strict=True):
        chord = Chord.parse(name)
        root, third, fifth, *seventh = chord.pitch_classes
        sounding = [pitch % 12 for pitch in voicing]
        assert {root, third, *seventh} <= set(sounding) <= set(chord.pitch_classes)
        assert fifth in sounding or seventh
        assert sounding[0] in (root, third)
        assert list(voicing) == sorted(set(voicing))
        alone = [*seventh, *([third] if third == LEADING_NOTE or chord.quality == "7" else [])]
        assert all(sounding.count(pitch) == 1 for pitch in alone)
        # Below C3 there are no intervals closer than a fifth.
        assert all(high - low >= 7 for low, high in itertools.pairwise(voicing) if low < 48)
    assert voicings[-1][0] % 12 == Chord.parse(names.split()[-1]).root
    in_root_position = [
        v[0] % 12 == Chord.parse(name).root for name, v in zip(names.split(), voicings, strict=True)
    ]
    assert np.mean(in_root_position) > 0.7


def test_chords_stay_below_the_melody_where_there_is_room() -> None:
    for names, lowest in itertools.product(SEQUENCES, (60, 64, 72, 84)):
        assert max(map(max, under(names, lowest))) < lowest
    # They do not follow a high melody: they stay where a pianist's hands are.
    assert under(SEQUENCES[0], 96) == under(SEQUENCES[0], 72)


@pytest.mark.parametrize("program", sorted({*RANGES, 81}))
def test_every_instrument_can_play_every_chord(program: int) -> None:
    low, high = RANGES.get(program, (0, 127))
    for quality in Quality:
        names = " ".join(Chord(root, quality).name() for root in (0, 7, 2, 9, 4, 11, 6, 1, 8, 3, 10, 5))
        voicings = under(names, program=program)
        assert low <= min(map(min, voicings))
        assert max(map(max, voicings)) <= high
        assert voicings[-1][0] % 12 == 5


def test_the_compass_of_a_piano_is_that_of_two_hands() -> None:
    assert compass(PIANO) == ((33, 52), (43, 76))


def test_without_chords_there_is_nothing_to_voice() -> None:
    assert under("") == []
