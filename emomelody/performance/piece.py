"""A melody with everything its files need, whatever their format: how it is played, note by note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import log
from typing import TypeVar

import numpy as np

from emomelody.emotions.emotion import Emotion, describe
from emomelody.emotions.path import Point
from emomelody.errors import EmomelodyError
from emomelody.music.chords import TimedChord, joined
from emomelody.music.melody import BARS, MAX_PITCH, STEPS_PER_BEAT, Melody, Note
from emomelody.music.meter import TimeSignature
from emomelody.music.tokens import HOLD, to_tokens
from emomelody.music.tonality import has_closing_note
from emomelody.performance.accompaniment import BarExpression, PlayedNote, accompany
from emomelody.performance.expression import (
    expression_at,
    octave_of,
    ritardando,
    tempo_at,
)
from emomelody.performance.playing import played_length, played_velocity
from emomelody.performance.registers import playable_octave
from emomelody.performance.setting import EXPRESSIVE, Setting

GLIDE = 4  # bars over which the tempo, loudness and note length of a path change, where its emotion does
RITARDANDO_BARS = 2  # the length of a ritardando at the end

_T = TypeVar("_T")


@dataclass(frozen=True)
class Piece:
    """One melody, ready to be written. Steps count sixteenths from 0."""

    title: str
    emotion: Emotion  # at the beginning
    trajectory: tuple[Point, ...]  # target (valence, arousal) of each bar; may be empty
    melody: Melody  # at sounding pitch
    velocities: tuple[int, ...]  # of each note, 1–127
    note_lengths: tuple[float, ...]  # how long each note sounds, as a share of its duration, up to 1
    keys: tuple[tuple[int, str], ...]  # (step, key signature such as ``F#`` or ``Am``), the first at 0
    tempos: tuple[tuple[int, float], ...]  # (step, quarter notes per minute), the first at 0
    octaves: tuple[tuple[int, int], ...]  # (step, octaves up from the sampled register), the first at 0
    program: int  # General MIDI, 0–127
    time_signature: TimeSignature  # that it is written with
    ritardando: int | None = None  # the step from which on the tempo falls towards the end
    chords: tuple[TimedChord, ...] = ()  # under the melody, at sounding pitch, each unlike the one before
    accompaniment: tuple[PlayedNote, ...] = ()  # their notes, by onset and pitch
    accompaniment_program: int = 0  # General MIDI, 0–127

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
        return _changes([describe(*point) for point in self.trajectory], self.melody.meter.bar)

    def key_at(self, step: int) -> str:
        """Return the key signature at a step."""
        return [key for at, key in self.keys if at <= step][-1]

    def octave_at(self, step: int) -> int:
        """Return how many octaves up from the sampled register a step is played."""
        return [octave for at, octave in self.octaves if at <= step][-1]


def arrange(
    melody: Melody,
    *,
    title: str,
    emotion: Emotion,
    trajectory: Sequence[Point] = (),
    modes: Sequence[str] = (),
    setting: Setting = EXPRESSIVE,
    chords: Sequence[TimedChord] = (),
) -> Piece:
    """Set a melody in C in the key, octave, tempo, loudness, note length and program of a setting.

    ``trajectory`` has the target point of each bar, without one the emotion's corner of the plane. It decides
    whatever the setting leaves to the emotion, and the mode of each bar where ``modes`` do not give it; the
    last of either holds for all further bars. ``chords`` are in C as well, in order, and are played under the
    melody. Raises EmomelodyError where a note would leave MIDI's pitches 0–127, and ValueError for chords
    that overlap or leave the melody.
    """
    corner = (float(emotion.valence), float(emotion.arousal))
    meter, bars = melody.meter, range(melody.bars)
    points = [trajectory[min(bar, len(trajectory) - 1)] if trajectory else corner for bar in bars]
    modes = [modes[min(bar, len(modes) - 1)] if modes else Emotion.at(*points[bar]).mode for bar in bars]
    octaves = _octaves(melody, points, setting)
    ritardando = _ritardando(melody, setting)
    tempos = _tempos(melody, points, setting, ritardando)
    notes = [(note, note.onset // meter.bar) for note in melody.notes]  # each with its bar
    loudness = _glide([expression_at(point).loudness for point in points])
    lengths = _glide([expression_at(point).note_length for point in points])
    sounding = Melody(
        tuple(_set_note(note, octaves[bar], setting) for note, bar in notes), melody.steps, meter
    )
    changes = joined(replace(each, chord=each.chord.transposed(setting.semitones)) for each in chords)
    by_bar = list(map(BarExpression, points, tempos[:: meter.bar // meter.beat], loudness, lengths))
    return Piece(
        title,
        emotion,
        tuple(trajectory),
        sounding,
        velocities=tuple(played_velocity(note.onset, loudness[bar], meter, setting) for note, bar in notes),
        note_lengths=tuple(played_length(note.duration, lengths[bar], setting) for note, bar in notes),
        keys=tuple((step, setting.key(mode)) for step, mode in _changes(modes, meter.bar)),
        tempos=_changes(tempos, meter.beat),
        octaves=_changes(octaves, meter.bar),
        program=int(setting.program),
        time_signature=TimeSignature.of(meter, setting.time_signature),
        ritardando=ritardando,
        chords=changes,
        accompaniment=accompany(sounding, changes, by_bar, setting),
        accompaniment_program=int(setting.chords_program),
    )


def _octaves(melody: Melody, points: Sequence[Point], setting: Setting) -> list[int]:
    """The octave of each bar. It changes only between phrases, and suits the instrument."""
    if setting.octave is not None:
        return [setting.octave] * len(points)
    wanted = [octave_of(Emotion.at(*points[bar - bar % BARS])) for bar in range(len(points))]
    octaves: list[int] = []
    for octave, same in groupby(wanted):
        first, last = len(octaves), len(octaves) + len(list(same))  # bars
        pitches = [
            note.pitch + setting.semitones
            for note in melody.notes
            if first <= note.onset // melody.meter.bar < last
        ]
        octaves += [playable_octave(pitches, int(setting.program), octave)] * (last - first)
    return octaves


def _ritardando(melody: Melody, setting: Setting) -> int | None:
    """The step from which on the tempo falls: in a melody of several phrases that ends on a closing note."""
    if setting.tempo is not None or melody.bars <= BARS or not melody.notes:
        return None
    tokens = to_tokens(melody)
    tokens[melody.notes[-1].onset + 1 :] = HOLD  # tunes with a pickup end on a rest
    closing = has_closing_note(tokens[None], melody.meter)[0]
    return melody.steps - RITARDANDO_BARS * melody.meter.bar if closing else None


def _tempos(
    melody: Melody, points: Sequence[Point], setting: Setting, ritardando_from: int | None
) -> list[float]:
    """The tempo of each beat, in quarter notes per minute; a whole number of beats where it is not fixed."""
    beats = range(0, melody.steps, melody.meter.beat)
    if setting.tempo is not None:
        return [setting.tempo] * len(beats)
    density = max(1, len(melody.notes)) / (melody.steps / STEPS_PER_BEAT)  # onsets per quarter note
    by_bar = np.exp(_glide([log(tempo_at(point, density)) for point in points])).tolist()
    tempos = [by_bar[step // melody.meter.bar] for step in beats]
    if ritardando_from is not None:
        length = melody.steps - ritardando_from
        shares = [ritardando(max(0, step - ritardando_from) / length) for step in beats]
        tempos = [tempo * share for tempo, share in zip(tempos, shares, strict=True)]
    beat = melody.meter.beat / STEPS_PER_BEAT  # quarter notes
    return [round(tempo / beat) * beat for tempo in tempos]


def _glide(values: Sequence[float]) -> list[float]:
    """A value for each bar: the mean over the ``GLIDE`` bars around it.

    Performers get faster or slower over some bars, where a path crosses an axis within one.
    """
    if len(set(values)) == 1:
        return list(values)
    padded = np.pad(values, (GLIDE // 2, GLIDE - 1 - GLIDE // 2), mode="edge")
    return [float(mean) for mean in np.convolve(padded, np.full(GLIDE, 1 / GLIDE), mode="valid")]


def _set_note(note: Note, octave: int, setting: Setting) -> Note:
    """Move a note to the setting's key and its bar's octave."""
    pitch = note.pitch + setting.semitones + 12 * octave
    if not 0 <= pitch <= MAX_PITCH:
        raise EmomelodyError(
            f"octave {octave:+d} moves a note outside MIDI's range: choose an octave nearer to 0"
        )
    return Note(note.onset, note.duration, pitch)


def _changes(values: Sequence[_T], steps: int) -> tuple[tuple[int, _T], ...]:
    """(step, value) of the first of values ``steps`` apart, and of each that differs from the one before."""
    return tuple(
        (number * steps, value)
        for number, value in enumerate(values)
        if number == 0 or value != values[number - 1]
    )
