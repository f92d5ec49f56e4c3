"""How the onsets of a MIDI file lie on the grid of sixteenth steps.

Onsets are arrays of (N,) quarter notes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emomelody.music.melody import STEPS_PER_BEAT

TOLERANCE = 0.25  # of a step, either way: an onset within it is on the grid
SIXTEENTH = 1 / STEPS_PER_BEAT  # quarter notes
# The mean distance from the grid that a shift must leave at most, as a share of that before. Files that are
# late as a whole get far below; swung eighths, half of which a shift would bring nearer, stay at 1.
NEARER = 0.75


def offset(onsets: NDArray[np.float64], step: float = SIXTEENTH) -> float:
    """How late the onsets are as a whole, in quarter notes; negative if they are early.

    It is the circular mean of their phases, within half a step; 0 where that leaves them about as far from
    the grid as they are.
    """
    phases = 2 * np.pi * onsets / step
    shift = float(np.angle(np.exp(1j * phases).mean()) / (2 * np.pi) * step)
    nearer = _distances(onsets - shift, step).mean() < NEARER * _distances(onsets, step).mean()
    return shift if nearer else 0.0


def _distances(onsets: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """The distance (N,) of each onset from a grid of ``step`` quarter notes, in steps."""
    positions = onsets / step
    return np.abs(positions - np.round(positions))
