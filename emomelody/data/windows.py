"""Sources → ``data/``: the paper's four transformations, the labels, the folder and its manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

from emomelody.data import corpus, manifest
from emomelody.data.corpus import SourcePiece
from emomelody.errors import BadInput
from emomelody.music.emotion import Emotion
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
from emomelody.music.rule import label_by_rule

FULL_SPEED, HALF_SPEED = Fraction(1), Fraction(1, 2)
MIN_SOUNDING_STEPS = WINDOW_STEPS // 2  # a window with more rest than sound is no melody
MAX_OFF_GRID = 0.2  # share of onsets farther than a quarter of a step from the grid (triplets, rubato)


class Windows(StrEnum):
    """Which windows of a piece are taken."""

    FIRST = "first"  # one from the very beginning, pickup included: the paper's
    ALL = "all"  # from barline to barline to the end, not overlapping


@dataclass(frozen=True)
class Source:
    """A file to read, and its label where it was given one."""

    path: Path
    emotion: Emotion | None = None
    label_from: str = manifest.BY_RULE
    both_speeds: bool = False  # also stretch two bars to four, as the paper's set has its calm melodies


@dataclass(frozen=True)
class Window:
    """A melody cut from a piece, in C, with its label."""

    melody: Melody
    emotion: Emotion
    label_from: str
    first_bar: int
    bars: int
    half_speed: bool


@dataclass(frozen=True)
class PieceWindows:
    """What came of one source: its windows, and how many were left out for which reason."""

    source: Path
    key: Key
    transposition: int
    pitches: tuple[int, ...]  # of the whole line, by which tunes are told apart
    windows: tuple[Window, ...]
    skipped: Mapping[str, int]


def cut_windows(source: Source, windows: Windows) -> PieceWindows | BadInput:
    """The windows of one source, or why it has none."""
    try:
        piece = corpus.read(source.path)
    except BadInput as error:
        return error
    if not piece.common_time:
        return PieceWindows(source.path, piece.key, 0, (), (), {f"piece not in {corpus.METER}": 1})
    # Down by the tonic; only a line that would fall off the keyboard goes up instead.
    lowest = min(note.pitch for note in piece.line)
    transposition = -piece.key.tonic if lowest >= piece.key.tonic else 12 - piece.key.tonic
    if max(note.pitch for note in piece.line) + transposition > MAX_PITCH:
        return BadInput(source.path, "from top to bottom of the keyboard: it cannot be transposed")
    line = [TimedNote(n.onset, n.end, n.pitch + transposition) for n in piece.line]
    found: list[Window] = []
    skipped: Counter[str] = Counter()
    for speed in (FULL_SPEED, HALF_SPEED) if source.both_speeds else (FULL_SPEED,):
        for first_bar, start in _starts(piece, windows, speed):
            window = _window(piece, line, start, speed)
            if isinstance(window, str):
                skipped[window] += 1
                continue
            emotion = source.emotion or label_by_rule(window, piece.key.mode)
            bars = int(BARS * speed)
            half = speed == HALF_SPEED
            found.append(Window(window, emotion, source.label_from, first_bar, bars, half))
    pitches = tuple(note.pitch for note in line)
    return PieceWindows(source.path, piece.key, transposition, pitches, tuple(found), skipped)


def first_window(path: Path) -> Melody:
    """The first four bars of a piece, in C. Raises BadInput where there are none."""
    found = cut_windows(Source(path), Windows.FIRST)
    if isinstance(found, BadInput):
        raise found
    if not found.windows:
        raise BadInput(path, f"no melody in it ({', '.join(found.skipped)})")
    return found.windows[0].melody


def _starts(piece: SourcePiece, windows: Windows, speed: Fraction) -> Iterator[tuple[int, Fraction]]:
    """The (number of the first bar, time in quarters) of each window; a pickup is bar 0."""
    if windows is Windows.FIRST:
        yield (0 if piece.barlines and piece.barlines[0] > 0 else 1), Fraction(0)
        return
    free, end = Fraction(0), piece.line[-1].end
    for number, barline in enumerate(piece.barlines, start=1):
        if free <= barline < end:
            yield number, barline
            free = barline + BARS * BEATS_PER_BAR * speed


def _window(piece: SourcePiece, line: list[TimedNote], start: Fraction, speed: Fraction) -> Melody | str:
    """The melody from ``start`` (quarters) on, or the reason why it is none."""
    end = start + BARS * BEATS_PER_BAR * speed
    if not any(a <= start and min(end, line[-1].end) <= b for a, b in piece.common_time):
        return f"window not in {corpus.METER}"
    # A window that starts inside a held note starts with that note's onset.
    inside = [
        TimedNote(max(n.onset, start) - start, min(n.end, end) - start, n.pitch)
        for n in line
        if n.onset < end and n.end > start
    ]
    positions = [n.onset / speed * STEPS_PER_BEAT for n in inside]
    off_grid = sum(abs(p - round(p)) > Fraction(1, 4) for p in positions)
    if off_grid > MAX_OFF_GRID * len(positions):
        return "window off the sixteenth grid"
    melody = quantise(inside, WINDOW_STEPS, speed=speed)
    if sum(n.duration for n in melody.notes) < MIN_SOUNDING_STEPS:
        return "window with more rest than sound"
    return melody
