"""Examples of the paper's models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from emomelody.data.dataset import load
from emomelody.emotions.emotion import Emotion
from emomelody.music.tokens import Vocabulary
from emomelody.training.examples import Examples, make_examples
from emomelody.training.processes import ProcessGroup


@pytest.fixture
def examples(small_data: Path) -> Examples:
    dataset = load(small_data)
    everything, vocabulary = np.ones(len(dataset), dtype=bool), Vocabulary.of(dataset.tokens)
    return make_examples(dataset, everything, vocabulary, torch.device("cpu"))


def test_targets_are_the_signs_of_the_label(examples: Examples) -> None:
    emotions = [list(Emotion)[label] for label in examples.labels.tolist()]
    assert examples.targets.tolist() == [[emotion.valence, emotion.arousal] for emotion in emotions]


def test_batches_are_all_examples_in_the_generators_order(examples: Examples) -> None:
    plain = torch.cat([batch.classes for batch in examples.batches(16)])
    assert torch.equal(plain, examples.classes)
    shuffled = examples.shuffled(16, torch.Generator().manual_seed(3))
    assert [len(chosen) for chosen in shuffled] == [16, 16, 8]
    order = torch.randperm(40, generator=torch.Generator().manual_seed(3))
    assert torch.equal(torch.cat(shuffled), order)
    assert torch.equal(examples[order].classes, examples.classes[order])


def test_shards_are_a_batch_divided(examples: Examples) -> None:
    batch = examples[torch.arange(7)]
    shards = [batch.shard(ProcessGroup(rank, 3)) for rank in range(3)]
    assert [len(shard) for shard in shards] == [3, 2, 2]
    assert torch.equal(torch.cat([shard.targets for shard in shards]), batch.targets)
