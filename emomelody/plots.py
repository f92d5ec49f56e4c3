"""Pictures: the latent space (the paper's figures 5–7), learning curves, piano rolls (figure 8)."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emomelody.emotion import Emotion
from emomelody.files import write_whole
from emomelody.melody import STEPS_PER_BAR, STEPS_PER_BEAT, WINDOW_STEPS, Melody, Note
from emomelody.piece import Piece, note_name
from emomelody.plane import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# One colour per emotion in every picture; told apart by the common kinds of colour blindness.
COLOURS = {Emotion.E1: "#E69F00", Emotion.E2: "#D55E00", Emotion.E3: "#0072B2", Emotion.E4: "#009E73"}
_DPI = 150
_ROW = WINDOW_STEPS  # steps of a row of a piano roll
_BLACK_KEYS = (1, 3, 6, 8, 10)


def latent_space(means: Floats, labels: NDArray[np.int64], path: Path, *, title: str) -> None:
    """Latent means (N, 2) as a scatter plot over the four quadrants, coloured by label (N,)."""
    figure = _figure(6.0, 6.0)
    axes = figure.subplots()
    reach = 1.1 * float(np.abs(means).max())
    for emotion in Emotion:
        x, y = means[labels == emotion.index].T
        name = f"{emotion.code} {emotion.title}"
        axes.scatter(x, y, s=14, color=COLOURS[emotion], label=name, alpha=0.75, linewidths=0)
        corner = (0.97 * reach * emotion.valence, 0.97 * reach * emotion.arousal)
        across = "right" if emotion.valence > 0 else "left"
        up = "top" if emotion.arousal > 0 else "bottom"
        axes.text(*corner, f"Q{emotion.index + 1}", ha=across, va=up, fontsize=14, alpha=0.4)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=title)
    axes.set(xlabel="valence, z(0)", ylabel="arousal, z(1)")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    _save(figure, path)


def learning_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Losses and placement accuracy against the epoch, from the rows of ``history.csv``."""
    figure = _figure(9.0, 6.5)
    axes = figure.subplots(2, 2, sharex=True)
    epochs = [row["epoch"] for row in history]
    panels = (
        (axes[0, 0], "cross-entropy per melody (nats)", {"reconstruction": "reconstruction"}),
        (axes[0, 1], "divergence (nats)", {"divergence": "divergence"}),
        (axes[1, 0], "−cosine similarity", {"arousal": "arousal", "valence": "valence"}),
        (
            axes[1, 1],
            "placement accuracy, mean D (%)",
            {"placement_training": "training", "placement_held_out": "held-out"},
        ),
    )
    for panel, title, columns in panels:
        for column, label in columns.items():
            values = [row[column] for row in history]
            panel.plot(epochs, values, label=label, linewidth=1.2)
            if min(values) >= 0 and "placement" not in column:  # one wild batch must not hide the rest
                panel.set_ylim(0, 1.2 * float(np.percentile(values, 99)))
        panel.set_title(title, fontsize=10)
        panel.grid(alpha=0.3)
        if len(columns) > 1:
            panel.legend(frameon=False)
    for panel in axes[1]:
        panel.set_xlabel("epoch")
    _save(figure, path)


def plane(axis: Floats, onsets: Floats, majorness: Floats, path: Path, *, title: str) -> None:
    """What a model makes of each point of the plane: onsets, and majorness (NaN: silence), as heat maps.

    ``axis`` (G,) are the coordinates on both axes, the others (G, G) by [arousal, valence].
    """
    figure = _figure(9.5, 4.4)
    figure.suptitle(title)
    panels = zip(
        figure.subplots(1, 2),
        (
            ("onsets: should grow upwards", onsets, "viridis", None),
            ("majorness: should grow to the right", majorness, "coolwarm", 1.0),
        ),
        strict=True,
    )
    half = (axis[1] - axis[0]) / 2
    edges = (axis[0] - half, axis[-1] + half, axis[0] - half, axis[-1] + half)
    for axes, (name, values, colours, reach) in panels:
        limits = {} if reach is None else {"vmin": -reach, "vmax": reach}
        image = axes.imshow(values, origin="lower", extent=edges, cmap=colours, **limits)
        figure.colorbar(image, ax=axes, shrink=0.85)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_title(name, fontsize=10)
        axes.set(xlabel="asked valence", ylabel="asked arousal")
    _save(figure, path)


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


def _figure(width: float, height: float) -> Figure:
    """A figure (inches) that no screen and no global state knows of."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, path: Path) -> None:
    write_whole(path, _to_png(figure))


def _to_png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without the version in its metadata, equal pictures are equal files.
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
