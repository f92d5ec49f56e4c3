"""Labelled melodies as the evaluation takes them, without files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from conftest import random_melody

from emomelody.data.dataset import Dataset
from emomelody.evaluation.reference import DataSplit, ReferenceSet
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody
from emomelody.music.tokens import to_tokens


def dataset(melodies: dict[Emotion, list[Melody]]) -> Dataset:
    """Labelled melodies as if they had been read, each its own tune."""
    flat = [(m, e.index) for e, some in melodies.items() for m in some]
    tokens = np.stack([to_tokens(m) for m, _ in flat])
    labels = np.array([label for _, label in flat])
    files = tuple(Path(f"{i}.mid") for i in range(len(flat)))
    return Dataset(tokens, labels, np.arange(len(flat)), files, None, None, np.full(len(flat), -1), ())


def reference_of(melodies: dict[Emotion, list[Melody]]) -> ReferenceSet:
    data = dataset(melodies)
    return ReferenceSet(data, DataSplit.of(data, None))


def two_of_each() -> dict[Emotion, list[Melody]]:
    rng = np.random.default_rng(4)
    return {e: [random_melody(rng, e) for _ in range(2)] for e in Emotion}
