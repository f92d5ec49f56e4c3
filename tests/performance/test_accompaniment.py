"""Chords under a melody: when their notes begin, how loud they are, and what they leave as it is."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from pieces import pieces_with_chords, under_each_bar, without_chords

from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.music.chords import Chord, TimedChord
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.expression import decibels, expression_at
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.registers import RANGES
from emomelody.performance.setting import PLAIN, Setting

CALM, MIDDLE, AROUSED = (0.5, -0.6), (0.5, 0.0), (0.5, 0.6)


def piece(
    meter: Meter = Meter.FOUR_FOUR,
    point: tuple[float, float] = AROUSED,
    setting: Setting = PLAIN,
    names: tuple[str, ...] = ("C", "F", "G7", "C"),
) -> Piece:
    """A melody of half bars, four bars long, under chords of one bar each."""
    half = meter.bar // 2
    melody = Melody(tuple(Note(half * n, half, 72 + n % 3) for n in range(8)), 4 * meter.bar, meter)
    return arrange(
        melody,
        title="a",
        emotion=Emotion.at(*point),
        trajectory=[point],
        setting=setting,
        chords=under_each_bar(melody, *names),
    )


def strokes(found: Piece, bar: int = 0) -> list[tuple[int, int]]:
    """The steps of a bar on which notes begin, and how many do."""
    length, counts = found.melody.meter.bar, defaultdict(int)
    for played in found.accompaniment:
        if played.note.onset // length == bar:
            counts[played.note.onset % length] += 1
    return sorted(counts.items())


@pytest.mark.parametrize(
    ("meter", "point", "expected"),
    [
        (Meter.FOUR_FOUR, CALM, [(0, 4)]),
        (Meter.FOUR_FOUR, MIDDLE, [(step, 1) for step in range(0, 16, 4)]),
        (Meter.FOUR_FOUR, AROUSED, [(0, 1), (2, 3), (4, 3), (6, 3), (8, 1), (10, 3), (12, 3), (14, 3)]),
        (Meter.THREE_FOUR, CALM, [(0, 4)]),
        (Meter.THREE_FOUR, MIDDLE, [(0, 1), (4, 1), (8, 2)]),
        (Meter.THREE_FOUR, AROUSED, [(0, 1), (2, 3), (4, 3), (6, 3), (8, 3), (10, 3)]),
        (Meter.SIX_EIGHT, CALM, [(0, 4)]),
        (Meter.SIX_EIGHT, MIDDLE, [(0, 1), (4, 1), (6, 1), (10, 1)]),
        (Meter.SIX_EIGHT, AROUSED, [(0, 1), (2, 3), (4, 3), (6, 1), (8, 3), (10, 3)]),
    ],
)
def test_chords_are_held_broken_or_repeated_by_arousal(
    meter: Meter, point: tuple[float, float], expected: list[tuple[int, int]]
) -> None:
    found = piece(meter, point)  # at 120 quarter notes per minute
    assert strokes(found) == expected
    assert strokes(found, 3) == [(0, 4)]  # the last chord is held
    last = [played for played in found.accompaniment if played.note.onset == 3 * meter.bar]
    assert {(played.note.end, played.length) for played in last} == {(4 * meter.bar, 1.0)}


def test_a_fast_waltz_goes_oom_pah_pah() -> None:
    found = piece(Meter.THREE_FOUR, AROUSED, Setting(octave=0))
    assert strokes(found) == [(0, 1), (4, 3), (8, 3)]
    bass = min(found.accompaniment, key=lambda played: (played.note.onset, played.note.pitch))
    assert bass.note == Note(0, 12, bass.note.pitch)
    assert bass.length < 1  # as short as the melody's notes


def test_a_path_changes_the_accompaniment_bar_by_bar() -> None:
    melody = Melody(tuple(Note(8 * n, 8, 72) for n in range(16)), 128)
    trajectory = [CALM] * 3 + [MIDDLE] * 2 + [AROUSED] * 3
    chords = under_each_bar(melody, "C", "F")
    found = arrange(
        melody, title="a", emotion=Emotion.E4, trajectory=trajectory, setting=PLAIN, chords=chords
    )
    assert [len(strokes(found, bar)) for bar in range(8)] == [1, 1, 1, 4, 4, 8, 8, 1]


@pytest.mark.slow
def test_no_bar_is_busier_than_the_notes_of_its_point() -> None:
    by_emotion = defaultdict(list)
    for found in pieces_with_chords():
        bar = found.melody.meter.bar
        for number, point in enumerate(found.trajectory):
            tempo = [tempo for step, tempo in found.tempos if step <= number * bar][-1]
            rate = len(strokes(found, number)) / (bar / 4 * 60 / tempo)
            assert 0 < rate <= max(expression_at(point).note_rate, 1 / (bar / 4 * 60 / tempo)) + 1e-9
            by_emotion[found.emotion].append(rate)
    rates = {emotion: np.mean(rates) for emotion, rates in by_emotion.items()}
    assert min(rates[Emotion.E1], rates[Emotion.E2]) > max(rates[Emotion.E3], rates[Emotion.E4])


def test_a_chord_change_off_the_beat_is_played_when_it_comes() -> None:
    melody = Melody((Note(0, 64, 84),))
    names = {0: "C", 3: "F", 7: "G7", 8: "Am", 22: "Dm", 23: "G7", 32: "C"}
    starts = [*names, 64]
    chords = [
        TimedChord(start, end - start, Chord.parse(names[start])) for start, end in itertools.pairwise(starts)
    ]
    for point in (CALM, MIDDLE, AROUSED):
        found = arrange(
            melody,
            title="a",
            emotion=Emotion.at(*point),
            trajectory=[point],
            setting=replace(PLAIN, tonic="D"),
            chords=chords,
        )
        assert [timed.chord.root for timed in found.chords[:2]] == [2, 7]  # D and G
        for timed in found.chords:
            inside = [p.note for p in found.accompaniment if timed.onset <= p.note.onset < timed.end]
            assert min(note.onset for note in inside) == timed.onset
            assert max(note.end for note in inside) == timed.end
            assert {note.pitch % 12 for note in inside} <= set(timed.chord.pitch_classes)
            onsets = sorted({note.onset for note in inside})
            assert all(later - earlier >= 2 for earlier, later in itertools.pairwise(onsets))


def test_chords_are_softer_than_the_melody() -> None:
    for found in pieces_with_chords():
        level = {n.onset // 16: [] for n in found.melody.notes}
        for note, velocity in zip(found.melody.notes, found.velocities, strict=True):
            level[note.onset // 16].append(decibels(velocity))
        for played in found.accompaniment:
            bar = level.get(played.note.onset // 16)
            if bar:
                assert 2 <= np.mean(bar) - decibels(played.velocity) <= 10  # with the phrase's dynamics
    fixed = piece()
    assert set(fixed.velocities) == {90}
    softer = {round(decibels(90) - decibels(played.velocity), 1) for played in fixed.accompaniment}
    assert min(softer) == pytest.approx(5, abs=0.2)
    assert max(softer) == pytest.approx(7, abs=0.2)


def test_rests_of_the_melody_do_not_silence_the_chords() -> None:
    melody = Melody((Note(0, 4, 72),))
    found = arrange(
        melody, title="a", emotion=Emotion.E1, setting=PLAIN, chords=under_each_bar(melody, "C", "F", "G")
    )
    assert all(strokes(found, bar) for bar in range(4))


def test_chords_stay_below_the_melody_within_the_instrument() -> None:
    low, high = RANGES[24]
    for found in pieces_with_chords():
        above = total = 0
        for played in found.accompaniment:
            note = played.note
            assert low <= note.pitch <= high
            total += note.duration
            above += sum(
                max(0, min(note.end, other.end) - max(note.onset, other.onset))
                for other in found.melody.notes
                if other.pitch <= note.pitch
            )
        # Angry melodies lie so low that there is no room below them, and few others go as low now and then.
        assert above / total < (0.75 if found.emotion is Emotion.E2 else 0.2)


@pytest.mark.parametrize("octave", [-2, -3])
def test_chords_are_complete_above_a_low_melody(octave: int) -> None:
    for whole in (
        piece(setting=replace(PLAIN, octave=octave)),
        piece(point=CALM, setting=replace(PLAIN, octave=octave)),
    ):
        highest = max(note.pitch for note in whole.melody.notes)
        for timed in whole.chords:
            pitches = [p.note.pitch for p in whole.accompaniment if timed.onset <= p.note.onset < timed.end]
            assert {pitch % 12 for pitch in pitches} >= set(timed.chord.pitch_classes[:2])
            assert min(pitches) < highest < max(pitches)


def test_of_each_pitch_one_note_sounds_at_a_time() -> None:
    for found in [*pieces_with_chords(), *(piece(meter) for meter in Meter)]:
        ends: dict[int, int] = {}
        keys = [(played.note.onset, played.note.pitch) for played in found.accompaniment]
        assert keys == sorted(keys)
        for played in found.accompaniment:
            assert ends.get(played.note.pitch, 0) <= played.note.onset
            ends[played.note.pitch] = played.note.end


def test_the_melody_is_the_same_with_and_without_chords() -> None:
    melody = Melody(tuple(Note(4 * n, 4, 60 + n) for n in range(16)))
    chords = under_each_bar(melody, "C", "F", "G7")
    for emotion in Emotion:
        plain = arrange(melody, title="a", emotion=emotion)
        assert without_chords(arrange(melody, title="a", emotion=emotion, chords=chords)) == plain
        assert (plain.chords, plain.accompaniment, plain.accompaniment_program) == ((), (), 0)


def test_equal_chords_in_a_row_are_one_chord() -> None:
    found = piece(names=("C", "C", "F", "C"))
    assert [(timed.onset, timed.duration) for timed in found.chords] == [(0, 32), (32, 16), (48, 16)]


@pytest.mark.parametrize("chords", [[(0, 8), (4, 8)], [(8, 8), (0, 8)], [(0, 0)], [(60, 8)], [(-4, 8)]])
def test_chords_that_cannot_be_played_are_refused(chords: list[tuple[int, int]]) -> None:
    timed = [TimedChord(*place, Chord.parse(name)) for place, name in zip(chords, "CF", strict=False)]
    with pytest.raises(ValueError, match="overlaps, is empty or leaves the 64 steps"):
        arrange(Melody((Note(0, 4, 60),)), title="a", emotion=Emotion.E1, chords=timed)


def test_the_program_of_chords_is_parsed_like_that_of_the_melody() -> None:
    assert Setting(chords_program="guitar").chords_program == 24
    assert Setting().chords_program == 0
    assert piece(setting=Setting(chords_program="harpsichord")).accompaniment_program == 6
    for wrong in ("kazoo", 128, 1.5):
        with pytest.raises(EmomelodyError, match="program"):
            Setting(chords_program=wrong)
