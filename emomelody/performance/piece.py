"""A melody with everything its files need, whatever their format: key, register, tempo, loudness, program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from emomelody.errors import EmomelodyError
from emomelody.music.emotion import Emotion, describe
from emomelody.music.melody import BARS, MAX_PITCH, STEPS_PER_BAR, STEPS_PER_BEAT, Melody, Note
from emomelody.performance.expression import expression_at, phrase_dynamics, velocity
from emomelody.performance.setting import PLAIN, Setting

_T = TypeVar("_T")


@dataclass(frozen=True)
class Piece:
    """One melody, ready to be written. Steps count sixteenths from 0."""

    title: str
    emotion: Emotion  # at the beginning
    trajectory: tuple[tuple[float, float], ...]  # target (valence, arousal) of each bar; may be empty
    melody: Melody  # at sounding pitch
    velocities: tuple[int, ...]  # of each note, 1–127
    keys: tuple[tuple[int, str], ...]  # (step, key signature such as ``F#`` or ``Am``), the first at 0
    tempos: tuple[tuple[int, float], ...]  # (step, quarter notes per minute), the first at 0
    octaves: tuple[tuple[int, int], ...]  # (step, octaves up from the sampled register), the first at 0
    program: int  # General MIDI, 0–127

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        ends = [step for step, _ in self.tempos[1:]] + [self.melody.steps]
        return sum(
            (end - step) / STEPS_PER_BEAT * 60 / tempo
            for (step, tempo), end in zip(self.tempos, ends, strict=True)
        )

    @property
    def description(self) -> str:
        """The emotion at the beginning in words; on an axis e.g. ``happy-angry`` or ``neutral``."""
        return describe(*self.trajectory[0]) if self.trajectory else self.emotion.title

    @property
    def sections(self) -> tuple[tuple[int, str], ...]:
        """The steps at which the description of the trajectory changes, as (step, description).

        The first is at step 0; empty without a trajectory.
        """
        return _changes([describe(*point) for point in self.trajectory])

    def key_at(self, step: int) -> str:
        """Return the key signature at a step."""
        return [key for at, key in self.keys if at <= step][-1]


def arrange(
    melody: Melody,
    *,
    title: str,
    emotion: Emotion,
    trajectory: Sequence[tuple[float, float]] = (),
    mode: str | None = None,
    setting: Setting = PLAIN,
) -> Piece:
    """Set a melody in C in the key, octave, tempo, loudness and program of a setting.

    ``trajectory`` has the target point of each bar. It decides the mode of each bar, and whatever the setting
    leaves to the emotion. Without a trajectory, every bar has the emotion's corner of the plane, and ``mode``
    or else the emotion's mode. Raises EmomelodyError where a note would leave MIDI's pitches 0–127.
    """
    corner = (float(emotion.valence), float(emotion.arousal))
    bars = range(-(-melody.steps // STEPS_PER_BAR))
    points = [trajectory[min(bar, len(trajectory) - 1)] if trajectory else corner for bar in bars]
    modes = [Emotion.at(*point).mode if trajectory else mode or emotion.mode for point in points]
    # The register changes only between phrases.
    octaves = [_octave(points[bar - bar % BARS], setting) for bar in bars]
    return Piece(
        title,
        emotion,
        tuple(trajectory),
        Melody(tuple(_set_note(note, octaves, setting) for note in melody.notes), melody.steps),
        tuple(_velocity(n.onset, points[n.onset // STEPS_PER_BAR], setting) for n in melody.notes),
        tuple((step, setting.key(mode)) for step, mode in _changes(modes)),
        _changes([_tempo(point, setting) for point in points]),
        _changes(octaves),
        int(setting.program),
    )


def _octave(point: tuple[float, float], setting: Setting) -> int:
    return setting.octave if setting.octave is not None else round(expression_at(point).octave)


def _tempo(point: tuple[float, float], setting: Setting) -> float:
    return setting.tempo if setting.tempo is not None else float(round(expression_at(point).tempo))


def _velocity(step: int, point: tuple[float, float], setting: Setting) -> int:
    if setting.velocity is not None:
        return setting.velocity
    return velocity(expression_at(point).loudness + phrase_dynamics(step))


def _set_note(note: Note, octaves: Sequence[int], setting: Setting) -> Note:
    """Move a note to the setting's key and its bar's octave."""
    octave = octaves[note.onset // STEPS_PER_BAR]
    pitch = note.pitch + setting.semitones + 12 * octave
    if not 0 <= pitch <= MAX_PITCH:
        raise EmomelodyError(
            f"octave {octave:+d} moves a note outside MIDI's range: choose an octave nearer to 0"
        )
    return Note(note.onset, note.duration, pitch)


def _changes(values: Sequence[_T]) -> tuple[tuple[int, _T], ...]:
    """Return (step, value) of the first bar and of each bar whose value differs from the one before."""
    return tuple(
        (bar * STEPS_PER_BAR, value)
        for bar, value in enumerate(values)
        if bar == 0 or value != values[bar - 1]
    )
