"""Attributes of a melody, inputs of emoreg-va's decoder besides the point.

They leave the point alone to say what emotion a melody has, and say what else it is like: how clearly it
establishes its mode and tonic, how far its pitches reach, whether it closes. Sampling asks for those of a
real tune (``emotions.plans``), but for a clearer mode: excerpts of chorales often establish none.

N melodies, T steps, D attributes. Attributes are in standard deviations of the chorales' from their mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emomelody.music.meter import Meter
from emomelody.music.tokens import REST, Floats, Tokens
from emomelody.music.tonality import has_closing_note, majorness, pitch_class_totals

# Mean and standard deviation of each attribute in the four-bar windows of the chorales.
SCALES = {
    "mode": (0.054, 0.137),  # how clear it is, see ``tonality.majorness``
    "tonic": (0.19, 0.15),  # share of the sounding time
    "scale": (1.61, 0.165),  # in-C-major rate plus in-C-minor rate
    "range": (7.4, 3.0),  # semitones
    "pitches": (5.2, 1.6),  # different ones
    "grooving": (0.925, 0.057),  # grooving similarity, see ``features.grooving_similarity``
    "closing": (0.24, 0.43),  # 1 for a closing note, else 0
    "register": (64.8, 4.6),  # mean pitch over the time
    "rise": (-0.6, 3.0),  # mean pitch of the second half minus that of the first, semitones
    "interval": (1.9, 0.68),  # mean size, semitones
    "repeats": (0.68, 0.21),  # share of the notes that begin as long after the note before as that one did
}
NAMES = tuple(SCALES)
MEANS, DEVIATIONS = np.array(list(SCALES.values())).T  # (D,) each
LARGEST = 3.0  # standard deviations
OUTLINE = np.isin(NAMES, ("register", "rise"))  # (D,), those that a melody's outline has as well
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)  # scales on C


def measure(tokens: Tokens, minor: NDArray[np.bool_], meter: Meter = Meter.FOUR_FOUR) -> Floats:
    """The attributes (N, D) of melodies (N, T) of whole bars, in C minor or major as ``minor`` (N,) says."""
    onset = tokens < REST  # (N, T)
    count = np.maximum(onset.sum(1), 1)  # (N,)
    used = np.zeros((len(tokens), REST), dtype=bool)  # (N, 128)
    rows, steps = np.nonzero(onset)
    used[rows, tokens[rows, steps]] = True
    lowest, highest = used.argmax(1), REST - 1 - used[:, ::-1].argmax(1)  # (N,)
    in_scale = np.isin(tokens % 12, _MAJOR) * 1.0 + np.isin(tokens % 12, _MINOR)  # (N, T)
    totals = pitch_class_totals(tokens)  # (N, 12)
    attributes = {
        "mode": np.where(minor, -1, 1) * majorness(totals),
        "tonic": totals[:, 0] / np.maximum(totals.sum(1), 1),
        "scale": (in_scale * onset).sum(1) / count,
        "range": np.maximum(highest - lowest, 0),
        "pitches": used.sum(1),
        "grooving": _grooving_similarity(onset, meter.bar),
        "closing": has_closing_note(tokens, meter),
        **_of_lines(tokens, onset),
    }
    values = np.stack([attributes[name] for name in NAMES], 1)
    return np.asarray(np.clip((values - MEANS) / DEVIATIONS, -LARGEST, LARGEST))


def _of_lines(tokens: Tokens, onset: NDArray[np.bool_]) -> dict[str, Floats]:
    """Register, rise, interval and repeats of N melodies (N, T) with these onsets (N, T), (N,) each."""
    steps = np.arange(tokens.shape[1])
    latest = np.maximum.accumulate(np.where(onset, steps, -1), 1)  # (N, T), the step of the last onset
    known = np.maximum(latest, onset.argmax(1)[:, None])  # before the first onset, that of the first
    pitch = np.take_along_axis(tokens, known, 1)  # (N, T)
    half = pitch.shape[1] // 2
    first, second = pitch[:, :half].mean(1), pitch[:, half:].mean(1)
    later = onset[:, 1:] & (latest[:, :-1] >= 0)  # (N, T - 1), the onsets but for the first
    size = np.abs(np.diff(pitch, axis=1))
    since = np.where(later, steps[1:] - latest[:, :-1], 0)  # (N, T - 1), from the onset before
    before = np.take_along_axis(np.pad(since, ((0, 0), (1, 0))), known, 1)[:, :-1]
    repeated = later & (since == before)
    return {
        "register": (first + second) / 2,
        "rise": second - first,
        "interval": (size * later).sum(1) / np.maximum(later.sum(1), 1),
        "repeats": repeated.sum(1) / np.maximum(later.sum(1) - 1, 1),
    }


def _grooving_similarity(onset: NDArray[np.bool_], bar: int) -> Floats:
    """``features.grooving_similarity`` of N melodies of several bars of P steps with onsets (N, T), (N,)."""
    bars = onset.reshape(len(onset), -1, bar).astype(float)  # (N, bars, P)
    count = bars.shape[1]
    ones = bars.sum(1)  # (N, P), the bars with an onset at each step
    differing = (ones * (count - ones)).sum(1) / bar  # over all pairs of bars
    return np.asarray(1 - differing / (count * (count - 1) / 2))
