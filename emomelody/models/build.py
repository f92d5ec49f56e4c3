"""From weights files to models in torch, and back."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from emomelody.models.cvae import CVAE
from emomelody.models.emoreg_va import EmoregVA
from emomelody.weights.checkpoint import Checkpoint
from emomelody.weights.config import ModelConfig, VAConfig


def build_model(config: ModelConfig | VAConfig) -> CVAE | EmoregVA:
    """An untrained model of these sizes."""
    return EmoregVA(config) if isinstance(config, VAConfig) else CVAE(config)


def to_model(checkpoint: Checkpoint) -> CVAE | EmoregVA:
    """The model of a checkpoint, on the CPU and in evaluation mode."""
    with torch.device("meta"):  # no initial weights, which would take time
        model = build_model(checkpoint.config)
    tensors = {name: torch.from_numpy(array.copy()) for name, array in checkpoint.tensors.items()}
    model.load_state_dict(tensors, assign=True)
    return model.eval()


def to_arrays(model: CVAE | EmoregVA) -> dict[str, NDArray[Any]]:
    """Copies of the tensors of a model by name, for a checkpoint."""
    return {name: tensor.cpu().numpy().copy() for name, tensor in model.state_dict().items()}
