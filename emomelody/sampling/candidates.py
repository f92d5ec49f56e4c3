"""Melodies by emoreg-va: sampled in blocks of four bars, the best of several candidates kept for each.

Each block gets attributes like those of real melodies at its point, but for a clearer mode and tonic and more
closing notes (``ATTRIBUTES``). Each candidate is encoded again by the model's own encoder. The one wins whose
point and attributes are nearest to the targets; where the content is given, its distance counts too. Copies
of training melodies lose. At the end of a melody longer than one block, candidates win that close on a long
tonic or dominant on a strong beat.

B melodies, K candidates for each, S steps of a block, T steps in all, C content dimensions, Z = 2 + C latent
dimensions, D attributes, G = Z + D.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emomelody.music.attributes import DEVIATIONS, LARGEST, MEANS, NAMES, measure
from emomelody.music.melody import BARS, STEPS_PER_BAR
from emomelody.music.plane import Floats
from emomelody.music.tokens import Tokens, fingerprints
from emomelody.music.tonality import has_closing_note
from emomelody.sampling.decoder import Decoder, Floats32
from emomelody.sampling.encoder import Encoder
from emomelody.sampling.request import TEMPERATURE, DecodingConfig
from emomelody.weights.checkpoint import Checkpoint
from emomelody.weights.config import LATENT, VAConfig

CANDIDATES = 8  # K
BLOCK = BARS * STEPS_PER_BAR  # steps
# The cost of a candidate is POINT times the squared distance of its point to the target, on the plane, plus
# CONTENT times the squared distance of the contents, in standard deviations of their prior, plus that of
# the attributes (``ATTRIBUTES``), plus these.
POINT, CONTENT = 30.0, 4.0
COPY, WRONG_QUADRANT, OPEN_END = 10_000.0, 1000.0, 30.0
# How far above that of real melodies each attribute is targeted (as far as ``LARGEST``), and the cost of its
# squared distance, both in standard deviations of real melodies. With a clear mode, more notes than in real
# melodies belong to the scale and fewer different ones are used, for which small corrections make up.
ATTRIBUTES = {
    "mode": (4.0, 0.4),
    "tonic": (1.5, 0.5),
    "scale": (-0.15, 0.3),
    "range": (-0.1, 0.3),
    "pitches": (0.05, 0.2),
    "grooving": (0.0, 0.1),
    "closing": (0.7, 0.1),
}
ABOVE, COST = np.array([ATTRIBUTES[name] for name in NAMES]).T  # (D,) each
UNLIMITED = np.isin(NAMES, ("mode", "tonic"))  # (D,), of which there cannot be too much
CLOSING = NAMES.index("closing")


@dataclass(frozen=True)
class Candidates:
    """The candidates of a block, K for each of B melodies."""

    melody: NDArray[np.int64]  # the number of its melody, (B K,)
    content: Floats  # (B K, C)
    classes: Tokens  # (B K, S)
    state: Floats32  # of the decoder after them, (B K, H)


class CandidateSampler:
    """Samples melodies by emoreg-va."""

    def __init__(self, checkpoint: Checkpoint, decoding: DecodingConfig) -> None:
        config, tensors = checkpoint.config, checkpoint.tensors
        assert isinstance(config, VAConfig)
        temperature = decoding.temperature or TEMPERATURE
        self._decoder = Decoder(config, tensors, temperature=temperature, top_p=decoding.top_p)
        self._encoder = Encoder(config, tensors)
        self._vocabulary, self._content = checkpoint.vocabulary, config.content
        self._scale = np.array(checkpoint.plane.scale)
        self._distribution = checkpoint.attributes
        self._learned = tensors["learned"]  # fingerprints of the training melodies

    def sample(self, targets: Floats, content: Floats | None, rngs: Sequence[np.random.Generator]) -> Tokens:
        """Tokens (B, T) of melodies for the target latents of each step (B, T, 2), T a multiple of a bar.

        All blocks of a melody have its ``content`` (B, C); without it each candidate samples its own from the
        prior. Each melody uses its own random generator only, so that its tokens do not depend on the others.
        """
        count, steps, _ = targets.shape
        classes = np.zeros((count, 0), dtype=np.int64)  # (B, steps so far)
        previous, state = self._decoder.start(count)
        for first in range(0, steps, BLOCK):
            block = targets[:, first : first + BLOCK]  # (B, S, 2)
            closes = steps > BLOCK and first + BLOCK >= steps
            attributes = self._target_attributes(block.mean(1), closes, rngs)  # (B, D)
            candidates = self._sample_block(block, content, attributes, rngs, first, previous, state)
            # The candidates with what precedes them, (B K, steps so far).
            whole = np.concatenate([classes[candidates.melody], candidates.classes], 1)
            tokens = self._vocabulary.decode(whole)
            target = targets[:, : whole.shape[1]][:, -BLOCK:].mean(1)[candidates.melody]  # (B K, 2)
            # The outline of less than a block cannot be compared with that of four bars.
            compared = candidates.content if content is not None and block.shape[1] == BLOCK else None
            cost = self._cost(whole[:, -BLOCK:], target, compared)  # (B K,)
            if attributes.size and block.shape[1] == BLOCK:
                cost += _attribute_cost(tokens[:, -BLOCK:], target, attributes[candidates.melody])
            if closes:
                cost += OPEN_END * ~has_closing_note(tokens)
            best = _cheapest(cost.reshape(count, -1), tokens[:, -BLOCK:], self._learned)  # (B,)
            classes, previous, state = whole[best], whole[best, -1], candidates.state[best]
        return self._vocabulary.decode(classes)

    def _target_attributes(
        self, targets: Floats, closes: bool, rngs: Sequence[np.random.Generator]
    ) -> Floats:
        """The attributes to target in blocks at these latents (B, 2), (B, D); older weights have D = 0."""
        if self._distribution is None:
            return np.zeros((len(targets), 0))
        normals = np.stack([rng.standard_normal(len(NAMES)) for rng in rngs])  # (B, D)
        attributes = self._distribution.sample(targets / self._scale, normals) + ABOVE
        if closes:
            attributes[:, CLOSING] = (1 - MEANS[CLOSING]) / DEVIATIONS[CLOSING]
        return np.asarray(attributes.clip(-LARGEST, LARGEST))

    def _sample_block(
        self,
        block: Floats,
        content: Floats | None,
        attributes: Floats,
        rngs: Sequence[np.random.Generator],
        first: int,
        previous: Tokens,
        state: Floats32,
    ) -> Candidates:
        """The candidates of a block from step ``first`` on, for target latents (B, S, 2).

        ``content`` is (B, C), ``attributes`` are (B, D), ``previous`` (B,) and ``state`` (B, H) are those of
        each melody before it.
        """
        length, melody = block.shape[1], np.repeat(np.arange(len(block)), CANDIDATES)  # (B K,)
        if content is None:
            contents = np.concatenate([rng.standard_normal((CANDIDATES, self._content)) for rng in rngs])
        else:
            contents = content[melody]  # (B K, C)
        uniforms = np.concatenate([rng.random((CANDIDATES, length), dtype=np.float32) for rng in rngs])
        constant = np.concatenate([contents, attributes[melody]], 1)  # (B K, C + D)
        along = np.repeat(constant[:, None], length, 1)  # (B K, S, C + D)
        given = np.concatenate([block[melody], along], 2).astype(np.float32)  # (B K, S, G)
        classes, after = self._decoder.sample(given, uniforms, first, previous[melody], state[melody])
        return Candidates(melody, contents, classes, after)

    def _cost(self, classes: Tokens, target: Floats, content: Floats | None) -> Floats:
        """The cost (N,) of candidates (N, S) for the target latents (N, 2) and content (N, C)."""
        encode = self._encoder.encode_emotion if content is None else self._encoder.encode
        latent = encode(classes).astype(np.float64)  # (N, 2) or (N, Z)
        plane = latent[:, :LATENT]
        wrong_quadrant = ((plane >= 0) != (target >= 0)).any(1)
        cost: Floats = POINT * np.square((plane - target) / self._scale).sum(1)
        cost += WRONG_QUADRANT * wrong_quadrant
        if content is not None:
            cost += CONTENT * np.square(latent[:, LATENT:] - content).sum(1)
        return cost


def _attribute_cost(tokens: Tokens, target: Floats, attributes: Floats) -> Floats:
    """The cost (N,) of attributes of candidates (N, S), for target latents (N, 2) and attributes (N, D)."""
    distance = measure(tokens, target[:, 0] < 0) - attributes  # (N, D)
    distance[:, UNLIMITED] = np.minimum(distance[:, UNLIMITED], 0)
    return np.asarray(np.square(distance) @ COST)


def _cheapest(cost: Floats, tokens: Tokens, learned: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row in tokens (B K, S) of each melody's candidate of the least cost (B, K), (B,).

    Copies of training melodies cost more. To save time only a candidate that would win is compared.
    """
    cost, first = cost.copy(), np.arange(len(cost)) * cost.shape[1]
    while True:
        chosen: NDArray[np.int64] = cost.argmin(1)  # (B,)
        copies = np.isin(fingerprints(tokens[first + chosen]), learned) & (cost.min(1) < COPY)
        if not copies.any():
            return np.asarray(first + chosen)
        cost[copies, chosen[copies]] += COPY
