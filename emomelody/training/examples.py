"""Four-bar melodies as tensors on the training device, for the paper's models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emomelody.data.dataset import Dataset
from emomelody.emotions.emotion import Emotion
from emomelody.music.tokens import Vocabulary
from emomelody.training.processes import ProcessGroup


@dataclass(frozen=True)
class Examples:
    """B melodies: a batch, or all melodies of a split."""

    classes: Tensor  # (B, T)
    labels: Tensor  # (B,), 0–3
    targets: Tensor  # (B, 2), of valence and arousal: the signs of the label

    def __getitem__(self, chosen: Tensor) -> Examples:
        """The examples at these indices."""
        return Examples(self.classes[chosen], self.labels[chosen], self.targets[chosen])

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, size: int) -> Iterator[Examples]:
        """All in batches, in order."""
        for chosen in torch.arange(len(self), device=self.labels.device).split(size):
            yield self[chosen]

    def shuffled(self, size: int, generator: torch.Generator) -> list[Tensor]:
        """The indices of batches, in random order."""
        order = torch.randperm(len(self), generator=generator).to(self.labels.device)
        return list(order.split(size))

    def shard(self, group: ProcessGroup) -> Examples:
        """This process's part of a batch."""
        return Examples(*map(group.shard, (self.classes, self.labels, self.targets)))


def make_examples(
    dataset: Dataset, chosen: NDArray[np.bool_], vocabulary: Vocabulary, device: torch.device
) -> Examples:
    """The examples of the ``chosen`` (N,) melodies of a dataset."""
    classes, _moved = vocabulary.encode(dataset.tokens[chosen])  # (n, T)
    labels = dataset.labels[chosen]  # (n,)
    targets = np.array([(e.valence, e.arousal) for e in Emotion])[labels]  # (n, 2), ±1
    arrays = (classes, labels, targets.astype(np.float32))
    return Examples(*(torch.from_numpy(array).to(device) for array in arrays))
