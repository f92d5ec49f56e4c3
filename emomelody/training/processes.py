"""Data-parallel training: each process has a shard of every batch, and computes the loss of the whole batch.

The cosine losses over a batch are not the mean of the cosines over its shards. So latent means, log variances
and reconstruction losses are gathered from all processes, with gradients, before the loss is computed. The
mean of the processes' gradients, which ``DistributedDataParallel`` takes, is then the gradient that a single
process would compute.
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
    """The processes that train together, as one of them sees it."""

    rank: int = 0  # of this process
    size: int = 1

    @classmethod
    def join(cls, device: torch.device) -> ProcessGroup:
        """The group of processes that ``torchrun`` started; otherwise a group of this process only."""
        if "TORCHELASTIC_RUN_ID" not in os.environ:
            return SINGLE_PROCESS
        if not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
            atexit.register(distributed.destroy_process_group)
        return cls(distributed.get_rank(), distributed.get_world_size())

    @property
    def is_main(self) -> bool:
        """Whether this is the process that prints and writes files."""
        return self.rank == 0

    def local_device(self, device: torch.device) -> torch.device:
        """The device of this process: each has a GPU of its own, unless ``device`` names one.

        Raises EmomelodyError if there are more processes than GPUs.
        """
        if self.size == 1 or device.type != "cuda" or device.index is not None:
            return device
        index = int(os.environ["LOCAL_RANK"])
        if index >= torch.cuda.device_count():
            raise EmomelodyError(f"no GPU for process {index}: start fewer processes, or use --device cpu")
        return torch.device(device.type, index)

    def shard(self, batch: Tensor) -> Tensor:
        """This process's part of a batch (B, …). Shards differ in size by at most one example."""
        return batch.tensor_split(self.size)[self.rank]

    def gather(self, shard: Tensor, count: int) -> Tensor:
        """The whole batch (``count``, …) from every process's shard, with gradients."""
        if self.size == 1:
            return shard
        parts = torch.arange(count).tensor_split(self.size)
        before, after = (sum(map(len, side)) for side in (parts[: self.rank], parts[self.rank + 1 :]))
        padded = functional.pad(shard, [0, 0] * (shard.dim() - 1) + [before, after])
        gathered: Tensor = _Sum.apply(padded)  # type: ignore[no-untyped-call]
        return gathered


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of their gradients."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        total = mine.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        total = grad.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total


SINGLE_PROCESS = ProcessGroup()
