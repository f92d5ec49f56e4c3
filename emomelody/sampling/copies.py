"""Which candidates copy a melody that the model was trained on, and the cheapest that does not.

B melodies, K candidates for each, N of these, T steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emomelody.music.fingerprints import fingerprints, passages
from emomelody.music.notes import Notes
from emomelody.music.tokens import REST, Floats, Tokens

COPY = 10_000.0  # the cost of a copy: above that of anything else


class Learned:
    """What a model has learned, and melodies must not copy."""

    def __init__(self, learned: NDArray[np.int64], size: int, kept: Tokens | None = None) -> None:
        """The sorted fingerprints (L,) of a model, the steps of four bars, and the tokens (B, T) of drafts.

        What the user has brought along is no copy.
        """
        self._size = size
        self._learned = learned if kept is None else np.setdiff1d(learned, self._own(kept))

    def copied(self, tokens: Tokens) -> NDArray[np.bool_]:
        """Whether melodies (N, T) have a passage of a training tune, or end with four bars of one, (N,)."""
        notes = Notes.of(tokens)
        at, found = passages(notes)
        shared = notes.total(self._known(found), at) > 0
        return np.asarray(shared | self._known(fingerprints(tokens[:, -self._size :])))

    def _known(self, found: NDArray[np.int64]) -> NDArray[np.bool_]:
        if not len(self._learned):
            return np.zeros(len(found), dtype=bool)
        # They are sorted: np.isin, which does not know, takes a hundred times as long.
        at = np.searchsorted(self._learned, found)
        return np.asarray(self._learned.take(at, mode="clip") == found)

    def _own(self, kept: Tokens) -> NDArray[np.int64]:
        tokens = np.where(kept < 0, REST, kept)
        blocks = [tokens[:, first : first + self._size] for first in range(0, tokens.shape[1], self._size)]
        return np.concatenate([*map(fingerprints, blocks), passages(Notes.of(tokens))[1]])


def cheapest(cost: Floats, tokens: Tokens, learned: Learned) -> NDArray[np.int64]:
    """The row in tokens (B K, T) of each melody's candidate of the least cost (B, K), (B,).

    Copies of what is ``learned`` cost more. To save time only a candidate that would win is compared.
    """
    cost, first = cost.copy(), np.arange(len(cost)) * cost.shape[1]
    while True:
        chosen: NDArray[np.int64] = cost.argmin(1)  # (B,)
        copies = learned.copied(tokens[first + chosen]) & (cost.min(1) < COPY)
        if not copies.any():
            return np.asarray(first + chosen)
        cost[copies, chosen[copies]] += COPY
