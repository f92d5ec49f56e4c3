"""Whether melodies are new: their distance to the nearest of a reference, and the longest passage shared.

Both are blind to transposition. *Distance* counts the steps of two melodies of equal length that differ
(Hamming) once the one is moved to where it fits the other best; a *passage* is a run of notes with the same
intervals and the same times from onset to onset, wherever it stands in the bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emomelody.music.melody import MAX_PITCH, Melody
from emomelody.music.tokens import HOLD, REST, Tokens, from_tokens

_LONGEST_IOI = 64  # steps; longer ones count as this
_FIRST_CHARACTER = 0x10000  # beyond Unicode's surrogates
_SEPARATOR = "\0"


def figures(tokens: Tokens, reference: Tokens) -> dict[str, float]:
    """The novelty of melodies (M, T) beside a reference (N, T), as ``evaluate_novelty`` defines it."""
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
    """GRUCell 0 … T in which each melody (M, T) differs from the nearest reference (N, T), transposed, (M,)."""
    alike = sum(
        (tokens == kind).astype(np.float32) @ (reference == kind).T.astype(np.float32)
        for kind in (REST, HOLD)
    )  # (M, N): steps where both rest, or both hold
    distances = [
        tokens.shape[1] - (same + _same_pitches(melody, reference)).max()
        for melody, same in zip(tokens, np.asarray(alike), strict=True)
    ]
    return np.array(distances, dtype=np.int64)


def _same_pitches(melody: Tokens, reference: Tokens) -> NDArray[np.int64]:
    """Onsets that a melody (T,) shares with each reference (N, T) in the best transposition, (N,)."""
    onsets = np.flatnonzero(melody < REST)
    shift = reference[:, onsets] - melody[onsets] + MAX_PITCH  # (N, onsets), 0 … 2 · 127 where both have one
    both = reference[:, onsets] < REST
    if not both.any():
        return np.zeros(len(reference), dtype=np.int64)
    width = 2 * MAX_PITCH + 1
    cells = (np.arange(len(reference))[:, None] * width + shift)[both]
    counts = np.bincount(cells, minlength=len(reference) * width)  # how often each shift fits
    best: NDArray[np.int64] = counts.reshape(len(reference), width).max(1)
    return best


def longest_passages(melodies: Sequence[Melody], reference: Sequence[Melody]) -> NDArray[np.int64]:
    """The notes of the longest passage of each of M melodies that some reference melody has too, (M,).

    1 for a melody that shares no two successive notes, 0 for one without notes.
    """
    text = _SEPARATOR.join(map(_line, reference))
    return np.array([_longest(_line(m), text) + 1 if m.notes else 0 for m in melodies], dtype=np.int64)


def _line(melody: Melody) -> str:
    """A character for each (interval, time between the onsets): passages are substrings."""
    return "".join(
        chr(
            _FIRST_CHARACTER
            + (b.pitch - a.pitch + MAX_PITCH) * (_LONGEST_IOI + 1)
            + min(b.onset - a.onset, _LONGEST_IOI)
        )
        for a, b in pairwise(melody.notes)
    )


def _longest(line: str, text: str) -> int:
    """The length of the longest substring of ``line`` that occurs in ``text``."""
    best = 0
    for end in range(1, len(line) + 1):
        # Of what ends here only something longer than the best is of interest, by one at most.
        if end > best and line[end - best - 1 : end] in text:
            best += 1
    return best
