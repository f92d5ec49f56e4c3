"""Every figure of ``evaluate``, as one dictionary; no printing.

The paper's two tables: placement accuracy, formula (9), and the four MusPy metrics of generated melodies
against those of the training set, with the paper's own figures beside ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emomelody import features, paper
from emomelody.checkpoint import Checkpoint
from emomelody.dataset import Dataset, Split
from emomelody.emotion import Emotion
from emomelody.melody import Melody
from emomelody.model import encode_all
from emomelody.plane import Floats, placement
from emomelody.sample import Sample, sample
from emomelody.tokens import Tokens, from_tokens


def generate(checkpoint: Checkpoint, per_emotion: int, seed: int) -> dict[Emotion, list[Sample]]:
    """``per_emotion`` melodies of each emotion."""
    return {e: sample(checkpoint, per_emotion, emotion=e, seed=seed) for e in Emotion}


def melodies_by_emotion(dataset: Dataset) -> dict[Emotion, list[Melody]]:
    """The melodies of a data folder by their labels."""
    return {e: [from_tokens(tokens) for tokens in dataset.tokens[dataset.labels == e.index]] for e in Emotion}


def evaluate_placement(checkpoint: Checkpoint, dataset: Dataset) -> dict[str, Any]:
    """Table 2: D_i of formula (9) in percent, on training and held-out melodies.

    Where ``dataset`` is not what the weights were trained on (told by its fingerprint), there is no such
    division, and all of it stands under ``unseen``. ``octave_moves`` counts the onsets that had to be moved
    by octaves because the weights do not know their pitch.
    """
    classes, moved = checkpoint.vocabulary.encode(dataset.tokens)
    means = _encode(checkpoint, classes, dataset.labels)
    training = checkpoint.training
    if training["data"] == dataset.fingerprint:
        held_out = dataset.split(Split(training["split"]), training["seed"])
        sides = {"training": ~held_out, "held_out": held_out}
    else:
        sides = {"unseen": np.ones(len(dataset), dtype=bool)}
    return {
        "octave_moves": moved,
        "paper": _with_mean(np.array(paper.PLACEMENT[checkpoint.name], dtype=float)),
        **{
            name: {
                **_with_mean(placement(means[chosen], dataset.labels[chosen])),
                "examples": int(chosen.sum()),
            }
            for name, chosen in sides.items()
        },
    }


def latents(checkpoint: Checkpoint, dataset: Dataset) -> Floats:
    """The latent means (N, 2) of the data's melodies: what the paper's figures 5–7 show."""
    classes, _moved = checkpoint.vocabulary.encode(dataset.tokens)
    return _encode(checkpoint, classes, dataset.labels)


def evaluate_metrics(
    generated: dict[Emotion, list[Melody]], reference: dict[Emotion, list[Melody]]
) -> dict[str, Any]:
    """Table 3: mean and deviation (population, as numpy's default) of the four metrics per emotion.

    ``gap`` is |Δμ| / σ of the reference, per cell, ``mean_gap`` and ``worst_gap`` over all cells. Cells of an
    emotion without melodies are None.
    """
    cells: dict[str, dict[str, Any]] = {name: {} for name in features.METRIC_NAMES}
    gaps = []
    for emotion in Emotion:
        ours, theirs = (_moments(side.get(emotion, [])) for side in (generated, reference))
        for column, name in enumerate(features.METRIC_NAMES):
            cell: dict[str, Any] = {"generated": None, "reference": None, "gap": None}
            if ours is not None:
                cell["generated"] = {"mean": ours[0][column], "deviation": ours[1][column]}
            if theirs is not None:
                cell["reference"] = {"mean": theirs[0][column], "deviation": theirs[1][column]}
            if ours is not None and theirs is not None and theirs[1][column] > 0:
                cell["gap"] = abs(ours[0][column] - theirs[0][column]) / theirs[1][column]
                gaps.append(cell["gap"])
            cells[name][emotion.code] = cell
    return {
        "cells": cells,
        "mean_gap": float(np.mean(gaps)) if gaps else None,
        "worst_gap": max(gaps) if gaps else None,
        "generated": {e.code: len(generated.get(e, [])) for e in Emotion},
        "reference": {e.code: len(reference.get(e, [])) for e in Emotion},
    }


def evaluate(
    checkpoint: Checkpoint, dataset: Dataset, *, per_emotion: int, seed: int
) -> tuple[dict[str, Any], dict[Emotion, list[Sample]]]:
    """Both tables for a model, and the melodies that were generated for the second."""
    samples = generate(checkpoint, per_emotion, seed)
    melodies = {emotion: [s.melody for s in drawn] for emotion, drawn in samples.items()}
    figures = {
        "model": checkpoint.name,
        "checksum": checkpoint.checksum,
        "seed": seed,
        "placement": evaluate_placement(checkpoint, dataset),
        "metrics": evaluate_metrics(melodies, melodies_by_emotion(dataset)),
    }
    return figures, samples


def evaluate_generated(folder: Path, generated: Dataset, dataset: Dataset) -> dict[str, Any]:
    """Table 3 for melodies that any system wrote into ``folder``/e1 … e4."""
    return {
        "generated": str(folder),
        "metrics": evaluate_metrics(melodies_by_emotion(generated), melodies_by_emotion(dataset)),
    }


def _encode(checkpoint: Checkpoint, classes: Tokens, labels: NDArray[np.int64]) -> Floats:
    """Latent means (N, 2) of classes (N, T) with labels (N,)."""
    device = next(checkpoint.model.parameters()).device
    on_device = (torch.from_numpy(array).to(device) for array in (classes, labels))
    return encode_all(checkpoint.model, *on_device)[0]


def _moments(melodies: list[Melody]) -> tuple[list[float], list[float]] | None:
    """Mean and deviation of each metric, in the order of ``METRIC_NAMES``."""
    if not melodies:
        return None
    table = features.metrics_table(melodies)  # (N, 4)
    return table.mean(0).tolist(), table.std(0).tolist()


def _with_mean(values: Floats) -> dict[str, float | None]:
    """D_1 … D_4 by emotion, and their mean; None for an emotion without examples."""
    named = {e.code: float(v) for e, v in zip(Emotion, values, strict=True)} | {
        "mean": float(np.nanmean(values))
    }
    return {name: None if np.isnan(value) else value for name, value in named.items()}
