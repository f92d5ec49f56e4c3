"""Chords under a melody, as a pianist plays them: held, broken or repeated, by the arousal of each bar.

Begin with ``accompany``. Which notes a chord has is decided in ``voicing``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from emomelody.emotions.path import Point
from emomelody.music.chords import TimedChord
from emomelody.music.melody import MAX_PITCH, STEPS_PER_BEAT, Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.expression import expression_at
from emomelody.performance.playing import played_length, played_velocity
from emomelody.performance.setting import Setting
from emomelody.performance.voicing import Accompanied, voice

# The arousal up to which chords are held, and that from which on they are repeated. Sampled points lie mostly
# within 0.4 of the axis, so these leave some four fifths of them on one of the two sides.
HELD, REPEATED = -0.1, 0.1
LOW = 60  # the mean pitch below which chords lie above the melody
BASS_CHANGE, UPPER_CHANGE = -5.0, -7.0  # dB from the melody; three upper voices sound together
# Steps of a bar on which an accompaniment may have its notes, the densest first.
GRIDS: dict[Meter, tuple[Sequence[int], ...]] = {
    Meter.FOUR_FOUR: (range(0, 16, 2), range(0, 16, 4), (0, 8), (0,)),
    Meter.THREE_FOUR: (range(0, 12, 2), range(0, 12, 4), (0,)),
    Meter.SIX_EIGHT: (range(0, 12, 2), (0, 4, 6, 10), (0, 6), (0,)),
}
BASS_STEPS = {Meter.FOUR_FOUR: (0, 8), Meter.THREE_FOUR: (0,), Meter.SIX_EIGHT: (0, 6)}  # of repeated chords
BASS, UPPER = (0,), (1, 2, 3)  # the numbers of the voices
BROKEN = ((1,), (2,), (3,), (2,))  # the upper voices of a broken chord, again and again
BROKEN_SHORT: dict[int, Sequence[tuple[int, ...]]] = {
    1: (UPPER,),
    2: ((1,), (2, 3)),
}  # by notes after the bass

_Stroke = tuple[int, int, tuple[int, ...]]  # the step on which voices begin, their end, and their numbers


@dataclass(frozen=True, order=True, slots=True)
class PlayedNote:
    """A note with how it is played."""

    note: Note  # at sounding pitch
    velocity: int  # 1–127
    length: float  # how long it sounds, as a share of its duration, up to 1


@dataclass(frozen=True)
class BarExpression:
    """How a bar is played."""

    point: Point  # (valence, arousal)
    tempo: float  # quarter notes per minute
    loudness: float  # dB above ``expression.BASE_VELOCITY``
    note_length: float  # share of a duration, 0 … 1


def accompany(
    melody: Melody, chords: Sequence[TimedChord], bars: Sequence[BarExpression], setting: Setting
) -> tuple[PlayedNote, ...]:
    """The notes of chords under a melody, both at sounding pitch, by onset and pitch.

    Of each pitch only one note sounds at a time. No bar has more onsets per second than the notes per second
    of its point, unless its chords change more often. The last chord is held to the end of the melody. Upper
    voices that would not be below the melody are left out; under a low melody, which leaves them no room,
    they lie above it. Raises ValueError for chords that overlap, are not in order, are empty or leave the
    melody.
    """
    end = 0
    for timed in chords:
        if timed.onset < end or timed.duration < 1 or timed.end > melody.steps:
            raise ValueError(f"{timed} overlaps, is empty or leaves the {melody.steps} steps")
        end = timed.end
    low = _is_low(melody)
    sides = [_sides(melody, timed) for timed in chords]
    accompanied = [
        Accompanied(timed.chord, not_below, not_above if low else not_below)
        for timed, (not_below, not_above) in zip(chords, sides, strict=True)
    ]
    voicings = voice(accompanied, int(setting.chords_program), leading_note=(setting.semitones - 1) % 12)
    notes = []
    for timed, voicing in zip(chords, voicings, strict=True):
        for start, end, voices in _strokes(melody, timed, bars, last=timed is chords[-1]):
            bar = bars[start // melody.meter.bar]
            length = 1.0 if end == melody.steps else played_length(end - start, bar.note_length, setting)
            lowest = _lowest(melody, start, end)
            for number in voices:
                if number and not low and voicing[number] >= lowest:
                    continue  # the melody is to be heard
                change = UPPER_CHANGE if number else BASS_CHANGE
                velocity = played_velocity(start, bar.loudness, melody.meter, setting, change)
                notes.append(PlayedNote(Note(start, end - start, voicing[number]), velocity, length))
    return tuple(sorted(notes, key=lambda played: (played.note.onset, played.note.pitch)))


def _sides(melody: Melody, timed: TimedChord) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The shares of a chord's duration in which each MIDI pitch is not below, and not above, the melody.

    (128,) each.
    """
    not_below, not_above = np.zeros((2, MAX_PITCH + 1))
    for note in melody.notes:
        together = max(0, min(note.end, timed.end) - max(note.onset, timed.onset))
        not_below[note.pitch :] += together / timed.duration
        not_above[: note.pitch + 1] += together / timed.duration
    return tuple(not_below.tolist()), tuple(not_above.tolist())


def _is_low(melody: Melody) -> bool:
    """Whether a melody lies so low that three voices and a bass have no room below it."""
    sounding = sum(note.duration for note in melody.notes)
    return sum(note.pitch * note.duration for note in melody.notes) < LOW * sounding


def _lowest(melody: Melody, start: int, end: int) -> int:
    """The lowest pitch of the melody between two steps; above all pitches where it rests."""
    sounding = (note.pitch for note in melody.notes if note.onset < end and note.end > start)
    return min(sounding, default=MAX_PITCH + 1)


def _strokes(
    melody: Melody, timed: TimedChord, bars: Sequence[BarExpression], *, last: bool
) -> Iterator[_Stroke]:
    """Yield the strokes of a chord, bar by bar."""
    meter = melody.meter
    final = max(timed.onset, (melody.bars - 1) * meter.bar) if last else melody.steps
    start = timed.onset
    while start < min(timed.end, final):
        end = min(timed.end, final, start - start % meter.bar + meter.bar)
        yield from _strokes_in_bar(start, end, bars[start // meter.bar], meter)
        start = end
    if last:
        yield final, melody.steps, (*BASS, *UPPER)


def _strokes_in_bar(start: int, end: int, bar: BarExpression, meter: Meter) -> Iterator[_Stroke]:
    """Yield the strokes of a chord that sounds in a bar from one step to another."""
    arousal = bar.point[1]
    grid = _grid(bar, meter)
    gap = min((after - before for before, after in pairwise(grid)), default=meter.bar)
    first = start - start % meter.bar  # of the bar
    onsets = [start, *(first + step for step in grid if start + gap <= first + step < end)]
    if arousal <= HELD or len(onsets) == 1:
        yield start, end, (*BASS, *UPPER)
    elif arousal < REPEATED:
        yield from _broken(onsets, end)
    else:
        yield from _repeated(onsets, end, [first + step for step in BASS_STEPS[meter]])


def _grid(bar: BarExpression, meter: Meter) -> Sequence[int]:
    """The densest grid of a meter with no more onsets per second than the notes of the bar's point."""
    seconds = meter.bar / STEPS_PER_BEAT * 60 / bar.tempo
    most = expression_at(bar.point).note_rate * seconds  # onsets
    return next((grid for grid in GRIDS[meter] if len(grid) <= most), GRIDS[meter][-1])


def _broken(onsets: Sequence[int], end: int) -> Iterator[_Stroke]:
    """Yield the bass, which sounds to the end, and then the upper voices one after the other."""
    yield onsets[0], end, BASS
    after = onsets[1:]
    order = BROKEN_SHORT.get(len(after), BROKEN)
    for number, (start, following) in enumerate(pairwise([*after, end])):
        yield start, following, order[number % len(order)]


def _repeated(onsets: Sequence[int], end: int, strong: Sequence[int]) -> Iterator[_Stroke]:
    """Yield the bass on the first and the strong steps, and the upper voices on the others.

    A bass note that they would not follow sounds with them.
    """
    bass = [onset for onset in onsets if onset == onsets[0] or onset in strong]
    for start, following in pairwise([*bass, end]):
        yield start, following, BASS
        after = [onset for onset in onsets if start < onset < following] or [start]
        for onset, next_onset in pairwise([*after, following]):
            yield onset, next_onset, UPPER
