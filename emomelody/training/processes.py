"""Training in several processes: each has a shard of every batch, and all see the losses of the whole.

A cosine over a batch is no mean of cosines over its shards, so what the losses are made of is gathered from
all processes, with gradients, before they are. Every process then has the loss of the whole batch, and the
mean of its gradients over the processes, which ``DistributedDataParallel`` takes, is the gradient that one
process alone would have.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed
from torch.nn import functional

from emomelody.errors import EmomelodyError


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train together, and which of them this is."""

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls, device: torch.device) -> ProcessGroup:
        """The team that ``torchrun`` started; this process alone where there is none."""
        if "TORCHELASTIC_RUN_ID" not in os.environ:
            return SINGLE_PROCESS
        if not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
            atexit.register(distributed.destroy_process_group)
        return cls(distributed.get_rank(), distributed.get_world_size())

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def own(self, device: torch.device) -> torch.device:
        """This process's device of that kind: of several GPUs one for each."""
        if self.size == 1 or device.type != "cuda" or device.index is not None:
            return device
        number = int(os.environ["LOCAL_RANK"])
        if number >= torch.cuda.device_count():
            raise EmomelodyError(
                f"process {number} finds no GPU of its own: start fewer, or use --device cpu"
            )
        return torch.device(device.type, number)

    def shard(self, whole: Tensor) -> Tensor:
        """This process's part of a batch (B, …), the same as or one more than the others'."""
        return whole.tensor_split(self.size)[self.rank]

    def gather(self, mine: Tensor, count: int) -> Tensor:
        """The batch (B, …) of ``count`` of which ``mine`` is this process's shard, with its gradient."""
        if self.size == 1:
            return mine
        parts = torch.arange(count).tensor_split(self.size)
        before, after = (sum(map(len, side)) for side in (parts[: self.rank], parts[self.rank + 1 :]))
        padded = functional.pad(mine, [0, 0] * (mine.dim() - 1) + [before, after])
        gathered: Tensor = _Sum.apply(padded)  # type: ignore[no-untyped-call]
        return gathered


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of the gradients that they have."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        whole = mine.clone()
        distributed.all_reduce(whole)
        return whole

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        whole = grad.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(whole)
        return whole


SINGLE_PROCESS = ProcessGroup()
