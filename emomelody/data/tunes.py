"""Which melodies are the same tune, in any key and at any speed, and splits that keep tunes together.

A tune recurs in many chorales, and a window at half speed is the first half of one at full speed. A split
with the same tune in training and in the held-out set would measure memorisation. Two lines count as the same
tune if they share a passage of twelve successive intervals, or if one has fewer (six or more) and is
contained in the other. The relation is transitive: connected lines are one tune.

In folk tunes the passage has sixteen intervals. Runs and turns of twelve are common property there: they
would make one tune of 2,237 of music21's 4,248, while with sixteen there are 3,320, none in more than 22
versions.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from emomelody.errors import EmomelodyError

PASSAGE = 12  # intervals
FOLK_PASSAGE = 16  # intervals
SHORTEST = 6  # intervals of a line that is compared with others
FOLDS = 5  # one of them is held out, 20 %


def number_tunes(lines: Sequence[Sequence[int]], first: Sequence[bool], passage: int) -> list[int]:
    """A tune number for each line of MIDI pitches; ``first`` ones are numbered as if there were no others.

    Another line has the number of the earliest of the first lines that is the same tune, or a new one.
    """
    firsts = group_tunes([line if early else () for line, early in zip(lines, first, strict=True)], passage)
    together = group_tunes(lines, passage)
    numbers: dict[int, int] = {}  # by the number among all lines
    for early, own, joint in zip(first, firsts, together, strict=True):
        if early:
            numbers.setdefault(joint, own)
    unused = count(max(firsts) + 1)
    return [
        own if early else numbers[joint] if joint in numbers else numbers.setdefault(joint, next(unused))
        for early, own, joint in zip(first, firsts, together, strict=True)
    ]


def group_tunes(lines: Sequence[Sequence[int]], passage: int = PASSAGE) -> list[int]:
    """A tune number for each line of MIDI pitches, from 0 in order of appearance."""
    intervals = [tuple(np.diff(np.asarray(line, dtype=int)).tolist()) for line in lines]
    pairs = _shared(intervals, passage, intervals)
    for size in range(SHORTEST, passage):
        pairs += _shared([i if len(i) == size else () for i in intervals], size, intervals)
    # Lines that are too short to compare are the same tune if they are equal.
    first: dict[tuple[int, ...], int] = {}
    pairs += [(first.setdefault(line, number), number) for number, line in enumerate(intervals)]
    a, b = np.array(pairs).T
    graph = coo_array((np.ones(len(pairs)), (a, b)), shape=(len(lines), len(lines)))
    _count, component = connected_components(graph, directed=False)
    order: dict[int, int] = {}
    return [order.setdefault(int(c), len(order)) for c in component]


def hold_out(labels: NDArray[np.int64], groups: NDArray[np.int64] | None, seed: int) -> NDArray[np.bool_]:
    """True for the held-out fifth of N examples, (N,), stratified by ``labels`` (N,).

    Examples of the same group (N,) are all held out or all not. Splits are scikit-learn's. Raises
    EmomelodyError if there are too few examples or groups.
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
                warnings.simplefilter("ignore")  # about emotions with fewer melodies than folds
                _, test = next(folds.split(everything, labels, groups))
    except ValueError as error:
        raise EmomelodyError(f"too few melodies or tunes to hold out a fifth of them: {error}") from error
    chosen[test] = True
    return chosen


def _shared(owners: list[tuple[int, ...]], size: int, lines: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Pairs (i, j) of line numbers: a passage of ``size`` intervals of ``owners[i]`` occurs in ``lines[j]``.

    Of several owners of a passage only the first is paired with the lines, and with the other owners.
    """
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
