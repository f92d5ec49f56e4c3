"""What a melody measures: the paper's four metrics and the number of onsets."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np

from emomelody.melody import STEPS_PER_BEAT, Melody
from emomelody.plane import Floats


@dataclass(frozen=True)
class Metrics:
    """The paper's Table 3, computed by MusPy (``muspy.metrics``)."""

    pitch_range: float  # semitones between the highest and the lowest pitch
    pitches_used: float  # number of different pitches
    in_c_major: float  # share of the notes that belong to C major
    in_c_minor: float  # share of the notes that belong to C (natural) minor


METRIC_NAMES = {
    "pitch_range": "pitch range",
    "pitches_used": "pitches used",
    "in_c_major": "in C major",
    "in_c_minor": "in C minor",
}
assert list(METRIC_NAMES) == [field.name for field in fields(Metrics)]


def metrics(melody: Melody) -> Metrics:
    """The four metrics of a melody. Raises ValueError for one without notes, which has none."""
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
    )


def metrics_table(melodies: list[Melody]) -> Floats:
    """The four metrics of N melodies that have notes, (N, 4), in the order of ``METRIC_NAMES``."""
    return np.array([astuple(metrics(m)) for m in melodies], dtype=float).reshape(-1, 4)


def onsets(melody: Melody) -> int:
    """The number of note onsets: in windows of equal length, the note density."""
    return len(melody.notes)
