"""Labelled melodies as the evaluation takes them, without files, and a folder of melodies in 6/8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from conftest import random_melody

from emomelody.data.dataset import Dataset
from emomelody.data.preprocess import preprocess
from emomelody.data.sources import pieces_in
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import Arousal
from emomelody.evaluation.reference import DataSplit, ReferenceSet
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


def write_jigs(folder: Path, count: int = 12) -> Path:
    """A data folder in ``folder`` of tunes of sixteen bars in 6/8, fast and slow, in major and minor."""
    rng = np.random.default_rng(5)
    tunes = []
    for number in range(count):
        size = 6 if number % 2 else 2  # notes of a bar
        bars = ["".join(f"{note}{6 // size}" for note in rng.choice([*"CDEFGA"], size)) for _ in range(16)]
        key = "C" if number % 4 < 2 else "Cm"
        tunes.append(f"X:{number + 1}\nT:Jig\nM:6/8\nL:1/8\nK:{key}\n{'|'.join(bars)}|]\n")
    file = folder / "jigs.abc"
    file.write_text("\n".join(tunes), encoding="utf-8")
    preprocess(pieces_in(file), folder / "jigs", arousal=Arousal.QUANTILE, jobs=1)
    return folder / "jigs"


def two_of_each() -> dict[Emotion, list[Melody]]:
    rng = np.random.default_rng(4)
    return {e: [random_melody(rng, e) for _ in range(2)] for e in Emotion}
