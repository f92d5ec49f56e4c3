"""Novelty: how near are generated melodies to the training melodies?

All comparisons ignore transposition. The *distance* of two melodies of equal length is the number of steps at
which their tokens differ (Hamming), in the transposition that fits best. A *passage* is a run of consecutive
notes with the same intervals and the same times between onsets, at any place in the bar.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emomelody.data.dataset import Dataset, tunes_of
from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.sets import MelodySet
from emomelody.evaluation.statistics import Figures, Melodies, Rows, share
from emomelody.music.fingerprints import PASSAGE, interval_codes, passages
from emomelody.music.melody import MAX_PITCH, Melody
from emomelody.music.notes import Notes
from emomelody.music.tokens import HOLD, REST, Tokens, from_tokens, stacked, to_tokens

_FIRST_CHARACTER = 0x10000  # beyond Unicode's surrogates
_SEPARATOR = "\0"
MOST_HELD_OUT = 1000  # melodies
TUNE_WINDOWS = 4  # sixteen bars
SHARED = (8, PASSAGE)  # intervals
NOVELTY: Rows = {
    "exact": ("exact copies", "{:.1%}"),
    "within_2": ("within 2 steps", "{:.1%}"),
    "within_4": ("within 4 steps", "{:.1%}"),
    "nearest": ("nearest distance, median (steps)", "{:.1f}"),
    "passage": ("longest shared passage, median (notes)", "{:.1f}"),
    "passage_share": ("longest shared passage, mean share of the melody", "{:.1%}"),
    "distinct": ("distinct melodies", "{:.1%}"),
    **{f"shared_{n}": (f"16-bar tunes that share {n} intervals", "{:.1%}") for n in SHARED},
}


def evaluate_novelty(
    melodies: Melodies, reference: ReferenceSet, real: Figures | None, tunes: MelodySet | None
) -> Figures:
    """How near each generated melody is to the nearest training melody, in any transposition.

    Exact copies, and melodies within 2 and within 4 steps, are shares of melodies whose tokens differ from
    the nearest training melody's at no step, at most two, at most four of 64 (in 3/4 and 6/8 of 48; Hamming
    distance). The nearest distance is the median over the melodies. The longest shared passage is the longest
    run of consecutive notes with the same intervals and the same times between onsets as somewhere in a
    training melody: the median of its length in notes, and the mean of its share of a melody's notes.
    Distinct melodies are the share that remains when repetitions among the generated melodies count once.

    The last two are of generated tunes of sixteen bars: the share that have a passage of 8, and of 16,
    successive intervals, with the same times between onsets, anywhere in a training tune, also across its
    four-bar windows, and at any speed. emoreg-va avoids those of 16.

    Real held-out melodies against the training melodies are the yardstick: what a composer of the same style
    would score. Their tunes are the last sixteen bars of pieces. Few can share 16 intervals, because pieces
    that share 12 (folk tunes: 16) count as the same tune, which is on one side of the split. Of more than
    1,000 held-out melodies, a random 1,000 are compared.
    """
    tokens = np.stack([to_tokens(m) for e in Emotion for m in melodies[e]])  # (M, T)
    return {
        **novelty_figures(tokens, reference.dataset.tokens[reference.seen]),
        **shared_passages(tunes.tokens if tunes else None, _tunes(reference.dataset, reference.seen)),
        "real": real,
    }


def real_novelty(reference: ReferenceSet) -> Figures | None:
    """The novelty of the held-out melodies against all others; None where none is held out."""
    dataset, held_out = reference.dataset, reference.held_out
    if not held_out.any():
        return None
    some = np.random.default_rng(0).permutation(np.flatnonzero(held_out))[:MOST_HELD_OUT]
    tunes = MelodySet.endings(dataset, TUNE_WINDOWS, held_out)
    return {
        **novelty_figures(dataset.tokens[np.sort(some)], dataset.tokens[~held_out]),
        **shared_passages(tunes.tokens, _tunes(dataset, ~held_out)),
    }


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


def _tunes(dataset: Dataset, chosen: NDArray[np.bool_]) -> Tokens:
    """The pieces that the ``chosen`` windows (N,) are from, (P, T)."""
    return stacked([dataset.tokens[piece].ravel() for piece in tunes_of(dataset, chosen)])


def shared_passages(tokens: Tokens | None, known: Tokens) -> dict[str, float | None]:
    """The shares of tunes (M, T) with a passage of each of the lengths ``SHARED`` of a known one (N, U).

    None without tunes.
    """
    found: dict[str, float | None] = {}
    for intervals in SHARED:
        found[f"shared_{intervals}"] = None
        if tokens is not None:
            notes = Notes.of(tokens)
            at, hashes = passages(notes, intervals)
            copied = np.isin(hashes, passages(Notes.of(known), intervals)[1])
            found[f"shared_{intervals}"] = share(notes.total(copied, at) > 0)
    return found


def nearest_distances(tokens: Tokens, reference: Tokens) -> NDArray[np.int64]:
    """The distance, 0 … T, of each melody (M, T) from the nearest of a reference (N, T), (M,)."""
    return nearest_melodies(tokens, reference)[1]


def nearest_melodies(tokens: Tokens, reference: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The row of the nearest of a reference (N, T) to each melody (M, T), and its distance, (M,) each."""
    same = sum(
        (tokens == kind).astype(np.float32) @ (reference == kind).T.astype(np.float32)
        for kind in (REST, HOLD)
    )  # (M, N): steps at which both rest or both hold
    rows, distances = [], []
    for melody, others in zip(tokens, np.asarray(same), strict=True):
        equal = others + _same_onsets(melody, reference)  # (N,)
        rows.append(equal.argmax())
        distances.append(tokens.shape[1] - equal.max())
    return np.array(rows, dtype=np.int64), np.array(distances, dtype=np.int64)


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
    onset, pitch = np.array([(n.onset, n.pitch) for n in melody.notes], dtype=int).reshape(-1, 2).T
    return "".join(map(chr, (_FIRST_CHARACTER + interval_codes(np.diff(pitch), np.diff(onset))).tolist()))


def _longest_common(line: str, text: str) -> int:
    """The length of the longest substring of ``line`` that occurs in ``text``."""
    best = 0
    for end in range(1, len(line) + 1):
        # The best can grow by one at most: a longer substring that ends here contains one that ended before.
        if end > best and line[end - best - 1 : end] in text:
            best += 1
    return best
