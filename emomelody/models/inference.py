"""Running a model without gradients: the device to run on, and the latents of many melodies."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from emomelody.errors import EmomelodyError
from emomelody.music.meter import Meter
from emomelody.music.tokens import Floats
from emomelody.weights.config import LATENT


def encode_all(model: Any, classes: Tensor, meter_or_labels: Meter | Tensor) -> tuple[Floats, Floats]:
    """Latent means and log variances of valence and arousal, (N, 2) each.

    From classes (N, T) and the meter of emoreg-va, or the labels (N,) 0–3 of the paper's models, in batches,
    on the model's device. Switches the model to evaluation mode.
    """
    model.eval()
    chunks = classes.split(256)
    if isinstance(meter_or_labels, Meter):
        inputs: list[Any] = [(chunk, meter_or_labels) for chunk in chunks]
    else:
        inputs = list(zip(chunks, meter_or_labels.split(256), strict=True))
    with torch.inference_mode():
        parts = [model.encode(*some) for some in inputs]
    mu, log_variance = (
        torch.cat(side)[:, :LATENT].double().cpu().numpy() for side in zip(*parts, strict=True)
    )
    return mu, log_variance


def pick_device(name: str) -> torch.device:
    """The device of that name; ``auto`` means a GPU if there is one, else the CPU.

    Raises EmomelodyError for a device that cannot be used.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).tolist()
    # RuntimeError: unknown name or absent GPU; AssertionError: torch without CUDA; both also for "meta".
    except (RuntimeError, AssertionError) as error:
        raise EmomelodyError(f"device '{name}' cannot be used here: use cpu or auto") from error
    return device
