"""Fingerprints of melodies and of passages, equal in every transposition, by which copies are found.

A melody cannot be recovered from its fingerprint.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from emomelody.music.melody import MAX_PITCH
from emomelody.music.notes import Notes
from emomelody.music.tokens import REST, Tokens

PASSAGE = 16  # intervals: in folk tunes, fewer in succession are common property
_LONGEST_IOI = 64  # steps; longer times between onsets count as this
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd; of a polynomial modulo 2⁶⁴


def fingerprints(tokens: Tokens) -> NDArray[np.int64]:
    """Hash melodies (N, T) to one integer each, (N,): 64 bits of BLAKE2b of the tokens.

    Pitches count relative to the first one.
    """
    hashes = []
    for row in tokens:
        onsets = row < REST
        relative = np.where(onsets, row - row[onsets.argmax()] + MAX_PITCH, row + 2 * MAX_PITCH)
        digest = hashlib.blake2b(relative.astype("<i8").tobytes(), digest_size=8).digest()
        hashes.append(int.from_bytes(digest, "little", signed=True))
    return np.array(hashes, dtype=np.int64)


def passages(notes: Notes, intervals: int = PASSAGE) -> tuple[Tokens, NDArray[np.int64]]:
    """All passages of so many successive intervals: their last notes (k,), and a 64-bit hash of each, (k,).

    A passage is its intervals and the times between its onsets; at half speed it is the same passage.
    """
    at = notes.after(intervals)
    earlier = at[:, None] - np.arange(intervals)  # (k, intervals), from the last note back
    interval = notes.pitch[earlier] - notes.pitch[earlier - 1]
    time = notes.onset[earlier] - notes.onset[earlier - 1]
    time //= np.gcd.reduce(time, axis=1, keepdims=True)
    hashes = np.zeros(len(at), dtype=np.uint64)
    for step in interval_codes(interval, time).T.astype(np.uint64):
        hashes = hashes * _FACTOR + step
    return at, hashes.view(np.int64)


def interval_codes(interval: Tokens, time: Tokens) -> Tokens:
    """A number for each interval in semitones and time between its onsets in steps."""
    return (interval + MAX_PITCH) * (_LONGEST_IOI + 1) + np.minimum(time, _LONGEST_IOI)
