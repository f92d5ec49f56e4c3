"""Melodies by ``emoreg-va``: drawn in blocks of four bars, several candidates for each, the truest one kept.

A drawn block is encoded again, and of the candidates the one stays whose own place on the plane is nearest to
the asked one: the model is its own judge, no rule or classifier is asked. Copies of training melodies lose.
Of the last block's candidates of a melody longer than one block those come first that close, with a long
tonic or dominant on a strong beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emomelody.melody import BARS, STEPS_PER_BAR, STEPS_PER_BEAT
from emomelody.model import LATENT
from emomelody.novelty import fingerprints
from emomelody.plane import Floats
from emomelody.tokens import HOLD, REST, Tokens, Vocabulary
from emomelody.va import EmoregVA

CANDIDATES = 8
TEMPERATURE = 0.95  # where none is asked for
BLOCK = BARS * STEPS_PER_BAR  # steps
CLOSING = (0, 7)  # pitch classes of tonic and dominant in C
LONG = 2 * STEPS_PER_BEAT  # steps of a closing note
COPY, WRONG_QUADRANT, OPEN_END = 1000.0, 100.0, 10.0  # what they cost, beside squared distances


@dataclass(frozen=True)
class Drawing:
    """How tokens are drawn; temperature None: the model's own, which for the paper's is the likeliest."""

    temperature: float | None = None
    top_p: float = 1.0


def compose(
    model: EmoregVA,
    vocabulary: Vocabulary,
    asked: Floats,
    unit: Floats,
    randoms: Sequence[np.random.Generator],
    drawing: Drawing,
) -> Tokens:
    """Tokens (B, T) of melodies for the asked latents (B, T, 2), T a multiple of a bar.

    ``unit`` (2,) is the plane's scale, in which distances count. Each candidate of the first block draws its
    content from the prior; the kept one's stays to the end. Each melody draws from its own random generator
    alone.
    """
    count, steps, _ = asked.shape
    device = model.output.weight.device
    learned = model.learned.cpu().numpy()
    content: Floats | None = None  # (B, C), the rest of the latent: the first block's goes on
    found = np.zeros((count, 0), dtype=np.int64)
    previous, state = model.start(count)
    for first in range(0, steps, BLOCK):
        block = asked[:, first : first + BLOCK]  # (B, S, 2)
        best: _Candidate | None = None
        for _ in range(CANDIDATES):
            held = content if content is not None else _normal(randoms, model.config.content)
            noise = np.stack([r.gumbel(size=(block.shape[1], model.config.classes)) for r in randoms])
            z = np.concatenate([block, np.repeat(held[:, None], block.shape[1], 1)], 2)  # (B, S, Z)
            with torch.inference_mode():
                classes, after = model.draw(
                    torch.from_numpy(z).float().to(device),
                    torch.from_numpy(noise).to(device),
                    first,
                    previous,
                    state,
                    temperature=drawing.temperature or TEMPERATURE,
                    top_p=drawing.top_p,
                )
            whole = np.concatenate([found, classes.cpu().numpy()], 1)
            cost = _distance(model, whole[:, -BLOCK:], asked[:, : whole.shape[1]][:, -BLOCK:], unit)
            tokens = vocabulary.decode(whole)
            cost += COPY * np.isin(fingerprints(tokens[:, -BLOCK:]), learned)
            if steps > BLOCK and first + BLOCK >= steps:
                cost += OPEN_END * ~closes(tokens)
            candidate = _Candidate(cost, whole, held, classes[:, -1], after)
            best = candidate if best is None else best.or_better(candidate)
        assert best is not None
        found, content, previous, state = best.classes, best.content, best.last, best.state
    return vocabulary.decode(found)


def closes(tokens: Tokens) -> NDArray[np.bool_]:
    """Whether melodies (B, T) end on a long tonic or dominant that began on the first or third beat, (B,)."""
    steps = tokens.shape[1]
    onset = steps - 1 - (tokens[:, ::-1] < REST).argmax(1)  # (B,), of the last note
    pitch = np.take_along_axis(tokens, onset[:, None], 1)[:, 0]
    held = np.array([(row[at + 1 :] == HOLD).all() for row, at in zip(tokens, onset, strict=True)])
    strong = onset % (2 * STEPS_PER_BEAT) == 0
    closing: NDArray[np.bool_] = (
        held & strong & (steps - onset >= LONG) & (pitch < REST) & np.isin(pitch % 12, CLOSING)
    )
    return closing


@dataclass(frozen=True)
class _Candidate:
    """Pieces so far (B, …) with what it takes to go on."""

    cost: Floats  # (B,)
    classes: Tokens  # (B, T)
    content: Floats  # (B, C)
    last: Tensor  # (B,)
    state: Tensor  # (B, H)

    def or_better(self, other: _Candidate) -> _Candidate:
        """Of each piece the one that costs less."""
        better = other.cost < self.cost  # (B,)
        wide, on_device = better[:, None], torch.from_numpy(better).to(self.state.device)
        return _Candidate(
            np.where(better, other.cost, self.cost),
            np.where(wide, other.classes, self.classes),
            np.where(wide, other.content, self.content),
            torch.where(on_device, other.last, self.last),
            torch.where(on_device[:, None], other.state, self.state),
        )


def _distance(model: EmoregVA, classes: Tokens, asked: Floats, unit: Floats) -> Floats:
    """How far the encoded places of melodies (B, S) are from the asked ones (B, S, 2), (B,)."""
    device = model.output.weight.device
    with torch.inference_mode():
        mu, _ = model.encode(torch.from_numpy(classes).to(device))
    place, wanted = mu[:, :LATENT].double().cpu().numpy(), asked.mean(1)  # (B, 2)
    elsewhere = ((place >= 0) != (wanted >= 0)).any(1)
    distance: Floats = np.square((place - wanted) / unit).sum(1) + WRONG_QUADRANT * elsewhere
    return distance


def _normal(randoms: Sequence[np.random.Generator], size: int) -> Floats:
    return np.stack([random.standard_normal(size) for random in randoms])
