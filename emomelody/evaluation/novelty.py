"""Novelty: how near are generated melodies to the training melodies?

All comparisons ignore transposition. The *distance* of two melodies of equal length is the number of steps at
which their tokens differ (Hamming), in the transposition that fits best. A *passage* is a run of consecutive
notes with the same intervals and the same times between onsets, at any place in the bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.statistics import Figures, Melodies, Rows
from emomelody.music.emotion import Emotion
from emomelody.music.melody import MAX_PITCH, Melody
from emomelody.music.tokens import HOLD, REST, Tokens, from_tokens, to_tokens

_LONGEST_IOI = 64  # steps; longer times between onsets count as this
_FIRST_CHARACTER = 0x10000  # beyond Unicode's surrogates
_SEPARATOR = "\0"
NOVELTY: Rows = {
    "exact": ("exact copies", "{:.1%}"),
    "within_2": ("within 2 of 64 steps", "{:.1%}"),
    "within_4": ("within 4 of 64 steps", "{:.1%}"),
    "nearest": ("nearest distance, median (steps)", "{:.1f}"),
    "passage": ("longest shared passage, median (notes)", "{:.1f}"),
    "passage_share": ("longest shared passage, mean share of the melody", "{:.1%}"),
    "distinct": ("distinct melodies", "{:.1%}"),
}


def evaluate_novelty(melodies: Melodies, reference: ReferenceSet, real: Figures | None) -> Figures:
    """How near each generated melody is to the nearest training melody, in any transposition.

    Exact copies, and melodies within 2 and within 4 of the 64 steps, are shares of melodies whose tokens
    differ from the nearest training melody's at no step, at most two, at most four (Hamming distance). The
    nearest distance is the median over the melodies. The longest shared passage is the longest run of
    consecutive notes with the same intervals and the same times between onsets as somewhere in a training
    melody: the median of its length in notes, and the mean of its share of a melody's notes. Distinct
    melodies are the share that remains when repetitions among the generated melodies count once.

    Real held-out melodies against the training melodies are the yardstick: what a composer of the same style
    would score.
    """
    tokens = np.stack([to_tokens(m) for e in Emotion for m in melodies[e]])  # (M, T)
    return novelty_figures(tokens, reference.dataset.tokens[reference.seen]) | {"real": real}


def real_novelty(reference: ReferenceSet) -> Figures | None:
    """The novelty of the held-out melodies against all others; None where none is held out."""
    tokens, held_out = reference.dataset.tokens, reference.held_out
    return novelty_figures(tokens[held_out], tokens[~held_out]) if held_out.any() else None


def novelty_figures(tokens: Tokens, reference: Tokens) -> Figures:
    """The figures of melodies (M, T) against a reference (N, T), as ``evaluate_novelty`` defines them."""
    nearest = nearest_distances(tokens, reference)
    melodies, known = ([from_tokens(row) for row in side] for side in (tokens, reference))
    passages = longest_passages(melodies, known)
    notes = np.array([len(melody.notes) for melody in melodies])
    return {
        "exact": float(np.mean(nearest == 0)),
        "within_2": float(np.mean(nearest <= 2)),
        "within_4": float(np.mean(nearest <= 4)),
        "nearest": float(np.median(nearest)),
        "passage": float(np.median(passages)),
        "passage_share": float(np.mean(passages / np.maximum(notes, 1))),
        "distinct": len(np.unique(tokens, axis=0)) / len(tokens),
    }


def nearest_distances(tokens: Tokens, reference: Tokens) -> NDArray[np.int64]:
    """The distance, 0 … T, of each melody (M, T) from the nearest of a reference (N, T), (M,)."""
    same = sum(
        (tokens == kind).astype(np.float32) @ (reference == kind).T.astype(np.float32)
        for kind in (REST, HOLD)
    )  # (M, N): steps at which both rest or both hold
    distances = [
        tokens.shape[1] - (others + _same_onsets(melody, reference)).max()
        for melody, others in zip(tokens, np.asarray(same), strict=True)
    ]
    return np.array(distances, dtype=np.int64)


def _same_onsets(melody: Tokens, reference: Tokens) -> NDArray[np.int64]:
    """The number of onsets that a melody (T,) has in common with each reference melody (N, T), (N,).

    Counted in the best transposition.
    """
    onsets = np.flatnonzero(melody < REST)
    shift = reference[:, onsets] - melody[onsets] + MAX_PITCH  # (N, onsets), 0 … 254 where both have one
    both = reference[:, onsets] < REST
    if not both.any():
        return np.zeros(len(reference), dtype=np.int64)
    width = 2 * MAX_PITCH + 1
    cells = (np.arange(len(reference))[:, None] * width + shift)[both]
    counts = np.bincount(cells, minlength=len(reference) * width)  # by reference melody and shift
    best: NDArray[np.int64] = counts.reshape(len(reference), width).max(1)
    return best


def longest_passages(melodies: Sequence[Melody], reference: Sequence[Melody]) -> NDArray[np.int64]:
    """The length in notes of the longest passage that each of M melodies shares with the reference, (M,).

    1 for a melody that shares no two consecutive notes, 0 for one without notes.
    """
    text = _SEPARATOR.join(map(_encode, reference))
    return np.array(
        [_longest_common(_encode(m), text) + 1 if m.notes else 0 for m in melodies], dtype=np.int64
    )


def _encode(melody: Melody) -> str:
    """One character for each pair of consecutive notes, so that passages become substrings.

    It encodes the interval and the time between the onsets.
    """
    return "".join(
        chr(
            _FIRST_CHARACTER
            + (b.pitch - a.pitch + MAX_PITCH) * (_LONGEST_IOI + 1)
            + min(b.onset - a.onset, _LONGEST_IOI)
        )
        for a, b in pairwise(melody.notes)
    )


def _longest_common(line: str, text: str) -> int:
    """The length of the longest substring of ``line`` that occurs in ``text``."""
    best = 0
    for end in range(1, len(line) + 1):
        # The best can grow by one at most: a longer substring that ends here contains one that ended before.
        if end > best and line[end - best - 1 : end] in text:
            best += 1
    return best
