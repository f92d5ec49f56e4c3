"""Piano rolls as PNG pictures: of one piece, and of several melodies side by side (the paper's figure 8)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody.emotions.emotion import Emotion
from emomelody.formats.plots import COLOURS, new_figure, save_png, to_png
from emomelody.music.key import note_name
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.piece import Piece

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLACK_KEYS = (1, 3, 6, 8, 10)
_ON_AXIS = "#777777"  # the colour of points between two emotions
_WIDTH = 9.0  # inches


@dataclass(frozen=True)
class _Layout:
    """How a piece is broken into rows; lengths in inches."""

    bars: int  # per row
    semitone: float  # height of one semitone at most
    row: float  # height of the semitones of a row at most
    margin: float  # between rows, for the bar numbers
    names: float  # size of the names of chords, in points


_SHORT = _Layout(bars=4, semitone=0.13, row=float("inf"), margin=0.55, names=8)
_LONG = _Layout(bars=8, semitone=0.09, row=3.4, margin=0.4, names=5)
_CHORDS = 0.15  # inches above a row, for the names of its chords
_MAX_SHORT = 8  # bars


def piano_roll(piece: Piece) -> bytes:
    """Draw a piece as a PNG picture, each note as long as it sounds and in the colour of its emotion.

    The softer a note is than the loudest of the piece, the paler it is.
    Bars are numbered and pitches named in their key; chords are named above the steps on which they begin. A
    row has four bars, or eight in melodies of more than eight bars, whose rows are lower. The title names a
    meter that is not 4/4. Where the emotion changes, a legend names the colours.
    """
    notes, steps, meter = piece.melody.notes, piece.melody.steps, piece.melody.meter
    layout = _SHORT if piece.melody.bars <= _MAX_SHORT else _LONG
    row = layout.bars * meter.bar  # steps
    pitches = sorted({note.pitch for note in notes}) or [60]
    span = pitches[-1] - pitches[0] + 1  # semitones
    semitone = min(layout.semitone, layout.row / span)
    starts = range(0, steps, row)
    margin = layout.margin + _CHORDS * bool(piece.chords)
    figure = new_figure(_WIDTH, (semitone * span + margin) * len(starts) + 0.5)
    figure.suptitle(piece.title if meter is Meter.FOUR_FOUR else f"{piece.title}, {meter}", fontsize=11)
    bars = [_NoteBar.of(piece, number) for number in range(len(notes))]
    for start, (axes,) in zip(starts, figure.subplots(len(starts), 1, squeeze=False), strict=True):
        _draw_notes(axes, bars, meter, (start, min(start + row, steps)), (pitches[0], pitches[-1]))
        _name_chords(axes, piece, (start, min(start + row, steps)), layout.names)
        names = {pitch: note_name(pitch, piece.key_at(start)) for pitch in pitches}
        axes.set_yticks(list(names), list(names.values()))
        axes.tick_params(axis="y", labelsize=min(7, 72 * semitone))
        if len(starts) > 1:  # the last row keeps the scale of the others
            axes.set_xlim(start, start + row)
    axes.set_xlabel("bar")
    _add_legend(figure, piece)
    return to_png(figure)


def piano_rolls(melodies: Mapping[Emotion, Sequence[Melody]], path: Path, *, title: str) -> None:
    """Draw melodies by emotion, one row per emotion, all on the same pitch scale, into a PNG file."""
    columns = max(map(len, melodies.values()))
    figure = new_figure(_WIDTH if columns == 1 else 4.2 * columns, 1.9 * len(melodies) + 0.6)
    figure.suptitle(title)
    pitches = [note.pitch for some in melodies.values() for m in some for note in m.notes] or [60]
    reach = (min(pitches), max(pitches))
    # C, E and G are names enough for a small picture.
    names = {p: note_name(p, "C") for p in range(reach[0] - 1, reach[1] + 2) if p % 12 in (0, 4, 7)}
    rows = figure.subplots(len(melodies), columns, squeeze=False)
    for row, (emotion, some) in zip(rows, melodies.items(), strict=True):
        for axes, melody in itertools.zip_longest(row, some):
            if melody is None:
                axes.set_axis_off()
                continue
            bars = [_NoteBar(note, COLOURS[emotion]) for note in melody.notes]
            _draw_notes(axes, bars, melody.meter, (0, melody.steps), reach)
            axes.set_yticks(list(names), list(names.values()))
        row[0].set_title(f"{emotion.code} {emotion.title}", loc="left", fontsize=10)
    for axes in rows[-1]:
        axes.set_xlabel("bar")
    save_png(figure, path)


@dataclass(frozen=True)
class _NoteBar:
    """A note as it is drawn."""

    note: Note
    colour: str
    length: float = 1.0  # how long it sounds, as a share of its duration
    opacity: float = 1.0  # 0 … 1

    @classmethod
    def of(cls, piece: Piece, number: int) -> _NoteBar:
        """The note of that number in a piece."""
        note, loudest = piece.melody.notes[number], max(piece.velocities)
        opacity = piece.velocities[number] / loudest
        return cls(note, _colour(piece, note), piece.note_lengths[number], opacity)


def _draw_notes(
    axes: Axes, bars: Sequence[_NoteBar], meter: Meter, span: tuple[int, int], reach: tuple[int, int]
) -> None:
    """Draw what lies between two steps: notes, bar and beat lines, black keys.

    ``reach`` is the lowest and highest pitch of the picture.
    """
    from matplotlib.colors import to_rgba

    (start, end), low, high = span, reach[0] - 1, reach[1] + 1
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#f0f0f0", zorder=0)
    for beat in range(start, end + 1, meter.beat):
        on_bar = beat % meter.bar == 0
        axes.axvline(beat, color="#555555" if on_bar else "#dddddd", linewidth=0.8, zorder=1)
    for bar in bars:
        note = bar.note
        width = note.duration * bar.length if bar.length < 1 else note.duration - 0.2  # gaps between notes
        if note.onset < end and note.end > start:  # the axes' limits cut off what lies outside
            colour = to_rgba(bar.colour, bar.opacity)
            axes.barh(note.pitch, width, left=note.onset, height=0.8, color=colour, zorder=2)
    barlines = range(start, end, meter.bar)
    axes.set_xticks(list(barlines), [str(step // meter.bar + 1) for step in barlines])
    axes.set(xlim=span, ylim=(low - 0.5, high + 0.5))


def _name_chords(axes: Axes, piece: Piece, span: tuple[int, int], size: float) -> None:
    """Write the names of the chords that begin between two steps above the axes."""
    start, end = span
    for timed in piece.chords:
        if start <= timed.onset < end:
            name = timed.chord.printed_name(piece.key_at(timed.onset))
            above = axes.get_xaxis_transform()  # y in shares of the axes' height
            axes.text(timed.onset, 1.02, name, transform=above, fontsize=size, verticalalignment="bottom")


def _colour(piece: Piece, note: Note) -> str:
    """Return the colour of the emotion at a note's onset."""
    return _colour_of([piece.description, *(words for at, words in piece.sections if at <= note.onset)][-1])


def _colour_of(description: str) -> str:
    return next((COLOURS[e] for e in Emotion if e.title == description), _ON_AXIS)


def _add_legend(figure: Figure, piece: Piece) -> None:
    """Name the colours below the rows, where there is more than one emotion."""
    from matplotlib.patches import Patch

    labels = {_colour_of(words): words for _, words in piece.sections}
    if len(labels) > 1:
        labels |= {_ON_AXIS: "between emotions"} if _ON_AXIS in labels else {}
        handles = [Patch(color=colour, label=label) for colour, label in labels.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
