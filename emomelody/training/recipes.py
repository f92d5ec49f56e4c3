"""How each model is trained: its loss, optimiser and schedule. The trainer knows nothing else about a model.

A recipe has defaults (``batch_size``, ``learning_rate``, ``epochs``) and the ``meters`` that it is trained
on, builds the examples, the model and the optimiser, and computes the loss of a batch. ``progress`` is the
finished part of the training, 0 … 1.

Shapes: B melodies or passages in a batch, b in this process's shard of it, K windows of a passage, M = 4 K
bars, T steps, Z latent dimensions, D attributes, G = Z + 1 + D.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from emomelody.data.dataset import Dataset
from emomelody.models import losses
from emomelody.models.cvae import CVAE, sample_posterior
from emomelody.models.emoreg_va import EmoregVA
from emomelody.models.losses import LossWeights
from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.music.tokens import Vocabulary
from emomelody.training.examples import Examples, make_examples
from emomelody.training.passages import PassageExamples, make_passages
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
    """The loss of a batch and its terms, scalars, with the latent means (B, Z) and labels of its melodies."""

    loss: Tensor  # the weighted sum
    reconstruction: Tensor  # nats per melody
    divergence: Tensor  # nats per melody
    arousal: Tensor  # −1 … 1
    valence: Tensor  # −1 … 1
    mu: Tensor
    labels: Tensor  # (B,)

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
    largest_gradient: float = math.inf  # norm
    meters: tuple[Meter, ...] = (Meter.FOUR_FOUR,)
    balance: float = 0.0

    def epochs(self, examples: int, batch_size: int) -> int:
        """The number of epochs that makes the paper's number of updates."""
        return _passes(UPDATES, examples, batch_size)

    def build(self, vocabulary: Vocabulary, learned: NDArray[np.int64]) -> CVAE:
        """A new model of the paper's sizes; ``learned`` is ignored."""
        del learned
        return CVAE(ModelConfig(classes=len(vocabulary)))

    def examples(
        self, dataset: Dataset, chosen: NDArray[np.bool_], vocabulary: Vocabulary, device: torch.device
    ) -> list[Examples]:
        """The ``chosen`` (N,) melodies of a dataset."""
        return [make_examples(dataset, chosen, vocabulary, device)]

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
        return LossTerms(loss, reconstruction / len(batch), divergence, arousal, valence, mu, batch.labels)

    def reconstruction(self, model: Any, batch: Examples) -> Tensor:
        """L_R of each melody at its latent mean, (B,), in nats."""
        mu, _ = model.encode(batch.classes, batch.labels)  # (B, 2)
        return losses.reconstruction(model.decode(mu, batch.labels), batch.classes)

    def posteriors(self, model: Any, batch: Examples) -> tuple[Tensor, Tensor, Tensor]:
        """Means and log variances (B, 2) and labels (B,)."""
        return *model.encode(batch.classes, batch.labels), batch.labels


@dataclass(frozen=True)
class VARecipe:
    """CVAE-EmoReg-VA: the paper's terms, per four bars, with continuous targets of the cosine losses.

    The weight of the content's divergence grows over the first ``WARM_UP`` of the training; otherwise the
    decoder learns to ignore the content. A share of the previous tokens is withheld from the decoder, so that
    it relies on the latent, and so is the content of a share of the passages.
    """

    batch_size: int = 64  # windows of four bars
    learning_rate: float = 3e-3
    largest_gradient: float = 5.0  # norm
    updates: int = 12_760  # 22 epochs of all styles and meters
    passes: int = 60  # most epochs: with more, a model of the paper's 275 melodies memorises them
    cosine: float = 20.0  # weight of each emotion loss
    plane_divergence: float = 0.05  # weight of the divergence of valence and arousal
    content_divergence: float = 0.12  # weight of the divergence of the content
    withheld: float = 0.1  # share of the previous tokens
    without_content: float = 0.5  # share of the passages
    decay: float = 0.01  # AdamW's weight decay
    meters: tuple[Meter, ...] = tuple(Meter)
    balance: float = 0.5  # exponent: how much more often the melodies of rare styles and meters are learned

    def epochs(self, examples: int, batch_size: int) -> int:
        """The number of epochs that makes ``updates`` updates, at most ``passes``."""
        return min(self.passes, _passes(self.updates, examples, batch_size))

    def build(self, vocabulary: Vocabulary, learned: NDArray[np.int64]) -> EmoregVA:
        """A new model, which keeps the fingerprints of what it learns, ``learned`` (L,), sorted."""
        model = EmoregVA(VAConfig(len(vocabulary), learned=len(learned)))
        model.set_pitches(vocabulary.pitches)
        model.learned = torch.from_numpy(learned)
        return model

    def examples(
        self, dataset: Dataset, chosen: NDArray[np.bool_], vocabulary: Vocabulary, device: torch.device
    ) -> list[PassageExamples]:
        """The ``chosen`` (N,) melodies of a dataset, as passages of tunes."""
        return make_passages(dataset, chosen, vocabulary, device)

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
        batch: PassageExamples,
        generator: torch.Generator,
        progress: float,
        group: ProcessGroup = SINGLE_PROCESS,
    ) -> LossTerms:
        """Reconstruction, both divergences, and equations (4) and (6) with continuous targets."""
        count, device, shard = len(batch), batch.labels.device, batch.shard(group)
        mu, log_variance = encode_passages(model, shard)  # (b, K, Z) each
        noise = torch.randn(count, *mu.shape[1:], generator=generator)
        z = sample_posterior(mu, log_variance, group.shard(noise))  # (b, K, Z)
        with_content = (torch.rand(count, generator=generator) >= self.without_content).to(z.dtype)
        withheld = torch.rand(batch.classes.shape, generator=generator) < self.withheld
        given = model.given(z, shard.attributes, group.shard(with_content).to(device))  # (b, K, G)
        logits = model.decode(given, shard, group.shard(withheld).to(device))  # (b, T, V)
        per_passage = _reconstruction(logits, shard).sum(1)  # (b,)
        # From here on over the whole batch, the complete windows of all passages.
        mu, log_variance, per_passage = _gather(group, mu, log_variance, per_passage, count)
        whole = batch.whole  # (B, K)
        mu, log_variance, targets = mu[whole], log_variance[whole], batch.targets[whole]  # (n, …) each
        reconstruction = per_passage.sum() * BARS / batch.within.sum()
        of_plane = losses.divergence(mu[:, :LATENT], log_variance[:, :LATENT])
        of_content = losses.divergence(mu[:, LATENT:], log_variance[:, LATENT:])
        arousal = losses.arousal(targets[:, losses.AROUSAL], mu)
        valence = losses.valence(targets[:, losses.VALENCE], mu)
        content_weight = self.content_divergence * min(1.0, progress / WARM_UP)
        loss = reconstruction + self.plane_divergence * of_plane + content_weight * of_content
        loss = loss + self.cosine * (arousal + valence)
        labels = batch.labels[whole]  # (n,)
        return LossTerms(loss, reconstruction, of_plane + of_content, arousal, valence, mu, labels)

    def reconstruction(self, model: Any, batch: PassageExamples) -> Tensor:
        """L_R of each complete window at its latent mean, (n,), in nats, with the content and all tokens."""
        mu, _ = encode_passages(model, batch)  # (B, K, Z)
        given = model.given(mu, batch.attributes, torch.ones(len(batch), device=mu.device))
        return _reconstruction(model.decode(given, batch), batch)[batch.whole]

    def posteriors(self, model: Any, batch: PassageExamples) -> tuple[Tensor, Tensor, Tensor]:
        """Means and log variances (n, Z) and labels (n,) of the complete windows."""
        mu, log_variance = encode_passages(model, batch)
        return mu[batch.whole], log_variance[batch.whole], batch.labels[batch.whole]


def encode_passages(model: Any, batch: PassageExamples) -> tuple[Tensor, Tensor]:
    """Means and log variances of the windows of passages, (B, K, Z) each."""
    shape = batch.labels.shape  # (B, K)
    mu, log_variance = model.encode(batch.classes.reshape(-1, BARS * batch.meter.bar), batch.meter)
    return mu.unflatten(0, shape), log_variance.unflatten(0, shape)


def _reconstruction(logits: Tensor, batch: PassageExamples) -> Tensor:
    """L_R of each window, (B, K), in nats, of the bars that are within its tune."""
    nats = functional.cross_entropy(logits.flatten(0, 1), batch.classes.flatten(), reduction="none")
    by_bar = nats.reshape(*batch.within.shape, batch.meter.bar).sum(2) * batch.within  # (B, M)
    by_window: Tensor = by_bar.unflatten(1, (-1, BARS)).sum(2)
    return by_window


def _gather(
    group: ProcessGroup, mu: Tensor, log_variance: Tensor, per_example: Tensor, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Means, log variances (B, …) and losses (B,) of a whole batch of ``count``, from those of the shards."""
    columns = torch.cat([mu.flatten(1), log_variance.flatten(1), per_example[:, None]], 1)
    gathered = group.gather(columns, count)  # (B, columns)
    size = mu.shape[1:].numel()  # a shard may be empty
    means, log_variances, losses_ = gathered.split([size, size, 1], 1)
    shape = (count, *mu.shape[1:])
    return means.reshape(shape), log_variances.reshape(shape), losses_[:, 0]


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
