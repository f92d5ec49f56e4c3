"""Plots: the latent space (the paper's figures 5–7), learning curves, and the decoded plane."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.files import write_whole
from emomelody.music.tokens import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# One colour per emotion in all pictures, safe for the common kinds of colour blindness.
COLOURS = {Emotion.E1: "#E69F00", Emotion.E2: "#D55E00", Emotion.E3: "#0072B2", Emotion.E4: "#009E73"}
_DPI = 150


def latent_space(means: Floats, labels: NDArray[np.int64], path: Path, *, title: str) -> None:
    """Scatter plot of latent means (N, 2) over the four quadrants, coloured by label (N,), 0–3."""
    figure = new_figure(6.0, 6.0)
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
    save_png(figure, path)


def learning_curves(history: Sequence[Mapping[str, float | None]], path: Path) -> None:
    """Losses and placement accuracy by epoch, from the rows of ``history.csv``; None is not drawn."""
    from matplotlib.ticker import PercentFormatter

    figure = new_figure(9.0, 6.5)
    axes = figure.subplots(2, 2, sharex=True)
    epochs = [row["epoch"] for row in history]
    panels = (
        (
            "reconstruction per melody (nats)",
            {"reconstruction": "training", "reconstruction_held_out": "held-out"},
        ),
        ("divergence (nats)", {"divergence": "divergence"}),
        ("−cosine similarity", {"arousal": "arousal", "valence": "valence"}),
        ("placement accuracy, mean D", {"placement_training": "training", "placement_held_out": "held-out"}),
    )
    for panel, (title, columns) in zip(axes.flat, panels, strict=True):
        for column, label in columns.items():
            panel.plot(epochs, _column(history, column), label=label, linewidth=1.2)
        values = np.concatenate([_column(history, column) for column in columns])
        if title.endswith("(nats)") and np.nanmin(values) >= 0:  # an outlier must not hide the rest
            panel.set_ylim(0, 1.2 * float(np.nanpercentile(values, 99)))
        panel.set_title(title, fontsize=10)
        panel.grid(alpha=0.3)
        if len(columns) > 1:
            panel.legend(frameon=False)
    axes[1, 1].yaxis.set_major_formatter(PercentFormatter(1.0))
    for panel in axes[1]:
        panel.set_xlabel("epoch")
    save_png(figure, path)


def _column(history: Sequence[Mapping[str, float | None]], name: str) -> Floats:
    return np.array([np.nan if row[name] is None else row[name] for row in history], dtype=np.float64)


def plane(
    axis: Floats,
    onsets: Floats,
    majorness: Floats,
    path: Path,
    *,
    title: str,
    most_onsets: float | None = None,
) -> None:
    """Heat maps of what a model decodes at each point of the plane: onsets and majorness (NaN for silence).

    ``axis`` (G,) are the coordinates on both axes; ``onsets`` and ``majorness`` are (G, G), indexed [arousal,
    valence]. The colours of onsets reach from 0 to ``most_onsets`` (default: the largest value), those of
    majorness from −1 to 1.
    """
    figure = new_figure(9.5, 4.4)
    figure.suptitle(title)
    top = float(onsets.max()) if most_onsets is None else most_onsets
    panels = (
        ("onsets: should grow upwards", onsets, "viridis", (0.0, top)),
        ("majorness: should grow to the right", majorness, "coolwarm", (-1.0, 1.0)),
    )
    half = (axis[1] - axis[0]) / 2
    edges = (axis[0] - half, axis[-1] + half, axis[0] - half, axis[-1] + half)
    for axes, (name, values, colours, (low, high)) in zip(figure.subplots(1, 2), panels, strict=True):
        image = axes.imshow(values, origin="lower", extent=edges, cmap=colours, vmin=low, vmax=high)
        figure.colorbar(image, ax=axes, shrink=0.85)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_title(name, fontsize=10)
        axes.set(xlabel="requested valence", ylabel="requested arousal")
    save_png(figure, path)


def new_figure(width: float, height: float) -> Figure:
    """A figure of that size in inches, without matplotlib's global state (pyplot)."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG file. Raises BadInput where it cannot be written."""
    write_whole(path, to_png(figure))


def to_png(figure: Figure) -> bytes:
    """Encode a figure as PNG; equal figures give equal bytes."""
    buffer = io.BytesIO()
    # Without matplotlib's version in the metadata, equal figures are equal files.
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
