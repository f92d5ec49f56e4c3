"""Which melodies are the same tune, in whatever key and at whatever speed; and splits that respect it.

A tune comes back in many chorales, and a window of it at half speed is its first half: a split that puts
one of them into training and another into the held-out set measures memory. Two lines are taken for the
same tune when they share a passage of twelve successive intervals, or when one of them is shorter than
that, has at least six, and is whole contained in the other; and so is everything that such pairs connect.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from emomelody.errors import EmomelodyError

PASSAGE = 12  # intervals
SHORTEST = 6  # intervals of a line that can be said to be contained in another
FOLDS = 5  # one of five is held out: 20 %


def group_tunes(lines: Sequence[Sequence[int]]) -> list[int]:
    """A tune number for each line of pitches, from 0 in order of appearance."""
    intervals = [tuple(np.diff(np.asarray(line, dtype=int)).tolist()) for line in lines]
    pairs = _shared(intervals, PASSAGE, intervals)
    for size in range(SHORTEST, PASSAGE):
        pairs += _shared([i if len(i) == size else () for i in intervals], size, intervals)
    # Lines too short to compare are the same tune where they are the same line.
    first: dict[tuple[int, ...], int] = {}
    pairs += [(first.setdefault(line, number), number) for number, line in enumerate(intervals)]
    a, b = np.array(pairs).T
    graph = coo_array((np.ones(len(pairs)), (a, b)), shape=(len(lines), len(lines)))
    _count, component = connected_components(graph, directed=False)
    order: dict[int, int] = {}
    return [order.setdefault(int(c), len(order)) for c in component]


def hold_out(labels: NDArray[np.int64], groups: NDArray[np.int64] | None, seed: int) -> NDArray[np.bool_]:
    """True for a fifth of the examples (N,), stratified; no group on both sides (scikit-learn).

    Raises EmomelodyError where there is too little to split.
    """
    from sklearn.model_selection import StratifiedGroupKFold, train_test_split

    chosen = np.zeros(len(labels), dtype=bool)
    everything = np.arange(len(labels))
    try:
        if groups is None:
            test_size = 1 / FOLDS
            _, test = train_test_split(everything, test_size=test_size, random_state=seed, stratify=labels)
        else:
            folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an emotion with few melodies cannot be in every fold
                _, test = next(folds.split(everything, labels, groups))
    except ValueError as error:
        raise EmomelodyError(f"too few melodies or tunes to hold a fifth out: {error}") from error
    chosen[test] = True
    return chosen


def _shared(owners: list[tuple[int, ...]], size: int, lines: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Pairs (owner, line) where a passage of ``size`` intervals of the owner occurs in the line."""
    first: dict[tuple[int, ...], int] = {}
    pairs = []
    for number, intervals in enumerate(owners):
        for start in range(len(intervals) - size + 1):
            passage = intervals[start : start + size]
            pairs.append((first.setdefault(passage, number), number))
    for number, intervals in enumerate(lines):
        for start in range(len(intervals) - size + 1):
            owner = first.get(intervals[start : start + size])
            if owner is not None:
                pairs.append((owner, number))
    return pairs
