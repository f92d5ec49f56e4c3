"""What changes while a model is trained: its weights, the optimiser and the random generators.

The trainer decides what is trained on, for how long and what is saved; a ``Learner`` runs an epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from emomelody.emotions.plane import placement
from emomelody.models.cvae import CVAE
from emomelody.models.emoreg_va import EmoregVA
from emomelody.music.tokens import Floats, Vocabulary
from emomelody.training.examples import Examples
from emomelody.training.passages import PassageExamples
from emomelody.training.processes import ProcessGroup
from emomelody.training.recipes import LossTerms, Recipe
from emomelody.weights.config import LATENT

HELD_OUT_BATCH = 256  # windows
Parts = Sequence[Any]  # examples of one meter and length each


class Learner:
    """A model in training, on one device and in one precision (float32 or bfloat16)."""

    def __init__(
        self,
        recipe: Recipe,
        vocabulary: Vocabulary,
        learned: NDArray[np.int64],
        *,
        learning_rate: float,
        seed: int,
        device: torch.device,
        precision: str,
        group: ProcessGroup,
    ) -> None:
        """A new model for a vocabulary, with initial weights from ``seed``.

        ``learned`` (L,) are the fingerprints of the training melodies and their passages, sorted.
        """
        self.recipe, self.learning_rate, self.group = recipe, learning_rate, group
        self.seed, self.device, self.precision = seed, device, precision
        torch.manual_seed(seed)
        self.model: CVAE | EmoregVA = recipe.build(vocabulary, learned).to(device)
        self._objective: nn.Module = _Objective(self.model, recipe, group)
        if group.size > 1:
            self._objective = DistributedDataParallel(self._objective)
            self.seed_dropout(epochs=0)
        self.optimiser = recipe.optimiser(self.model.parameters(), learning_rate)
        self.generator = torch.Generator().manual_seed(seed)  # order of the melodies, and noise

    def seed_dropout(self, epochs: int) -> None:
        """Give this process a dropout of its own, from the seed and the number of finished epochs."""
        torch.manual_seed(self.seed + self.group.rank + epochs * self.group.size)

    def train_epoch(self, parts: Parts, batch_size: int, progress: float) -> dict[str, float]:
        """One pass over all examples; ``progress`` is the finished part of the training, 0 … 1.

        Returns by name the columns of ``history.Epoch`` that are measured while training.
        """
        rate = self.learning_rate * self.recipe.rate(progress)
        for parameters in self.optimiser.param_groups:
            parameters["lr"] = rate
        sums, count, means, labels = np.zeros(5), 0, [], []
        self.model.train()
        for batch in self._shuffled_batches(parts, batch_size):
            terms = self._update(batch, progress)
            sums += terms.scalars().double().cpu().numpy() * len(terms.labels)
            count += len(terms.labels)
            means.append(terms.mu.detach()[:, :LATENT])
            labels.append(terms.labels)
        loss, reconstruction, divergence, arousal, valence = (sums / count).tolist()
        return {
            "loss": loss,
            "reconstruction": reconstruction,
            "divergence": divergence,
            "arousal": arousal,
            "valence": valence,
            "placement_training": _mean_placement(torch.cat(means).double().cpu().numpy(), torch.cat(labels)),
            "learning_rate": rate,
        }

    def _shuffled_batches(self, parts: Parts, size: int) -> Iterator[Examples | PassageExamples]:
        """The batches of all parts in random order; a batch has examples of one part."""
        orders = [part.shuffled(size, self.generator) for part in parts]
        batches = [(part, chosen) for part, order in zip(parts, orders, strict=True) for chosen in order]
        if len(parts) > 1:
            batches = [batches[n] for n in torch.randperm(len(batches), generator=self.generator).tolist()]
        for part, chosen in batches:
            yield part[chosen]

    def _update(self, batch: Examples | PassageExamples, progress: float) -> LossTerms:
        """One step of the optimiser."""
        with self._autocast():
            terms: LossTerms = self._objective(batch, self.generator, progress)
        self.optimiser.zero_grad(set_to_none=True)
        terms.loss.backward()
        if self.recipe.largest_gradient < math.inf:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.largest_gradient)
        self.optimiser.step()
        return terms

    def evaluate(self, held_out: Parts) -> dict[str, float]:
        """The columns of ``history.Epoch`` that are measured on held-out melodies, by name.

        At the latent means and without dropout: no random number is drawn.
        """
        self.model.eval()
        with torch.inference_mode(), self._autocast():
            losses = [self.recipe.reconstruction(self.model, batch) for batch in _batches(held_out)]
        means, _log_variances, labels = self.encode(held_out)
        return {
            "reconstruction_held_out": float(torch.cat(losses).double().mean()),
            "placement_held_out": float(np.nanmean(placement(means, labels))),
        }

    def encode(self, parts: Parts) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Latent means and log variances of valence and arousal, (N, 2) each, and labels (N,)."""
        self.model.eval()
        with torch.inference_mode():
            encoded = [self.recipe.posteriors(self.model, batch) for batch in _batches(parts)]
        means, log_variances, labels = map(torch.cat, zip(*encoded, strict=True))
        of_plane = [tensor[:, :LATENT].double().cpu().numpy() for tensor in (means, log_variances)]
        return of_plane[0], of_plane[1], labels.cpu().numpy()

    def is_finite(self) -> bool:
        """Whether all parameters of the model are finite numbers."""
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters())

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bfloat16")


class _Objective(nn.Module):
    """A model and its recipe as one module, as ``DistributedDataParallel`` needs it."""

    def __init__(self, model: nn.Module, recipe: Recipe, group: ProcessGroup) -> None:
        super().__init__()
        self.model, self.recipe, self.group = model, recipe, group

    def forward(self, batch: Any, generator: torch.Generator, progress: float) -> LossTerms:
        return self.recipe.terms(self.model, batch, generator, progress, self.group)


def _batches(parts: Parts) -> Iterator[Any]:
    """All examples, in order."""
    return chain.from_iterable(part.batches(HELD_OUT_BATCH) for part in parts)


def _mean_placement(means: Floats, labels: Tensor) -> float:
    """The mean of equation (9) over the emotions that have melodies, as a share of 1."""
    return float(np.nanmean(placement(means, labels.cpu().numpy())))
