"""What sampling needs to know of the training melodies of a style and meter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from emomelody.data.dataset import Dataset, tunes_of
from emomelody.emotions.attributes import AttributeDistribution, measure
from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import Plane
from emomelody.models.emoreg_va import EmoregVA
from emomelody.models.inference import encode_all
from emomelody.music.form import Form, FormDistribution
from emomelody.music.melody import BARS
from emomelody.music.tokens import Floats, Tokens, Vocabulary
from emomelody.music.tonality import ends_on_tonic

FEW = 10  # tunes


def fit_style(
    dataset: Dataset,
    chosen: NDArray[np.bool_],
    model: EmoregVA,
    vocabulary: Vocabulary,
    plane: Plane,
    seed: int,
) -> StyleDistribution:
    """The distribution of the ``chosen`` melodies (N,) of a dataset, with the scale of the model's ``plane``.

    Points and attributes are those of complete windows.
    """
    whole = chosen & dataset.whole
    tokens, labels = dataset.tokens[whole], dataset.labels[whole]  # (n, T), (n,)
    classes = torch.from_numpy(vocabulary.encode(tokens)[0]).to(model.pitches.device)
    means, log_variances = encode_all(model, classes, dataset.meter)  # (n, 2) each
    minor = np.array([emotion.mode == "minor" for emotion in Emotion])[labels]  # (n,)
    attributes = measure(tokens, minor, dataset.meter)  # (n, D)
    endings: list[int] = []  # the last windows of tunes
    calm: list[tuple[Form, bool]] = []
    lively: list[tuple[Form, bool]] = []
    tunes = tunes_of(dataset, chosen)
    for tune in tunes:
        last = BARS if dataset.remaining is None else int(dataset.remaining[tune[-1]])  # bars of the tune
        form = Form.of(dataset.tokens[tune].ravel(), dataset.meter.bar)[slice(BARS * (len(tune) - 1) + last)]
        arousal = np.mean([list(Emotion)[label].arousal for label in dataset.labels[tune]])
        (lively if arousal > 0 else calm).append((form, last <= BARS))
        endings += [tune[-1]] if last <= BARS else []
    return StyleDistribution(
        dataset.style,
        dataset.meter,
        Plane.fit(means, log_variances, labels, seed, plane.scale),
        AttributeDistribution.fit(means / plane.scale, attributes, labels),
        (FormDistribution.fit(calm), FormDistribution.fit(lively)),
        _intraclass_correlation(means, labels, _numbers(tunes, len(dataset))[whole]),
        _closing(dataset.tokens[endings], dataset.labels[endings]),
    )


def _numbers(tunes: Sequence[Tokens], count: int) -> Tokens:
    """The number of the tune of each of ``count`` windows, (N,)."""
    numbers = np.zeros(count, dtype=np.int64)
    for number, tune in enumerate(tunes):
        numbers[tune] = number
    return numbers


def _closing(tokens: Tokens, labels: NDArray[np.int64]) -> tuple[float, ...]:
    """The share that ends on the tonic, by emotion, of the last windows of tunes (n, T) with labels (n,).

    An emotion with few tunes has the share of all; where no tune ends, it is 1.
    """
    if not len(tokens):
        return (1.0,) * len(Emotion)
    closes = ends_on_tonic(tokens)
    by_emotion = [closes[labels == emotion.index] for emotion in Emotion]
    return tuple(float((some if len(some) >= FEW else closes).mean()) for some in by_emotion)


def _intraclass_correlation(
    means: Floats, labels: NDArray[np.int64], tunes: NDArray[np.int64]
) -> tuple[float, float]:
    """The correlation of windows of one tune and emotion, by coordinate, 0 … 1.

    From latent means (n, 2), labels and tunes (n,). It is the share of the variance within the emotions that
    lies between tunes (one-way analysis of variance, ICC(1)).
    """
    _, group = np.unique(tunes * len(Emotion) + labels, return_inverse=True)  # (n,)
    counts = np.bincount(group)
    usable = counts[group] > 1
    if not usable.any():
        return 1.0, 1.0
    by_emotion, by_group = (
        np.stack([np.bincount(which, column) / np.maximum(np.bincount(which), 1) for column in means.T], 1)[
            which
        ]
        for which in (labels, group)
    )  # (n, 2) each, the mean of the melody's emotion and of its tune
    total = np.square(means - by_emotion)[usable].mean(0)
    degrees = usable.sum() - (counts > 1).sum()
    within = np.square(means - by_group)[usable].sum(0) / degrees
    valence, arousal = np.clip(1 - within / np.maximum(total, 1e-9), 0, 1).tolist()
    return valence, arousal
