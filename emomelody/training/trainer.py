"""The training loop: a dataset in, a run folder out.

``Trainer.run`` trains to the last epoch. It saves weights and pictures every ``SAVE_EVERY`` epochs, and the
state that ``Trainer.resume`` continues from as often as that takes little of the time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.data import dataset as data_folder
from emomelody.data.dataset import Dataset, Split
from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.plane import Plane
from emomelody.errors import BadInput, EmomelodyError
from emomelody.harmony.model import HarmonyModel
from emomelody.models.build import to_arrays
from emomelody.models.inference import pick_device
from emomelody.music.meter import Meter
from emomelody.music.tokens import Floats, Vocabulary
from emomelody.training import run_folder, state
from emomelody.training.config import TrainConfig, choose_precision
from emomelody.training.fine_tuning import Start
from emomelody.training.history import Epoch
from emomelody.training.learner import Learner, Parts
from emomelody.training.passages import fingerprints_of
from emomelody.training.processes import ProcessGroup
from emomelody.training.recipes import RECIPES, Recipe
from emomelody.training.state import RunState
from emomelody.training.styles import fit_harmony, fit_styles
from emomelody.weights.checkpoint import VA, Checkpoint

SAVE_EVERY = 50  # epochs between weights and pictures
STATE_SHARE = 0.02  # of the time, at most, is spent on saving the state


class Trainer:
    """A training run: its options, its data, the model in training and the history so far."""

    def __init__(
        self, datasets: Sequence[Dataset], config: TrainConfig, source: Path, start: Start | None = None
    ) -> None:
        """A new run on ``datasets``, of one style and meter each, as ``load_datasets`` reads them.

        ``source`` is their folder, recorded for resuming. The run begins with random weights, or fine-tunes
        those of ``start``.

        Raises EmomelodyError for options that do not fit the model, the data or this machine.
        """
        if config.emotion_weight != 1 and config.model != "emoreg":
            raise EmomelodyError(f"--emotion-weight is for the model emoreg, not for {config.model}")
        recipe: Recipe = start.recipe(datasets) if start else RECIPES[config.model](config.emotion_weight)
        rate = recipe.learning_rate if config.learning_rate is None else config.learning_rate
        if not 0 < rate < math.inf:
            raise EmomelodyError(f"learning rate {rate:g} must be above 0")
        self.config, self.source, self.start = config, source, start
        self.fingerprints = {dataset.name: dataset.fingerprint for dataset in datasets}
        device = pick_device(config.device)
        precision = choose_precision(config.precision, device)
        self.group = ProcessGroup.join(device)
        device = self.group.local_device(device)
        held_out = _held_out(datasets, config)
        # Of all melodies: a random split may hold out a pitch that no training melody has.
        tokens = np.concatenate([dataset.tokens.ravel() for dataset in datasets])
        self.vocabulary = start.checkpoint.vocabulary if start else Vocabulary.of(tokens)
        self.octave_moves = self.vocabulary.encode(tokens)[1]  # onsets whose pitch is not in the vocabulary
        self._learned = [(dataset, ~out) for dataset, out in zip(datasets, held_out, strict=True)]
        examples = [
            [recipe.examples(dataset, chosen, self.vocabulary, device) for chosen in (~out, out)]
            for dataset, out in zip(datasets, held_out, strict=True)
        ]
        self.training = [part for training, _ in examples for part in training]
        self.held_out = [part for _, parts in examples for part in parts]
        self.epoch = _balanced([training for training, _ in examples], recipe.balance)
        self.labels = np.concatenate([dataset.labels[chosen] for dataset, chosen in self._learned])  # (N,)
        self.held_out_count = int(sum(out.sum() for out in held_out))
        self.batch_size = config.batch_size or recipe.batch_size
        self.epochs = config.epochs or recipe.epochs(
            sum(part.labels.numel() for part in self.epoch), self.batch_size
        )
        learned = [fingerprints_of(dataset, chosen) for dataset, chosen in self._learned]
        self.learner = Learner(
            recipe,
            self.vocabulary,
            np.unique(np.concatenate(learned)),
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
        checkpoint = self.save(folder, finished=True)
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
        figures = self.learner.train_epoch(self.epoch, self.batch_size, progress)
        figures |= self.learner.evaluate(self.held_out)
        return Epoch(epoch=number, seconds=round(time.monotonic() - started, 1), **figures)

    def _check_finite(self, epoch: Epoch, folder: Path) -> None:
        if math.isfinite(epoch.loss) and self.learner.is_finite():
            return
        kept = self._last_state is not None and self.group.is_main
        where = f"; the weights of epoch {epoch.epoch - 1} are in {folder}" if kept else ""
        raise EmomelodyError(f"the loss of epoch {epoch.epoch} is not finite: use a smaller --lr{where}")

    def save(self, folder: Path, *, finished: bool = False) -> Checkpoint:
        """The model as it is now; the main process writes it, the history and pictures into the folder.

        Chords, which take some seconds, are learned when the model is ``finished``.
        """
        learner = self.learner
        means, log_variances, labels = learner.encode(self.training)
        known = self.start.checkpoint.plane if self.start else None
        plane = known or Plane.fit(means, log_variances, labels, self.config.seed)
        checkpoint = Checkpoint(
            self.config.model,
            learner.model.config,
            to_arrays(learner.model),
            self.vocabulary,
            plane,
            self._summary(means, labels),
            self._styles(plane),
            self._harmony(finished),
        )
        if self.group.is_main:
            run_folder.write_run(folder, checkpoint, self.history, means, labels)
        return checkpoint

    def _styles(self, plane: Plane) -> tuple[StyleDistribution, ...]:
        """How the training melodies of each style and meter are distributed; none for the paper's models.

        Fine-tuned weights also keep the styles and meters that they knew before.
        """
        styles = fit_styles(self._learned, self.learner.model, self.vocabulary, plane, self.config.seed)
        return self.start.with_styles(styles) if self.start else styles

    def _harmony(self, finished: bool) -> HarmonyModel | None:
        """The model of the chords of the training chorales, or that of the weights that are fine-tuned."""
        if self.start:
            return self.start.checkpoint.harmony
        learns = finished and self.config.model == VA and self.group.is_main
        return fit_harmony(self.source, self._learned, self.config.seed, self.epochs) if learns else None

    def _summary(self, means: Floats, labels: NDArray[np.int64]) -> dict[str, Any]:
        """How the model was trained, for the weights file; means (N, 2) and labels (N,) of the training."""
        held_out_means, _, held_out_labels = self.learner.encode(self.held_out)
        return {
            **asdict(self.config),
            "epochs": len(self.history),
            "batch_size": self.batch_size,
            "learning_rate": self.learner.learning_rate,
            "data": self.fingerprints,
            "device": self.learner.device.type,
            "precision": self.learner.precision,
            "examples": len(self.labels),
            "examples_held_out": self.held_out_count,
            "loss": self.history[-1].loss,
            "reconstruction_held_out": self.history[-1].reconstruction_held_out,
            "placement_training": run_folder.placement_by_emotion(means, labels),
            "placement_held_out": run_folder.placement_by_emotion(held_out_means, held_out_labels),
            **({"from": self.start.summary()} if self.start else {}),
        }

    def _capture(self) -> RunState:
        return RunState(
            state.capture(self.learner),
            self.config,
            self.fingerprints,
            str(self.source.resolve()),
            self.epochs,
            self.learner.precision,
            tuple(self.history),
            (str(self.start.path), self.start.checkpoint.checksum) if self.start else None,
        )

    def _restore(self, saved: RunState) -> None:
        """Return to the end of the epoch at which ``saved`` was captured."""
        state.restore(saved.tensors, self.learner)
        self.epochs, self.history = saved.epochs, list(saved.history)
        self._last_state = saved


def _balanced(datasets: Sequence[Parts], exponent: float) -> Parts:
    """The parts of all datasets, those of smaller ones repeatedly.

    A dataset counts as often as its share of the largest one, to the power of −``exponent``, says.
    """
    sizes = [sum(part.labels.numel() for part in parts) for parts in datasets]
    repeats = [round((max(sizes) / max(size, 1)) ** exponent) for size in sizes]
    return [part for parts, count in zip(datasets, repeats, strict=True) for part in [*parts] * count]


def _held_out(datasets: Sequence[Dataset], config: TrainConfig) -> list[NDArray[np.bool_]]:
    """True for the held-out melodies of each dataset, (N,) each.

    The manifest's split may hold out none, or all, of the melodies of a rare style. Raises EmomelodyError
    where that is so of all datasets together, or where no four-bar melody is complete.
    """
    listed = [dataset.held_out for dataset in datasets if dataset.held_out is not None]
    known = len(listed) == len(datasets) and 0 < sum(map(np.sum, listed)) < sum(map(np.size, listed))
    if config.split is Split.TUNE and known:
        held_out = listed
    else:
        held_out = [dataset.split(config.split, config.seed) for dataset in datasets]
    for name, wanted in (("training", False), ("held-out", True)):
        if not any(
            (dataset.whole & (out == wanted)).any() for dataset, out in zip(datasets, held_out, strict=True)
        ):
            raise EmomelodyError(f"no {name} melody is four bars long: add longer pieces")
    return held_out


def load_datasets(folder: Path, model: str) -> list[Dataset]:
    """The melodies of a data folder that a model is trained on, by style and meter.

    The paper's models are trained on one style in 4/4, the first in the folder. Raises BadInput for a folder
    without any.
    """
    if RECIPES[model](1.0).meters == (Meter.FOUR_FOUR,):
        return [data_folder.load(folder)]
    return data_folder.load_all(folder)


def resume(
    folder: Path,
    data: Path | None,
    device: str,
    load: Callable[[Path, str], Sequence[Dataset]] = load_datasets,
) -> Trainer:
    """The trainer of an unfinished run as it was when its state was saved, in the run's precision.

    ``data`` is the run's data folder, by default where it was; ``load`` reads it. Raises BadWeights if the
    state, or the weights that are fine-tuned, are missing, damaged or unusable, BadInput if the data is not
    that of the run.
    """
    saved = RunState.read(folder)
    source = data or Path(saved.source)
    datasets = load(source, saved.config.model)
    if {dataset.name: dataset.fingerprint for dataset in datasets} != saved.data:
        raise BadInput(source, f"not the data that {folder} was trained on, or changed since then")
    start = Start.again(*saved.start) if saved.start else None
    try:
        config = replace(saved.config, device=device, precision=saved.precision)
        trainer = Trainer(datasets, config, source, start)
        trainer._restore(saved)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise state.unusable(folder, error) from error
    if not trainer.group.is_main:  # the saved generator of dropout is the main process's
        trainer.learner.seed_dropout(len(trainer.history))
    return trainer
