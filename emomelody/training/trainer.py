"""The training loop: a dataset in, a run folder out.

``Trainer.run`` trains to the last epoch. It saves weights and pictures every ``SAVE_EVERY`` epochs, and the
state that ``Trainer.resume`` continues from as often as that takes little of the time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from emomelody.data.dataset import Dataset
from emomelody.errors import BadInput, EmomelodyError
from emomelody.models.build import to_arrays
from emomelody.models.inference import pick_device
from emomelody.music.attributes import AttributeDistribution
from emomelody.music.plane import Floats, Plane
from emomelody.music.tokens import Vocabulary
from emomelody.training import run_folder, state
from emomelody.training.config import TrainConfig, choose_precision
from emomelody.training.examples import make_examples
from emomelody.training.history import Epoch
from emomelody.training.learner import Learner
from emomelody.training.processes import ProcessGroup
from emomelody.training.recipes import RECIPES
from emomelody.training.state import RunState
from emomelody.weights.checkpoint import Checkpoint

SAVE_EVERY = 50  # epochs between weights and pictures
STATE_SHARE = 0.02  # of the time, at most, is spent on saving the state


class Trainer:
    """A training run: its options, its data, the model in training and the history so far."""

    def __init__(self, dataset: Dataset, config: TrainConfig, source: Path) -> None:
        """``source`` is the folder of the dataset, recorded for resuming.

        Raises EmomelodyError for options that do not fit the model, the data or this machine.
        """
        if config.emotion_weight != 1 and config.model != "emoreg":
            raise EmomelodyError(f"--emotion-weight is for the model emoreg, not for {config.model}")
        recipe = RECIPES[config.model](config.emotion_weight)
        rate = recipe.learning_rate if config.learning_rate is None else config.learning_rate
        if not 0 < rate < math.inf:
            raise EmomelodyError(f"learning rate {rate:g} must be above 0")
        self.config, self.fingerprint, self.source = config, dataset.fingerprint, source
        device = pick_device(config.device)
        precision = choose_precision(config.precision, device)
        self.group = ProcessGroup.join(device)
        device = self.group.local_device(device)
        held_out = dataset.split(config.split, config.seed)
        # Of all melodies: a random split may hold out a pitch that no training melody has.
        self.vocabulary = Vocabulary.of(dataset.tokens)
        self.training, self.held_out = (
            make_examples(dataset, chosen, self.vocabulary, device, continuous=recipe.continuous)
            for chosen in (~held_out, held_out)
        )
        self.batch_size = config.batch_size or recipe.batch_size
        self.epochs = config.epochs or recipe.epochs(len(self.training), self.batch_size)
        self.learner = Learner(
            recipe,
            self.vocabulary,
            dataset.tokens[~held_out],
            learning_rate=rate,
            seed=config.seed,
            device=device,
            precision=precision,
            group=self.group,
        )
        self.history: list[Epoch] = []
        self._last_state: RunState | None = None  # at the end of the last good epoch

    def run(self, folder: Path, on_epoch: Callable[[Epoch], None] = lambda _epoch: None) -> Checkpoint:
        """Train to the last epoch and return the trained model; calls ``on_epoch`` after each epoch.

        Only the main process of a group writes into ``folder``. When the run is interrupted, or a loss is
        not finite, the weights and the state of the last good epoch are saved, and the exception is raised
        again (EmomelodyError for the loss). Raises BadInput if the folder cannot be written to.
        """
        try:
            self._train(folder, on_epoch)
        except (KeyboardInterrupt, EmomelodyError):
            if self._last_state is not None:
                self._restore(self._last_state)  # the next epoch may have begun
                self.save(folder)
                if self.group.is_main:
                    self._last_state.write(folder)
            raise
        finally:
            if self.group.is_main and folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        checkpoint = self.save(folder)
        if self.group.is_main:
            (folder / state.NAME).unlink(missing_ok=True)
        return checkpoint

    def _train(self, folder: Path, on_epoch: Callable[[Epoch], None]) -> None:
        started = time.monotonic() - (self.history[-1].seconds if self.history else 0)
        saved, cost = time.monotonic(), 0.0
        for number in range(len(self.history) + 1, self.epochs + 1):
            epoch = self._epoch(number, started)
            self._check_finite(epoch, folder)
            self.history.append(epoch)
            self._last_state = self._capture()
            on_epoch(epoch)
            if number % SAVE_EVERY == 0 and number < self.epochs:
                self.save(folder)
            now = time.monotonic()
            if self.group.is_main and STATE_SHARE * (now - saved) >= cost:
                self._last_state.write(folder)
                saved, cost = time.monotonic(), time.monotonic() - now

    def _epoch(self, number: int, started: float) -> Epoch:
        progress = (number - 1) / self.epochs
        figures = self.learner.train_epoch(self.training, self.batch_size, progress)
        figures |= self.learner.evaluate(self.held_out)
        return Epoch(epoch=number, seconds=round(time.monotonic() - started, 1), **figures)

    def _check_finite(self, epoch: Epoch, folder: Path) -> None:
        if math.isfinite(epoch.loss) and self.learner.is_finite():
            return
        kept = self._last_state is not None and self.group.is_main
        where = f"; the weights of epoch {epoch.epoch - 1} are in {folder}" if kept else ""
        raise EmomelodyError(f"the loss of epoch {epoch.epoch} is not finite: use a smaller --lr{where}")

    def save(self, folder: Path) -> Checkpoint:
        """The model as it is now; the main process writes it, the history and pictures into the folder."""
        learner, labels = self.learner, self.training.labels.cpu().numpy()
        means, log_variances = learner.encode(self.training)
        plane = Plane.fit(means, log_variances, labels, self.config.seed)
        summary = self._summary(means)
        attributes = None
        if learner.recipe.continuous:
            measured = self.training.attributes.cpu().numpy().astype(float)
            attributes = AttributeDistribution.fit(means / plane.scale, measured, labels)
        checkpoint = Checkpoint(
            self.config.model,
            learner.model.config,
            to_arrays(learner.model),
            self.vocabulary,
            plane,
            summary,
            attributes,
        )
        if self.group.is_main:
            run_folder.write_run(folder, checkpoint, self.history, means, labels)
        return checkpoint

    def _summary(self, training_means: Floats) -> dict[str, Any]:
        """How the model was trained, for the weights file."""
        held_out_means, _ = self.learner.encode(self.held_out)
        by_emotion = run_folder.placement_by_emotion
        return {
            **asdict(self.config),
            "epochs": len(self.history),
            "batch_size": self.batch_size,
            "learning_rate": self.learner.learning_rate,
            "data": self.fingerprint,
            "device": self.learner.device.type,
            "precision": self.learner.precision,
            "examples": len(self.training),
            "examples_held_out": len(self.held_out),
            "loss": self.history[-1].loss,
            "reconstruction_held_out": self.history[-1].reconstruction_held_out,
            "placement_training": by_emotion(training_means, self.training.labels.cpu().numpy()),
            "placement_held_out": by_emotion(held_out_means, self.held_out.labels.cpu().numpy()),
        }

    def _capture(self) -> RunState:
        return RunState(
            state.capture(self.learner),
            self.config,
            self.fingerprint,
            str(self.source.resolve()),
            self.epochs,
            self.learner.precision,
            tuple(self.history),
        )

    def _restore(self, saved: RunState) -> None:
        """Return to the end of the epoch at which ``saved`` was captured."""
        state.restore(saved.tensors, self.learner)
        self.epochs, self.history = saved.epochs, list(saved.history)
        self._last_state = saved


def resume(folder: Path, dataset: Dataset, source: Path, device: str) -> Trainer:
    """The trainer of an unfinished run as it was when its state was saved, in the run's precision.

    ``dataset`` is the run's data, read from ``source``. Raises BadWeights if the state is missing, damaged or
    unusable, BadInput if the data is not that of the run.
    """
    saved = RunState.read(folder)
    if dataset.fingerprint != saved.data:
        raise BadInput(source, f"not the data that {folder} was trained on, or changed since then")
    try:
        config = replace(saved.config, device=device, precision=saved.precision)
        trainer = Trainer(dataset, config, source)
        trainer._restore(saved)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise state.unusable(folder, error) from error
    if not trainer.group.is_main:  # the saved generator of dropout is the main process's
        trainer.learner.seed_dropout(len(trainer.history))
    return trainer


def training_data_of(folder: Path) -> Path:
    """The data folder of an unfinished run. Raises BadWeights if ``folder`` has no usable state."""
    return Path(RunState.read(folder).source)
