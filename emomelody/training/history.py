"""The history of a run: one row per epoch, in ``history.csv`` and in the saved state."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch: losses are means per melody without their weights, placements shares of 1."""

    epoch: int  # from 1
    loss: float  # the weighted sum that is minimised, mean over the batches
    reconstruction: float  # nats, of the training melodies as they were trained on
    reconstruction_held_out: float  # nats, at the end of the epoch
    divergence: float  # nats
    arousal: float  # −1 … 1, equation (4)
    valence: float  # −1 … 1, equation (6)
    placement_training: float  # mean D_i of equation (9), of the latent means met in training
    placement_held_out: float  # mean D_i at the end of the epoch
    learning_rate: float
    seconds: float  # since the run began


def to_csv(history: Sequence[Epoch]) -> bytes:
    """The rows as CSV, with a header of the field names."""
    table = io.StringIO()
    writer = csv.DictWriter(table, [field.name for field in fields(Epoch)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(epoch) for epoch in history)
    return table.getvalue().encode("utf-8")
