"""What sampling needs to know of the training melodies of a style and meter, and of their chords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emomelody.data.chords.table import harmonised_tunes
from emomelody.data.dataset import Dataset, tunes_of
from emomelody.emotions.attributes import measure
from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import Plane, quadrants
from emomelody.emotions.plans import Plans
from emomelody.harmony.fit import EPOCHS, FEWEST_TUNES, fit
from emomelody.harmony.model import HarmonyModel
from emomelody.models.emoreg_va import EmoregVA
from emomelody.models.inference import encode_all
from emomelody.music.form import Form
from emomelody.music.melody import BARS
from emomelody.music.tokens import Tokens, Vocabulary
from emomelody.music.tonality import ends_on_tonic

FEW = 10  # tunes
FEW_WINDOWS = 10  # that are too few to draw the plans of an emotion from


def fit_styles(
    learned: Sequence[tuple[Dataset, NDArray[np.bool_]]],
    model: nn.Module,
    vocabulary: Vocabulary,
    plane: Plane,
    seed: int,
) -> tuple[StyleDistribution, ...]:
    """The distribution of each dataset's training melodies (N,); none for the paper's models."""
    if not isinstance(model, EmoregVA):
        return ()
    return tuple(
        fit_style(dataset, chosen, model, vocabulary, plane, seed)
        for dataset, chosen in learned
        if (chosen & dataset.whole).any()
    )


def fit_harmony(
    folder: Path, learned: Sequence[tuple[Dataset, NDArray[np.bool_]]], seed: int, epochs: int = EPOCHS
) -> HarmonyModel | None:
    """The model of the chords of the chorales in a data folder, of their training melodies (N,).

    It is trained for at most so many epochs. None where there are too few melodies. Raises BadInput for a
    damaged table of chords.
    """
    tunes = [tune for dataset, chosen in learned for tune in harmonised_tunes(folder, dataset, chosen)]
    return fit(tunes, seed, min(epochs, EPOCHS)) if len(tunes) >= FEWEST_TUNES else None


def fit_style(
    dataset: Dataset,
    chosen: NDArray[np.bool_],
    model: EmoregVA,
    vocabulary: Vocabulary,
    plane: Plane,
    seed: int,
) -> StyleDistribution:
    """The distribution of the ``chosen`` melodies (N,) of a dataset, with the scale of the model's ``plane``.

    Points and plans are those of complete windows.
    """
    tunes = tunes_of(dataset, chosen)  # (k,) each, indices of windows
    windows = np.concatenate([tune[dataset.whole[tune]] for tune in tunes])  # (n,)
    tokens, labels = dataset.tokens[windows], dataset.labels[windows]  # (n, T), (n,)
    classes = torch.from_numpy(vocabulary.encode(tokens)[0]).to(model.pitches.device)
    means, log_variances = encode_all(model, classes, dataset.meter)  # (n, 2) each
    minor = np.array([emotion.mode == "minor" for emotion in Emotion])[labels]  # (n,)
    endings = [tune[-1] for tune in tunes if _remaining(dataset, tune[-1]) <= BARS]
    return StyleDistribution(
        dataset.style,
        dataset.meter,
        Plane.fit(means, log_variances, labels, seed, plane.scale),
        Plans.of(
            means / plane.scale,
            measure(tokens, minor, dataset.meter),
            np.concatenate([_states(dataset, tune)[dataset.whole[tune]] for tune in tunes]),
            np.isin(windows, [tune[0] for tune in tunes]),
            np.isin(windows, endings),
        ),
        _closing(dataset.tokens[endings], dataset.labels[endings]),
    )


def complete(style: StyleDistribution, other: StyleDistribution) -> StyleDistribution:
    """A style with the plans and regions of another one of the same plane, for emotions with few windows.

    Folk songs may all be in major: their sad versions are then composed to the plans of other sad tunes.
    """
    few = np.bincount(quadrants(style.plans.points), minlength=len(Emotion)) < FEW_WINDOWS  # (4,)
    pairs = zip(few, other.plane.regions, style.plane.regions, strict=True)
    return replace(
        style,
        plane=replace(style.plane, regions=tuple(theirs if lacks else own for lacks, theirs, own in pairs)),
        plans=style.plans.with_emotions(other.plans, few),
    )


def _states(dataset: Dataset, tune: Tokens) -> Tokens:
    """The states of the form of a tune, by window (k, 4)."""
    return Form.of(dataset.tokens[tune].ravel(), dataset.meter.bar).states.reshape(-1, BARS)


def _remaining(dataset: Dataset, window: int) -> int:
    """The bars of its tune from a window on; where it is not known, the tune ends with the window."""
    return BARS if dataset.remaining is None else int(dataset.remaining[window])


def _closing(tokens: Tokens, labels: NDArray[np.int64]) -> tuple[float, ...]:
    """The share that ends on the tonic, by emotion, of the last windows of tunes (n, T) with labels (n,).

    An emotion with few tunes has the share of all; where no tune ends, it is 1.
    """
    if not len(tokens):
        return (1.0,) * len(Emotion)
    closes = ends_on_tonic(tokens)
    by_emotion = [closes[labels == emotion.index] for emotion in Emotion]
    return tuple(float((some if len(some) >= FEW else closes).mean()) for some in by_emotion)
