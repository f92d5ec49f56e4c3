"""Weights files: a model with its configuration, its vocabulary, its emotion plane and how it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from emomelody.errors import BadWeights
from emomelody.models import container
from emomelody.models.cvae import CVAE, ModelConfig
from emomelody.models.emoreg_va import EmoregVA, VAConfig
from emomelody.music.plane import Plane
from emomelody.music.tokens import Vocabulary

FORMAT = "emomelody-1"
VA = "emoreg-va"
NAMES = ("base", "emoreg", VA)
SUFFIX = ".safetensors"
_PACKAGED = Path(__file__).parent.parent / "weights"  # in an installed wheel
_CHECKOUT = Path(__file__).parents[2] / "weights"  # beside the package, in a checkout


@dataclass(frozen=True)
class Checkpoint:
    """A trained model with everything that sampling and evaluation need.

    ``training`` describes the run: its options, data fingerprint, last loss, and per split and emotion the
    placement accuracy as a share of 1.
    """

    name: str  # base, emoreg or emoreg-va
    model: CVAE | EmoregVA
    vocabulary: Vocabulary
    plane: Plane
    training: dict[str, Any]
    checksum: str = ""  # SHA-256 in hexadecimal; empty for a checkpoint that was not read from a file

    @property
    def device(self) -> torch.device:
        """The device that the model is on."""
        return next(self.model.parameters()).device


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a weights file, whole or not at all. Raises BadInput if it cannot be written."""
    description = {
        "format": FORMAT,
        "name": checkpoint.name,
        "config": asdict(checkpoint.model.config),
        "vocabulary": checkpoint.vocabulary.pitches,
        "plane": checkpoint.plane.to_json(),
        "training": checkpoint.training,
    }
    container.write(path, checkpoint.model.state_dict(), description)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a weights file. Raises BadWeights if it is missing, damaged or not one of emomelody's."""
    tensors, description, checksum = container.read(path)
    try:
        return _build(description, tensors, checksum)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadWeights(path, f"not usable by this version of emomelody ({reason})") from error


def find_weights(name_or_path: str) -> Path:
    """The weights file meant by the name of a bundled model, a path, or the path of a run folder.

    Raises BadWeights, which lists the bundled models, for anything else.
    """
    bundled = bundled_weights()
    if name_or_path in bundled:  # takes precedence over a folder of that name, which ./NAME still means
        return bundled[name_or_path]
    path = Path(name_or_path)
    if path.is_dir():
        return path / f"model{SUFFIX}"
    if path.suffix == SUFFIX or path.is_file() or len(path.parts) > 1:
        return path
    raise BadWeights(
        name_or_path, f"no such model: use {', '.join(bundled)}, or a {SUFFIX} file or run folder"
    )


def bundled_weights() -> dict[str, Path]:
    """The weights files that are part of the installation, by model name."""
    folder = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def build_model(name: str, config: Mapping[str, Any]) -> CVAE | EmoregVA:
    """An untrained model of that name; ``config`` holds the fields of its ``VAConfig`` or ``ModelConfig``."""
    return EmoregVA(VAConfig(**config)) if name == VA else CVAE(ModelConfig(**config))


def _build(description: dict[str, Any], tensors: dict[str, Tensor], checksum: str) -> Checkpoint:
    if description["format"] != FORMAT:
        raise ValueError(f"format {description['format']}, expected {FORMAT}")
    vocabulary = Vocabulary(tuple(map(int, description["vocabulary"])))
    if description["name"] not in NAMES or len(vocabulary) != description["config"]["classes"]:
        raise ValueError("unknown model name, or a vocabulary of another size than the model's")
    with torch.device("meta"):  # allocates nothing, whatever sizes the file claims
        model = build_model(description["name"], description["config"])
    for name, expected in model.state_dict().items():
        if name in tensors and tensors[name].dtype != expected.dtype:
            raise ValueError(f"{name} is {tensors[name].dtype}, expected {expected.dtype}")
    model.load_state_dict(tensors, assign=True)
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise ValueError("values that are not finite")
    return Checkpoint(
        description["name"],
        model.eval(),
        vocabulary,
        Plane.from_json(description["plane"]),
        _training_summary(description["training"]),
        checksum,
    )


def _training_summary(summary: dict[str, Any]) -> dict[str, Any]:
    """The summary with shares of 1: weights without a held-out loss are older, and have percent."""
    if "reconstruction_held_out" in summary:
        return summary
    converted = dict(summary)
    for key in {"placement_training", "placement_held_out"} & set(summary):
        percent = summary[key].items()
        converted[key] = {code: None if value is None else round(value / 100, 4) for code, value in percent}
    return converted
