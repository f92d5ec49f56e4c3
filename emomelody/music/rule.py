"""The labelling rule: an emotion from the notes of a melody alone.

Arousal follows the number of onsets, valence the scale rates. The rule labels the training data where no
better labels exist. A model trained on such data is then measured by its own teacher, so
``evaluation.judges`` adds a classifier as a second opinion.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.key import find_key
from emomelody.music.melody import STEPS_PER_BEAT, Melody
from emomelody.music.plane import Floats

# Onsets per window up to which arousal is low. 342 of the paper's melodies are windows of known chorales. On
# them "more than 10 onsets" agrees with the experts' arousal for 97.7 % (9: 95.3 %, 11: 97.4 %, 12: 94.2 %).
# "A higher in-C-major than in-C-minor rate" agrees with their valence for 89.8 %; a margin of ±0.1 between
# the rates gives 84.2 % and 90.4 %. tests/data/test_paper_set.py measures both.
MAX_LOW_AROUSAL_ONSETS = 10
Labels = NDArray[np.int64]


def label_by_rule(melody: Melody, mode: str | None = None) -> Emotion:
    """Label a melody in C: arousal by its onsets, valence by its scale rates.

    Arousal is high with more than ``MAX_LOW_AROUSAL_ONSETS`` onsets. Valence is positive where the in-C-major
    rate exceeds the in-C-minor rate (MusPy's ``pitch_in_scale_rate``). Where the two are equal, ``mode``
    (major or minor) decides; without it, the mode of the key that music21 finds in the melody.
    Raises ValueError for a melody without notes.
    """
    measured = features.metrics(melody)
    valence = measured.majorness
    if valence == 0:
        valence = 1 if (mode or _find_mode(melody)) == "major" else -1
    return Emotion.at(valence, 1 if measured.onsets > MAX_LOW_AROUSAL_ONSETS else -1)


def valence_and_arousal(melodies: Sequence[Melody]) -> Floats:
    """Return the rule's two measures as continuous coordinates of N melodies with notes, (N, 2).

    Column 0 is valence: the in-C-major minus the in-C-minor rate, −1 … 1. Column 1 is arousal: log2 of the
    number of onsets over the rule's threshold, so that the sign is the rule's label.
    """
    table = features.metrics_table(list(melodies))
    arousal = np.log2(features.column(table, "onsets") / (MAX_LOW_AROUSAL_ONSETS + 0.5))
    return np.stack([features.majorness(table), arousal], 1)


def judge_by_rule(melodies: Sequence[Melody]) -> Labels:
    """Label N melodies with notes: class indices 0–3, (N,)."""
    return np.array([label_by_rule(melody).index for melody in melodies], dtype=np.int64)


def _find_mode(melody: Melody) -> str:
    sounding = ((note.pitch, Fraction(note.duration, STEPS_PER_BEAT)) for note in melody.notes)
    return find_key(sounding).mode
