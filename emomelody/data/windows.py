"""From a piece to four-bar melodies in C: three of the paper's four transformations.

A piece is transposed to C, cut at barlines and quantised to the sixteenth grid; ``labelling`` is the fourth.
A window that is not in 4/4, is off the grid, or has more rest than sound is skipped and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from emomelody.data import corpus
from emomelody.data.corpus import SourcePiece
from emomelody.data.labels import Label
from emomelody.data.sources import Source
from emomelody.errors import BadInput
from emomelody.music.key import Key
from emomelody.music.melody import (
    BARS,
    BEATS_PER_BAR,
    MAX_PITCH,
    STEPS_PER_BEAT,
    WINDOW_STEPS,
    Melody,
    TimedNote,
    quantise,
)

FULL_SPEED, HALF_SPEED = Fraction(1), Fraction(1, 2)
MIN_SOUNDING_STEPS = WINDOW_STEPS // 2  # a window with more rest than sound is skipped
MAX_OFF_GRID = 0.2  # share of onsets more than a quarter of a step off the grid (triplets, rubato)


class Windows(StrEnum):
    """Which windows of a piece are taken."""

    FIRST = "first"  # one from the beginning, including a pickup: the paper's choice
    ALL = "all"  # successive windows from barline to barline, without overlap


@dataclass(frozen=True)
class Window:
    """A four-bar melody in C."""

    melody: Melody
    seconds: float  # how long its four bars last at the tempos of the piece
    first_bar: int  # in the piece; a pickup is bar 0
    bars: int  # of the piece: 4, or 2 at half speed
    half_speed: bool


@dataclass(frozen=True)
class PieceWindows:
    """The windows of one piece, and how many were skipped for each reason."""

    source: Path
    label: Label | None  # that the piece was given
    key: Key
    transposition: int  # semitones
    pitches: tuple[int, ...]  # of the whole melody line, for comparing tunes
    windows: tuple[Window, ...]
    skipped: Mapping[str, int]


def cut_windows(source: Source, windows: Windows) -> PieceWindows | BadInput:
    """The windows of one source; BadInput is returned, not raised, if the file cannot be used."""
    try:
        piece = corpus.read(source.path)
        if not piece.common_time:
            skipped = {f"piece not in {corpus.METER}": 1}
            return PieceWindows(source.path, source.label, piece.key, 0, (), (), skipped)
        transposition = _transposition(piece)
    except BadInput as error:
        return error
    line = [TimedNote(n.onset, n.end, n.pitch + transposition) for n in piece.line]
    found: list[Window] = []
    skipped = Counter[str]()
    for speed in (FULL_SPEED, HALF_SPEED) if source.both_speeds else (FULL_SPEED,):
        for first_bar, start in _starts(piece, windows, speed):
            melody = _melody(piece, line, start, speed)
            if isinstance(melody, str):
                skipped[melody] += 1
                continue
            length = BARS * BEATS_PER_BAR * speed
            seconds = float(piece.seconds(start, start + length) / speed)
            found.append(Window(melody, seconds, first_bar, int(BARS * speed), speed == HALF_SPEED))
    pitches = tuple(note.pitch for note in line)
    return PieceWindows(source.path, source.label, piece.key, transposition, pitches, tuple(found), skipped)


def first_window(path: Path) -> Melody:
    """The first four bars of a piece, in C. Raises BadInput if there is no usable melody."""
    found = cut_windows(Source(path), Windows.FIRST)
    if isinstance(found, BadInput):
        raise found
    if not found.windows:
        raise BadInput(path, f"no melody in it ({', '.join(found.skipped)})")
    return found.windows[0].melody


def _transposition(piece: SourcePiece) -> int:
    """Semitones to C: down, or up for a line that would leave MIDI's range. Raises BadInput if both do."""
    pitches = [note.pitch for note in piece.line]
    tonic = piece.key.tonic
    transposition = -tonic if min(pitches) >= tonic else 12 - tonic
    if max(pitches) + transposition > MAX_PITCH:
        raise BadInput(piece.source, "spans all of MIDI's pitches: it cannot be transposed to C")
    return transposition


def _starts(piece: SourcePiece, windows: Windows, speed: Fraction) -> Iterator[tuple[int, Fraction]]:
    """(number of the first bar, time in quarter notes) of each window."""
    if windows is Windows.FIRST:
        yield (0 if piece.barlines and piece.barlines[0] > 0 else 1), Fraction(0)
        return
    free, end = Fraction(0), piece.line[-1].end
    for number, barline in enumerate(piece.barlines, start=1):
        if free <= barline < end:
            yield number, barline
            free = barline + BARS * BEATS_PER_BAR * speed


def _melody(piece: SourcePiece, line: list[TimedNote], start: Fraction, speed: Fraction) -> Melody | str:
    """The four bars of a line from ``start`` (quarter notes), or the reason for skipping them."""
    end = start + BARS * BEATS_PER_BAR * speed
    if not any(a <= start and min(end, line[-1].end) <= b for a, b in piece.common_time):
        return f"window not in {corpus.METER}"
    # A note that sounds across the start of the window begins with it.
    inside = [
        TimedNote(max(n.onset, start) - start, min(n.end, end) - start, n.pitch)
        for n in line
        if n.onset < end and n.end > start
    ]
    positions = [n.onset / speed * STEPS_PER_BEAT for n in inside]  # in steps
    off_grid = sum(abs(p - round(p)) > Fraction(1, 4) for p in positions)
    if off_grid > MAX_OFF_GRID * len(positions):
        return "window off the sixteenth grid"
    melody = quantise(inside, WINDOW_STEPS, speed=speed)
    if sum(n.duration for n in melody.notes) < MIN_SOUNDING_STEPS:
        return "window with more rest than sound"
    return melody
