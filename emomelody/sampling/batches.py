"""Batches of one size, each computed by one thread, so that results do not depend on their number.

Matrix products of other sizes, or by other numbers of threads, round differently; and the first five of ten
melodies must equal five sampled alone, to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from emomelody.models.checkpoint import Checkpoint
from emomelody.models.emoreg_va import EmoregVA
from emomelody.workers import in_order

# Melodies. On a CPU these sizes keep the matrices in a core's cache; a GPU needs more at once.
PAPER_BATCH, VA_BATCH, GPU_BATCH = 64, 16, 512

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def batch_size(checkpoint: Checkpoint) -> int:
    """How many melodies a model samples at once, where it is."""
    if checkpoint.device.type != "cpu":
        return GPU_BATCH
    return VA_BATCH if isinstance(checkpoint.model, EmoregVA) else PAPER_BATCH


def split_into_batches(numbers: range, size: int) -> Iterator[range]:
    """The numbers in ranges of ``size``, the last one maybe shorter."""
    return (numbers[first : first + size] for first in range(0, len(numbers), size))


def map_by_threads(
    checkpoint: Checkpoint, work: Callable[[_Item], _Result], items: Iterable[_Item]
) -> Iterator[_Result]:
    """``work`` of each item, in order, by as many threads as torch has, one item each at a time.

    Faster than all threads on each product, and rounds the same for any number of them. On a GPU one thread
    does the work.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        yield from map(work, items)
        return
    workers = threads if checkpoint.device.type == "cpu" else 1
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from in_order(pool, workers, work, items)
    finally:
        torch.set_num_threads(threads)  # the workers' calls would also hold for threads started later


def run_by_one_thread(checkpoint: Checkpoint, work: Callable[[], _Result]) -> _Result:
    """The result of ``work``, rounded as ``map_by_threads`` rounds."""
    (result,) = map_by_threads(checkpoint, lambda _: work(), [None])
    return result
