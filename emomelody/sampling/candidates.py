"""Melodies by emoreg-va: sampled in blocks of four bars, the best of eight candidates kept for each.

Each candidate is encoded again by the model's own encoder. The one whose point is nearest to the target
wins; where the content is given, its distance counts too. Copies of training melodies lose. At the end of a
melody longer than one block, candidates win that close on a long tonic or dominant on a strong beat.

B melodies, K candidates for each, S steps of a block, T steps in all, C content dimensions, Z = 2 + C.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emomelody.models.cvae import LATENT
from emomelody.music.melody import BARS, STEPS_PER_BAR, STEPS_PER_BEAT
from emomelody.music.plane import Floats
from emomelody.music.tokens import HOLD, REST, Tokens, Vocabulary, fingerprints
from emomelody.sampling.decoder import Decoder

CANDIDATES = 8  # K
BLOCK = BARS * STEPS_PER_BAR  # steps
CLOSING = (0, 7)  # pitch classes of tonic and dominant in C
CLOSING_STEPS = 2 * STEPS_PER_BEAT  # the least duration of a closing note
# The cost of a candidate is the squared distance of its point to the target, in units of the plane's scale,
# plus CONTENT times the squared distance of the contents, in standard deviations of their prior, plus these.
CONTENT = 0.1
COPY, WRONG_QUADRANT, OPEN_END = 1000.0, 100.0, 10.0


def sample_best(
    decoder: Decoder,
    vocabulary: Vocabulary,
    targets: Floats,
    content: Floats | None,
    scale: Floats,
    rngs: Sequence[np.random.Generator],
) -> Tokens:
    """Tokens (B, T) of melodies for the target latents of each step (B, T, 2), T a multiple of a bar.

    All blocks of a melody have its ``content`` (B, C); without it each candidate samples its own from the
    prior. ``scale`` (2,) is the plane's. Each melody uses its own random generator only, so that its tokens
    do not depend on the others.
    """
    model, (count, steps, _) = decoder.model, targets.shape
    learned = model.learned.cpu().numpy()  # fingerprints of the training melodies
    classes = np.zeros((count, 0), dtype=np.int64)  # (B, steps so far)
    context = model.initial_state(count)
    for first in range(0, steps, BLOCK):
        block = np.repeat(targets[:, first : first + BLOCK], CANDIDATES, 0)  # (B K, S, 2)
        if content is None:
            contents = np.concatenate(
                [rng.standard_normal((CANDIDATES, model.config.content)) for rng in rngs]
            )
        else:
            contents = np.repeat(content, CANDIDATES, 0)  # (B K, C)
        sampled, state = _sample_block(decoder, block, contents, rngs, first, context)
        # The candidates with what precedes them, (B K, steps so far).
        whole = np.concatenate([np.repeat(classes, CANDIDATES, 0), sampled.cpu().numpy()], 1)
        tokens = vocabulary.decode(whole)
        target = np.repeat(targets[:, : whole.shape[1]][:, -BLOCK:].mean(1), CANDIDATES, 0)  # (B K, 2)
        # The outline of less than a block cannot be compared with that of four bars.
        compared = contents if content is not None and block.shape[1] == BLOCK else None
        cost = _cost(decoder, whole[:, -BLOCK:], target, compared, scale)  # (B K,)
        if steps > BLOCK and first + BLOCK >= steps:
            cost += OPEN_END * ~has_closing_note(tokens)
        best = _cheapest(cost.reshape(count, CANDIDATES), tokens[:, -BLOCK:], learned)  # (B,)
        kept = torch.from_numpy(best).to(state.device)
        classes, context = whole[best], (sampled[kept, -1], state[kept])
    return vocabulary.decode(classes)


def _sample_block(
    decoder: Decoder,
    block: Floats,
    contents: Floats,
    rngs: Sequence[np.random.Generator],
    first: int,
    context: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor]:
    """The candidates of a block that begins at step ``first``: classes (B K, S) and states (B K, H).

    For target latents (B K, S, 2) and contents (B K, C); ``context`` holds the previous token (B,) and the
    state (B, H) of each melody.
    """
    previous, state = context
    length = block.shape[1]
    uniforms = np.concatenate([rng.random((CANDIDATES, length), dtype=np.float32) for rng in rngs])
    z = np.concatenate([block, np.repeat(contents[:, None], length, 1)], 2)  # (B K, S, Z)
    with torch.inference_mode():
        return decoder.sample(
            torch.from_numpy(z).float().to(state.device),
            torch.from_numpy(uniforms).to(state.device),  # (B K, S)
            first,
            previous.repeat_interleave(CANDIDATES),
            state.repeat_interleave(CANDIDATES, 0),
        )


def _cost(decoder: Decoder, classes: Tokens, target: Floats, content: Floats | None, scale: Floats) -> Floats:
    """The cost (N,) of candidates (N, S) for the target latents (N, 2) and content (N, C)."""
    model = decoder.model
    candidates = torch.from_numpy(classes).to(decoder.emotion_features.device)
    with torch.inference_mode():
        if content is None:  # the plane alone, which is faster
            mean, _ = model.encode_emotion(candidates, decoder.emotion_features)
        else:
            mean, _ = model.encode(candidates)
    latent = mean.double().cpu().numpy()  # (N, 2) or (N, Z)
    plane = latent[:, :LATENT]
    wrong_quadrant = ((plane >= 0) != (target >= 0)).any(1)
    cost: Floats = np.square((plane - target) / scale).sum(1) + WRONG_QUADRANT * wrong_quadrant
    if content is not None:
        cost += CONTENT * np.square(latent[:, LATENT:] - content).sum(1)
    return cost


def _cheapest(cost: Floats, tokens: Tokens, learned: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row in tokens (B K, S) of each melody's candidate of the least cost (B, K), (B,).

    Copies of training melodies cost more. To save time only a candidate that would win is compared.
    """
    cost, first = cost.copy(), np.arange(len(cost)) * CANDIDATES
    while True:
        chosen: NDArray[np.int64] = cost.argmin(1)  # (B,)
        copies = np.isin(fingerprints(tokens[first + chosen]), learned) & (cost.min(1) < COPY)
        if not copies.any():
            return np.asarray(first + chosen)
        cost[copies, chosen[copies]] += COPY


def has_closing_note(tokens: Tokens) -> NDArray[np.bool_]:
    """Whether melodies (B, T) end on a long tonic or dominant from the first or third beat on, (B,)."""
    steps = tokens.shape[1]
    onset = steps - 1 - (tokens[:, ::-1] < REST).argmax(1)  # (B,), of the last note
    pitch = np.take_along_axis(tokens, onset[:, None], 1)[:, 0]
    to_the_end = np.array([(row[at + 1 :] == HOLD).all() for row, at in zip(tokens, onset, strict=True)])
    on_strong_beat = onset % (2 * STEPS_PER_BEAT) == 0
    is_long = steps - onset >= CLOSING_STEPS
    closing: NDArray[np.bool_] = (
        to_the_end & on_strong_beat & is_long & (pitch < REST) & np.isin(pitch % 12, CLOSING)
    )
    return closing
