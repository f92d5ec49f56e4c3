"""How each model is trained: its loss, optimiser and schedule. ``train`` knows nothing else of a model.

A recipe has defaults (``batch_size``, ``learning_rate``, ``epochs``), says whether the axes are trained
towards continuous valence and arousal or towards the signs of the label (``continuous``), and makes the terms
of a batch. ``progress`` is how much of the training is over, 0 … 1.
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
from emomelody.models.cvae import CVAE, LATENT, ModelConfig, sample_posterior
from emomelody.models.emoreg_va import EmoregVA, VAConfig, staff_heights
from emomelody.models.losses import LossWeights
from emomelody.music.tokens import Tokens, Vocabulary, fingerprints
from emomelody.training.processes import SINGLE_PROCESS, ProcessGroup

UPDATES = 12_600  # the paper's: 700 epochs of 18 batches
# The paper's optimiser as Keras has it: this decay, and an epsilon of 1e-7 under the square root.
RMSPROP_DECAY = 0.9
RMSPROP_EPSILON = 1e-7**0.5
# Our one departure from the paper, whose rate is constant. While it is, D of the paper's set stays at 85–88 %
# from epoch 300 on, the latent means trembling across the axes; falling, it lets them settle, at 99 %.
ANNEAL_FROM = 0.7  # of all epochs
FINAL_RATE = 0.1  # of the learning rate
WARM_UP = 0.3  # of emoreg-va's training


@dataclass(frozen=True)
class Examples:
    """Melodies on the training device: a batch, or one side of the split."""

    classes: Tensor  # (B, T)
    labels: Tensor  # (B,)
    targets: Tensor  # (B, 2): what the axes are to say, valence first
    preceding: Tensor  # (B, T): the classes of the melody before in the same piece, −1 where there is none

    def __getitem__(self, chosen: Tensor) -> Examples:
        """Those of the given numbers."""
        return Examples(
            self.classes[chosen], self.labels[chosen], self.targets[chosen], self.preceding[chosen]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def shard(self, team: ProcessGroup) -> Examples:
        """This process's part of them."""
        return Examples(*map(team.shard, (self.classes, self.labels, self.targets, self.preceding)))


@dataclass(frozen=True)
class LossTerms:
    """The terms of a batch, scalars, and the latent means (B, Z)."""

    loss: Tensor
    reconstruction: Tensor  # per example
    divergence: Tensor  # per example
    arousal: Tensor  # −1 … 1
    valence: Tensor  # −1 … 1
    mu: Tensor


@dataclass(frozen=True)
class PaperRecipe:
    """CVAE-Base and CVAE-EmoReg: equation (8); with both weights 0 it is equation (1)."""

    weights: LossWeights
    emotion_weight: float  # of the emotion losses in the end; it grows from 1 as the rate falls
    batch_size: int = 16
    learning_rate: float = 1e-3
    continuous: bool = False
    largest_gradient: float = math.inf

    def epochs(self, examples: int, batch_size: int) -> int:
        """As many as make the paper's number of updates."""
        return _passes(UPDATES, examples, batch_size)

    def build(self, vocabulary: Vocabulary, tokens: Tokens) -> CVAE:
        """A model of the paper's sizes for that vocabulary; ``tokens`` are not needed."""
        del tokens
        return CVAE(ModelConfig(classes=len(vocabulary)))

    def optimiser(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """Keras' RMSprop."""
        return torch.optim.RMSprop(parameters, rate, RMSPROP_DECAY, RMSPROP_EPSILON)

    def rate(self, progress: float) -> float:
        """Constant for long, then falling linearly."""
        return 1 - (1 - FINAL_RATE) * annealing(progress)

    def terms(
        self,
        model: Any,
        batch: Examples,
        random: torch.Generator,
        progress: float,
        team: ProcessGroup = SINGLE_PROCESS,
    ) -> LossTerms:
        """Equation (8), scaled as the paper's published code scales it."""
        mine, noise = batch.shard(team), torch.randn(len(batch), LATENT, generator=random)
        mu, log_variance = model.encode(mine.classes, mine.labels)  # (b, 2), of this process's shard
        logits = model.decode(sample_posterior(mu, log_variance, team.shard(noise)), mine.labels)
        per_example = losses.reconstruction(logits, mine.classes)  # (b,)
        # Of the whole batch from here on.
        mu, log_variance, per_example = _gather(team, mu, log_variance, per_example, len(batch))
        reconstruction = per_example.sum()
        divergence = losses.divergence(mu, log_variance)
        arousal = losses.arousal(batch.targets[:, losses.AROUSAL], mu)
        valence = losses.valence(batch.targets[:, losses.VALENCE], mu)
        emotion = self.weights.arousal * arousal + self.weights.valence * valence
        weight = 1 + (self.emotion_weight - 1) * annealing(progress)
        loss = reconstruction + divergence + weight * emotion
        return LossTerms(loss, reconstruction / len(batch), divergence, arousal, valence, mu)


@dataclass(frozen=True)
class VARecipe:
    """CVAE-EmoReg-VA: the paper's terms, all per example, the cosines with continuous targets.

    The content's divergence comes in over the first ``WARM_UP`` of the training, else the decoder learns to
    do without; a fifth of the tokens it goes by is withheld, so that it listens to the latent.
    """

    batch_size: int = 64
    learning_rate: float = 2e-3
    continuous: bool = True
    largest_gradient: float = 1.0
    updates: int = 1_656  # 36 passes over the chorales
    passes: int = 110  # at most: with more, a model of the paper's 275 melodies learns them by heart
    cosine: float = 20.0  # weight of each emotion loss
    plane_divergence: float = 0.05  # weight of the divergence of the two dimensions of emotion
    content_divergence: float = 0.35  # weight of that of the others
    withheld: float = 0.2  # share of the tokens
    continued: float = 0.5  # of the melodies with a melody before them, the share that goes on from it
    decay: float = 0.01  # AdamW's

    def epochs(self, examples: int, batch_size: int) -> int:
        """As many as make ``updates`` updates, and not more than ``passes``."""
        return min(self.passes, _passes(self.updates, examples, batch_size))

    def build(self, vocabulary: Vocabulary, tokens: Tokens) -> EmoregVA:
        """A model for that vocabulary, that knows the training's tokens (N, T) again."""
        model = EmoregVA(VAConfig(classes=len(vocabulary), learned=len(tokens)))
        model.heights[:-2] = torch.tensor(staff_heights(vocabulary.pitches))
        model.learned = torch.from_numpy(np.sort(fingerprints(tokens)))
        return model

    def optimiser(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(parameters, rate, weight_decay=self.decay)

    def rate(self, progress: float) -> float:
        """Up in a cosine over the warm-up, then down to nothing."""
        if progress < WARM_UP:
            return 0.04 + 0.48 * (1 - math.cos(math.pi * progress / WARM_UP))
        return 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))

    def terms(
        self,
        model: Any,
        batch: Examples,
        random: torch.Generator,
        progress: float,
        team: ProcessGroup = SINGLE_PROCESS,
    ) -> LossTerms:
        """Reconstruction, both divergences, and equations (4) and (6) with continuous targets."""
        mine, device = batch.shard(team), batch.labels.device
        mu, log_variance = model.encode(mine.classes)  # (b, Z), of this process's shard
        noise = torch.randn(len(batch), mu.shape[1], generator=random)
        z = sample_posterior(mu, log_variance, team.shard(noise))
        continued = torch.rand(len(batch), generator=random) < self.continued
        previous, state = self._context(model, mine, team.shard(continued).to(device))
        before = model.previous_tokens(mine.classes, previous)  # (b, T)
        hidden = torch.rand(batch.classes.shape, generator=random) < self.withheld
        told = before.masked_fill(team.shard(hidden).to(device), model.config.classes)
        per_example = losses.reconstruction(model.decode(z, told, state), mine.classes)  # (b,)
        # Of the whole batch from here on.
        mu, log_variance, per_example = _gather(team, mu, log_variance, per_example, len(batch))
        reconstruction = per_example.mean()
        of_plane = losses.divergence(mu[:, :LATENT], log_variance[:, :LATENT])
        of_content = losses.divergence(mu[:, LATENT:], log_variance[:, LATENT:])
        arousal = losses.arousal(batch.targets[:, losses.AROUSAL], mu)
        valence = losses.valence(batch.targets[:, losses.VALENCE], mu)
        content_weight = self.content_divergence * min(1.0, progress / WARM_UP)
        loss = reconstruction + self.plane_divergence * of_plane + content_weight * of_content
        loss = loss + self.cosine * (arousal + valence)
        return LossTerms(loss, reconstruction, of_plane + of_content, arousal, valence, mu)

    def _context(self, model: Any, batch: Examples, continued: Tensor) -> tuple[Tensor, Tensor]:
        """The token (B,) and the decoder's state (B, H) to begin with.

        Where melodies that continue a piece shall be ``continued`` (B,), these are the ends of what comes
        before, so that the model learns to go on as well as to begin.
        """
        previous, state = model.initial_state(len(batch))
        chosen = continued & (batch.preceding[:, 0] >= 0)  # there is one
        if chosen.any():
            classes = batch.preceding[chosen]  # (C, T)
            with torch.no_grad():
                z, _ = model.encode(classes)
                state[chosen] = model.states(z, model.previous_tokens(classes))[-1].to(state.dtype)
            previous[chosen] = classes[:, -1]
        return previous, state


def _gather(
    team: ProcessGroup, mu: Tensor, log_variance: Tensor, per_example: Tensor, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The means, log variances (B, Z) and losses (B,) of the whole batch, of ``count``."""
    size = mu.shape[1]
    whole = team.gather(torch.cat([mu, log_variance, per_example[:, None]], 1), count)
    mu, log_variance, losses_of = whole.split([size, size, 1], 1)
    return mu, log_variance, losses_of[:, 0]


def annealing(progress: float) -> float:
    """How far the annealing is when ``progress`` (0 … 1) of the epochs are over: 0 for long, then up to 1."""
    return max(0.0, progress - ANNEAL_FROM) / (1 - ANNEAL_FROM)


def _passes(updates: int, examples: int, batch_size: int) -> int:
    return max(1, round(updates / math.ceil(examples / batch_size)))


Recipe = PaperRecipe | VARecipe
# By model name, made for the final weight of the emotion losses.
RECIPES: dict[str, Callable[[float], Recipe]] = {
    "base": lambda weight: PaperRecipe(LossWeights(0, 0), weight),
    "emoreg": lambda weight: PaperRecipe(LossWeights(arousal=80, valence=70), weight),
    "emoreg-va": lambda _weight: VARecipe(),
}
