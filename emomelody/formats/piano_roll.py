"""Pictures: the latent space (the paper's figures 5–7), learning curves, piano rolls (figure 8)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody.formats.plots import COLOURS, _figure, _save, _to_png
from emomelody.music.emotion import Emotion
from emomelody.music.key import note_name
from emomelody.music.melody import STEPS_PER_BAR, STEPS_PER_BEAT, WINDOW_STEPS, Melody, Note
from emomelody.performance.piece import Piece

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = WINDOW_STEPS  # steps of a row of a piano roll
_BLACK_KEYS = (1, 3, 6, 8, 10)


def piano_rolls(melodies: Mapping[Emotion, Sequence[Melody]], path: Path, *, title: str) -> None:
    """Melodies by emotion, a row each: the paper's figure 8 as piano rolls."""
    columns = max(map(len, melodies.values()))
    figure = _figure(9.0 if columns == 1 else 4.2 * columns, 1.9 * len(melodies) + 0.6)
    figure.suptitle(title)
    rows = figure.subplots(len(melodies), columns, squeeze=False)
    for row, (emotion, some) in zip(rows, melodies.items(), strict=True):
        for axes, melody in itertools.zip_longest(row, some):
            if melody is None:
                axes.set_axis_off()
            else:
                span = (0, melody.steps)
                _piano_roll(axes, melody.notes, span, COLOURS[emotion], _landmarks(melody))
        row[0].set_title(f"{emotion.code} {emotion.title}", loc="left", fontsize=10)
    for axes in rows[-1]:
        axes.set_xlabel("bar")
    _save(figure, path)


def piano_roll(piece: Piece) -> bytes:
    """One piece as a piano roll, a PNG file: four bars a row, bars numbered, its pitches named in its key."""
    notes = piece.melody.notes
    pitches = sorted({note.pitch for note in notes}) or [60]
    rows = range(0, piece.melody.steps, _ROW)
    height = 0.13 * (pitches[-1] - pitches[0] + 1) + 0.55  # inches: room for a name at every semitone
    figure = _figure(9.0, height * len(rows) + 0.5)
    figure.suptitle(piece.title, fontsize=11)
    for start, (axes,) in zip(rows, figure.subplots(len(rows), 1, squeeze=False), strict=True):
        end = min(start + _ROW, piece.melody.steps)
        names = {pitch: note_name(pitch, piece.key_at(start)) for pitch in pitches}
        _piano_roll(axes, notes, (start, end), COLOURS[piece.emotion], names)
        axes.tick_params(axis="y", labelsize=7)
    axes.set_xlabel("bar")
    return _to_png(figure)


def _piano_roll(
    axes: Axes, notes: Sequence[Note], span: tuple[int, int], colour: str, names: Mapping[int, str]
) -> None:
    """The notes of a span of steps; the rows of pitches with ``names`` bear them."""
    pitches = [*(note.pitch for note in notes), *names]
    low, high = min(pitches) - 1, max(pitches) + 1
    start, end = span
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#f0f0f0", zorder=0)
    for beat in range(start, end + 1, STEPS_PER_BEAT):
        on_bar = beat % STEPS_PER_BAR == 0
        axes.axvline(beat, color="#555555" if on_bar else "#dddddd", linewidth=0.8, zorder=1)
    for note in notes:  # what lies outside the span is cut off
        axes.barh(note.pitch, note.duration - 0.2, left=note.onset, height=0.8, color=colour, zorder=2)
    axes.set_yticks(list(names), list(names.values()))
    bars = range(start, end, STEPS_PER_BAR)
    axes.set_xticks(list(bars), [str(bar // STEPS_PER_BAR + 1) for bar in bars])
    axes.set(xlim=span, ylim=(low - 0.5, high + 0.5))


def _landmarks(melody: Melody) -> dict[int, str]:
    """The names of the C, E and G in a melody's range: enough for a small picture."""
    pitches = [note.pitch for note in melody.notes] or [60]
    inside = range(min(pitches) - 1, max(pitches) + 2)
    return {pitch: note_name(pitch, "C") for pitch in inside if pitch % 12 in (0, 4, 7)}
