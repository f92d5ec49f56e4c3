"""Melodies by emoreg-va: sampled in blocks of four bars, the best of several candidates kept for each.

Each block gets the attributes of its plan, but for a clearer mode and tonic. Each candidate is encoded again
by the model's own encoder. The one wins whose point and attributes are nearest to the targets; where the
content is given, its distance counts too. Candidates lose that copy a training melody, lie in another
quadrant, do not establish their mode or do not follow their form, and at the end of a tune those that do not
end on the tonic, or those that do, so that as many tunes end on it as real ones.

B melodies, K candidates for each, S steps of a block, T steps in all, C content dimensions, Z = 2 + C latent
dimensions, D attributes, G = Z + 1 + D.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.attributes import LARGEST, NAMES, OUTLINE, measure
from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.plane import quadrants
from emomelody.emotions.plans import Plan
from emomelody.music.form import Form
from emomelody.music.melody import BARS
from emomelody.music.style import Style
from emomelody.music.tokens import Floats, Tokens
from emomelody.music.tonality import ends_on_tonic, majorness, pitch_class_totals
from emomelody.sampling.copies import Learned, cheapest
from emomelody.sampling.decoder import Decoder, Melodies
from emomelody.sampling.encoder import Encoder
from emomelody.sampling.gru import Floats32
from emomelody.sampling.request import TEMPERATURE, DecodingConfig
from emomelody.weights.checkpoint import Checkpoint
from emomelody.weights.config import LATENT, VAConfig

CANDIDATES = 8  # K, of every four bars of a melody whose content is free
# K, of a melody of no more than four bars, which has nothing else to be clear in, and of the last four bars
# of a longer one, which are to end it.
OF_FOUR_BARS = 16
# K, of a melody whose content is given, which the decoder follows loosely, and of a draft, whose open bars
# have to fit those that follow.
ALIKE = 48
# The cost of a candidate is POINT times the squared distance of its point to the target, on the plane, plus
# CONTENT times the squared distance of the contents, in standard deviations of their prior, plus that of
# the attributes (``COST``), plus these; NO_FORM for every bar.
POINT, CONTENT = 100.0, 130.0
WRONG_QUADRANT, NO_MODE, OPEN_END, NO_FORM = 1000.0, 60.0, 50.0, 3.0
# Of every semitone by which the first note of a block leaps further than a fifth from the note before.
LEAP, FIFTH = 2.0, 7
# Times the log-likelihood of the bar of a draft that follows, in nats.
FIT = 3.0
# How far above that of its plan each attribute of a melody of four bars is targeted, and the cost of its
# squared distance, both in standard deviations of real melodies. The mode and the tonic are to be clear; the
# others make up for what comes with that, and for what the decoder tends to.
ATTRIBUTES = {
    "mode": (3.0, 0.4),
    "tonic": (2.2, 0.5),
    "scale": (-0.1, 0.8),
    "range": (-0.3, 1.2),
    "pitches": (0.0, 0.6),
    "grooving": (0.0, 0.1),
    "closing": (0.0, 0.1),
    "register": (0.0, 0.3),
    "rise": (0.0, 0.2),
    "interval": (0.0, 0.2),
    "repeats": (0.0, 0.2),
}
ABOVE, COST = np.array([ATTRIBUTES[name] for name in NAMES]).T  # (D,) each
# How clear the mode of four bars is at least where it is established (``tonality.majorness``).
LEAST_CLARITY = 0.15
CLEAR_FROM = 0.5  # valence, −1 … 1: nearer to its axis, a melody is as much major as minor


class CandidateSampler:
    """Samples melodies by emoreg-va, in one style and meter."""

    def __init__(
        self, checkpoint: Checkpoint, decoding: DecodingConfig, distribution: StyleDistribution
    ) -> None:
        config, tensors = checkpoint.config, checkpoint.tensors
        assert isinstance(config, VAConfig)
        self._decoder = Decoder(
            config,
            tensors,
            list(Style).index(distribution.style),
            distribution.meter,
            temperature=decoding.temperature or TEMPERATURE,
            top_p=decoding.top_p,
        )
        self._encoder = Encoder(config, tensors, distribution.meter)
        self._config, self._vocabulary, self._meter = config, checkpoint.vocabulary, distribution.meter
        self._scale = np.array(checkpoint.plane.scale)
        self._closing = np.array(distribution.closing)  # (4,)
        self._learned = tensors["learned"]  # fingerprints of the training melodies

    def sample(
        self,
        plans: Sequence[Plan],
        contents: Floats | None,
        rngs: Sequence[np.random.Generator],
        kept: Tokens | None = None,
    ) -> Tokens:
        """Tokens (B, T) of melodies to B plans that have a target latent for each step, (T, 2).

        T is a multiple of a bar. The blocks of a melody have ``contents`` (B, blocks, C); without them they
        have none. ``kept`` are tokens of drafts, (B, T), as ``Draft.tokens`` gives them. Each melody uses its
        own random generator only, so that its tokens do not depend on the others.
        """
        targets = np.stack([plan.points for plan in plans])  # (B, T, 2)
        attributes = np.stack([plan.attributes for plan in plans])  # (B, blocks, up to D)
        forms = Form.stack([plan.form for plan in plans])  # (B, M)
        count, steps, _ = targets.shape
        size, bars = BARS * self._meter.bar, steps // self._meter.bar
        # Longer melodies have more time to establish their mode and tonic.
        share = (BARS / max(bars, BARS)) ** 2
        closing = np.array([rng.random() for rng in rngs]) < self._closing[quadrants(targets[:, -1])]  # (B,)
        learned = Learned(self._learned, size, kept)
        fixed = None if kept is None else np.where(kept >= 0, self._vocabulary.encode(kept)[0], kept)
        melodies = self._decoder.start(count)
        for first in range(0, steps, size):
            freely = CANDIDATES if first + size < steps else OF_FOUR_BARS
            number = freely if contents is None and kept is None else ALIKE  # K
            rows = np.repeat(np.arange(count), number)  # (B K,)
            block = targets[:, first : first + size]  # (B, S, 2)
            wanted = _clearer(attributes[:, first // size], block.mean(1) / self._scale, share)  # (B, …)
            content = None if contents is None else contents[:, first // size]  # (B, C)
            given, sampled = self._given(block, content, wanted, rngs, number)  # (B K, S, G), (B K, C)
            uniforms = np.concatenate(
                [rng.random((number, block.shape[1]), dtype=np.float32) for rng in rngs]
            )
            own = None if fixed is None else fixed[rows, first : first + size]  # (B K, S)
            if own is not None and (own >= 0).all():  # nothing to choose from
                one = slice(None, None, number)
                melodies = self._decoder.sample(melodies, given[one], uniforms[one], forms, bars, own[one])
                continue
            candidates = self._decoder.sample(melodies[rows], given, uniforms, forms[rows], bars, own)
            asked = None if content is None else sampled
            cost = self._block_cost(candidates, first, targets[rows], wanted[rows], asked, forms[rows], share)
            # The last four bars of each candidate: those of the block, but for a shorter one at the end.
            classes = candidates.classes[:, -size:]  # (B K, …)
            tokens = self._vocabulary.decode(classes)
            cost += LEAP * self._leap(melodies.last[rows], classes[:, -block.shape[1] :])
            if steps > size and first + size >= steps:
                cost += OPEN_END * (closing[rows] != ends_on_tonic(tokens))
            if fixed is not None:
                cost -= FIT * candidates.fit
                cost += self._misfit(candidates, targets, attributes, forms, fixed, rows)
            tunes = self._vocabulary.decode(candidates.classes)
            melodies = candidates[cheapest(cost.reshape(count, -1), tunes, learned)]
        return self._vocabulary.decode(melodies.classes)

    def _block_cost(
        self,
        candidates: Melodies,
        first: int,
        targets: Floats,
        wanted: Floats,
        content: Floats | None,
        forms: Form,
        share: float,
    ) -> Floats:
        """The cost (N,) of candidates whose last block begins at step ``first``, without that of its ends.

        Given their latents (N, T, 2), attributes (N, up to D), contents (N, C) if they have any, and forms.
        """
        length, size = candidates.classes.shape[1], BARS * self._meter.bar
        classes, whole = candidates.classes[:, -size:], length - first == size
        target = targets[:, :length][:, -size:].mean(1)  # (N, 2)
        # The outline of less than a block cannot be compared with that of four bars.
        cost = self._cost(classes, target, content if whole else None)  # (N,)
        if whole:
            tokens = self._vocabulary.decode(classes)
            cost += self._attribute_cost(tokens, target, wanted, content is None)
        importance = np.square(target[:, 0] / self._scale[0])  # (N,)
        cost += NO_MODE * importance * self._lacks_mode(candidates.classes, targets[:, :length], share)
        bars = self._vocabulary.decode(candidates.classes)
        cost += NO_FORM * forms.departures(bars, self._meter.bar, first // self._meter.bar)
        return cost

    def _misfit(
        self,
        candidates: Melodies,
        targets: Floats,
        attributes: Floats,
        forms: Form,
        fixed: Tokens,
        rows: Tokens,
    ) -> Floats:
        """What it costs that the bar after candidates is kept and does not follow them well, (B K,).

        ``fixed`` (B, T) are the classes of the drafts, ``rows`` (B K,) the melodies of the candidates.
        """
        first = candidates.classes.shape[1]
        bar = slice(first, first + self._meter.bar)
        own = fixed[:, bar]  # (B, P), or without steps at the end
        if not (own >= 0).any():
            return np.zeros(len(rows))
        given, _ = self._given(targets[:, bar], None, attributes[:, first // (BARS * self._meter.bar)], (), 1)
        silence = np.zeros((len(rows), own.shape[1]), np.float32)
        bars = fixed.shape[1] // self._meter.bar
        after = self._decoder.sample(candidates, given[rows], silence, forms[rows], bars, own[rows])
        leap = self._leap(candidates.last, after.classes[:, bar])
        return np.asarray(LEAP * leap - FIT * after.fit, dtype=np.float64)

    def _given(
        self,
        block: Floats,
        content: Floats | None,
        attributes: Floats,
        rngs: Sequence[np.random.Generator],
        number: int,
    ) -> tuple[Floats32, Floats]:
        """What each step of candidates is decoded from, (B K, S, G), and their contents (B K, C).

        K = ``number`` for each, from the melodies' latents (B, S, 2), contents (B, C) and attributes
        (B, up to D); those not known are 0.
        """
        count, length, _ = block.shape
        size, rows = self._config.content, np.repeat(np.arange(count), number)
        if content is not None:
            contents = content[rows]
        elif self._config.without_content:
            contents = np.zeros((len(rows), size))
        else:  # weights before version 0.4 sample it from its prior
            contents = np.concatenate([rng.standard_normal((number, size)) for rng in rngs])
        flag = np.full((len(rows), 1), content is not None, dtype=float)
        # The content says what the outline is like.
        known = np.zeros((len(rows), len(NAMES)))  # (B K, D)
        known[:, : attributes.shape[1]] = attributes[rows]
        known *= ~(OUTLINE & (content is not None))
        constant = np.concatenate([contents, flag, known], 1)  # (B K, C + 1 + D)
        along = np.repeat(constant[:, None], length, 1)
        return np.concatenate([block[rows], along], 2).astype(np.float32), contents

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

    def _leap(self, last: Tokens, classes: Tokens) -> Floats:
        """By how many semitones more than a fifth the first notes of blocks (N, S) leap from the last, (N,).

        ``last`` (N,) are the classes of the notes before; 0 where there is none, or none follows.
        """
        onset = classes < len(self._vocabulary.pitches)  # (N, S)
        first = classes[np.arange(len(classes)), onset.argmax(1)]  # (N,)
        there = onset.any(1) & (last < len(self._vocabulary.pitches))
        tokens = self._vocabulary.tokens
        size = np.abs(tokens[np.where(there, first, 0)] - tokens[np.where(there, last, 0)])
        return np.asarray(np.maximum(size - FIFTH, 0), dtype=np.float64)

    def _lacks_mode(self, classes: Tokens, targets: Floats, share: float) -> NDArray[np.bool_]:
        """Whether the notes of melodies (N, T) fail to establish the mode of their targets (N, T, 2), (N,).

        Where the targets' mode changes, the last four bars count.
        """
        positive = targets[:, :, 0] >= 0  # (N, T)
        if (positive != positive[:, :1]).any():
            classes = classes[:, -BARS * self._meter.bar :]
        clarity = majorness(pitch_class_totals(self._vocabulary.decode(classes)))  # (N,)
        return np.asarray(np.where(positive[:, -1], clarity, -clarity) < LEAST_CLARITY * share)

    def _attribute_cost(self, tokens: Tokens, target: Floats, attributes: Floats, outline: bool) -> Floats:
        """The cost (N,) of attributes of candidates (N, S), for targets (N, 2) and attributes (N, up to D).

        ``outline`` says whether those count that the outline has as well.
        """
        known = attributes.shape[1]
        distance = measure(tokens, target[:, 0] < 0, self._meter)[:, :known] - attributes
        return np.asarray(np.square(distance) @ (COST * (outline | ~OUTLINE))[:known])


def _clearer(attributes: Floats, points: Floats, share: float) -> Floats:
    """The attributes (B, up to D) to target for those of plans, at these points (B, 2).

    ``share`` is how far they are moved to what ``ATTRIBUTES`` says, 0 … 1; nearer to the axis it is less.
    """
    distance = np.minimum(np.abs(points[:, :1]) / CLEAR_FROM, 1)  # (B, 1)
    moved = attributes + share * distance * ABOVE[: attributes.shape[1]]
    return np.asarray(moved.clip(-LARGEST, LARGEST))
