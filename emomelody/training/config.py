"""The options of a training run, and the arithmetic that it runs in."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from emomelody.data.dataset import Split
from emomelody.errors import EmomelodyError
from emomelody.models import gru

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class TrainConfig:
    """The options of a run. None means the recipe's default."""

    model: str = "emoreg-va"  # a key of ``recipes.RECIPES``
    epochs: int | None = None
    batch_size: int | None = None  # melodies
    learning_rate: float | None = None
    emotion_weight: float = 1.0  # final weight of emoreg's emotion losses; it grows from 1 as the rate falls
    seed: int = 0  # of the initial weights, the order, the noise, and a split that is not in the manifest
    split: Split = Split.TUNE
    device: str = "auto"  # auto, cpu, cuda, cuda:1 …
    precision: str = "auto"  # one of PRECISIONS, see ``choose_precision``


def choose_precision(name: str, device: torch.device) -> str:
    """The precision of the matrix products, float32 or bfloat16, for one of ``PRECISIONS``.

    ``auto`` is bfloat16 on a CPU with native instructions for it, else float32. Parameters, states and losses
    are float32 in both. In either precision a seed gives the same weights to the bit on the same machine,
    interrupted or not. Training in two processes gives the weights of one up to rounding: about 1e-5 after
    50 updates in float32, 0.04 in bfloat16.

    Raises EmomelodyError for bfloat16 on a GPU, where training runs in float32.
    """
    if name not in PRECISIONS:
        raise EmomelodyError(f"unknown precision '{name}': use {', '.join(PRECISIONS)}")
    if name == "bfloat16" and device.type != "cpu":
        raise EmomelodyError("precision bfloat16 is for the CPU: use device cpu, or train anew in float32")
    if name == "auto":
        # Looked up at each call, so that tests can replace it.
        return "bfloat16" if device.type == "cpu" and gru.bfloat16_pays() else "float32"
    return name
