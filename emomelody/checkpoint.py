"""Weights files: safetensors with the configuration, vocabulary, plane and a checksum, written atomically.

safetensors holds no code, but it does not notice a flipped bit: the SHA-256 of tensors and description
is stored beside them and checked before anything is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from emomelody.errors import BadWeights
from emomelody.files import write_whole
from emomelody.model import CVAE, ModelConfig
from emomelody.plane import Plane
from emomelody.tokens import Vocabulary
from emomelody.va import EmoregVA, VAConfig

FORMAT = "emomelody-1"
VA = "emoreg-va"
SUFFIX = ".safetensors"
ENTRY = "emomelody"  # of the file's metadata: the checksum, a space, the description as JSON
_PACKAGED = Path(__file__).parent / "weights"  # in an installed wheel
_CHECKOUT = Path(__file__).parent.parent / "weights"  # beside the package, in a checkout


@dataclass(frozen=True)
class Checkpoint:
    """A trained model with everything that sampling and evaluation need."""

    name: str  # base, emoreg or emoreg-va
    model: CVAE | EmoregVA
    vocabulary: Vocabulary
    plane: Plane
    training: dict[str, Any]  # how it was made, and how well it placed its data
    checksum: str = ""  # SHA-256 in hexadecimal; empty until saved


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write the weights file whole or not at all: to a temporary file beside it, then renamed."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in checkpoint.model.state_dict().items()}
    description = json.dumps(
        {
            "format": FORMAT,
            "name": checkpoint.name,
            "config": asdict(checkpoint.model.config),
            "vocabulary": checkpoint.vocabulary.pitches,
            "plane": checkpoint.plane.to_json(),
            "training": checkpoint.training,
        },
        sort_keys=True,
    )
    # One entry, not two: safetensors writes several in an order that changes from run to run.
    metadata = {ENTRY: f"{_checksum(tensors, description)} {description}"}
    write_whole(path, save(tensors, metadata))


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a weights file. Raises BadWeights for one that is missing, damaged or not ours."""
    if not path.is_file():
        raise BadWeights(path, "no such weights file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, UnicodeDecodeError) as error:
        raise BadWeights(path, f"not a readable safetensors file ({error})") from error
    if ENTRY not in metadata:
        raise BadWeights(path, "not a weights file of emomelody")
    stated, _, description = metadata[ENTRY].partition(" ")
    checksum = _checksum(tensors, description)
    if checksum != stated:
        raise BadWeights(path, "damaged: its contents do not match their checksum")
    try:
        return _build(json.loads(description), tensors, checksum)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise BadWeights(path, f"not usable by this version of emomelody ({error})") from error


def find_weights(name_or_path: str) -> Path:
    """The file of shipped weights of that name, of a run's folder, or the path itself.

    Raises BadWeights listing the shipped names where there is none.
    """
    shipped = shipped_weights()
    if name_or_path in shipped:  # before a folder of that name, which ./NAME still reaches
        return shipped[name_or_path]
    path = Path(name_or_path)
    if path.is_dir():
        return path / f"model{SUFFIX}"
    if path.suffix == SUFFIX or path.is_file() or len(path.parts) > 1:
        return path
    raise BadWeights(
        name_or_path, f"no such model: use {', '.join(shipped)}, or a {SUFFIX} file or run folder"
    )


def shipped_weights() -> dict[str, Path]:
    """The weights that come with the installation, by name."""
    folder = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def build_model(name: str, config: Mapping[str, Any]) -> CVAE | EmoregVA:
    """An untrained model of that name and configuration (``VAConfig`` or ``ModelConfig`` as a mapping)."""
    return EmoregVA(VAConfig(**config)) if name == VA else CVAE(ModelConfig(**config))


def _build(description: dict[str, Any], tensors: dict[str, Tensor], checksum: str) -> Checkpoint:
    if description["format"] != FORMAT:
        raise ValueError(f"format {description['format']}, expected {FORMAT}")
    model = build_model(description["name"], description["config"])
    model.load_state_dict(tensors)
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise ValueError("it holds values that are not finite")
    return Checkpoint(
        description["name"],
        model.eval(),
        Vocabulary(tuple(description["vocabulary"])),
        Plane.from_json(description["plane"]),
        description["training"],
        checksum,
    )


def _checksum(tensors: Mapping[str, Tensor], description: str) -> str:
    digest = hashlib.sha256(description.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
