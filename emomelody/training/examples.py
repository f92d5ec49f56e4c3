"""Melodies as tensors on the training device, with what each loss needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emomelody.data.dataset import Dataset
from emomelody.music.attributes import measure
from emomelody.music.emotion import Emotion
from emomelody.music.rule import AMBIGUOUS_VALENCE, valence_and_arousal
from emomelody.music.tokens import Tokens, Vocabulary, from_tokens
from emomelody.training.processes import ProcessGroup

NO_MELODY = -1


@dataclass(frozen=True)
class Examples:
    """B melodies: a batch, or all melodies of a split."""

    classes: Tensor  # (B, T)
    labels: Tensor  # (B,), 0–3
    targets: Tensor  # (B, 2), of valence and arousal
    attributes: Tensor  # (B, D), see ``music.attributes``
    # Of the melody before in the same piece.
    preceding: Tensor  # (B, T), its classes; NO_MELODY where there is none
    preceding_attributes: Tensor  # (B, D); 0 where there is none

    def __getitem__(self, chosen: Tensor) -> Examples:
        """The examples at these indices."""
        return Examples(*(tensor[chosen] for tensor in self._tensors()))

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, size: int, generator: torch.Generator | None = None) -> Iterator[Examples]:
        """All examples in batches, in an order drawn from the generator if there is one."""
        count = len(self)
        order = torch.arange(count) if generator is None else torch.randperm(count, generator=generator)
        for chosen in order.to(self.labels.device).split(size):
            yield self[chosen]

    def shard(self, group: ProcessGroup) -> Examples:
        """This process's part of a batch."""
        return Examples(*map(group.shard, self._tensors()))

    def _tensors(self) -> list[Tensor]:
        return [getattr(self, field.name) for field in fields(self)]


def make_examples(
    dataset: Dataset,
    chosen: NDArray[np.bool_],
    vocabulary: Vocabulary,
    device: torch.device,
    *,
    continuous: bool,
) -> Examples:
    """The examples of the ``chosen`` (N,) melodies of a dataset.

    The targets are the signs of the label, or with ``continuous`` the points of the dataset and, for melodies
    without one, what the rule measures in the notes. Points need no scale of their own: both cosine losses
    stay the same when all targets of an axis are multiplied by a number. Only beside measured targets does
    it matter: a melody labelled 0.8 is drawn four times as far from the middle as one measured to be 0.2.
    """
    classes, _moved = vocabulary.encode(dataset.tokens[chosen])  # (n, T)
    labels = dataset.labels[chosen]  # (n,)
    targets = np.array([(e.valence, e.arousal) for e in Emotion])[labels]  # (n, 2), ±1
    if continuous:
        measured = valence_and_arousal([from_tokens(tokens) for tokens in dataset.tokens[chosen]])
        targets = np.where(measured == 0, AMBIGUOUS_VALENCE * targets, measured)
        if dataset.points is not None:
            points = dataset.points[chosen]  # (n, 2)
            targets = np.where(np.isnan(points), targets, points)
    minor = np.array([emotion.mode == "minor" for emotion in Emotion])[labels]  # (n,)
    attributes = measure(dataset.tokens[chosen], minor).astype(np.float32)  # (n, D)
    previous = preceding(dataset, chosen)[:, None]  # (n, 1)
    arrays = (
        classes,
        labels,
        np.float32(targets),
        attributes,
        np.where(previous == NO_MELODY, NO_MELODY, classes[previous[:, 0]]),
        np.where(previous == NO_MELODY, np.float32(0), attributes[previous[:, 0]]),
    )
    return Examples(*(torch.from_numpy(array).to(device) for array in arrays))


def preceding(dataset: Dataset, chosen: NDArray[np.bool_]) -> Tokens:
    """For each chosen melody the index, among the chosen, of the one before it in its piece, (n,).

    NO_MELODY where there is none, or where it is not chosen: held-out melodies are no context.
    """
    index = np.full(len(dataset) + 1, NO_MELODY)  # the last entry serves melodies without a previous one
    index[:-1][chosen] = np.arange(chosen.sum())
    return np.asarray(index[dataset.previous[chosen]])
