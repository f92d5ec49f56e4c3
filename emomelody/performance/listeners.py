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

from emomelody.music.emotion import Emotion
from emomelody.music.plane import Floats
from emomelody.performance.expression import CHOICES, decibels
from emomelody.performance.piece import Piece

PITCH = 68.0  # the mean pitch that the fit counts from
# Of each rating: the constant, and what is added per octave of mean pitch, in major, per doubling of the
# notes per second, per 10 dB above the study's middle level, and per unit of note length (as a share of the
# time to the next onset).
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
# The study's cues lie between these; beyond them the fit says nothing, and a cue counts as the nearest.
PITCHES, NOTE_RATES, LEVELS, NOTE_LENGTHS = (53, 83), (1.2, 6), (-10, 10), (0.25, 1)
CALM = float(np.mean([CHOICES[emotion].loudness for emotion in (Emotion.E3, Emotion.E4)]))  # dB


def rate(pieces: Sequence[Piece], major: NDArray[np.bool_], calm_levels: Sequence[float]) -> Floats:
    """The predicted ratings of N pieces with notes, (L, N, 4), in standard deviations from the study's means.

    ``major`` (N,) is their mode as it is heard, and each of L ``calm_levels`` how many dB above the study's
    middle level low arousal is played; the velocities say how much louder or softer each piece is.
    """
    cues = np.array([_cues(piece, mode) for piece, mode in zip(pieces, major, strict=True)])  # (N, 6)
    every = np.repeat(cues[None], len(calm_levels), 0)  # (L, N, 6)
    every[:, :, LEVEL] += np.array(calm_levels)[:, None] - CALM
    every[:, :, LEVEL] = np.clip(every[:, :, LEVEL], *LEVELS) / 10
    return np.asarray((every @ COEFFICIENTS.T - MEANS) / DEVIATIONS)


def valence_and_arousal(ratings: Floats) -> Floats:
    """Predicted valence and arousal, (…, 2), from ratings (…, 4) in standard deviations.

    Valence is the mean of happy and peaceful less that of scary and sad, arousal the mean of happy and scary
    less that of sad and peaceful.
    """
    signs = np.array([(emotion.valence, emotion.arousal) for emotion in Emotion]) / 2  # (4, 2)
    return np.asarray(ratings @ signs)


def _cues(piece: Piece, major: bool) -> tuple[float, ...]:
    """What the coefficients multiply, but the level in dB above ``expression.BASE_VELOCITY``."""
    notes = piece.melody.notes
    pitch = np.average([note.pitch for note in notes], weights=[note.duration for note in notes])
    note_rate = np.clip(len(notes) / piece.seconds, *NOTE_RATES)
    next_onsets = [*(note.onset for note in notes[1:]), notes[-1].end]
    lengths = [
        note.duration * length / (following - note.onset)
        for note, length, following in zip(notes, piece.note_lengths, next_onsets, strict=True)
    ]
    return (
        1.0,
        (np.clip(pitch, *PITCHES) - PITCH) / 12,
        major,
        np.log2(note_rate),
        decibels(float(np.mean(piece.velocities))),
        np.clip(np.mean(lengths), *NOTE_LENGTHS),
    )
