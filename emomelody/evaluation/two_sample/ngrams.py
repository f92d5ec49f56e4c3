"""N-grams of notes: what a logistic regression compares."""

from __future__ import annotations

from typing import Any

import numpy as np

from emomelody.music.meter import Meter
from emomelody.music.notes import Notes
from emomelody.music.tokens import Tokens

LONGEST = 4  # notes of an n-gram
FEWEST = 3  # melodies that an n-gram must occur in
INTERVALS = 256  # more than there are


def ngram_table(tokens: Tokens, meter: Meter = Meter.FOUR_FOUR) -> Any:
    """The n-grams of melodies (N, T), 1 to 4 notes long, as a sparse matrix (N, F).

    They are those of duration and interval, of scale degree (the pitch class in C), and of the onset's place
    in the bar. Each counts 1 + log of its number, and a melody's rows have norm 1 (``TfidfTransformer``).
    N-grams of fewer than three melodies are left out.
    """
    from scipy.sparse import coo_array, hstack
    from sklearn.feature_extraction.text import TfidfTransformer

    notes = Notes.of(tokens)
    interval = np.diff(notes.pitch, prepend=0)
    interval[notes.first] = INTERVALS // 2  # none
    streams = (notes.duration * INTERVALS + interval, notes.pitch % 12, notes.onset % meter.bar)
    tables = []
    for stream in streams:
        for size in range(1, LONGEST + 1):
            last = notes.after(size - 1)  # (k,)
            grams = np.stack([stream[last - n] for n in range(size)], 1)  # (k, size)
            columns = _numbers(grams)
            counts = coo_array(
                (np.ones(len(last)), (notes.melody[last], columns)),
                shape=(notes.count, int(columns.max(initial=-1)) + 1),
            ).tocsr()
            tables.append(counts[:, np.bincount(counts.indices, minlength=counts.shape[1]) >= FEWEST])
    return TfidfTransformer(sublinear_tf=True).fit_transform(hstack(tables, format="csr"))


def _numbers(grams: Tokens) -> Tokens:
    """A number for each different row (k, size), (k,), from 0."""
    numbers = np.zeros(len(grams), dtype=np.int64)
    for column in grams.T:  # sorting one integer a row is faster than sorting rows
        _, values = np.unique(column, return_inverse=True)
        _, numbers = np.unique(numbers * len(grams) + values, return_inverse=True)
    return numbers
