"""Voicing chords: a bass and three upper voices for each of them, which move as little as possible.

Two voices do not move in parallel fifths or octaves where that can be avoided.

The voicings of a sequence are chosen together, by the Viterbi algorithm: the best sequence has the least sum
of what each voicing costs by itself and what each movement costs. N chords, K voicings of a chord.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from emomelody.music.chords import Chord, Quality
from emomelody.music.melody import MAX_PITCH
from emomelody.music.tokens import Floats
from emomelody.performance.registers import RANGES

# Semitones, and MIDI pitches.
UPPER_LEAP = 5  # the largest movement of an upper voice between two chords, a fourth
BASS_LEAP = 12  # the largest movement of the bass
MUDDY = 48  # C3: above a lower note no other note is nearer than ``OPEN``
OPEN = 7  # a fifth
BASS, UPPER = (33, 52), (43, 76)  # lowest and highest pitch of the bass and of the upper voices of a piano
LEAST_BASS, LEAST_UPPER = 12, 24  # the same in semitones, on instruments that do not reach down there
WIDEST = 16  # from the lowest to the highest upper voice
MIDDLE = 58  # the mean pitch of the upper voices, where the melody leaves room for them
CLOSE = 9  # a width of the upper voices from which on they cost more
# What is to be avoided, in semitones by which the upper voices would rather move.
WRONG_SIDE = 12.0  # a note on the wrong side of the melody
FIRST_INVERSION = 3.0
WITHOUT_FIFTH, DOUBLED_THIRD = 1.0, 2.0
PER_SEMITONE_OFF = 0.25  # by which the mean of the upper voices is away from ``MIDDLE``
PER_SEMITONE_WIDE = 0.5  # by which they are wider than ``CLOSE``
PER_SEMITONE_OF_BASS = 0.25  # by which the bass moves
PARALLEL = 8.0  # two voices that move in parallel fifths or octaves
IMPOSSIBLE = 1000.0  # a leap; there may be no other way, as on an instrument of less than two octaves

_LOW, _HIGH = np.array([*combinations(range(4), 2)]).T  # the voices of each pair, (6,) each
_Voicings = NDArray[np.int64]  # (K, 4): bass, then the upper voices from low to high
_DIMINISHED = {Quality.DIMINISHED, Quality.HALF_DIMINISHED, Quality.DIMINISHED_SEVENTH}


@dataclass(frozen=True)
class Accompanied:
    """A chord to be voiced, and what is above it."""

    chord: Chord
    # Share 0 … 1 of its duration in which each MIDI pitch is on the wrong side of the melody, (128,) each.
    avoided_bass: tuple[float, ...]
    avoided_upper: tuple[float, ...]


def voice(chords: Sequence[Accompanied], program: int, leading_note: int) -> Sequence[tuple[int, ...]]:
    """The MIDI pitches of each chord: the bass, then three upper voices from low to high.

    They lie within the range of a General MIDI ``program``. The last chord is in root position. Sevenths, the
    thirds of dominant sevenths, a third that is the ``leading_note`` (a pitch class) and the roots of
    diminished chords are in one voice only.
    """
    if not chords:
        return []
    voicings = [_voicings(each.chord, program, leading_note) for each in chords]
    last = voicings[-1]
    voicings[-1] = last[last[:, 0] % 12 == chords[-1].chord.root]
    costs = [_cost(each, found) for each, found in zip(chords, voicings, strict=True)]  # N of (K,)
    best, origins = costs[0], []
    for (before, after), cost in zip(pairwise(voicings), costs[1:], strict=True):
        through = best[:, None] + _movement(before, after)  # (K before, K after)
        origins.append(through.argmin(0))
        best = through.min(0) + cost
    path = [int(best.argmin())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return [tuple(map(int, found[number])) for found, number in zip(voicings, reversed(path), strict=True)]


def compass(program: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The lowest and highest pitches of the bass and of the upper voices on a General MIDI program."""
    low, high = RANGES.get(program, (0, MAX_PITCH))
    bass = max(low, BASS[0])
    upper = max(low, UPPER[0])
    return (bass, min(high, max(BASS[1], bass + LEAST_BASS))), (
        upper,
        min(high, max(UPPER[1], upper + LEAST_UPPER)),
    )


@lru_cache(maxsize=512)
def _voicings(chord: Chord, program: int, leading_note: int) -> _Voicings:
    """The voicings (K, 4) of a chord in root position and first inversion, clear ones where there are any."""
    bass_range, upper_range = compass(program)
    classes = chord.pitch_classes
    # Only a seventh chord is clear without its fifth.
    needed = {pitch for number, pitch in enumerate(classes) if number != 2 or len(classes) == 3}
    upper_voices = [
        voices
        for voices in combinations([p for p in _pitches(*upper_range) if p % 12 in classes], 3)
        if voices[2] - voices[0] <= WIDEST
    ]
    found = [
        (bass, *voices)
        for bass in _pitches(*bass_range)
        if bass % 12 in classes[:2]
        for voices in upper_voices
        if bass < voices[0] and needed <= {pitch % 12 for pitch in (bass, *voices)}
    ]
    once = _once(chord, leading_note)
    good = [voices for voices in found if _is_clear(voices) and _is_single(voices, once)]
    # Some low instruments have no good one of all roots.
    return np.array(good if any(bass % 12 == chord.root for bass, *_ in good) else found)


def _once(chord: Chord, leading_note: int) -> set[int]:
    """The pitch classes of a chord that want to move by a step, and so are in one voice only."""
    root, third, _, *seventh = chord.pitch_classes
    once = set(seventh)
    if chord.quality is Quality.DOMINANT_SEVENTH or third == leading_note:
        once.add(third)
    if chord.quality in _DIMINISHED:
        once.add(root)
    return once


def _pitches(low: int, high: int) -> range:
    return range(low, high + 1)


def _is_clear(voices: Sequence[int]) -> bool:
    return all(low >= MUDDY or high - low >= OPEN for low, high in pairwise(voices))


def _is_single(voices: Sequence[int], once: set[int]) -> bool:
    doubled = [pitch % 12 for pitch in voices]
    return all(doubled.count(pitch) <= 1 for pitch in once)


def _cost(accompanied: Accompanied, voicings: _Voicings) -> Floats:
    """What each voicing (K, 4) of a chord costs by itself, (K,)."""
    upper, classes = voicings[:, 1:], voicings % 12
    _, third, fifth, *_ = accompanied.chord.pitch_classes
    low, high = upper[:, 0], upper[:, 2]
    cost = WRONG_SIDE * np.array(accompanied.avoided_bass)[voicings[:, 0]]
    cost += WRONG_SIDE * np.array(accompanied.avoided_upper)[upper].sum(1)
    cost += PER_SEMITONE_OFF * np.abs(upper.mean(1) - MIDDLE)
    cost += PER_SEMITONE_WIDE * np.maximum(high - low - CLOSE, 0)
    cost += FIRST_INVERSION * (classes[:, 0] == third)
    cost += WITHOUT_FIFTH * (classes != fifth).all(1)
    cost += DOUBLED_THIRD * ((classes == third).sum(1) > 1)
    return np.asarray(cost)


def _movement(before: _Voicings, after: _Voicings) -> Floats:
    """What the movement from each voicing (K₁, 4) to each of the next chord (K₂, 4) costs, (K₁, K₂)."""
    semitones = np.abs(before[:, None] - after[None])  # (K₁, K₂, 4)
    bass, upper = semitones[..., 0], semitones[..., 1:]
    cost = PER_SEMITONE_OF_BASS * bass + upper.sum(2) + PARALLEL * _parallels(before, after)
    return np.asarray(cost + IMPOSSIBLE * ((bass > BASS_LEAP) + (upper > UPPER_LEAP).sum(2)))


def _parallels(before: _Voicings, after: _Voicings) -> NDArray[np.int64]:
    """How many pairs of voices move from a fifth or octave to another in the same direction, (K₁, K₂)."""
    first, second = ((voices[:, _HIGH] - voices[:, _LOW]) % 12 for voices in (before, after))  # (K, 6)
    alike = (first[:, None] == second) & np.isin(first, (0, 7))[:, None]  # (K₁, K₂, 6)
    direction = np.sign(after - before[:, None])  # (K₁, K₂, 4)
    together = direction[..., _LOW] * direction[..., _HIGH] > 0
    return np.asarray((alike & together).sum(2))
