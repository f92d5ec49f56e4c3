"""The training loop: data in, a run folder with weights, history and plots out."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from emomelody.data.dataset import Dataset, Split
from emomelody.errors import BadInput, BadWeights, EmomelodyError
from emomelody.files import write_whole
from emomelody.formats import plots
from emomelody.models import container
from emomelody.models.checkpoint import SUFFIX, Checkpoint, save_checkpoint
from emomelody.models.cvae import LATENT
from emomelody.models.gru import bfloat16_pays
from emomelody.models.inference import encode_all, pick_device
from emomelody.music.emotion import Emotion
from emomelody.music.plane import Floats, Plane, placement
from emomelody.music.rule import valence_and_arousal
from emomelody.music.tokens import Tokens, Vocabulary, from_tokens
from emomelody.training.processes import ProcessGroup
from emomelody.training.recipes import RECIPES, Examples, LossTerms, Recipe

PLOT_EVERY = 50  # epochs between pictures of the latent space (and saved weights)
STATE_NAME = f"state{SUFFIX}"
STATE_FORMAT = "emomelody-state-1"
SAVING_SHARE = 50  # times as long as saving the state takes it is trained before that is done again
UNDECIDED = 0.05  # continuous valence where the notes do not say its side: there the label does
State = tuple[dict[str, Tensor], dict[str, Any]]  # of a run, see ``Trainer._state``


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


class _Objective(nn.Module):
    """A model and its recipe as one module, from the batch to the terms: what runs in several processes."""

    def __init__(self, model: nn.Module, recipe: Recipe, team: ProcessGroup) -> None:
        super().__init__()
        self.model, self.recipe, self.team = model, recipe, team

    def forward(self, batch: Examples, random: torch.Generator, progress: float) -> LossTerms:
        return self.recipe.terms(self.model, batch, random, progress, self.team)


class Trainer:
    """One run: the model, its data and its state, from the first epoch to the weights file."""

    def __init__(self, dataset: Dataset, config: TrainConfig, source: Path) -> None:
        """``source`` is the folder that the data comes from, for those who go on with the run."""
        if config.emotion_weight != 1 and config.model != "emoreg":
            raise EmomelodyError(f"{config.model} has no weight that grows: --emotion-weight is for emoreg")
        self.recipe = RECIPES[config.model](config.emotion_weight)
        self.batch_size = config.batch_size or self.recipe.batch_size
        self.learning_rate = (
            self.recipe.learning_rate if config.learning_rate is None else config.learning_rate
        )
        if not 0 < self.learning_rate < math.inf:
            raise EmomelodyError(f"learning rate {self.learning_rate:g} is not a number above 0")
        self.config, self.fingerprint, self.source = config, dataset.fingerprint, source
        device = pick_device(config.device)
        self.team = ProcessGroup.join(device)
        self.device = self.team.own(device)
        held_out = dataset.split(config.split, config.seed)
        # Random splits may hold out a pitch that training never saw: the vocabulary is the data's,
        # so that every melody of it has tokens.
        self.vocabulary = Vocabulary.of(dataset.tokens)
        self.training = self._examples(dataset, ~held_out)
        self.held_out = self._examples(dataset, held_out)
        self.epochs = config.epochs or self.recipe.epochs(len(self.training), self.batch_size)
        torch.manual_seed(config.seed)
        self.model = self.recipe.build(self.vocabulary, dataset.tokens[~held_out]).to(self.device)
        self.objective: nn.Module = _Objective(self.model, self.recipe, self.team)
        if self.team.size > 1:
            self.objective = DistributedDataParallel(self.objective)
            torch.manual_seed(config.seed + self.team.rank)  # dropout is each process's own
        self.optimiser = self.recipe.optimiser(self.model.parameters(), self.learning_rate)
        self.random = torch.Generator().manual_seed(config.seed)  # the order and the noise
        low = self.device.type == "cpu" and bfloat16_pays()
        self.precision = "bfloat16" if low else "float32"
        self.history: list[Epoch] = []
        self.last: State | None = None  # after the last good epoch

    def run(self, folder: Path, on_epoch: Callable[[Epoch], None] = lambda _epoch: None) -> Checkpoint:
        """Train to the last epoch, saving into ``folder``; ``on_epoch`` hears of each epoch.

        Of several processes the first alone writes.

        The state that ``resume`` goes on from is saved as often as costs little, and removed in the end.
        Where it is interrupted, or raises EmomelodyError since the loss stops being a number, the weights and
        the state of the last good epoch are saved. Raises BadInput where the folder cannot be written to.
        """
        try:
            self._train(folder, on_epoch)
        except (KeyboardInterrupt, EmomelodyError):
            if self.last is not None:
                self._restore(*self.last)  # to the end of an epoch
                self.save(folder)
                if self.team.leads:
                    container.write(folder / STATE_NAME, *self.last)
            raise
        finally:
            if self.team.leads and folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        checkpoint = self.save(folder)
        if self.team.leads:
            (folder / STATE_NAME).unlink(missing_ok=True)
        return checkpoint

    def _train(self, folder: Path, on_epoch: Callable[[Epoch], None]) -> None:
        started = time.monotonic() - (self.history[-1].seconds if self.history else 0)
        saved, cost = time.monotonic(), 0.0
        for number in range(len(self.history) + 1, self.epochs + 1):
            epoch = self._epoch(number, started)
            if not math.isfinite(epoch.loss) or not self._finite():
                kept = (
                    f"; the weights of epoch {number - 1} are in {folder}"
                    if self.last and self.team.leads
                    else ""
                )
                raise EmomelodyError(f"the loss of epoch {number} is not a number: try a smaller --lr{kept}")
            self.history.append(epoch)
            self.last = self._state()
            on_epoch(epoch)
            if number % PLOT_EVERY == 0 and number < self.epochs:
                self.save(folder)
            now = time.monotonic()
            if self.team.leads and now - saved >= SAVING_SHARE * cost:
                container.write(folder / STATE_NAME, *self.last)
                saved, cost = time.monotonic(), time.monotonic() - now

    def _state(self) -> State:
        """All that the rest of the run depends on, as it is now: tensors and a description."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for number, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{name}": tensor for name, tensor in state.items()}
        # What training draws from: the order and the noise; dropout; dropout on a GPU.
        tensors["random.order"] = self.random.get_state()
        tensors["random.cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.device)
        description = {
            "format": STATE_FORMAT,
            "config": asdict(self.config),
            "data": self.fingerprint,
            "source": str(self.source.resolve()),
            "epochs": self.epochs,
            "precision": self.precision,
            "history": [asdict(epoch) for epoch in self.history],
        }
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}, description

    @classmethod
    def resume(cls, folder: Path, dataset: Dataset, source: Path, device: str) -> Trainer:
        """The trainer of a run's folder as it was when its state was saved.

        Raises BadWeights for a state that is missing, damaged or not ours, BadInput for other data than the
        run's.
        """
        state = _read_state(folder)
        config, fingerprint = state[1]["config"], state[1]["data"]
        if dataset.fingerprint != fingerprint:
            raise BadInput(source, f"is not the data that {folder} was trained on, or has changed since")
        try:
            config = TrainConfig(**{**config, "split": Split(config["split"]), "device": device})
            trainer = cls(dataset, config, source)
            trainer._restore(*state)
            if trainer.team.rank:  # the saved dropout is the first process's
                torch.manual_seed(
                    trainer.config.seed + trainer.team.rank + len(trainer.history) * trainer.team.size
                )
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise BadWeights(folder / STATE_NAME, f"cannot be gone on from ({reason})") from error
        return trainer

    def _restore(self, tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> None:
        """Become what ``_state`` told of."""

        def part(prefix: str) -> dict[str, Tensor]:
            return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

        self.model.load_state_dict(part("model."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in part("optimiser.").items():
            number, _, key = name.partition(".")
            state.setdefault(int(number), {})[key] = tensor.clone()
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
        self.epochs, self.precision = int(description["epochs"]), str(description["precision"])
        self.history = [Epoch(**row) for row in description["history"]]
        self.last = dict(tensors), dict(description)
        random = part("random.")
        self.random.set_state(random["order"])
        torch.set_rng_state(random["cpu"])
        if "cuda" in random and self.device.type == "cuda":
            torch.cuda.set_rng_state(random["cuda"], self.device)

    def _finite(self) -> bool:
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters())

    def save(self, folder: Path) -> Checkpoint:
        """Write weights, history and plots as they are now into the run's folder."""
        mu, log_variance = self.encode(self.training)
        labels = self.training.labels.cpu().numpy()
        plane = Plane.fit(mu, log_variance, labels, self.config.seed)
        checkpoint = Checkpoint(self.config.model, self.model, self.vocabulary, plane, self._summary(mu))
        if not self.team.leads:
            return checkpoint
        save_checkpoint(checkpoint, folder / f"model{SUFFIX}")
        table = io.StringIO()
        writer = csv.DictWriter(table, [f.name for f in fields(Epoch)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(epoch) for epoch in self.history)
        write_whole(folder / "history.csv", table.getvalue().encode("utf-8"))
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
                terms = self.objective(batch, self.random, progress)
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
        met = torch.cat(seen_mu).double().cpu().numpy(), torch.cat(seen_labels).cpu().numpy()
        seen = 100 * placement(*met)
        unseen = 100 * placement(self.encode(self.held_out)[0], self.held_out.labels.cpu().numpy())
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
        of_training = 100 * placement(training_mu, self.training.labels.cpu().numpy())
        of_held_out = 100 * placement(held_out_mu, self.held_out.labels.cpu().numpy())
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


def training_data_of(folder: Path) -> Path:
    """The data that a run's folder was trained on. Raises BadWeights where nothing can be gone on with."""
    return Path(str(_read_state(folder)[1]["source"]))


def _read_state(folder: Path) -> State:
    path = folder / STATE_NAME
    if not path.exists() and (folder / f"model{SUFFIX}").exists():
        raise BadWeights(folder, "is the folder of a run that came to its end: there is nothing to resume")
    if not path.exists():
        raise BadWeights(folder, f"is not the folder of a run: there is no {STATE_NAME} in it")
    tensors, description, _ = container.read(path)
    if description.get("format") != STATE_FORMAT:
        raise BadWeights(path, "not the state of a training run that this version can go on from")
    return tensors, description


def _by_emotion(values: Floats) -> dict[str, float | None]:
    pairs = zip(Emotion, values.tolist(), strict=True)
    return {e.code: None if math.isnan(v) else round(v, 2) for e, v in pairs}


def _preceding(classes: Tokens, dataset: Dataset, chosen: NDArray[np.bool_]) -> Tokens:
    """The classes (n, T) of the melody before each chosen one in its piece; −1 where that is not chosen."""
    numbers = np.full(len(dataset) + 1, -1)  # the last for those without a melody before them
    numbers[:-1][chosen] = np.arange(len(classes))
    before = numbers[dataset.previous[chosen]]  # (n,)
    return np.where(before[:, None] < 0, -1, classes[before])
