"""Melodies by ``emoreg-va``: drawn in blocks of four bars, several candidates for each, the truest one kept.

A drawn block is encoded again, and of the candidates the one stays whose own place on the plane is nearest to
the asked one, and whose content, where one is asked for: the model is its own judge, no rule or classifier is
asked. Copies of training melodies lose. Of the last block's candidates of a melody longer than one block
those come first that close, with a long tonic or dominant on a strong beat.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from emomelody.models.cvae import LATENT
from emomelody.music.melody import BARS, STEPS_PER_BAR, STEPS_PER_BEAT
from emomelody.music.plane import Floats
from emomelody.music.tokens import HOLD, REST, Tokens, Vocabulary, fingerprints
from emomelody.sampling.decoder import Decoder

CANDIDATES = 8
BLOCK = BARS * STEPS_PER_BAR  # steps
CLOSING = (0, 7)  # pitch classes of tonic and dominant in C
LONG = 2 * STEPS_PER_BEAT  # steps of a closing note
CONTENT = 0.1  # of the squared distance of contents, in deviations of their prior, beside that on the plane
COPY, WRONG_QUADRANT, OPEN_END = 1000.0, 100.0, 10.0  # what they cost, beside squared distances


def compose(
    drawer: Decoder,
    vocabulary: Vocabulary,
    asked: Floats,
    content: Floats | None,
    unit: Floats,
    randoms: Sequence[np.random.Generator],
) -> Tokens:
    """Tokens (B, T) of melodies for the asked latents (B, T, 2), T a multiple of a bar.

    Every block has the ``content`` (B, C), where it is given; else each candidate draws its own from the
    prior. ``unit`` (2,) is the plane's scale, in which distances count. Each melody draws from its own random
    generator alone.
    """
    model, (count, steps, _) = drawer.model, asked.shape
    device = model.output.weight.device
    learned = model.learned.cpu().numpy()
    found = np.zeros((count, 0), dtype=np.int64)
    previous, state = model.initial_state(count)
    for first in range(0, steps, BLOCK):
        block = np.repeat(asked[:, first : first + BLOCK], CANDIDATES, 0)  # (B K, S, 2)
        if content is None:
            held = np.concatenate([r.standard_normal((CANDIDATES, model.config.content)) for r in randoms])
        else:
            held = np.repeat(content, CANDIDATES, 0)  # (B K, C)
        size = (CANDIDATES, block.shape[1])
        uniforms = np.concatenate([r.random(size, dtype=np.float32) for r in randoms])  # (B K, S)
        z = np.concatenate([block, np.repeat(held[:, None], block.shape[1], 1)], 2)  # (B K, S, Z)
        with torch.inference_mode():
            classes, after = drawer.draw(
                torch.from_numpy(z).float().to(device),
                torch.from_numpy(uniforms).to(device),
                first,
                previous.repeat_interleave(CANDIDATES),
                state.repeat_interleave(CANDIDATES, 0),
            )
        whole = np.concatenate([np.repeat(found, CANDIDATES, 0), classes.cpu().numpy()], 1)  # (B K, …)
        tokens = vocabulary.decode(whole)
        wanted = np.repeat(asked[:, : whole.shape[1]][:, -BLOCK:].mean(1), CANDIDATES, 0)  # (B K, 2)
        # What is shorter than a block has no outline that could be compared.
        compared = held if content is not None and block.shape[1] == BLOCK else None
        cost = _cost(drawer, whole[:, -BLOCK:], wanted, compared, unit)
        if steps > BLOCK and first + BLOCK >= steps:
            cost += OPEN_END * ~has_closing_note(tokens)
        best = _cheapest(cost.reshape(count, CANDIDATES), tokens[:, -BLOCK:], learned)
        kept = torch.from_numpy(best).to(device)
        found, previous, state = whole[best], classes[kept, -1], after[kept]
    return vocabulary.decode(found)


def _cheapest(cost: Floats, tokens: Tokens, learned: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number in tokens (B K, S) of each melody's best candidate by cost (B, K), (B,).

    Copies cost more, which is found out of those alone that would be taken.
    """
    cost, first = cost.copy(), np.arange(len(cost)) * CANDIDATES
    while True:
        chosen: NDArray[np.int64] = cost.argmin(1)  # (B,)
        copies = np.isin(fingerprints(tokens[first + chosen]), learned) & (cost.min(1) < COPY)
        if not copies.any():
            return np.asarray(first + chosen)
        cost[copies, chosen[copies]] += COPY


def has_closing_note(tokens: Tokens) -> NDArray[np.bool_]:
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


def _cost(drawer: Decoder, classes: Tokens, wanted: Floats, content: Floats | None, unit: Floats) -> Floats:
    """How far melodies (B, S), encoded, are from the wanted places (B, 2) and content (B, C), (B,)."""
    model, melodies = drawer.model, torch.from_numpy(classes).to(drawer.emotion_features.device)
    with torch.inference_mode():
        emotion_only = content is None
        mu, _ = (
            model.encode_emotion(melodies, drawer.emotion_features)
            if emotion_only
            else model.encode(melodies)
        )
    latent = mu.double().cpu().numpy()  # (B, 2 or Z)
    place = latent[:, :LATENT]
    elsewhere = ((place >= 0) != (wanted >= 0)).any(1)
    cost: Floats = np.square((place - wanted) / unit).sum(1) + WRONG_QUADRANT * elsewhere
    if content is not None:
        cost += CONTENT * np.square(latent[:, LATENT:] - content).sum(1)
    return cost
