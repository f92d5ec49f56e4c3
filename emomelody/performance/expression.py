"""The tempo, loudness and register of each point of the plane, from a published listening study.

In the EMelodyGen study (Zhou et al., Transactions on Artificial Intelligence 1(1), 2025) listeners recognised
the quadrant of 91 % of the melodies rendered with these settings:

    happy    160–184 BPM                    5 dB louder
    angry    184–228 BPM   2 octaves down   10 dB louder
    sad       40–69 BPM    1 octave down
    relaxed   40–69 BPM

Here each tempo range is spread over its quadrant, from the axis to the edge of the plane, so that tempo grows
with arousal. Within ``EDGE`` of an axis the values of the two quadrants are interpolated, so that they are
continuous over the plane. The dynamics within a phrase are our own addition.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10, pi, sin

import numpy as np

from emomelody.music.melody import BARS, STEPS_PER_BAR

EDGE = 0.05  # distance from an axis at which a quadrant's own values begin
BASE_VELOCITY = 64  # at low arousal; leaves room below 127 for 10 dB and the middle of a phrase
PHRASE = BARS * STEPS_PER_BAR  # steps; the length of a training window
SWELL = 1.0  # dB, louder in the middle of a phrase and softer at its ends
DOWNBEAT = 0.5  # dB, added on the first step of a bar
_AROUSAL = (-1.0, -EDGE, EDGE, 1.0)


@dataclass(frozen=True)
class Expression:
    """How a melody is played at one point."""

    tempo: float  # quarter notes per minute
    octave: float  # octaves up, not rounded
    loudness: float  # dB above low arousal


def expression_at(point: tuple[float, float]) -> Expression:
    """Return the expression at a point (valence, arousal) in [−1, 1]²."""
    valence, arousal = point
    positive_share = np.interp(valence, (-EDGE, EDGE), (0.0, 1.0))

    def interpolate(negative: tuple[float, ...], positive: tuple[float, ...]) -> float:
        """Interpolate values given at the arousals ``_AROUSAL``, for negative and positive valence."""
        low, high = (np.interp(arousal, _AROUSAL, values) for values in (negative, positive))
        return float((1 - positive_share) * low + positive_share * high)

    return Expression(
        tempo=interpolate((40, 69, 184, 228), (40, 69, 160, 184)),
        octave=interpolate((-1, -1, -2, -2), (0, 0, 0, 0)),
        loudness=interpolate((0, 0, 10, 10), (0, 0, 5, 5)),
    )


def velocity(decibels: float) -> int:
    """Return the MIDI velocity, 1 … 127, that is this much louder than ``BASE_VELOCITY``.

    A synthesiser's level grows by 40 log₁₀ of the velocity (SoundFont 2.04, section 8.4.2).
    """
    return int(np.clip(round(BASE_VELOCITY * 10 ** (decibels / 40)), 1, 127))


def decibels(velocity: float) -> float:
    """Return how much louder a MIDI velocity is than ``BASE_VELOCITY``: the inverse of ``velocity``."""
    return 40 * log10(velocity / BASE_VELOCITY)


def phrase_dynamics(step: int) -> float:
    """Return the change in loudness, in dB, of a note at a step: the swell of its phrase and its downbeat."""
    phase = step % PHRASE / PHRASE  # 0 … 1 within the phrase
    return SWELL * (2 * sin(pi * phase) - 1) + (DOWNBEAT if step % STEPS_PER_BAR == 0 else 0.0)
