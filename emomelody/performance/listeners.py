"""What listeners would hear in a piece: a linear model of published ratings.

T. Eerola, A. Friberg and R. Bresin (Frontiers in Psychology 4:487, 2013; data doi:10.7910/DVN/IFOBRN, CC0)
let 46 listeners rate 200 melodies, whose register, mode, tempo, level, articulation and timbre were varied,
as happy, scary, sad and peaceful from 1 to 7, and found the cues to add up. The coefficients here are a
least-squares fit to their mean ratings. With each of the study's four melodies left out in turn, it explains
66 % of the variance of happy, 74 % of sad, 16 % of peaceful and nothing of scary, which depends most on the
melody itself: what it says of angry melodies is worth least.

N pieces. The ratings are those of e1 … e4, which the study calls happy, scary, sad and peaceful.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emomelody.music.plane import Floats
from emomelody.performance.expression import decibels
from emomelody.performance.piece import Piece

PITCH = 68.0  # the mean pitch that the fit counts from
LEGATO = 1.0  # note length as a share of the time to the next onset
# Of each rating: the constant, and what is added per octave of mean pitch, in major, per doubling of the
# notes per second, per 10 dB above the study's middle level, and per unit of note length.
COEFFICIENTS = np.array(
    [
        [1.52, 0.46, 1.80, 0.56, -0.02, -0.75],
        [2.42, -0.55, -0.77, 0.11, 0.48, 0.24],
        [4.10, -0.12, -1.68, -0.64, -0.11, 0.79],
        [2.71, 0.25, 0.39, -0.43, -0.49, 0.31],
    ]
)  # (4, 6)
LEVEL = 4  # the column of the level
MEANS = np.array([2.67, 2.36, 2.90, 2.49])  # of the study's ratings, (4,)
DEVIATIONS = np.array([1.28, 1.30, 1.14, 0.92])  # (4,)


def rate(pieces: Sequence[Piece], major: NDArray[np.bool_], calm_levels: Sequence[float]) -> Floats:
    """The predicted ratings of N pieces with notes, (L, N, 4), in standard deviations from the study's means.

    ``major`` (N,) is their mode as it is heard, and each of L ``calm_levels`` how many dB above the study's
    middle level low arousal is played.
    """
    cues = np.array([_cues(piece, mode) for piece, mode in zip(pieces, major, strict=True)])  # (N, 6)
    louder = np.array(calm_levels)[:, None, None] / 10 * COEFFICIENTS[:, LEVEL]  # (L, 1, 4)
    return np.asarray((cues @ COEFFICIENTS.T + louder - MEANS) / DEVIATIONS)


def _cues(piece: Piece, major: bool) -> tuple[float, ...]:
    """What the coefficients multiply, with low arousal at the study's middle level."""
    notes = piece.melody.notes
    pitch = np.average([note.pitch for note in notes], weights=[note.duration for note in notes])
    speed = np.log2(len(notes) / piece.seconds)
    return 1.0, (pitch - PITCH) / 12, major, speed, decibels(float(np.mean(piece.velocities))) / 10, LEGATO
