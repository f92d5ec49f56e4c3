"""Notes and melodies on a grid of sixteenth steps; the grid's constants with their units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from emomelody.music.meter import Meter

STEPS_PER_BEAT = 4  # sixteenth steps per quarter note
BEATS_PER_BAR = 4  # in 4/4, the meter of the paper's models
STEPS_PER_BAR = STEPS_PER_BEAT * BEATS_PER_BAR  # in 4/4
BARS = 4  # bars per training window
WINDOW_STEPS = BARS * STEPS_PER_BAR  # 64, the length of the paper's token sequences
TEMPO = 120  # quarter notes per minute
MAX_PITCH = 127  # MIDI's highest
LEGATO = Fraction(1, 8)  # quarter notes, half a step: notes that overlap by at most this are consecutive
assert WINDOW_STEPS * 60 / (TEMPO * STEPS_PER_BEAT) == 8.0  # seconds: the paper's eight


@dataclass(frozen=True, order=True, slots=True)
class Note:
    """One note: ``onset`` and ``duration`` in steps, ``pitch`` as a MIDI number (60 = middle C)."""

    onset: int
    duration: int
    pitch: int

    @property
    def end(self) -> int:
        """The first step after the note."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class Melody:
    """A monophonic melody: notes in order, without overlap, within ``steps`` steps.

    Raises ValueError for other notes, so that every melody can be encoded as tokens.
    """

    notes: tuple[Note, ...]
    steps: int = WINDOW_STEPS
    meter: Meter = Meter.FOUR_FOUR

    def __post_init__(self) -> None:
        end = 0
        for note in self.notes:
            if note.onset < end or note.duration < 1 or note.end > self.steps:
                raise ValueError(f"{note} overlaps, is empty or leaves the {self.steps} steps")
            if not 0 <= note.pitch <= MAX_PITCH:
                raise ValueError(f"{note} is outside MIDI's pitches 0–{MAX_PITCH}")
            end = note.end

    @property
    def bars(self) -> int:
        """The number of bars; the last one may be incomplete."""
        return -(-self.steps // self.meter.bar)

    def beginning(self, bars: int) -> Melody:
        """Its first bars; a shorter melody goes on with silence."""
        steps = bars * self.meter.bar
        notes = (Note(n.onset, min(n.end, steps) - n.onset, n.pitch) for n in self.notes if n.onset < steps)
        return Melody(tuple(notes), steps, self.meter)

    def followed_by(self, other: Melody) -> Melody:
        """Its bars and then those of another melody in the same meter."""
        start = self.bars * self.meter.bar
        later = (Note(n.onset + start, n.duration, n.pitch) for n in other.notes)
        return Melody((*self.notes, *later), start + other.steps, self.meter)

    def transposed(self, semitones: int) -> Melody:
        """Return the melody ``semitones`` higher (negative: lower). Raises ValueError outside 0–127."""
        notes = tuple(Note(n.onset, n.duration, n.pitch + semitones) for n in self.notes)
        return Melody(notes, self.steps, self.meter)


@dataclass(frozen=True, order=True, slots=True)
class TimedNote:
    """A note of a source file before quantisation: exact ``onset`` and ``end`` in quarter notes."""

    onset: Fraction
    end: Fraction
    pitch: int


def skyline(notes: Iterable[TimedNote]) -> list[TimedNote]:
    """Return the top line of any notes, as consecutive notes without overlap.

    A note that starts below a sounding one is dropped, unless the two overlap by at most ``LEGATO``, as notes
    of a played line do. A note that starts above a sounding one ends it.
    """
    line: list[TimedNote] = []
    for note in sorted(notes, key=lambda n: (n.onset, -n.pitch)):
        if note.end <= note.onset:
            continue
        if line and note.onset < line[-1].end:
            last = line[-1]
            consecutive = last.end - note.onset <= LEGATO and note.end > last.end
            if note.onset == last.onset or (note.pitch < last.pitch and not consecutive):
                continue
            line[-1] = TimedNote(last.onset, note.onset, last.pitch)
        line.append(note)
    return line


def quantise(line: Iterable[TimedNote], steps: int, *, speed: Fraction = Fraction(1)) -> Melody:
    """Quantise a top line to a melody of exactly ``steps`` steps: cut there, or padded with rests.

    Step 0 is time 0. Onsets and ends are rounded to the nearest step, halves up; of two notes on one step the
    later one is kept. ``speed`` 1/2 doubles every duration. Pitches must lie in 0–127.
    """
    placed: list[Note] = []
    for timed in line:
        onset, end = (
            floor(time / speed * STEPS_PER_BEAT + Fraction(1, 2)) for time in (timed.onset, timed.end)
        )
        if placed and placed[-1].onset >= onset:
            placed.pop()
        elif placed and placed[-1].end > onset:
            last = placed[-1]
            placed[-1] = Note(last.onset, onset - last.onset, last.pitch)
        if onset >= steps:
            break
        placed.append(Note(onset, max(1, min(end, steps) - onset), timed.pitch))
    return Melody(tuple(placed), steps)
