"""Notes and melodies on the sixteenth grid, and the grid's constants with their units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

STEPS_PER_BEAT = 4  # sixteenth steps per quarter note
BEATS_PER_BAR = 4  # the project knows 4/4 only
STEPS_PER_BAR = STEPS_PER_BEAT * BEATS_PER_BAR
BARS = 4  # bars of a training window
WINDOW_STEPS = BARS * STEPS_PER_BAR  # 64, the length of the paper's token sequences
TEMPO = 120  # quarter notes per minute
MAX_PITCH = 127  # MIDI's highest
LEGATO = Fraction(1, 8)  # quarter notes, half a step: notes that overlap by no more follow one another
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
    """Notes one after another, none overlapping, within ``steps`` steps.

    Raises ValueError where that does not hold: a melody that exists is a melody that can be encoded.
    """

    notes: tuple[Note, ...]
    steps: int = WINDOW_STEPS

    def __post_init__(self) -> None:
        end = 0
        for note in self.notes:
            if note.onset < end or note.duration < 1 or note.end > self.steps:
                raise ValueError(f"{note} overlaps, is empty or leaves the {self.steps} steps")
            if not 0 <= note.pitch <= MAX_PITCH:
                raise ValueError(f"{note} is outside MIDI's pitches 0–{MAX_PITCH}")
            end = note.end

    def transposed(self, semitones: int) -> Melody:
        """The same melody, ``semitones`` higher (or lower, where negative)."""
        return Melody(tuple(Note(n.onset, n.duration, n.pitch + semitones) for n in self.notes), self.steps)


@dataclass(frozen=True, order=True, slots=True)
class TimedNote:
    """A note as a source has it, before the grid: ``onset`` and ``end`` in quarter notes, exact."""

    onset: Fraction
    end: Fraction
    pitch: int


def skyline(notes: Iterable[TimedNote]) -> list[TimedNote]:
    """The top line of any notes: what sounds highest, one note after another.

    A note that starts below one still sounding is not heard on top, unless it follows it with a small
    overlap, as played notes do; a higher one cuts the one it covers.
    """
    line: list[TimedNote] = []
    for note in sorted(notes, key=lambda n: (n.onset, -n.pitch)):
        if note.end <= note.onset:
            continue
        if line and note.onset < line[-1].end:
            held = line[-1]
            follows = held.end - note.onset <= LEGATO and note.end > held.end
            if note.onset == held.onset or (note.pitch < held.pitch and not follows):
                continue
            line[-1] = TimedNote(held.onset, note.onset, held.pitch)
        line.append(note)
    return line


def quantise(line: Iterable[TimedNote], steps: int, *, speed: Fraction = Fraction(1)) -> Melody:
    """A top line on the grid, from its time 0 on, cut at ``steps`` steps and filled up with rests.

    ``speed`` 1/2 makes every duration twice as long. Onsets go to the nearest step (halves to the later
    one); of two notes that meet on a step the later one stays. Pitches must lie in 0–127.
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
