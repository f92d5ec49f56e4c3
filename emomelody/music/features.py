"""Features of a melody: the paper's metrics, rhythm, intervals, durations, and a classifier's input.

The metrics are MusPy's (``muspy.metrics``), except that rhythm is measured on the sixteenth steps of a bar,
because MusPy's groove consistency depends on the resolution of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from emomelody.music.melody import MAX_PITCH, STEPS_PER_BEAT, Melody
from emomelody.music.tokens import Floats


@dataclass(frozen=True)
class Metrics:
    """Metrics of one melody; the first four are those of the paper's table 3."""

    pitch_range: float  # semitones between the highest and the lowest pitch
    pitches_used: float  # number of different pitches
    in_c_major: float  # share of the notes that belong to C major, 0 … 1
    in_c_minor: float  # share of the notes that belong to C natural minor, 0 … 1
    onsets: float  # number of notes; note density in windows of equal length
    pitch_class_entropy: float  # bits, 0 … log2 12
    grooving_similarity: float  # 0 … 1, see ``grooving_similarity``

    @property
    def majorness(self) -> float:
        """The in-C-major minus the in-C-minor rate, −1 … 1: the labelling rule's measure of valence."""
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
PAPER_METRICS = list(METRIC_NAMES)[:4]  # the rows of the paper's table 3


def metrics(melody: Melody) -> Metrics:
    """Compute the metrics of a melody. Raises ValueError for a melody without notes."""
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
    """Compute the metrics of N melodies with notes, (N, 7), columns in the order of ``METRIC_NAMES``."""
    return np.array([astuple(metrics(m)) for m in melodies], dtype=float).reshape(-1, len(METRIC_NAMES))


def column(table: Floats, name: str) -> Floats:
    """Return one column (N,) of a table of metrics (N, 7)."""
    return np.asarray(table[:, list(METRIC_NAMES).index(name)])


def majorness(table: Floats) -> Floats:
    """Return the in-C-major minus the in-C-minor rates, (N,), of a table of metrics (N, 7)."""
    return column(table, "in_c_major") - column(table, "in_c_minor")


def grooving_similarity(melody: Melody) -> float:
    """Compute the similarity of the rhythms of all bars, 0 … 1; 1 for a single bar.

    Grooving pattern similarity of S.-L. Wu and Y.-H. Yang, "The Jazz Transformer on the Front Line" (2020),
    on sixteenths: the mean over all pairs of bars of 1 − (steps where exactly one has an onset) /
    (steps of a bar).
    """
    bars = np.zeros((melody.bars, melody.meter.bar), dtype=bool)  # (bars, steps of a bar)
    bars.flat[[note.onset for note in melody.notes]] = True
    differing = [(a ^ b).mean() for a, b in combinations(bars, 2)]
    return 1.0 - float(np.mean(differing)) if differing else 1.0


def intervals(melody: Melody) -> list[int]:
    """Return the intervals between consecutive notes in semitones, upwards positive."""
    return [b.pitch - a.pitch for a, b in pairwise(melody.notes)]


def durations(melody: Melody) -> list[int]:
    """Return the durations of the notes in steps."""
    return [note.duration for note in melody.notes]


def contour(melody: Melody) -> Floats:
    """Return the pitch at each step, (steps,).

    A rest keeps the pitch of the note before it; rests before the first note have its pitch. All 0 without
    notes.
    """
    if not melody.notes:
        return np.zeros(melody.steps)
    onsets = [note.onset for note in melody.notes]
    current = np.searchsorted(onsets, np.arange(melody.steps), side="right") - 1
    return np.array([note.pitch for note in melody.notes], dtype=float)[np.maximum(current, 0)]


def counts(melodies: Sequence[Melody], histogram: str) -> Floats:
    """Count the intervals or durations (``HISTOGRAMS``) of N melodies, (N, bins)."""
    measure, lowest = {"intervals": (intervals, -MAX_PITCH), "durations": (durations, 0)}[histogram]
    bins = 2 * MAX_PITCH + 1
    rows = [np.bincount(np.array(measure(m), dtype=int) - lowest, minlength=bins) for m in melodies]
    return np.array(rows, dtype=float).reshape(-1, bins)


def descriptors(melody: Melody) -> Floats:
    """Return the classifier's features of a melody in C with notes, (22,).

    They are the metrics, the mean duration (steps) and interval (semitones), the share of rests, and each
    pitch class's share of the sounding time. Register and tempo are left out: the setting chooses them.
    """
    sounding: NDArray[np.int64] = np.zeros(12, dtype=np.int64)
    for note in melody.notes:
        sounding[note.pitch % 12] += note.duration
    leaps = np.abs(intervals(melody) or [0])
    others = [np.mean(durations(melody)), np.mean(leaps), 1 - sounding.sum() / melody.steps]
    return np.array([*astuple(metrics(melody)), *others, *(sounding / sounding.sum())])
