"""Sets of generated and of real melodies of one length, and how their emotions are made to weigh the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emomelody.data.dataset import Dataset, Split, tunes_of
from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.evaluation.statistics import Figures
from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.music.tokens import Floats, Tokens

_SIGNS = np.array([(e.valence, e.arousal) for e in Emotion])  # (4, 2)
_FIRST = 0.5  # how much more the first window counts: it decides where the others are divided


@dataclass(frozen=True)
class MelodySet:
    """N melodies of one length and meter."""

    tokens: Tokens  # (N, T)
    labels: NDArray[np.int64]  # (N,), 0–3 for e1–e4
    tunes: NDArray[np.int64]  # (N,), the same number for the same tune
    meter: Meter = Meter.FOUR_FOUR

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> MelodySet:
        return MelodySet(self.tokens[chosen], self.labels[chosen], self.tunes[chosen], self.meter)

    @classmethod
    def generated(cls, tokens: Mapping[Emotion, Tokens], meter: Meter = Meter.FOUR_FOUR) -> MelodySet:
        """Generated melodies (n, T) by requested emotion, each a tune of its own."""
        labels = np.concatenate([np.full(len(rows), e.index) for e, rows in tokens.items()])
        return cls(np.concatenate([*tokens.values()]), labels, np.arange(len(labels)), meter)

    @classmethod
    def windows(cls, dataset: Dataset) -> MelodySet:
        """The four-bar windows of the data, without those in which the piece ends early."""
        return cls(dataset.tokens, dataset.labels, dataset.tunes, dataset.meter)[dataset.whole]

    @classmethod
    def endings(cls, dataset: Dataset, windows: int, chosen: NDArray[np.bool_] | None = None) -> MelodySet:
        """The last bars of each piece that has as many, 4 · ``windows``.

        Of all pieces, or of those of ``chosen`` windows (N,). The last ones, because generated melodies end
        as pieces do; and no more than one run of a piece, so that long pieces do not outweigh others. A run
        has the side of each axis on which most of the last complete windows lie.
        """
        whole, bar, bars = dataset.whole, dataset.meter.bar, BARS * windows
        tokens, rows = [], []
        for piece in tunes_of(dataset, np.ones(len(dataset), bool) if chosen is None else chosen):
            last = BARS if dataset.remaining is None else int(dataset.remaining[piece[-1]])
            line = dataset.tokens[piece].ravel()[: (BARS * (len(piece) - 1) + last) * bar]
            if last <= BARS and len(line) >= bars * bar:
                tokens.append(line[len(line) - bars * bar :])
                rows.append(piece[whole[piece]][-windows:])
        labels = np.array([emotion_of(dataset.labels[row]).index for row in rows], dtype=np.int64)
        tunes = dataset.tunes[[row[0] for row in rows]] if rows else dataset.tunes[:0]
        return cls(np.array(tokens, dtype=np.int64).reshape(-1, bars * bar), labels, tunes, dataset.meter)

    def cut(self, bars: int) -> MelodySet:
        """The parts of so many bars that the melodies consist of, with the labels and tunes of these."""
        tokens = self.tokens.reshape(-1, bars * self.meter.bar)
        parts = len(tokens) // max(len(self), 1)
        return replace(
            self, tokens=tokens, labels=np.repeat(self.labels, parts), tunes=np.repeat(self.tunes, parts)
        )

    def by_emotion(self) -> dict[Emotion, Tokens]:
        """The tokens (n, T) of each emotion that has melodies."""
        rows = {e: self.tokens[self.labels == e.index] for e in Emotion}
        return {e: some for e, some in rows.items() if len(some)}


def emotion_of(labels: NDArray[np.int64]) -> Emotion:
    """The emotion of a run of windows with these labels (n,): on each axis the side of most of them."""
    signs = _SIGNS[labels]  # (n, 2)
    valence, arousal = (signs.sum(0) + _FIRST * signs[0]).tolist()
    return Emotion.at(valence, arousal)


def emotion_weights(first: NDArray[np.int64], second: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Weights of the melodies of two sets with labels (N,) and (M,), so that emotions do not tell them apart.

    Every emotion that both sets have weighs the same in either, and its melodies share that weight. Melodies
    of other emotions weigh nothing, unless the sets have none in common. Unlike leaving melodies out until
    the shares are the same, weights use them all: of folk tunes, one in seventeen is sad.
    """
    counts = np.stack([np.bincount(labels, minlength=len(Emotion)) for labels in (first, second)])  # (2, 4)
    used = (counts > 0).all(0)
    if not used.any():
        used = (counts > 0).any(0)
    weights = used / np.maximum(counts, 1) / max(used.sum(), 1)  # (2, 4)
    return np.asarray(weights[0][first]), np.asarray(weights[1][second])


class RealMelodies:
    """Real melodies of several lengths, whatever a system was trained on."""

    def __init__(self, dataset: Dataset, lengths: Sequence[int]) -> None:
        """Melodies of these numbers of bars: windows, and the ends of pieces."""
        self.sets = {
            bars: MelodySet.endings(dataset, bars // BARS) if bars > BARS else MelodySet.windows(dataset)
            for bars in lengths
        }
        try:
            self._held_out = np.unique(dataset.tunes[dataset.split(Split.TUNE, 0)])
        except EmomelodyError:  # too few melodies to split
            self._held_out = dataset.tunes[:0]
        self._tested: dict[int, Figures | None] = {}

    def held_out_test(
        self, bars: int, test: Callable[[MelodySet, MelodySet], Figures | None]
    ) -> Figures | None:
        """A test of a fifth of the tunes against the others, done once, when it is first needed."""
        if bars not in self._tested:
            real = self.sets[bars]
            held_out = np.isin(real.tunes, self._held_out)
            self._tested[bars] = test(real[held_out], real[~held_out])
        return self._tested[bars]
