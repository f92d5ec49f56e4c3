"""Parallel work in threads or processes, with results in the order of the items."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from emomelody.errors import EmomelodyError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
AHEAD = 2  # items per worker that are submitted at a time, which bounds the memory
_work: Callable[[Any], Any]  # in a worker process: the function to apply


def core_count() -> int:
    """The cores that this process may use; the number in OMP_NUM_THREADS where it is set."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def blas_in_one_thread() -> Iterator[None]:
    """Let numpy's matrix products use one thread each: the number of threads changes how they round."""
    with threadpool_limits(1, user_api="blas"):
        yield


def in_order(
    pool: Executor, workers: int, work: Callable[[_Item], _Result], items: Iterable[_Item]
) -> Iterator[_Result]:
    """``map(work, items)`` by the workers of a pool; items are taken as workers become free."""
    pending: deque[Future[_Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) >= AHEAD * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def by_processes(jobs: int, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Generator[_Result]:
    """``map(work, items)`` by ``jobs`` processes. ``work`` is sent to each process once.

    The processes ignore Ctrl-C, and are terminated when an exception ends the generator, or its caller closes
    it. Raises EmomelodyError if a process is killed.
    """
    others = multiprocessing.active_children()
    with (
        _ignoring_broken_pipes(),
        ProcessPoolExecutor(jobs, initializer=_initialise, initargs=(work,)) as pool,
    ):
        try:
            yield from in_order(pool, jobs, _apply, items)
        except BrokenProcessPool as error:  # the pool has terminated its other processes
            raise EmomelodyError("a worker process was killed: is there too little memory?") from error
        except BaseException:  # including KeyboardInterrupt and the generator's close
            for process in set(multiprocessing.active_children()).difference(others):
                process.terminate()
            raise


@contextmanager
def _ignoring_broken_pipes() -> Iterator[None]:
    """Do not let SIGPIPE end this process: a pool writes to pipes of processes that may be terminated."""
    if not hasattr(signal, "SIGPIPE") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, before)


def _initialise(work: Callable[[Any], Any]) -> None:
    """Prepare a worker process."""
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _work = work


def _apply(item: Any) -> Any:
    return _work(item)
