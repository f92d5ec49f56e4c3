"""Batches of one size, each computed by one thread, so that results do not depend on their number.

Matrix products of other sizes, or by other numbers of threads, round differently; and the first five of ten
melodies must equal five sampled alone, to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from emomelody.weights.checkpoint import VA, Checkpoint
from emomelody.workers import blas_in_one_thread, core_count, in_order

PAPER_BATCH, VA_BATCH = 64, 16  # melodies: the matrices stay in a core's cache

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def batch_size(checkpoint: Checkpoint) -> int:
    """How many melodies a model samples at once."""
    return VA_BATCH if checkpoint.name == VA else PAPER_BATCH


def split_into_batches(numbers: range, size: int) -> Iterator[range]:
    """The numbers in ranges of ``size``, the last one maybe shorter."""
    return (numbers[first : first + size] for first in range(0, len(numbers), size))


def map_by_threads(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """``work`` of each item, in order, by a thread per core, one item each at a time.

    Faster than all threads on each product, and rounds the same for any number of them.
    """
    threads = core_count()
    with blas_in_one_thread():
        if threads == 1:
            yield from map(work, items)
            return
        with ThreadPoolExecutor(threads) as pool:
            yield from in_order(pool, threads, work, items)
