"""A small convolutional and recurrent network that tells two sets of melodies apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from emomelody.music.meter import Meter
from emomelody.music.tokens import HOLD, Floats, Tokens

CHANNELS = 32
HIDDEN = 32
DROPOUT = 0.3
EPOCHS = 4  # fixed in advance: no stopping by a score
BATCH = 128
LEARNING_RATE = 6e-3


class Network(nn.Module):
    """Embedding, convolutions that halve the steps, a GRU both ways, mean and maximum over time, a logit."""

    def __init__(self, bar: int) -> None:
        super().__init__()
        self.bar = bar
        self.tokens = nn.Embedding(HOLD + 1, CHANNELS)
        self.places = nn.Embedding(bar, CHANNELS)
        self.convolutions = nn.Sequential(
            nn.Conv1d(CHANNELS, CHANNELS, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv1d(CHANNELS, CHANNELS, 4, stride=2, padding=1), nn.ReLU(), nn.Dropout(DROPOUT),
        )  # fmt: skip
        self.gru = nn.GRU(CHANNELS, HIDDEN, batch_first=True, bidirectional=True)
        self.output = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(4 * HIDDEN, 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (B,) of the melodies (B, T)."""
        places = torch.arange(tokens.shape[1]) % self.bar  # (T,)
        embedded = self.tokens(tokens) + self.places(places)  # (B, T, C)
        beats = self.convolutions(embedded.transpose(1, 2)).transpose(1, 2)  # (B, T / 4, C)
        states = self.gru(beats)[0]  # (B, T / 4, 2 H)
        pooled = torch.cat([states.mean(1), states.max(1).values], 1)  # (B, 4 H)
        logits: Tensor = self.output(pooled)  # (B, 1)
        return logits[:, 0]


def network_scores(
    train: Tokens,
    labels: NDArray[np.bool_],
    weights: Floats,
    test: Tokens,
    meter: Meter = Meter.FOUR_FOUR,
    *,
    seed: int = 0,
) -> Floats:
    """Train on melodies (N, T) with labels and weights (N,), score others (M, T): logits, (M,).

    The result depends on the seed alone.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network(meter.bar)
        _train(network, torch.from_numpy(train), *(torch.from_numpy(a).float() for a in (labels, weights)))
    network.eval()
    with torch.no_grad():
        chunks = torch.from_numpy(test).split(512)
        return torch.cat([network(chunk) for chunk in chunks]).double().numpy()


def _train(network: Network, tokens: Tensor, labels: Tensor, weights: Tensor) -> None:
    """Train with AdamW on a one-cycle schedule; tokens (N, T), labels and weights (N,)."""
    batches = -(-len(tokens) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, epochs=EPOCHS, steps_per_epoch=batches
    )
    bounds = torch.linspace(0, len(tokens), batches + 1).long().tolist()
    for _ in range(EPOCHS):
        order = torch.randperm(len(tokens))
        for start, end in pairwise(bounds):
            rows = order[start:end]
            logits = network(tokens[rows])
            optimiser.zero_grad()
            binary_cross_entropy_with_logits(logits, labels[rows], weights[rows]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
