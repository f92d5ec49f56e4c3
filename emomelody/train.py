"""The training loop: data in, a run folder with weights, history and plots out."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emomelody import plots
from emomelody.checkpoint import SUFFIX, Checkpoint, save_checkpoint
from emomelody.dataset import Dataset, Split
from emomelody.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.gru import bfloat16_pays
from emomelody.judges import valence_and_arousal
from emomelody.model import LATENT, encode_all, pick_device
from emomelody.plane import Floats, Plane, placement
from emomelody.recipes import RECIPES, Examples
from emomelody.tokens import Tokens, Vocabulary, from_tokens

PLOT_EVERY = 50  # epochs between pictures of the latent space (and saved weights)
UNDECIDED = 0.05  # continuous valence where the notes do not say its side: there the label does
HIDDEN = 512  # units of the widest recurrence, by which bfloat16 is tried


@dataclass(frozen=True)
class TrainConfig:
    """The choices of one run."""

    model: str = "emoreg-va"  # a key of RECIPES
    epochs: int | None = None  # None, also below: the recipe's
    batch_size: int | None = None
    learning_rate: float | None = None
    emotion_weight: float = 1.0  # of the emotion losses in the end; it grows from 1 as the rate falls
    seed: int = 0  # of the initial weights, the order, the noise, and a split not in the manifest
    split: Split = Split.TUNE
    device: str = "auto"  # auto, cpu, cuda, cuda:1 …


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave: means of each loss over its batches (unweighted), placements in percent."""

    epoch: int
    loss: float  # what was minimised
    reconstruction: float  # per example
    divergence: float
    arousal: float  # −1 … 1
    valence: float  # −1 … 1
    placement_training: float  # mean D_i, of the means as the batches met them
    placement_held_out: float  # mean D_i, at the end of the epoch
    learning_rate: float
    seconds: float  # since the beginning


def next_run_folder(parent: Path, model: str) -> Path:
    """``parent``/``model``, or with -2, -3 … added for the first that does not exist; made."""
    folder, number = parent / model, 2
    while folder.exists():
        folder, number = parent / f"{model}-{number}", number + 1
    folder.mkdir(parents=True)
    return folder


class Trainer:
    """One run: the model, its data and its state, from the first epoch to the weights file."""

    def __init__(self, dataset: Dataset, config: TrainConfig) -> None:
        if config.emotion_weight != 1 and config.model != "emoreg":
            raise EmomelodyError(f"{config.model} has no weight that grows: --emotion-weight is for emoreg")
        self.recipe = RECIPES[config.model](config.emotion_weight)
        self.batch_size = config.batch_size or self.recipe.batch_size
        self.learning_rate = (
            self.recipe.learning_rate if config.learning_rate is None else config.learning_rate
        )
        if not 0 < self.learning_rate < math.inf:
            raise EmomelodyError(f"learning rate {self.learning_rate:g} is not a number above 0")
        self.config, self.fingerprint = config, dataset.fingerprint
        self.device = pick_device(config.device)
        held_out = dataset.split(config.split, config.seed)
        # Random splits may hold out a pitch that training never saw: the vocabulary is the data's,
        # so that every melody of it has tokens.
        self.vocabulary = Vocabulary.of(dataset.tokens)
        self.training = self._examples(dataset, ~held_out)
        self.held_out = self._examples(dataset, held_out)
        self.epochs = config.epochs or self.recipe.epochs(len(self.training), self.batch_size)
        torch.manual_seed(config.seed)
        self.model = self.recipe.build(self.vocabulary, dataset.tokens[~held_out]).to(self.device)
        self.optimiser = self.recipe.optimiser(self.model.parameters(), self.learning_rate)
        self.random = torch.Generator().manual_seed(config.seed)  # the order and the noise
        low = self.device.type == "cpu" and bfloat16_pays(HIDDEN, self.batch_size)
        self.precision = "bfloat16" if low else "float32"
        self.history: list[Epoch] = []

    def run(self, folder: Path, on_epoch: Callable[[Epoch], None] = lambda _epoch: None) -> Checkpoint:
        """Train to the last epoch, saving into ``folder``; ``on_epoch`` hears of each epoch.

        Raises EmomelodyError where the loss stops being a number.
        """
        started = time.monotonic()
        for number in range(1, self.epochs + 1):
            epoch = self._epoch(number, started)
            if not math.isfinite(epoch.loss):
                raise EmomelodyError(
                    f"the loss of epoch {number} is not a number: try a smaller --lr;"
                    f" the last good weights, if any were saved, are in {folder}"
                )
            self.history.append(epoch)
            on_epoch(epoch)
            if number % PLOT_EVERY == 0 and number < self.epochs:
                self.save(folder)
        return self.save(folder)

    def save(self, folder: Path) -> Checkpoint:
        """Write weights, history and plots as they are now into the run's folder."""
        mu, log_variance = self.encode(self.training)
        labels = self.training.labels.cpu().numpy()
        plane = Plane.fit(mu, log_variance, labels, self.config.seed)
        checkpoint = Checkpoint(self.config.model, self.model, self.vocabulary, plane, self._summary(mu))
        save_checkpoint(checkpoint, folder / f"model{SUFFIX}")
        with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [f.name for f in fields(Epoch)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(epoch) for epoch in self.history)
        reached = len(self.history)
        title = f"CVAE {self.config.model}, latent space after epoch {reached}"
        plots.latent_space(mu, labels, folder / f"latent-{reached:04d}.png", title=title)
        plots.learning_curves([asdict(e) for e in self.history], folder / "curves.png")
        return checkpoint

    def encode(self, side: Examples) -> tuple[Floats, Floats]:
        """Latent means and log variances of all examples of a side, (N, 2) each."""
        return encode_all(self.model, side.classes, side.labels)

    def _epoch(self, number: int, started: float) -> Epoch:
        progress = (number - 1) / self.epochs
        rate = self.learning_rate * self.recipe.rate(progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        sums, seen_mu, seen_labels = np.zeros(5), [], []
        self.model.train()
        for batch in self._batches():
            with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bfloat16"):
                terms = self.recipe.terms(self.model, batch, self.random, progress)
            self.optimiser.zero_grad(set_to_none=True)
            terms.loss.backward()
            if self.recipe.largest_gradient < math.inf:
                nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.largest_gradient)
            self.optimiser.step()
            found = (terms.loss, terms.reconstruction, terms.divergence, terms.arousal, terms.valence)
            sums += torch.stack(found).detach().double().cpu().numpy() * len(batch)
            seen_mu.append(terms.mu.detach()[:, :LATENT])
            seen_labels.append(batch.labels)
        means = (sums / len(self.training)).tolist()
        seen = placement(torch.cat(seen_mu).double().cpu().numpy(), torch.cat(seen_labels).cpu().numpy())
        unseen = placement(self.encode(self.held_out)[0], self.held_out.labels.cpu().numpy())
        return Epoch(
            epoch=number,
            loss=means[0],
            reconstruction=means[1],
            divergence=means[2],
            arousal=means[3],
            valence=means[4],
            placement_training=float(np.nanmean(seen)),
            placement_held_out=float(np.nanmean(unseen)),
            learning_rate=rate,
            seconds=round(time.monotonic() - started, 1),
        )

    def _batches(self) -> Iterator[Examples]:
        order = torch.randperm(len(self.training), generator=self.random).to(self.device)
        for chosen in order.split(self.batch_size):
            yield self.training[chosen]

    def _examples(self, dataset: Dataset, chosen: NDArray[np.bool_]) -> Examples:
        classes, _moved = self.vocabulary.encode(dataset.tokens[chosen])
        labels = dataset.labels[chosen]
        targets = np.array([(e.valence, e.arousal) for e in Emotion])[labels]  # (n, 2), signs
        if self.recipe.continuous:
            measured = valence_and_arousal([from_tokens(tokens) for tokens in dataset.tokens[chosen]])
            targets = np.where(measured == 0, UNDECIDED * targets, measured)
        arrays = (classes, labels, np.float32(targets), _preceding(classes, dataset, chosen))
        return Examples(*(torch.from_numpy(array).to(self.device) for array in arrays))

    def _summary(self, training_mu: Floats) -> dict[str, Any]:
        """What a user of the weights wants to know of their making."""
        held_out_mu, _ = self.encode(self.held_out)
        of_training = placement(training_mu, self.training.labels.cpu().numpy())
        of_held_out = placement(held_out_mu, self.held_out.labels.cpu().numpy())
        return {
            **asdict(self.config),
            "epochs": len(self.history),
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "data": self.fingerprint,
            "device": self.device.type,
            "precision": self.precision,
            "examples": len(self.training),
            "examples_held_out": len(self.held_out),
            "loss": self.history[-1].loss,
            "placement_training": _by_emotion(of_training),
            "placement_held_out": _by_emotion(of_held_out),
        }


def _by_emotion(values: Floats) -> dict[str, float | None]:
    pairs = zip(Emotion, values.tolist(), strict=True)
    return {e.code: None if math.isnan(v) else round(v, 2) for e, v in pairs}


def _preceding(classes: Tokens, dataset: Dataset, chosen: NDArray[np.bool_]) -> Tokens:
    """The classes (n, T) of the melody before each chosen one in its piece; −1 where that is not chosen."""
    numbers = np.full(len(dataset) + 1, -1)  # the last for those without a melody before them
    numbers[:-1][chosen] = np.arange(len(classes))
    before = numbers[dataset.before[chosen]]  # (n,)
    return np.where(before[:, None] < 0, -1, classes[before])
