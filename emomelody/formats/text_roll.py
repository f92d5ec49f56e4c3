"""Small piano rolls of text, for terminals."""

from __future__ import annotations

from collections.abc import Iterator

from emomelody.music.features import Metrics
from emomelody.music.key import note_name, signature_name
from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.performance.piece import Piece

_ONSET, _HOLD, _BAR = "▐", "█", "│"  # the half block leaves a gap between repeated notes


def to_text(piece: Piece, metrics: Metrics) -> str:
    """Draw a piece: its title, emotion and keys, its range and metrics, and its notes, four bars in a row.

    A column is a sixteenth step, a line a semitone; chords are named above the steps on which they begin. A
    meter that is not 4/4 is named. ``metrics`` are those of the melody in C.
    """
    keys = ", then ".join(signature_name(key) for _, key in piece.keys)
    meter = "" if piece.melody.meter is Meter.FOUR_FOUR else f", {piece.melody.meter}"
    notes = piece.melody.notes
    low, high = (f(note.pitch for note in notes) for f in (min, max))
    span = f"{note_name(low, piece.keys[0][1])}–{note_name(high, piece.keys[0][1])}"
    lines = [
        f"{piece.title}: {piece.description}, {keys}{meter}",
        f"{metrics.onsets} onsets, {span} ({high - low} semitones), {metrics.in_c_major:.0%} of the"
        f" notes in the major scale, {metrics.in_c_minor:.0%} in the minor",
    ]
    row = BARS * piece.melody.meter.bar
    for start in range(0, piece.melody.steps, row):
        lines += _row(piece, start, min(start + row, piece.melody.steps))
    return "\n".join(lines)


def _row(piece: Piece, start: int, end: int) -> Iterator[str]:
    """Yield the lines of the steps from ``start`` to ``end``: chords, then from their highest pitch down."""
    bar = piece.melody.meter.bar
    yield from _chord_lines(piece, start, end)
    notes = [note for note in piece.melody.notes if note.onset < end and note.end > start]
    pitches = {note.pitch for note in notes}
    for pitch in range(max(pitches, default=60), min(pitches, default=60) - 1, -1):
        cells = [" "] * (end - start)
        for note in notes:
            if note.pitch == pitch:
                for step in range(max(note.onset, start), min(note.end, end)):
                    cells[step - start] = _ONSET if step == note.onset else _HOLD
        bars = ("".join(cells[at : at + bar]) for at in range(0, len(cells), bar))
        name = note_name(pitch, piece.key_at(start)) if pitch in pitches else ""
        yield f"{name:>4} {_BAR}{_BAR.join(bars)}{_BAR}"
    numbers = "".join(f"{at // bar + 1:<{bar + 1}}" for at in range(start, end, bar))
    yield f"{'':6}{numbers.rstrip()}"


def _chord_lines(piece: Piece, start: int, end: int) -> list[str]:
    """The names of the chords from ``start`` to ``end``; one that has no room is on a line of its own."""
    bar = piece.melody.meter.bar
    lines: list[str] = []
    for timed in piece.chords:
        if start <= timed.onset < end:
            column = 6 + timed.onset - start + (timed.onset - start) // bar  # after the barlines
            name = timed.chord.printed_name(piece.key_at(timed.onset))
            number = next((n for n, line in enumerate(lines) if len(line) < column), len(lines))
            if number == len(lines):
                lines.append("")
            lines[number] = f"{lines[number]:{column}}{name}"
    return lines[::-1]  # the first line next to the notes
