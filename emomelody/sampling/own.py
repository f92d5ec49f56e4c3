"""A melody of the user's as the model sees it: latents, attributes and form, four bars at a time.

K blocks of four bars, M bars, C content dimensions, Z = 2 + C, D attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emomelody.emotions.attributes import measure
from emomelody.emotions.plans import Plan
from emomelody.errors import EmomelodyError
from emomelody.music.draft import Draft
from emomelody.music.form import Form
from emomelody.music.melody import BARS, Melody
from emomelody.music.tokens import REST, Floats, Tokens, Vocabulary, from_tokens, to_tokens
from emomelody.sampling.encoder import Encoder
from emomelody.weights.checkpoint import Checkpoint
from emomelody.weights.config import LATENT, VAConfig
from emomelody.workers import blas_in_one_thread

OCTAVES = (0, 1, -1, 2, -2, 3, -3)  # shifts of a melody to be encoded, in order of preference


@dataclass(frozen=True)
class OwnTune:
    """The blocks of a melody, and its form. A block without notes is as the one before it."""

    latents: Floats  # (K, Z)
    attributes: Floats  # (K, D)
    form: Form  # (M,)

    @classmethod
    def of(cls, checkpoint: Checkpoint, melody: Melody, mode: str | None) -> OwnTune:
        """A melody in C, in a mode, or in that of its valence where none is given."""
        tokens = to_tokens(melody.beginning(-(-melody.bars // BARS) * BARS))
        blocks = tokens.reshape(-1, BARS * melody.meter.bar)  # (K, S)
        sounding = (blocks < REST).any(1)  # (K,)
        # Each silent block is the last sounding one before it, or else the first one.
        which = np.maximum.accumulate(np.where(sounding, np.arange(len(blocks)), sounding.argmax()))
        blocks = blocks[which]
        latents = encode_melodies(checkpoint, [from_tokens(block, melody.meter) for block in blocks])
        minor = latents[:, 0] < 0 if mode is None else np.full(len(blocks), mode == "minor")
        form = Form.of(tokens, melody.meter.bar)[slice(melody.bars)]
        attributes = measure(blocks, minor, melody.meter)
        distribution = checkpoint.distribution(None, melody.meter)
        assert distribution is not None  # as of all models that encode
        known = distribution.plans.attributes.shape[1]  # fewer in weights of earlier versions
        return cls(latents, attributes[:, :known], form)

    @classmethod
    def of_draft(cls, checkpoint: Checkpoint, draft: Draft, mode: str | None) -> OwnTune:
        """The kept bars of a draft. Each block that has open bars is like the mean of the others.

        Where no block is kept as a whole, all are like the kept bars, repeated as often as four bars take.
        """
        bar, known = draft.melody.meter.bar, ~draft.open_blocks
        tokens = draft.tokens()
        silent = from_tokens(np.where(tokens >= 0, tokens, REST), draft.melody.meter)
        whole = cls.of(checkpoint, silent, mode)
        if known.any():
            latents = np.where(known[:, None], whole.latents, whole.latents[known].mean(0))
            return cls(latents, whole.attributes, whole.form)
        kept = tokens.reshape(-1, bar)[list(draft.kept)]
        four = np.resize(kept, (BARS, bar)).ravel()
        one = cls.of(checkpoint, from_tokens(four, draft.melody.meter), mode)
        count = len(known)
        return cls(np.repeat(one.latents, count, 0), np.repeat(one.attributes, count, 0), whole.form)

    @property
    def plan(self) -> Plan:
        """What the melody is like, as the plan of another one; of its blocks as a whole."""
        missing = Form.none(BARS * len(self.latents))
        return Plan(self.latents[:, :LATENT], self.attributes, self.form.extended(missing))

    @property
    def contents(self) -> Floats:
        """The contents of the blocks, (K, C)."""
        return self.latents[:, LATENT:]

    @property
    def centre(self) -> Floats:
        """The mean of the latents on the plane, (2,)."""
        return np.asarray(self.latents[:, :LATENT].mean(0))

    def between(self, other: OwnTune, share: float) -> OwnTune:
        """A melody between this one (share 0) and another one (1), with the form of the nearer one.

        It has the blocks of the shorter of the two.
        """
        count = min(len(self.latents), len(other.latents))
        latents, attributes = (
            (1 - share) * mine[:count] + share * theirs[:count]
            for mine, theirs in ((self.latents, other.latents), (self.attributes, other.attributes))
        )
        return OwnTune(latents, attributes, (self if share < 0.5 else other).form)


def encode_melodies(checkpoint: Checkpoint, melodies: Sequence[Melody]) -> Floats:
    """The latent means (M, Z) of melodies of four bars in C: plane coordinates, then content.

    The coordinates may lie beyond the plane's edge. A melody with pitches outside the model's vocabulary is
    shifted by octaves to where it has the fewest. Raises EmomelodyError for a meter that the model has not
    learned, and as ``encoder_config``.
    """
    config = encoder_config(checkpoint)
    meters = {melody.meter for melody in melodies}
    for meter in meters:
        checkpoint.distribution(None, meter)  # raises for one that it has not learned
    with blas_in_one_thread():
        encoders = {meter: Encoder(config, checkpoint.tensors, meter) for meter in meters}
        # One at a time, so that a melody's latent does not depend on the others.
        means = [encoders[m.meter].encode(_classes(checkpoint.vocabulary, m)[None])[0] for m in melodies]
    return np.array(means, dtype=np.float64)


def encoder_config(checkpoint: Checkpoint) -> VAConfig:
    """The configuration of a model that can encode any melody.

    Raises EmomelodyError for the paper's models, whose encoders need the label.
    """
    if not isinstance(checkpoint.config, VAConfig):
        raise EmomelodyError(f"{checkpoint.name} cannot place a melody without its label: use emoreg-va")
    return checkpoint.config


def _classes(vocabulary: Vocabulary, melody: Melody) -> Tokens:
    """The classes (T,) of a melody, in the octave where the vocabulary has most of its pitches."""
    tokens = to_tokens(melody)
    onset = tokens < REST
    shifted = [np.where(onset, tokens + 12 * octave, tokens) for octave in OCTAVES]
    in_range = [row for row in shifted if ((row >= 0) & ((row < REST) == onset)).all()]
    # ``Vocabulary.encode`` moves unknown pitches and counts them.
    classes, _ = min(map(vocabulary.encode, in_range), key=lambda encoded: encoded[1])
    return classes
