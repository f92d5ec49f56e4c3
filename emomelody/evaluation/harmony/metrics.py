"""Metrics of harmonised melodies, each a number for every melody.

CHE, CC, CTD, CTnCTR, PCS and MCTD are those of Y.-C. Yeh, W.-Y. Hsiao, S. Fukayama, T. Kitahara, B. Genchel,
H.-M. Liu, H.-W. Dong, Y. Chen, T. Leong and Y.-H. Yang, "Automatic melody harmonization with triad chords: a
comparative study", Journal of New Music Research 50(1), 2021 (arXiv:2001.02360). They have one chord per half
bar; here the first three take one per beat, so that it does not matter how a long chord is divided.

A metric is NaN for a melody that it says nothing of. N melodies, L labels of chords.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emomelody.evaluation.harmony.harmonised import CHORDS, Harmonised, Steps
from emomelody.evaluation.statistics import Rows
from emomelody.music.chords import Function, Quality, joined
from emomelody.music.melody import STEPS_PER_BEAT
from emomelody.music.tokens import Floats

METRICS: Rows = {
    "che": ("CHE, chord histogram entropy", "{:.2f}"),
    "cc": ("CC, chord coverage", "{:.2f}"),
    "ctd": ("CTD, chord tonal distance", "{:.3f}"),
    "ctnctr": ("CTnCTR, chord tone to non-chord tone ratio", "{:.3f}"),
    "chord_tones": ("… chord tones alone", "{:.3f}"),
    "pcs": ("PCS, pitch consonance score", "{:.3f}"),
    "mctd": ("MCTD, melody–chord tonal distance", "{:.3f}"),
    "rhythm": ("harmonic rhythm, chords per quarter note", "{:.3f}"),
    "cadence": ("dominant or subdominant to tonic at the end", "{:.1%}"),
    "tonic_end": ("last chord the tonic", "{:.1%}"),
}
STEP = 2  # semitones: as far as a proper non-chord tone lies from the next note
# Of the interval from a chord's note up to the melody's, 0–11 semitones: 1 for unison, thirds, fifth and
# sixths, 0 for the fourth, −1 for the others.
CONSONANCE = np.array([1, -1, -1, 1, 1, 0, -1, 1, 1, 1, -1, -1])
RADII = np.array([1.0, 1.0, 0.5])  # of the circles of fifths, minor thirds and major thirds
ANGLES = np.pi * np.array([7 / 6, 3 / 2, 2 / 3])  # on these circles, per semitone

_NOTES = np.array([[p in chord.pitch_classes for p in range(12)] for chord in CHORDS], dtype=float)  # (L, 12)
_PITCH_CLASSES = np.arange(12)
_INTERVALS = (_PITCH_CLASSES - _PITCH_CLASSES[:, None]) % 12  # (12, 12), from the chord's note up
_CONSONANCE = _NOTES @ CONSONANCE[_INTERVALS] / _NOTES.sum(1, keepdims=True)  # (L, 12), of the melody's note


def tonal_centroids(totals: Floats) -> Floats:
    """The tonal centroids of totals of pitch classes (N, 12), (N, 6).

    Each is the mean of its pitch classes on three circles: of fifths and of minor thirds with radius 1, of
    major thirds with radius 0.5. C. Harte, M. Sandler and M. Gasser, "Detecting harmonic change in musical
    audio", Audio and Music Computing for Multimedia workshop, 2006.
    """
    turns = ANGLES * _PITCH_CLASSES[:, None]  # (12, 3)
    points = np.concatenate([RADII * np.sin(turns), RADII * np.cos(turns)], 1)  # (12, 6)
    return np.asarray(totals @ points / totals.sum(1, keepdims=True))


_CENTROIDS = tonal_centroids(_NOTES)  # (L, 6)
_BETWEEN_CHORDS = np.linalg.norm(_CENTROIDS[:, None] - _CENTROIDS, axis=2)  # (L, L)
_TO_MELODY = np.linalg.norm(_CENTROIDS[:, None] - tonal_centroids(np.eye(12)), axis=2)  # (L, 12)


def metrics(harmonised: Sequence[Harmonised]) -> dict[str, Floats]:
    """All ``METRICS`` of N melodies, (N,) each, by name.

    ``che``: the entropy of the chords at the beats, in nats, 0 … ln of their number. ``cc``: how many
    different ones there are. ``ctd``: the mean distance of the chords at successive beats, of their tonal
    centroids, 0 where a chord goes on.
    ``ctnctr``: the share of the notes that are chord tones or proper non-chord tones, 0 … 1: those two
    semitones or fewer from the next note, a repeated one among them. A note over several chords counts with
    each. ``chord_tones``: the share of chord tones alone, because in a melody of steps most notes are proper.
    ``pcs``: the mean consonance of melody and chord notes, −1 … 1, and ``mctd``: the mean distance of their
    tonal centroids, 0 … about 2; both are means over the sixteenth steps at which a note and a chord sound.
    ``rhythm``: chords per quarter note of the time that has chords; equal successive ones are one.
    ``cadence``: 1 where the last chord is the tonic triad and the one before a dominant or subdominant, else
    0; ``tonic_end``: 1 where the last chord is the tonic triad, in minor also with the major third.
    """
    steps = Steps.of(harmonised)
    return {
        **_of_chords(steps),
        **_of_notes(steps),
        **_of_melody_and_chords(steps),
        "rhythm": _harmonic_rhythm(steps),
        **_ends(harmonised),
    }


def _of_chords(steps: Steps) -> dict[str, Floats]:
    """Entropy, coverage and tonal distance of the chords at the beats."""
    at = np.flatnonzero(steps.on_beat & (steps.label >= 0))  # (k,)
    label, melody = steps.label[at], steps.melody[at]
    size = len(CHORDS)
    counts = np.bincount(melody * size + label, minlength=steps.count * size).reshape(-1, size)  # (N, L)
    totals = counts.sum(1)  # (N,)
    shares = counts / np.maximum(totals, 1)[:, None]
    entropy = -(shares * np.log(np.where(counts > 0, shares, 1))).sum(1)
    follows = np.flatnonzero(melody[1:] == melody[:-1])
    distances = _BETWEEN_CHORDS[label[follows], label[follows + 1]]
    return {
        "che": np.where(totals > 0, entropy + 0.0, np.nan),  # + 0.0: no negative zero
        "cc": np.where(totals > 0, (counts > 0).sum(1), np.nan),
        "ctd": steps.mean(distances, at[follows]),
    }


def _of_notes(steps: Steps) -> dict[str, Floats]:
    """The shares of notes with a chord that are chord tones, and these or proper non-chord tones."""
    both = (steps.note >= 0) & (steps.chord >= 0)
    starts = np.ones(len(both), dtype=bool)
    starts[1:] = (np.diff(steps.note) != 0) | (np.diff(steps.chord) != 0)
    at = np.flatnonzero(both & starts)  # where a note meets a chord, (k,)
    first = np.flatnonzero((steps.note >= 0) & (np.diff(steps.note, prepend=-1) != 0))  # of each note, (K,)
    pitch, melody = steps.pitch[first], steps.melody[first]
    moves_by_step = np.zeros(len(first), dtype=bool)
    moves_by_step[:-1] = (np.abs(np.diff(pitch)) <= STEP) & (np.diff(melody) == 0)
    fits = _NOTES[steps.label[at], steps.pitch[at] % 12] > 0
    proper = moves_by_step[steps.note[at]]
    return {
        "ctnctr": steps.mean((fits | proper).astype(float), at),
        "chord_tones": steps.mean(fits.astype(float), at),
    }


def _of_melody_and_chords(steps: Steps) -> dict[str, Floats]:
    """Consonance and tonal distance where melody and chord sound."""
    at = np.flatnonzero((steps.note >= 0) & (steps.chord >= 0))
    label, pitch_class = steps.label[at], steps.pitch[at] % 12
    return {
        "pcs": steps.mean(_CONSONANCE[label, pitch_class], at),
        "mctd": steps.mean(_TO_MELODY[label, pitch_class], at),
    }


def _harmonic_rhythm(steps: Steps) -> Floats:
    """Chords per quarter note, (N,)."""
    at = np.flatnonzero(steps.chord >= 0)
    starts = np.diff(steps.chord[at], prepend=-1) != 0
    return steps.mean(starts * float(STEPS_PER_BEAT), at)


def _ends(harmonised: Sequence[Harmonised]) -> dict[str, Floats]:
    """Whether the chords close, and whether they end on the tonic, (N,) each."""
    cadence, tonic = np.full((2, len(harmonised)), np.nan)
    for number, one in enumerate(harmonised):
        chords = [timed.chord for timed in joined(one.chords)]
        if not chords:
            continue
        # Not by its function: a minor tune may end on a major tonic, and vi and iii have a tonic's function.
        tonic[number] = chords[-1].root == 0 and chords[-1].quality in (Quality.MAJOR, Quality.MINOR)
        before = chords[-2].function(one.mode) if len(chords) > 1 else None
        cadence[number] = tonic[number] and before in (Function.DOMINANT, Function.SUBDOMINANT)
    return {"cadence": cadence, "tonic_end": tonic}
