"""How a place on the plane is played: tempo, loudness and register, from a published listening study.

In the study of EMelodyGen (Zhou et al., Transactions on Artificial Intelligence 1(1), 2025) listeners named
the quadrant of 91 % of the melodies that were played so:

    happy    160–184 BPM               5 dB louder
    angry    184–228 BPM   2 octaves down   10 dB louder
    sad       40–69 BPM    1 octave down
    relaxed   40–69 BPM

Here the ranges run from the axes to the plane's edge, the calmest the slowest, and within ``EDGE`` of an axis
one quadrant's values go over into the next one's, so that they are continuous over the plane. The phrase
dynamics are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin

import numpy as np

from emomelody.music.melody import BARS, STEPS_PER_BAR

EDGE = 0.05  # distance from an axis where a quadrant's own values begin
CALM_VELOCITY = 64  # of the sad and the relaxed: leaves room for 10 dB and a phrase's middle below 127
PHRASE = BARS * STEPS_PER_BAR  # steps: what the models learned
SWELL = 1.0  # dB, up to the middle of a phrase, and down towards its ends
DOWNBEAT = 0.5  # dB on the first note of a bar
_AROUSAL = (-1.0, -EDGE, EDGE, 1.0)


@dataclass(frozen=True)
class Expression:
    """How one place is played."""

    tempo: float  # quarter notes per minute
    octave: float  # octaves up; not yet a whole number
    loudness: float  # dB above the calm quadrants'


def expression(point: tuple[float, float]) -> Expression:
    """The expression of a point (valence, arousal) in [−1, 1]²."""
    valence, arousal = point
    pleasant = np.interp(valence, (-EDGE, EDGE), (0.0, 1.0))

    def between(unpleasant: tuple[float, ...], positive: tuple[float, ...]) -> float:
        """The value at the point of two lines over ``_AROUSAL``, one on each side of valence 0."""
        low, high = (np.interp(arousal, _AROUSAL, line) for line in (unpleasant, positive))
        return float((1 - pleasant) * low + pleasant * high)

    return Expression(
        tempo=between((40, 69, 184, 228), (40, 69, 160, 184)),
        octave=between((-1, -1, -2, -2), (0, 0, 0, 0)),
        loudness=between((0, 0, 10, 10), (0, 0, 5, 5)),
    )


def velocity(decibels: float) -> int:
    """The MIDI velocity that sounds so much louder than ``CALM_VELOCITY``, 1 … 127.

    Synthesisers let the level grow by 40 log₁₀ of the velocity (SoundFont 2.04, 8.4.2).
    """
    return int(np.clip(round(CALM_VELOCITY * 10 ** (decibels / 40)), 1, 127))


def phrase_dynamics(step: int) -> float:
    """What a note at a step gains in its phrase of four bars, in dB: a swell, and a weight on downbeats."""
    place = step % PHRASE / PHRASE
    return SWELL * (2 * sin(pi * place) - 1) + (DOWNBEAT if step % STEPS_PER_BAR == 0 else 0.0)
