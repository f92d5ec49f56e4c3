"""How performers play each point of the plane: notes per second, register, loudness and note length.

R. Bresin and A. Friberg (Cortex 47(9), 2011) let musicians choose the cues of given pieces for different
emotions; ``CHOICES`` has the means of what they chose, and is reached at the corners of the plane. In
between, the values are interpolated, so that they are continuous over the plane. A third of each difference
lies within ``EDGE`` of an axis, so that a point near an axis still belongs audibly to its quadrant.

A melody gets its notes per second by its tempo, as far as that stays within the tempos at which the listeners
of another study recognised the emotions (EMelodyGen: Zhou et al., Transactions on Artificial Intelligence
1(1), 2025). The dynamics and the ritardando are described at their functions.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import lru_cache
from math import log10, pi, sin

import numpy as np

from emomelody.emotions.emotion import Emotion
from emomelody.music.melody import BARS
from emomelody.music.meter import Meter

EDGE = 0.01  # distance from an axis within which a third of the difference between its sides lies
NEAR = 0.34  # the share of the other side that is left at that distance
BASE_VELOCITY = 64  # the velocity of 0 dB; leaves room below 127 for loud notes
CALM_TEMPOS, AROUSED_TEMPOS = (40, 69), (160, 228)  # quarter notes per minute, slowest and fastest
SWELL = 1.5  # dB, louder in the middle of a phrase and softer at its ends
DOWNBEAT = 0.5  # dB, added on the first step of a bar
RITARDANDO, CURVATURE = 0.6, 3.0  # share of the tempo at the end; see ``ritardando``


@dataclass(frozen=True)
class Expression:
    """How a melody is played at one point."""

    note_rate: float  # notes per second
    pitch: float  # mean MIDI pitch of what the musicians played
    loudness: float  # dB above ``BASE_VELOCITY``
    note_length: float  # how long a note sounds, as a share of its written duration, 0 … 1


CHOICES = {
    Emotion.E1: Expression(4.98, pitch=80, loudness=7.8, note_length=0.44),
    Emotion.E2: Expression(4.45, pitch=64, loudness=4.7, note_length=0.51),
    Emotion.E3: Expression(1.33, pitch=70, loudness=-13.4, note_length=0.84),
    Emotion.E4: Expression(2.23, pitch=75, loudness=-8.5, note_length=0.83),
}
MEAN_PITCH = float(np.mean([choice.pitch for choice in CHOICES.values()]))


@lru_cache(maxsize=256)  # all notes of a bar, and often of a melody, have the same point
def expression_at(point: tuple[float, float]) -> Expression:
    """The expression at a point (valence, arousal) in [−1, 1]²."""
    shares = [_share(e.valence * point[0]) * _share(e.arousal * point[1]) for e in CHOICES]
    return Expression(*np.average([astuple(choice) for choice in CHOICES.values()], 0, shares).tolist())


def _share(along: float) -> float:
    """The share, 0 … 1, of the side of an axis to which a coordinate ``along`` −1 … 1 points."""
    return float(np.interp(along, (-1, -EDGE, EDGE, 1), (0, NEAR, 1 - NEAR, 1)))


@lru_cache(maxsize=256)
def tempo_at(point: tuple[float, float], density: float) -> float:
    """The tempo (quarter notes per minute) at a point, of a melody with ``density`` onsets per quarter note.

    It gives the notes per second of the point, as far as they are within the tempos of its arousal.
    """
    slowest, fastest = (
        np.interp(point[1], (0, EDGE), tempos) for tempos in zip(CALM_TEMPOS, AROUSED_TEMPOS, strict=True)
    )
    return float(np.clip(60 * expression_at(point).note_rate / density, slowest, fastest))


def octave_of(emotion: Emotion) -> int:
    """Octaves up from a melody's own register, which is taken for the musicians' mean register."""
    return round((CHOICES[emotion].pitch - MEAN_PITCH) / 12)


def velocity(decibels: float) -> int:
    """The MIDI velocity, 1 … 127, that is this much louder than ``BASE_VELOCITY``.

    A synthesiser's level grows by 40 log₁₀ of the velocity (SoundFont 2.04, section 8.4.2).
    """
    return int(np.clip(round(BASE_VELOCITY * 10 ** (decibels / 40)), 1, 127))


def decibels(velocity: float) -> float:
    """How much louder a MIDI velocity is than ``BASE_VELOCITY``: the inverse of ``velocity``."""
    return 40 * log10(velocity / BASE_VELOCITY)


def phrase_dynamics(step: int, meter: Meter = Meter.FOUR_FOUR) -> float:
    """The change in loudness, in dB, of a note: the swell of its phrase of four bars, and its downbeat."""
    phrase = BARS * meter.bar  # steps
    phase = step % phrase / phrase  # 0 … 1 within the phrase
    return SWELL * (2 * sin(pi * phase) - 1) + (DOWNBEAT if step % meter.bar == 0 else 0.0)


def ritardando(progress: float) -> float:
    """The share of the tempo, 1 … ``RITARDANDO``, at ``progress`` 0 … 1 through the last bars of a melody.

    The final ritard of A. Friberg and J. Sundberg (Journal of the Acoustical Society of America 105(3),
    1999), a runner's way of stopping: (1 + (wᵠ − 1) x)^(1/q), with w the last tempo and q the curvature.
    """
    return float((1 + (RITARDANDO**CURVATURE - 1) * progress) ** (1 / CURVATURE))
