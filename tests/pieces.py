"""Pieces that the tests of several packages write and read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import strategies as st

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import EmotionPath
from emomelody.music.chords import Chord, TimedChord
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.setting import PLAIN, Setting
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample
from emomelody.weights.checkpoint import bundled_weights, load_checkpoint

KEYS = ("C", "G", "D", "A", "E", "B", "F", "Bb", "Eb", "Ab", "Db", "F#", "C#", "G#")


@cache
def hundred_pieces() -> list[Piece]:
    """Sixty sampled melodies, ten along a path, and thirty random ones with pickups and syncopation."""
    return [*_sampled_pieces(), *_random_pieces()]


def _sampled_pieces() -> Iterator[Piece]:
    checkpoint = load_checkpoint(bundled_weights()["emoreg-va"])
    samples = [s for e in Emotion for s in sample(checkpoint, Request(15, e, seed=1))]
    samples += sample(checkpoint, Request(10, path=EmotionPath.parse("sad@0 happy@4"), bars=6, seed=1))
    for number, s in enumerate(samples):
        setting = Setting(KEYS[number % len(KEYS)], program=number)
        yield arrange(
            s.melody, title=f"m{number}", emotion=s.emotion, trajectory=s.trajectory, setting=setting
        )


def _random_pieces() -> Iterator[Piece]:
    rng = np.random.default_rng(0)
    for number in range(30):
        notes, step = [], int(rng.integers(0, 15))
        while step < 60:
            duration = int(rng.integers(1, 15))
            notes.append(Note(step, min(duration, 64 - step), int(rng.integers(55, 80))))
            step += duration + int(rng.choice([0, 0, 1, 2, 5, 19]))
        setting = replace(PLAIN, tonic=KEYS[number % len(KEYS)])
        emotion = list(Emotion)[number % 4]
        yield arrange(Melody(tuple(notes)), title=f"r{number}", emotion=emotion, setting=setting)


@cache
def pieces_in_other_meters() -> list[Piece]:
    """Twelve random pieces of eight bars, in 3/4 and 6/8 by turns, with rests, syncopation and sixteenths."""
    rng, found = np.random.default_rng(0), []
    for number in range(12):
        meter = (Meter.THREE_FOUR, Meter.SIX_EIGHT)[number % 2]
        notes, step, end = [], int(rng.integers(0, 5)), 8 * meter.bar
        while step < end:
            duration = min(int(rng.choice([1, 1, 2, 2, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10, 14])), end - step)
            notes.append(Note(step, duration, int(rng.integers(60, 80))))
            step += duration + int(rng.choice([0, 0, 0, 0, 0, 1, 2, 4, 13]))
        melody = Melody(tuple(notes), end, meter)
        setting = Setting(KEYS[number]) if number % 3 else replace(PLAIN, tonic=KEYS[number])
        found.append(arrange(melody, title=f"o{number}", emotion=list(Emotion)[number % 4], setting=setting))
    return found


def short_piece(setting: Setting = PLAIN, emotion: Emotion = Emotion.E3) -> Piece:
    """Return four bars: a pickup rest, a dotted quarter, a note across a barline, and an empty last bar."""
    notes = (Note(2, 6, 60), Note(8, 4, 63), Note(12, 8, 67), Note(20, 12, 68), Note(32, 16, 60))
    return arrange(
        Melody(notes), title="by-hand", emotion=emotion, trajectory=[(-0.5, -0.5)], setting=setting
    )


def quarters(*pitches: int) -> Melody:
    """Return a melody of 64 steps that begins with these quarter notes."""
    return Melody(tuple(Note(4 * i, 4, pitch) for i, pitch in enumerate(pitches)))


@st.composite
def melodies(draw: st.DrawFn) -> Melody:
    """Any melody of 64 steps, with repeated notes and with or without rests between notes."""
    notes, now = [], 0
    while now < 64:
        now += draw(st.integers(0, 6))
        duration = draw(st.integers(1, 10))
        if now + duration > 64:
            break
        notes.append(Note(now, duration, draw(st.integers(0, 127))))
        now += duration
    return Melody(tuple(notes))


def under_each_bar(melody: Melody, *names: str) -> tuple[TimedChord, ...]:
    """Chords of one bar each under a melody, the names again and again, and the first one in the last bar."""
    chords = [Chord.parse(name) for name in names]
    bar, last = melody.meter.bar, melody.bars - 1
    return tuple(
        TimedChord(
            bar * n, min(bar, melody.steps - bar * n), chords[n % len(chords)] if n < last else chords[0]
        )
        for n in range(melody.bars)
    )


@cache
def pieces_with_chords() -> list[Piece]:
    """Two sampled melodies of eight bars in each quadrant of the plane, with chords, in several keys."""
    checkpoint = load_checkpoint(bundled_weights()["emoreg-va"])
    found = []
    for number, emotion in enumerate([*Emotion, *Emotion]):
        names = ("C", "Am", "F", "G7") if emotion.mode == "major" else ("Cm", "Ab", "Fm7", "G7")
        (sampled,) = sample(checkpoint, Request(1, emotion, bars=8, seed=number))
        piece = arrange(
            sampled.melody,
            title=f"c{number}",
            emotion=emotion,
            trajectory=sampled.trajectory,
            setting=Setting(KEYS[number], program=73 if number % 2 else 0, chords_program=24),
            chords=under_each_bar(sampled.melody, *names),
        )
        found.append(piece)
    return found


def without_chords(piece: Piece) -> Piece:
    return replace(piece, chords=(), accompaniment=(), accompaniment_program=0)
