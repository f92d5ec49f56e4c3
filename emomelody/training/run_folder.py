"""The folder of a run: weights, ``history.csv``, and pictures of the latent space and the learning curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import placement
from emomelody.files import write_whole
from emomelody.formats import plots
from emomelody.music.tokens import Floats
from emomelody.training.history import Epoch, to_csv
from emomelody.weights.checkpoint import SUFFIX, Checkpoint, save_checkpoint


def next_run_folder(parent: Path, name: str) -> Path:
    """Create ``parent``/``name``, or where that exists ``parent``/``name``-2, -3 …"""
    folder, number = parent / name, 2
    while folder.exists():
        folder, number = parent / f"{name}-{number}", number + 1
    folder.mkdir(parents=True)
    return folder


def run_files(epoch: int) -> tuple[str, str, str, str]:
    """The names of the files that a run has after an epoch: weights, history and two pictures."""
    return f"model{SUFFIX}", "history.csv", "curves.png", f"latent-{epoch:04d}.png"


def write_run(
    folder: Path,
    checkpoint: Checkpoint,
    history: Sequence[Epoch],
    means: Floats,
    labels: NDArray[np.int64],
) -> None:
    """Write a run after its last epoch so far; the picture shows latent ``means`` (N, 2) by ``labels`` (N,).

    Raises BadInput if the folder cannot be written to.
    """
    epoch = len(history)
    weights, table, curves, latent_space = (folder / name for name in run_files(epoch))
    save_checkpoint(checkpoint, weights)
    write_whole(table, to_csv(history))
    title = f"CVAE {checkpoint.name}, latent space after epoch {epoch}"
    plots.latent_space(means, labels, latent_space, title=title)
    plots.learning_curves([asdict(row) for row in history], curves)


def placement_by_emotion(means: Floats, labels: NDArray[np.int64]) -> dict[str, float | None]:
    """Equation (9) by emotion code, as shares of 1 rounded to 4 digits; None for an emotion without melodies.

    From latent means (N, 2) and labels (N,).
    """
    shares = zip(Emotion, placement(means, labels).tolist(), strict=True)
    return {emotion.code: None if math.isnan(share) else round(share, 4) for emotion, share in shares}
