"""An emotion or a point of the plane → melodies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emomelody import midi
from emomelody.checkpoint import Checkpoint
from emomelody.emotion import Emotion
from emomelody.errors import BadInput, EmomelodyError
from emomelody.melody import Melody
from emomelody.plane import Floats
from emomelody.tokens import REST, Tokens, from_tokens

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
    tokens: Tokens  # (T,), what the model made, before any repair
    silent_draws: int  # how many melodies without a note were drawn before it


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
        raise EmomelodyError(f"temperature {temperature:g} must be above 0 and at most 10")
    label = emotion or Emotion.at(*(point or (0, 0)))
    plane = checkpoint.plane
    randoms = [np.random.default_rng([seed, i]) for i in range(n)]
    latents = np.zeros((n, 2))
    tokens = np.zeros((n, checkpoint.model.config.steps), dtype=np.int64)
    draws = np.zeros(n, dtype=np.int64)
    silent = np.arange(n)
    while len(silent):
        if draws.max() == REDRAWS:
            raise EmomelodyError(
                f"the weights '{checkpoint.name}' make only silence here: train longer, or try another point"
            )
        draws[silent] += 1
        some = [randoms[i] for i in silent]
        latents[silent] = [plane.draw(label, r) if point is None else plane.to_latent(point) for r in some]
        labels = np.full(len(silent), label.index)
        tokens[silent] = decode(checkpoint, latents[silent], labels, some, temperature)
        silent = silent[(tokens[silent] >= REST).all(1)]
    return [
        Sample(
            from_tokens(tokens[i]),
            label,
            point or plane.to_point(latents[i]),
            (float(latents[i, 0]), float(latents[i, 1])),
            tokens[i],
            int(draws[i]) - 1,
        )
        for i in range(n)
    ]


def decode(
    checkpoint: Checkpoint,
    latents: Floats,
    labels: Tokens,
    randoms: Sequence[np.random.Generator] = (),
    temperature: float | None = None,
) -> Tokens:
    """Tokens (N, T) of latents (N, 2) and labels (N,), as the model has them: repaired only by
    ``from_tokens``.

    The likeliest ones, or drawn at a temperature, each melody by its own one of N random generators.
    """
    decoded = []
    for first in range(0, len(latents), BATCH):
        chosen = slice(first, first + BATCH)
        logits = _logits(checkpoint, latents[chosen], labels[chosen])  # (B, T, V)
        if temperature is not None:
            # Gumbel's trick: the maximum of logits / temperature + Gumbel noise is a draw from their softmax.
            noise = np.stack([random.gumbel(size=logits.shape[1:]) for random in randoms[chosen]])
            logits = logits / temperature + noise
        decoded.append(checkpoint.vocabulary.decode(logits.argmax(2)))
    return np.concatenate(decoded)


def _logits(checkpoint: Checkpoint, latents: Floats, labels: Tokens) -> Floats:
    """Logits (B, T, V) of up to BATCH latents (B, 2) and labels (B,)."""
    model = checkpoint.model
    device = next(model.parameters()).device
    padding = BATCH - len(latents)
    z = torch.from_numpy(np.pad(latents, ((0, padding), (0, 0)))).float().to(device)  # (64, 2)
    label = torch.from_numpy(np.pad(labels, (0, padding))).to(device)  # (64,)
    with torch.inference_mode():
        logits: Floats = model.decode(z, label)[: len(latents)].double().cpu().numpy()
    return logits


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
        midi.write(s.melody, folder / name, name=name.removesuffix(".mid"), mode=s.emotion.mode)
    (folder / INDEX_NAME).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    return [folder / name for name in names]
