"""safetensors files with a JSON description and a checksum.

A safetensors file holds no code, and is written whole or not at all. safetensors itself does not detect a
changed bit, so the SHA-256 of tensors and description is stored in the file and checked when it is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from emomelody.errors import BadWeights
from emomelody.files import write_whole

ENTRY = (
    "emomelody"  # key in the file's metadata; its value is the checksum, a space, and the description as JSON
)
MAX_BYTES = 500_000_000  # far more than any model of ours with its optimiser's state

Arrays = Mapping[str, NDArray[Any]]


def write(path: Path, tensors: Arrays, description: Mapping[str, Any]) -> str:
    """Write the file and return its checksum. Raises BadInput if it cannot be written."""
    content = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    text = json.dumps(description, sort_keys=True)
    checksum = _checksum(content, text)
    # One entry rather than two: safetensors writes several in an order that varies from run to run.
    write_whole(path, save(content, {ENTRY: f"{checksum} {text}"}))
    return checksum


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any], str]:
    """The tensors, the description and the checksum of a file.

    Raises BadWeights if the file is missing, too large, damaged or not one of emomelody's.
    """
    if not path.is_file():
        raise BadWeights(path, "no such weights file")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadWeights(
                path, f"larger than {MAX_BYTES // 1_000_000} MB: not a weights file of emomelody"
            )
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, AttributeError, TypeError) as error:
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


def _checksum(tensors: Arrays, description: str) -> str:
    digest = hashlib.sha256(description.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        # The type as torch names it, as in the files of version 0.1.
        digest.update(f"{name} torch.{tensor.dtype} {tensor.shape}".encode())
        digest.update(np.ascontiguousarray(tensor).data)
    return digest.hexdigest()
