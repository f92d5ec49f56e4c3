"""What a melody measures: the paper's four metrics, rhythm, and what a classifier hears emotion by.

MusPy computes what MusPy has (``muspy.metrics``), on our clean grid; rhythm is measured on the bar's
sixteen steps, as MusPy's depends on a file's resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from emomelody.music.melody import MAX_PITCH, STEPS_PER_BAR, STEPS_PER_BEAT, Melody
from emomelody.music.plane import Floats


@dataclass(frozen=True)
class Metrics:
    """The paper's Table 3, the first four, and what we put beside it."""

    pitch_range: float  # semitones between the highest and the lowest pitch
    pitches_used: float  # number of different pitches
    in_c_major: float  # share of the notes that belong to C major
    in_c_minor: float  # share of the notes that belong to C (natural) minor
    onsets: float  # number of notes: in windows of equal length, the note density
    pitch_class_entropy: float  # bits, 0 … log2 12, of the notes' pitch classes
    grooving_similarity: float  # 0 … 1, see ``grooving_similarity``

    @property
    def majorness(self) -> float:
        """In-C-major minus in-C-minor rate, −1 … 1: what valence goes by."""
        return self.in_c_major - self.in_c_minor


METRIC_NAMES = {
    "pitch_range": "pitch range",
    "pitches_used": "pitches used",
    "in_c_major": "in C major",
    "in_c_minor": "in C minor",
    "onsets": "onsets",
    "pitch_class_entropy": "pitch-class entropy (bits)",
    "grooving_similarity": "grooving similarity",
}
HISTOGRAMS = ("intervals", "durations")
PAPER_METRICS = list(METRIC_NAMES)[:4]  # the rows of its Table 3


def metrics(melody: Melody) -> Metrics:
    """The metrics of a melody. Raises ValueError for one without notes, which has none."""
    import muspy

    if not melody.notes:
        raise ValueError("a melody without notes has no metrics")
    notes = [muspy.Note(n.onset, n.pitch, n.duration) for n in melody.notes]
    music = muspy.Music(resolution=STEPS_PER_BEAT, tracks=[muspy.Track(notes=notes)])
    return Metrics(
        muspy.pitch_range(music),
        muspy.n_pitches_used(music),
        muspy.pitch_in_scale_rate(music, 0, "major"),
        muspy.pitch_in_scale_rate(music, 0, "minor"),
        len(melody.notes),
        muspy.pitch_class_entropy(music),
        grooving_similarity(melody),
    )


def metrics_table(melodies: list[Melody]) -> Floats:
    """The metrics of N melodies that have notes, (N, 7), in the order of ``METRIC_NAMES``."""
    return np.array([astuple(metrics(m)) for m in melodies], dtype=float).reshape(-1, len(METRIC_NAMES))


def column(table: Floats, name: str) -> Floats:
    """One metric of a table (N, 7), (N,)."""
    return np.asarray(table[:, list(METRIC_NAMES).index(name)])


def majorness(table: Floats) -> Floats:
    """In-C-major minus in-C-minor rates of a table of metrics (N, 7), (N,)."""
    return column(table, "in_c_major") - column(table, "in_c_minor")


def grooving_similarity(melody: Melody) -> float:
    """How alike the bars' rhythms are, 0 … 1; 1 for a single bar.

    The mean over all pairs of bars of 1 − (steps on which just one of the two has an onset) / 16: the GS of
    S.-L. Wu and Y.-H. Yang, "The Jazz Transformer on the Front Line" (2020), on sixteenths.
    """
    bars = np.zeros((-(-melody.steps // STEPS_PER_BAR), STEPS_PER_BAR), dtype=bool)  # (bars, 16)
    bars.flat[[note.onset for note in melody.notes]] = True
    differing = [(a ^ b).mean() for a, b in combinations(bars, 2)]
    return 1.0 - float(np.mean(differing)) if differing else 1.0


def intervals(melody: Melody) -> list[int]:
    """The steps from note to note in semitones, upwards positive: one less than there are notes."""
    return [b.pitch - a.pitch for a, b in pairwise(melody.notes)]


def durations(melody: Melody) -> list[int]:
    """The durations of the notes, in steps."""
    return [note.duration for note in melody.notes]


def contour(melody: Melody) -> Floats:
    """The pitch that sounds on each step, (steps,).

    A rest goes on with the note before it, the beginning with the first note; without notes it is 0.
    """
    if not melody.notes:
        return np.zeros(melody.steps)
    onsets = [note.onset for note in melody.notes]
    current = np.searchsorted(onsets, np.arange(melody.steps), side="right") - 1
    return np.array([note.pitch for note in melody.notes], dtype=float)[np.maximum(current, 0)]


def counts(melodies: Sequence[Melody], histogram: str) -> Floats:
    """How often each of N melodies has each interval, or each duration (``HISTOGRAMS``), (N, bins)."""
    measure, lowest = {"intervals": (intervals, -MAX_PITCH), "durations": (durations, 0)}[histogram]
    bins = 2 * MAX_PITCH + 1
    rows = [np.bincount(np.array(measure(m), dtype=int) - lowest, minlength=bins) for m in melodies]
    return np.array(rows, dtype=float).reshape(-1, bins)


def descriptors(melody: Melody) -> Floats:
    """What the classifier sees of a melody with notes, (22,): no tonic, tempo or register, which we set.

    The metrics, the mean duration and interval, the share of rest, and how long each pitch class sounds.
    """
    sounding: NDArray[np.int64] = np.zeros(12, dtype=np.int64)
    for note in melody.notes:
        sounding[note.pitch % 12] += note.duration
    moves = np.abs(intervals(melody) or [0])
    others = [np.mean(durations(melody)), np.mean(moves), 1 - sounding.sum() / melody.steps]
    return np.array([*astuple(metrics(melody)), *others, *(sounding / sounding.sum())])
