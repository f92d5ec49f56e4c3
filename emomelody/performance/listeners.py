"""What listeners would hear in a piece: a linear model of published ratings.

T. Eerola, A. Friberg and R. Bresin (Frontiers in Psychology 4:487, 2013; data doi:10.7910/DVN/IFOBRN, CC0)
let 46 listeners rate 200 melodies, whose register, mode, tempo, level, articulation and timbre were varied,
as happy, scary, sad and peaceful from 1 to 7, and found the cues to add up. The coefficients here are a
least-squares fit to their mean ratings. With each of the study's four melodies left out in turn, it explains
66 % of the variance of happy, 74 % of sad, 16 % of peaceful and nothing of scary, which depends most on the
melody itself: what it says of angry melodies is worth least. The study's melodies had 1.2 to 6 notes per
second; calm ones of ours have fewer, to which the fit is extrapolated.

N pieces. The ratings are those of e1 … e4, which the study calls happy, scary, sad and peaceful.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log10
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.music.melody import Note
from emomelody.music.tokens import Floats
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
CALM = float(np.mean([CHOICES[emotion].loudness for emotion in (Emotion.E3, Emotion.E4)]))  # dB


class Played(Protocol):
    """A note of an accompaniment: what sounds, how loud, and for what share of its duration."""

    @property
    def note(self) -> Note:
        """The note at sounding pitch."""

    @property
    def velocity(self) -> int:
        """The MIDI velocity, 1–127."""

    @property
    def length(self) -> float:
        """How long it sounds, as a share of its duration, up to 1."""


def rate(
    pieces: Sequence[Piece],
    major: NDArray[np.bool_],
    calm_levels: Sequence[float],
    gains: Sequence[float] = (),
) -> Floats:
    """The predicted ratings of N pieces with notes, (L, N, 4), in standard deviations from the study's means.

    ``major`` (N,) is their mode as it is heard, and each of L ``calm_levels`` how many dB above the study's
    middle level low arousal is played; the velocities say how much louder or softer each piece is, and
    ``gains`` (N,) by how many dB an accompaniment makes it louder.
    """
    cues = np.array([_cues(piece, mode) for piece, mode in zip(pieces, major, strict=True)])  # (N, 6)
    if gains:
        cues[:, LEVEL] += np.array(gains) / 10
    every = np.repeat(cues[None], len(calm_levels), 0)  # (L, N, 6)
    every[:, :, LEVEL] += (np.array(calm_levels)[:, None] - CALM) / 10
    return np.asarray((every @ COEFFICIENTS.T - MEANS) / DEVIATIONS)


def gain(piece: Piece, accompaniment: Sequence[Played]) -> float:
    """By how many dB an accompaniment makes a piece with notes louder.

    By the energy of all notes, each its power times the time it sounds: voices that play together add up as
    independent sounds do.
    """
    own = zip(piece.melody.notes, piece.velocities, piece.note_lengths, strict=True)
    melody, rest = _energy(own), _energy((p.note, p.velocity, p.length) for p in accompaniment)
    return 10 * log10(1 + rest / melody)


def valence_and_arousal(ratings: Floats) -> Floats:
    """Predicted valence and arousal, (N, 2), from ratings (N, 4) in standard deviations.

    Valence is by how much the higher of happy and peaceful exceeds the higher of scary and sad, arousal by
    how much the higher of happy and scary exceeds the higher of sad and peaceful: their signs are those of
    the emotion with the highest rating.
    """
    signs = np.array([(emotion.valence, emotion.arousal) for emotion in Emotion])[None]  # (1, 4, 2)
    positive, negative = (
        np.where(side, ratings[..., None], -np.inf).max(1) for side in (signs > 0, signs < 0)
    )  # (N, 2) each
    return np.asarray(positive - negative)


def _energy(notes: Iterable[tuple[Note, int, float]]) -> float:
    """The energy of notes with velocity and length, in steps at ``expression.BASE_VELOCITY``."""
    return sum(10 ** (decibels(velocity) / 10) * note.duration * length for note, velocity, length in notes)


def _cues(piece: Piece, major: bool) -> tuple[float, ...]:
    """What the coefficients multiply, with the level above ``expression.BASE_VELOCITY``."""
    notes = piece.melody.notes
    pitch = np.average([note.pitch for note in notes], weights=[note.duration for note in notes])
    next_onsets = [*(note.onset for note in notes[1:]), notes[-1].end]
    lengths = [
        note.duration * length / (following - note.onset)
        for note, length, following in zip(notes, piece.note_lengths, next_onsets, strict=True)
    ]
    return (
        1.0,
        (pitch - PITCH) / 12,
        major,
        np.log2(len(notes) / piece.seconds),
        decibels(float(np.mean(piece.velocities))) / 10,
        float(np.mean(lengths)),
    )
