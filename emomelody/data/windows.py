"""From a piece to four-bar melodies in C: three of the paper's four transformations.

A piece is transposed to C, cut at barlines and quantised to the sixteenth grid; ``labelling`` is the fourth.
A window that leaves the piece's meter, is off the grid, or has more rest than sound is skipped and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from emomelody.data import corpus, skipped
from emomelody.data.chords.voices import chords_by_bar
from emomelody.data.corpus import SourcePiece
from emomelody.data.grid import TOLERANCE
from emomelody.data.sources import Slow, Source
from emomelody.emotions.rule import SECONDS_PER_STEP, THRESHOLD, onset_rate
from emomelody.errors import BadInput
from emomelody.music.chords import Chord
from emomelody.music.key import Key
from emomelody.music.melody import BARS, MAX_PITCH, STEPS_PER_BEAT, Melody, TimedNote, quantise
from emomelody.music.meter import Meter
from emomelody.music.style import Style

FULL_SPEED, HALF_SPEED, QUARTER_SPEED = Fraction(1), Fraction(1, 2), Fraction(1, 4)
MAX_OFF_GRID = 0.2  # share of onsets more than a quarter of a step off the grid (triplets, rubato)
PASSAGE = 4  # windows of a fast piece that are used slowed down, sixteen bars


class Windows(StrEnum):
    """Which windows of a piece are taken."""

    FIRST = "first"  # one from the beginning, including a pickup: the paper's choice
    ALL = "all"  # successive windows from barline to barline, without overlap


@dataclass(frozen=True)
class Window:
    """A four-bar melody in C."""

    melody: Melody  # 64 steps, or 48 in 3/4 and 6/8
    seconds: float  # how long its four bars last at the tempos of the piece
    first_bar: int  # in the piece; a pickup is bar 0, two bars of 2/4 are one
    speed: Fraction  # 1, 1/2 or 1/4

    @property
    def bars(self) -> int:
        """How many bars of the piece it has: 4, or 2 or 1 where it is slowed down."""
        return int(BARS * self.speed)


@dataclass(frozen=True)
class PieceWindows:
    """The windows of one piece, and how many were skipped for each reason."""

    source: Source
    key: Key
    meter: Meter | None  # None for a piece that is not used
    transposition: int  # semitones
    pitches: tuple[int, ...]  # of the whole melody line, for comparing tunes
    bars: int  # of the piece, without a pickup
    windows: tuple[Window, ...]
    skipped: Mapping[str, int]
    chords: tuple[tuple[Chord, ...], ...] = ()  # of each bar of a chorale, one a quarter note, in C


@dataclass(frozen=True)
class _Cutter:
    """Cuts the windows of a piece in one meter; ``line`` is its melody in C."""

    piece: SourcePiece
    meter: Meter
    line: list[TimedNote]

    def length(self, speed: Fraction) -> Fraction:
        """The quarter notes of the piece in a window at a speed."""
        return Fraction(BARS * self.meter.bar, STEPS_PER_BEAT) * speed

    def cut(self, windows: Windows, speed: Fraction) -> Iterator[Window | str]:
        """The windows at one speed, or the reason for skipping one."""
        for first_bar, start in self._starts(windows, speed):
            melody = self._melody(start, speed)
            if isinstance(melody, str):
                yield melody
            else:
                seconds = float(self.piece.seconds(start, start + self.length(speed)) / speed)
                yield Window(melody, seconds, first_bar, speed)

    def _starts(self, windows: Windows, speed: Fraction) -> Iterator[tuple[int, Fraction]]:
        """(number of the first bar, time in quarter notes) of each window."""
        barlines = self.piece.barlines
        if windows is Windows.FIRST:
            yield (0 if barlines and barlines[0] > 0 else 1), Fraction(0)
            return
        free, end = Fraction(0), self.line[-1].end
        for number, barline in enumerate(barlines, start=1):
            if free <= barline < end:
                yield number, barline
                free = barline + self.length(speed)

    def _melody(self, start: Fraction, speed: Fraction) -> Melody | str:
        """The four bars from ``start`` (quarter notes), or the reason for skipping them."""
        end = start + self.length(speed)
        if not any(a <= start and min(end, self.line[-1].end) <= b for a, b in self.piece.spans):
            return skipped.change_of_meter(self.piece.notated)
        # A note that sounds across the start of the window begins with it.
        inside = [
            TimedNote(max(n.onset, start) - start, min(n.end, end) - start, n.pitch)
            for n in self.line
            if n.onset < end and n.end > start
        ]
        positions = [n.onset / speed * STEPS_PER_BEAT for n in inside]  # in steps
        off_grid = sum(abs(p - round(p)) > TOLERANCE for p in positions)
        if off_grid > MAX_OFF_GRID * len(positions):
            return skipped.OFF_GRID
        steps = BARS * self.meter.bar
        melody = replace(quantise(inside, steps, speed=speed), meter=self.meter)
        if sum(n.duration for n in melody.notes) < steps // 2:
            return skipped.RESTS
        return melody


def cut_windows(source: Source, windows: Windows) -> PieceWindows | BadInput:
    """The windows of one source; BadInput is returned, not raised, if it cannot be used."""
    try:
        piece = corpus.read(source.path, source.tune)
        if piece.meter is None or not piece.has_beat:
            reason = skipped.other_meter(piece.notated) if piece.meter is None else skipped.NO_BEAT
            return PieceWindows(source, piece.key, None, 0, (), 0, (), {reason: 1})
        transposition = _transposition(piece)
    except BadInput as error:
        return BadInput(source.path, f"{source.tune.name}: {error.reason}") if source.tune else error
    line = [TimedNote(n.onset, n.end, n.pitch + transposition) for n in piece.line]
    cutter = _Cutter(piece, piece.meter, line)
    cut = list(cutter.cut(windows, FULL_SPEED))
    if source.slow is Slow.ALL:
        cut += cutter.cut(windows, HALF_SPEED)
    elif source.slow is not None:
        cut += _slow_passage(cutter, windows, cut, source.slow)
    found = tuple(window for window in cut if isinstance(window, Window))
    reasons = Counter(reason for reason in cut if isinstance(reason, str)) if cut else {skipped.NO_BAR: 1}
    pitches = tuple(note.pitch for note in line)
    bars = sum(barline < line[-1].end for barline in piece.barlines)
    chorale = source.style is Style.CHORALE and windows is Windows.ALL and found
    chords = chords_by_bar(source.path, piece, transposition) if chorale else ()
    return PieceWindows(source, piece.key, piece.meter, transposition, pitches, bars, found, reasons, chords)


def _slow_passage(
    cutter: _Cutter, windows: Windows, full: list[Window | str], part: Slow
) -> list[Window | str]:
    """Sixteen bars of a fast piece at half speed, or at a quarter where it is still fast then.

    ``full`` are its windows at full speed. None of a piece that is not fast.
    """
    if not _is_fast(full):
        return []
    cut = list(cutter.cut(windows, HALF_SPEED))
    if _is_fast(cut):
        cut = list(cutter.cut(windows, QUARTER_SPEED))
    return cut[:PASSAGE] if part is Slow.BEGINNING else cut[-PASSAGE:]


def _is_fast(cut: list[Window | str]) -> bool:
    """Whether at least half of the windows have high arousal by the rule."""
    melodies = [window.melody for window in cut if isinstance(window, Window)]
    high = sum(onset_rate(melody, melody.steps * SECONDS_PER_STEP) > THRESHOLD for melody in melodies)
    return 2 * high >= len(melodies)


def _transposition(piece: SourcePiece) -> int:
    """Semitones to C: down, or up for a line that would leave MIDI's range. Raises BadInput if both do."""
    pitches = [note.pitch for note in piece.line]
    tonic = piece.key.tonic
    transposition = -tonic if min(pitches) >= tonic else 12 - tonic
    if max(pitches) + transposition > MAX_PITCH:
        raise BadInput(piece.source, "spans all of MIDI's pitches: it cannot be transposed to C")
    return transposition
