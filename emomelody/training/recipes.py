"""How each model is trained: its loss, optimiser and schedule. The trainer knows nothing else about a model.

A recipe has defaults (``batch_size``, ``learning_rate``, ``epochs``), builds the model and the optimiser,
and computes the loss of a batch. ``continuous`` says whether valence and arousal are trained towards measured
values or towards the signs of the label. ``progress`` is the finished part of the training, 0 … 1.

Shapes: B melodies in a batch, b in this process's shard of it, T steps, Z latent dimensions,
G = Z + D with the attributes, H units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emomelody.models import losses
from emomelody.models.cvae import CVAE, sample_posterior
from emomelody.models.emoreg_va import PITCH_CLASSES, EmoregVA
from emomelody.models.losses import LossWeights
from emomelody.music.attributes import NAMES
from emomelody.music.tokens import Tokens, Vocabulary, fingerprints
from emomelody.training.examples import Examples
from emomelody.training.processes import SINGLE_PROCESS, ProcessGroup
from emomelody.weights.config import LATENT, ModelConfig, VAConfig

UPDATES = 12_600  # the paper's: 700 epochs of 18 batches
# The paper's optimiser with Keras' defaults: this decay, and an epsilon of 1e-7 inside the square root.
RMSPROP_DECAY = 0.9
RMSPROP_EPSILON = 1e-7**0.5
# Our only departure from the paper, whose learning rate is constant. With a constant rate, D on the paper's
# set stays at 85–88 % from epoch 300 on, as latent means keep crossing the axes; with a falling rate they
# settle, at 99 %.
ANNEAL_FROM = 0.7  # share of the epochs
FINAL_RATE = 0.1  # share of the learning rate
WARM_UP = 0.3  # share of emoreg-va's training


@dataclass(frozen=True)
class LossTerms:
    """The loss of a batch and its terms, scalars, with the latent means (B, Z)."""

    loss: Tensor  # the weighted sum
    reconstruction: Tensor  # nats per melody
    divergence: Tensor  # nats per melody
    arousal: Tensor  # −1 … 1
    valence: Tensor  # −1 … 1
    mu: Tensor

    def scalars(self) -> Tensor:
        """Loss, reconstruction, divergence, arousal and valence, (5,), without gradients."""
        terms = (self.loss, self.reconstruction, self.divergence, self.arousal, self.valence)
        return torch.stack(terms).detach()


@dataclass(frozen=True)
class PaperRecipe:
    """CVAE-Base and CVAE-EmoReg: equation (8), which with both weights 0 is equation (1)."""

    weights: LossWeights
    emotion_weight: float  # final factor of the emotion losses; it grows from 1 as the rate falls
    batch_size: int = 16
    learning_rate: float = 1e-3
    continuous: bool = False
    largest_gradient: float = math.inf  # norm

    def epochs(self, examples: int, batch_size: int) -> int:
        """The number of epochs that makes the paper's number of updates."""
        return _passes(UPDATES, examples, batch_size)

    def build(self, vocabulary: Vocabulary, tokens: Tokens) -> CVAE:
        """A new model of the paper's sizes. ``tokens`` are ignored."""
        del tokens
        return CVAE(ModelConfig(classes=len(vocabulary)))

    def optimiser(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """RMSprop as in Keras."""
        return torch.optim.RMSprop(parameters, rate, RMSPROP_DECAY, RMSPROP_EPSILON)

    def rate(self, progress: float) -> float:
        """The factor of the learning rate: constant, then falling linearly."""
        return 1 - (1 - FINAL_RATE) * annealing(progress)

    def terms(
        self,
        model: Any,
        batch: Examples,
        generator: torch.Generator,
        progress: float,
        group: ProcessGroup = SINGLE_PROCESS,
    ) -> LossTerms:
        """Equation (8), with the scale of each term as in the paper's published code."""
        shard, noise = batch.shard(group), torch.randn(len(batch), LATENT, generator=generator)
        mu, log_variance = model.encode(shard.classes, shard.labels)  # (b, 2) each
        z = sample_posterior(mu, log_variance, group.shard(noise))  # (b, 2)
        logits = model.decode(z, shard.labels)  # (b, T, V)
        per_example = losses.reconstruction(logits, shard.classes)  # (b,)
        # From here on over the whole batch.
        mu, log_variance, per_example = _gather(group, mu, log_variance, per_example, len(batch))
        reconstruction = per_example.sum()
        divergence = losses.divergence(mu, log_variance)
        arousal = losses.arousal(batch.targets[:, losses.AROUSAL], mu)
        valence = losses.valence(batch.targets[:, losses.VALENCE], mu)
        emotion = self.weights.arousal * arousal + self.weights.valence * valence
        weight = 1 + (self.emotion_weight - 1) * annealing(progress)
        loss = reconstruction + divergence + weight * emotion
        return LossTerms(loss, reconstruction / len(batch), divergence, arousal, valence, mu)

    def reconstruction(self, model: Any, batch: Examples) -> Tensor:
        """L_R of each melody at its latent mean, (B,), in nats."""
        mu, _ = model.encode(batch.classes, batch.labels)  # (B, 2)
        return losses.reconstruction(model.decode(mu, batch.labels), batch.classes)


@dataclass(frozen=True)
class VARecipe:
    """CVAE-EmoReg-VA: the paper's terms, all per melody, with continuous targets of the cosine losses.

    The weight of the content's divergence grows over the first ``WARM_UP`` of the training; otherwise the
    decoder learns to ignore the content. A share of the previous tokens is withheld from the decoder, so that
    it relies on the latent.
    """

    batch_size: int = 64
    learning_rate: float = 2e-3
    continuous: bool = True
    largest_gradient: float = 1.0  # norm
    updates: int = 1_656  # 36 epochs of the chorales
    passes: int = 110  # most epochs: with more, a model of the paper's 275 melodies memorises them
    cosine: float = 20.0  # weight of each emotion loss
    plane_divergence: float = 0.05  # weight of the divergence of valence and arousal
    content_divergence: float = 0.35  # weight of the divergence of the content
    withheld: float = 0.2  # share of the previous tokens
    continued: float = 0.5  # share of the melodies with a predecessor that are trained as its continuation
    decay: float = 0.01  # AdamW's weight decay

    def epochs(self, examples: int, batch_size: int) -> int:
        """The number of epochs that makes ``updates`` updates, at most ``passes``."""
        return min(self.passes, _passes(self.updates, examples, batch_size))

    def build(self, vocabulary: Vocabulary, tokens: Tokens) -> EmoregVA:
        """A new model, which keeps the fingerprints of the training ``tokens`` (N, T)."""
        config = VAConfig(
            len(vocabulary), attributes=len(NAMES), pitch_classes=PITCH_CLASSES, learned=len(tokens)
        )
        model = EmoregVA(config)
        model.set_pitches(vocabulary.pitches)
        model.learned = torch.from_numpy(np.sort(fingerprints(tokens)))
        return model

    def optimiser(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(parameters, rate, weight_decay=self.decay)

    def rate(self, progress: float) -> float:
        """The factor of the learning rate: a half cosine up over the warm-up, then one down to 0."""
        if progress < WARM_UP:
            return 0.04 + 0.48 * (1 - math.cos(math.pi * progress / WARM_UP))
        return 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))

    def terms(
        self,
        model: Any,
        batch: Examples,
        generator: torch.Generator,
        progress: float,
        group: ProcessGroup = SINGLE_PROCESS,
    ) -> LossTerms:
        """Reconstruction, both divergences, and equations (4) and (6) with continuous targets."""
        shard, device = batch.shard(group), batch.labels.device
        mu, log_variance = model.encode(shard.classes)  # (b, Z) each
        noise = torch.randn(len(batch), mu.shape[1], generator=generator)
        z = sample_posterior(mu, log_variance, group.shard(noise))  # (b, Z)
        continued = torch.rand(len(batch), generator=generator) < self.continued
        first, state = self.initial_context(model, shard, group.shard(continued).to(device))
        previous = model.previous_tokens(shard.classes, first)  # (b, T)
        withheld = torch.rand(batch.classes.shape, generator=generator) < self.withheld
        given = torch.cat([z, shard.attributes], 1)  # (b, G)
        logits = model.decode(given, previous, state, group.shard(withheld).to(device))  # (b, T, V)
        per_example = losses.reconstruction(logits, shard.classes)  # (b,)
        # From here on over the whole batch.
        mu, log_variance, per_example = _gather(group, mu, log_variance, per_example, len(batch))
        reconstruction = per_example.mean()
        of_plane = losses.divergence(mu[:, :LATENT], log_variance[:, :LATENT])
        of_content = losses.divergence(mu[:, LATENT:], log_variance[:, LATENT:])
        arousal = losses.arousal(batch.targets[:, losses.AROUSAL], mu)
        valence = losses.valence(batch.targets[:, losses.VALENCE], mu)
        content_weight = self.content_divergence * min(1.0, progress / WARM_UP)
        loss = reconstruction + self.plane_divergence * of_plane + content_weight * of_content
        loss = loss + self.cosine * (arousal + valence)
        return LossTerms(loss, reconstruction, of_plane + of_content, arousal, valence, mu)

    def reconstruction(self, model: Any, batch: Examples) -> Tensor:
        """L_R of each melody at its latent mean, (B,), in nats, from the beginning and with all tokens."""
        mu, _ = model.encode(batch.classes)  # (B, Z)
        given = torch.cat([mu, batch.attributes], 1)  # (B, G)
        logits = model.decode(given, model.previous_tokens(batch.classes))  # (B, T, V)
        return losses.reconstruction(logits, batch.classes)

    def initial_context(self, model: Any, batch: Examples, continued: Tensor) -> tuple[Tensor, Tensor]:
        """The previous token (B,) and the decoder's state (B, H) before the first step.

        Where ``continued`` (B,) and there is a melody before in the piece, they are those at its end, so that
        the model learns to continue a piece as well as to begin one.
        """
        previous, state = model.initial_state(len(batch))
        chosen = continued & (batch.preceding[:, 0] >= 0)
        if chosen.any():
            classes = batch.preceding[chosen]  # (C, T)
            with torch.no_grad():
                z, _ = model.encode(classes)  # (C, Z)
                given = torch.cat([z, batch.preceding_attributes[chosen]], 1)  # (C, G)
                state[chosen] = model.states(given, model.previous_tokens(classes))[-1].to(state.dtype)
            previous[chosen] = classes[:, -1]
        return previous, state


def _gather(
    group: ProcessGroup, mu: Tensor, log_variance: Tensor, per_example: Tensor, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Means, log variances (B, Z) and losses (B,) of a whole batch of ``count``, from those of the shards."""
    size = mu.shape[1]
    gathered = group.gather(torch.cat([mu, log_variance, per_example[:, None]], 1), count)  # (B, 2 Z + 1)
    mu, log_variance, per_example = gathered.split([size, size, 1], 1)
    return mu, log_variance, per_example[:, 0]


def annealing(progress: float) -> float:
    """How far the annealing has come at ``progress``: 0 up to ``ANNEAL_FROM``, then linearly up to 1."""
    return max(0.0, progress - ANNEAL_FROM) / (1 - ANNEAL_FROM)


def _passes(updates: int, examples: int, batch_size: int) -> int:
    return max(1, round(updates / math.ceil(examples / batch_size)))


Recipe = PaperRecipe | VARecipe
# By model name; the argument is TrainConfig's emotion_weight.
RECIPES: dict[str, Callable[[float], Recipe]] = {
    "base": lambda weight: PaperRecipe(LossWeights(0, 0), weight),
    "emoreg": lambda weight: PaperRecipe(LossWeights(arousal=80, valence=70), weight),
    "emoreg-va": lambda _weight: VARecipe(),
}
