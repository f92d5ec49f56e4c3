"""How a single note is played: its velocity and its length, fixed by a setting or following the emotion."""

from __future__ import annotations

from emomelody.music.melody import STEPS_PER_BEAT
from emomelody.music.meter import Meter
from emomelody.performance.expression import decibels, phrase_dynamics, velocity
from emomelody.performance.setting import Setting

SHORTENED = STEPS_PER_BEAT  # steps: a longer note is cut by no more than one of this duration


def played_velocity(onset: int, loudness: float, meter: Meter, setting: Setting, change: float = 0.0) -> int:
    """The velocity, 1 … 127, of a note at a step, with the loudness of its bar and a change of it, in dB."""
    if setting.velocity is not None:
        return velocity(decibels(setting.velocity) + change)
    return velocity(loudness + phrase_dynamics(onset, meter) + change)


def played_length(duration: int, length: float, setting: Setting) -> float:
    """The share of its ``duration`` (steps) that a note sounds; ``length`` is the share of its bar."""
    if setting.note_length is not None:
        return setting.note_length
    silence = (1 - length) * min(duration, SHORTENED)  # steps
    return 1 - silence / duration
