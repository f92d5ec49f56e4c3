"""An emotion or a point of the plane → melodies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emomelody import midi
from emomelody.checkpoint import Checkpoint
from emomelody.emotion import Emotion
from emomelody.errors import BadInput, EmomelodyError
from emomelody.melody import Melody
from emomelody.plane import Floats
from emomelody.tokens import Tokens, from_tokens

# Every batch is decoded at this size: products of other sizes round differently, and the first five of ten
# melodies shall be the same as five alone, to the byte.
BATCH = 64
REDRAWS = 20  # of a latent whose melody has no note
INDEX_NAME = "samples.json"


@dataclass(frozen=True)
class Sample:
    """A melody and where on the plane it was asked for."""

    melody: Melody
    emotion: Emotion  # the label given to the decoder
    point: tuple[float, float]  # (valence, arousal) in [−1, 1]²
    latent: tuple[float, float]


def sample(
    checkpoint: Checkpoint,
    n: int,
    *,
    emotion: Emotion | None = None,
    point: tuple[float, float] | None = None,
    seed: int,
    temperature: float | None = None,
) -> list[Sample]:
    """``n`` melodies of an emotion, or of a point (valence, arousal) in [−1, 1]²: exactly one of the two.

    For an emotion every melody has a latent of its own, drawn from where the emotion's training melodies
    lie and always inside its quadrant. For a point the latent is the point's, and the label its quadrant's
    (``Emotion.at``: a point on an axis counts as positive). ``temperature`` None takes the most likely token
    of each step; a number > 0 draws tokens from the softmax of logits / temperature.

    Melody i depends on (``seed``, i) alone: more of them leave the first ones unchanged.
    """
    if (emotion is None) == (point is None):
        raise EmomelodyError("ask for an emotion or for a point, not for both or neither")
    if point is not None and not all(-1 <= coordinate <= 1 for coordinate in point):
        raise EmomelodyError(f"point {point[0]:g} {point[1]:g} is outside the plane: use −1 … 1")
    if temperature is not None and not 0 < temperature <= 10:
        raise EmomelodyError(f"temperature {temperature:g} is outside 0 … 10")
    label = emotion or Emotion.at(*(point or (0, 0)))
    found: list[Sample] = []
    for first in range(0, n, BATCH):
        randoms = [np.random.default_rng([seed, first + i]) for i in range(BATCH)]
        found += _sample_batch(checkpoint, label, point, randoms, min(BATCH, n - first), temperature)
    return found


def write_samples(
    samples: Sequence[Sample],
    checkpoint: Checkpoint,
    folder: Path,
    *,
    seed: int,
    temperature: float | None,
    force: bool,
) -> list[Path]:
    """Write each melody as ``sad-s42-000.mid`` … and ``samples.json``; returns the MIDI files.

    Raises BadInput, with nothing written, where a file is there already and ``force`` is not given; OSError
    where the folder cannot be written to.
    """
    names = [f"{s.emotion.title}-s{seed}-{i:03d}.mid" for i, s in enumerate(samples)]
    there = [name for name in [*names, INDEX_NAME] if (folder / name).exists()]
    if there and not force:
        raise BadInput(folder, f"has {there[0]} already: choose another --out, or add --force")
    entries: list[dict[str, Any]] = [
        {
            "file": name,
            "emotion": s.emotion.title,
            "point": [round(c, 4) for c in s.point],
            "latent": list(s.latent),
        }
        for name, s in zip(names, samples, strict=True)
    ]
    index = {
        "model": checkpoint.name,
        "checksum": checkpoint.checksum,
        "seed": seed,
        "temperature": temperature,
        "samples": entries,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, s in zip(names, samples, strict=True):
        midi.write(s.melody, folder / name, name=name.removesuffix(".mid"))
    (folder / INDEX_NAME).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    return [folder / name for name in names]


def _sample_batch(
    checkpoint: Checkpoint,
    label: Emotion,
    point: tuple[float, float] | None,
    randoms: list[np.random.Generator],
    wanted: int,
    temperature: float | None,
) -> list[Sample]:
    """The first ``wanted`` melodies of a batch with one random generator per melody."""
    plane = checkpoint.plane
    latents = np.zeros((BATCH, 2))  # (B, 2)
    silent = list(range(wanted))
    melodies: dict[int, Melody] = {}
    for _ in range(REDRAWS):
        for i in silent:
            latents[i] = plane.draw(label, randoms[i]) if point is None else plane.to_latent(point)
        classes = decode(checkpoint, latents, np.full(BATCH, label.index), randoms, temperature)
        decoded = checkpoint.vocabulary.decode(classes)
        melodies |= {i: from_tokens(decoded[i]) for i in silent}
        silent = [i for i in silent if not melodies[i].notes]
        if not silent:
            break
    else:
        raise EmomelodyError(
            f"the weights '{checkpoint.name}' make only silence here: train longer, or try another point"
        )
    return [
        Sample(
            melodies[i],
            label,
            point if point is not None else plane.to_point(latents[i]),
            (float(latents[i, 0]), float(latents[i, 1])),
        )
        for i in range(wanted)
    ]


def decode(
    checkpoint: Checkpoint,
    latents: Floats,
    labels: Tokens,
    randoms: Sequence[np.random.Generator],
    temperature: float | None,
) -> Tokens:
    """Classes (B, T) of latents (B, 2) and labels (B,): the likeliest ones, or drawn at a temperature."""
    model = checkpoint.model
    device = next(model.parameters()).device
    with torch.inference_mode():
        z = torch.from_numpy(latents).float().to(device)  # (B, 2)
        logits: Tensor = model.decode(z, torch.from_numpy(labels).to(device)).cpu()  # (B, T, V)
    if temperature is None:
        return logits.argmax(2).numpy()
    # Gumbel's trick: the maximum of logits / temperature + Gumbel noise is a draw from their softmax.
    noise = np.stack([random.gumbel(size=logits.shape[1:]) for random in randoms])  # (B, T, V)
    drawn: Tokens = (logits.double().numpy() / temperature + noise).argmax(2)
    return drawn
