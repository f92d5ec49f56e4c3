"""CVAE-Base and CVAE-EmoReg: one architecture, which only the loss tells apart.

B examples, T = 64 steps, V classes of the vocabulary, H = 512 units; the latent space has 2 dimensions,
valence and arousal. Grekow's layers with Keras' initial weights: from torch's smaller ones ``emoreg`` settles
on four points, one per label, and leaves the latent space unused.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from emomelody.errors import EmomelodyError
from emomelody.models.cvae import LATENT
from emomelody.music.plane import Floats


def encode_all(model: Any, classes: Tensor, labels: Tensor) -> tuple[Floats, Floats]:
    """Means and log variances of the plane, (N, 2) each, of classes (N, T) and labels (N,)."""
    model.eval()
    with torch.inference_mode():
        parts = [model.encode(c, b) for c, b in zip(classes.split(256), labels.split(256), strict=True)]
    mu, log_variance = (
        torch.cat(side)[:, :LATENT].double().cpu().numpy() for side in zip(*parts, strict=True)
    )
    return mu, log_variance


def pick_device(name: str) -> torch.device:
    """The device of that name; ``auto`` is a GPU where there is one. Raises EmomelodyError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).tolist()
    # What torch raises for an unknown name or an absent GPU, for a torch without CUDA, and for "meta".
    except (RuntimeError, AssertionError) as error:
        raise EmomelodyError(f"device '{name}' cannot be used here: try cpu or auto") from error
    return device
