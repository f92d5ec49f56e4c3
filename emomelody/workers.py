"""Work done beside each other: threads or processes, and results in order."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from emomelody.errors import EmomelodyError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
AHEAD = 2  # items per worker that are handed out: no more is held in memory
_work: Callable[[Any], Any]  # of a worker process


def in_order(
    pool: Executor, workers: int, work: Callable[[_Item], _Result], items: Iterable[_Item]
) -> Iterator[_Result]:
    """What ``work`` makes of each item, in order, by the workers of a pool."""
    handed_out: deque[Future[_Result]] = deque()
    try:
        for item in items:
            handed_out.append(pool.submit(work, item))
            if len(handed_out) >= AHEAD * workers:
                yield handed_out.popleft().result()
        while handed_out:
            yield handed_out.popleft().result()
    finally:
        for future in handed_out:
            future.cancel()


def by_processes(jobs: int, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Generator[_Result]:
    """What ``work`` makes of each item, in order, by ``jobs`` processes, to which it is handed once.

    Ctrl-C is left to this one; where the work ends early they are stopped at once. Raises EmomelodyError
    where one of them is killed.
    """
    others = multiprocessing.active_children()
    with _own_pipes(), ProcessPoolExecutor(jobs, initializer=_begin, initargs=(work,)) as pool:
        try:
            yield from in_order(pool, jobs, _do, items)
        except BrokenProcessPool as error:  # which has stopped the others
            reason = "a process that worked for this one was killed: too little memory?"
            raise EmomelodyError(reason) from error
        except BaseException:  # Ctrl-C or the generator's end too: it is passed on, the processes are stopped
            for process in set(multiprocessing.active_children()).difference(others):
                process.terminate()
            raise


@contextmanager
def _own_pipes() -> Iterator[None]:
    """Not ended by a broken pipe, as a pool's are where its processes are stopped."""
    if not hasattr(signal, "SIGPIPE") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, before)


def _begin(work: Callable[[Any], Any]) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _work = work


def _do(item: Any) -> Any:
    return _work(item)
