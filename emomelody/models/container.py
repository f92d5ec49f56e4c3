"""Tensors with a description in a safetensors file: no code in it, written whole, checked before it is used.

safetensors does not notice a flipped bit: the SHA-256 of tensors and description is stored beside them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from emomelody.errors import BadWeights
from emomelody.files import write_whole

ENTRY = "emomelody"  # of the file's metadata: the checksum, a space, the description as JSON
MAX_BYTES = 500_000_000  # far more than any of our models, with its optimiser


def write(path: Path, tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> str:
    """Write the file whole or not at all; returns its checksum. Raises BadInput where that cannot be."""
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(description, sort_keys=True)
    checksum = _checksum(held, text)
    # One entry, not two: safetensors writes several in an order that changes from run to run.
    write_whole(path, save(held, {ENTRY: f"{checksum} {text}"}))
    return checksum


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    """The tensors, the description and the checksum of a file.

    Raises BadWeights for one that is missing, too large, damaged or not ours.
    """
    if not path.is_file():
        raise BadWeights(path, "no such weights file")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadWeights(path, f"larger than {MAX_BYTES // 1_000_000} MB, as no weights of emomelody are")
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            # Copies: the file itself may be replaced meanwhile.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise BadWeights(path, f"not a readable safetensors file ({error})") from error
    if ENTRY not in metadata:
        raise BadWeights(path, "not a weights file of emomelody")
    stated, _, text = metadata[ENTRY].partition(" ")
    checksum = _checksum(tensors, text)
    if checksum != stated:
        raise BadWeights(path, "damaged: its contents do not match their checksum")
    try:
        return tensors, dict(json.loads(text)), checksum
    except ValueError as error:
        raise BadWeights(path, f"not a weights file of emomelody ({error})") from error


def _checksum(tensors: Mapping[str, Tensor], description: str) -> str:
    digest = hashlib.sha256(description.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
