"""The saved state of an unfinished run: everything that the remaining epochs depend on.

A run that is resumed from it ends with the weights of an uninterrupted run, to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from emomelody.data.dataset import Split
from emomelody.errors import BadWeights
from emomelody.training.config import TrainConfig
from emomelody.training.history import Epoch
from emomelody.training.learner import Learner
from emomelody.weights import container
from emomelody.weights.checkpoint import SUFFIX

NAME = f"state{SUFFIX}"
FORMAT = "emomelody-state-3"


@dataclass(frozen=True)
class RunState:
    """A run at the end of an epoch."""

    tensors: Mapping[str, Tensor]  # of ``capture``
    config: TrainConfig
    data: dict[str, str]  # fingerprints of the data by style and meter
    source: str  # absolute path of the data folder
    epochs: int  # planned
    precision: str  # float32 or bfloat16
    history: tuple[Epoch, ...]
    start: tuple[str, str] | None = None  # absolute path and checksum of the weights that are fine-tuned

    def write(self, folder: Path) -> None:
        """Write the state into a run folder. Raises BadInput if it cannot be written."""
        description = {
            "format": FORMAT,
            "config": asdict(self.config),
            "data": self.data,
            "source": self.source,
            "epochs": self.epochs,
            "precision": self.precision,
            "history": [asdict(epoch) for epoch in self.history],
            "start": self.start,
        }
        arrays = {name: tensor.cpu().numpy() for name, tensor in self.tensors.items()}
        container.write(folder / NAME, arrays, description)

    @classmethod
    def read(cls, folder: Path) -> RunState:
        """The state in a run folder. Raises BadWeights if there is none, or if it is damaged."""
        path = folder / NAME
        if not path.exists():
            if (folder / f"model{SUFFIX}").exists():
                raise BadWeights(folder, "this run is finished: there is nothing to resume")
            raise BadWeights(folder, f"not a run folder: it has no {NAME}")
        arrays, description, _checksum = container.read(path)
        if description.get("format") != FORMAT:
            raise BadWeights(path, "not the state of a training run, or one of another version of emomelody")
        try:
            config, rows = description["config"], description["history"]
            start = description.get("start")  # version 0.5 wrote none
            return cls(
                {name: torch.from_numpy(array.copy()) for name, array in arrays.items()},
                TrainConfig(**{**config, "split": Split(config["split"])}),
                dict(description["data"]),
                str(description["source"]),
                int(description["epochs"]),
                str(description["precision"]),
                tuple(Epoch(**row) for row in rows),
                start and (str(start[0]), str(start[1])),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise unusable(folder, error) from error


def unusable(folder: Path, error: Exception) -> BadWeights:
    """The error for a state whose description or tensors do not fit the run."""
    reason = " ".join(str(error).split())[:200]
    return BadWeights(folder / NAME, f"not a state that can be resumed ({reason})")


def capture(learner: Learner) -> dict[str, Tensor]:
    """Copies of the state of the model, the optimiser and the random generators, by name."""
    tensors = {f"model.{name}": tensor for name, tensor in learner.model.state_dict().items()}
    for number, state in learner.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": tensor for name, tensor in state.items()}
    tensors["random.order"] = learner.generator.get_state()  # order of the melodies, and noise
    tensors["random.cpu"] = torch.get_rng_state()  # dropout
    if learner.device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state(learner.device)
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def restore(tensors: Mapping[str, Tensor], learner: Learner) -> None:
    """The inverse of ``capture``. Raises KeyError, ValueError or RuntimeError if the tensors do not fit."""
    learner.model.load_state_dict(_with_prefix(tensors, "model."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _with_prefix(tensors, "optimiser.").items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = tensor.clone()
    learner.optimiser.load_state_dict({**learner.optimiser.state_dict(), "state": state})
    random = _with_prefix(tensors, "random.")
    learner.generator.set_state(random["order"])
    torch.set_rng_state(random["cpu"])
    if "cuda" in random and learner.device.type == "cuda":
        torch.cuda.set_rng_state(random["cuda"], learner.device)


def _with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
