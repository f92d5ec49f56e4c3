"""What says which emotion a melody has: the labelling rule, and a classifier fitted on labelled melodies.

Both hear the notes only. The rule labels the training data where nothing better does, so that a model trained
on such data is measured by its own teacher: the classifier is there to be asked as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emomelody import features
from emomelody.corpus import find_key
from emomelody.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.melody import STEPS_PER_BEAT, Melody
from emomelody.plane import Floats
from emomelody.tunes import FOLDS

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

# The threshold of the rule. 342 of the paper's melodies are found again among the chorales: 97.7 % of them
# have more than 10 onsets just where the experts heard high arousal (9: 95.3 %, 11: 97.4 %, 12: 94.2 %), and
# 89.8 % a higher in-C-major than in-C-minor rate just where they heard positive valence; a bar of ±0.1
# between the rates gives 84.2 % and 90.4 %. tests/test_paper_set.py measures it again.
MAX_CALM_ONSETS = 10
TREES = 300

Labels = NDArray[np.int64]


def label_by_rule(melody: Melody, mode: str | None = None) -> Emotion:
    """The emotion of a melody in C: arousal from its onsets, valence from its scale rates.

    High arousal is more than ``MAX_CALM_ONSETS`` onsets per window; positive valence is a higher in-C-major
    than in-C-minor rate (MusPy's). Between equal ones the key's ``mode`` decides, major or minor; without it
    that of the key which music21 finds in the melody.
    """
    measured = features.metrics(melody)
    valence = measured.majorness
    if valence == 0:
        valence = 1 if (mode or _find_mode(melody)) == "major" else -1
    return Emotion.at(valence, 1 if measured.onsets > MAX_CALM_ONSETS else -1)


def valence_and_arousal(melodies: Sequence[Melody]) -> Floats:
    """What the rule goes by as continuous coordinates, of N melodies with notes, (N, 2), valence first.

    Valence is the in-C-major minus the in-C-minor rate, −1 … 1. Arousal counts doublings of the number of
    onsets, from the middle between the rule's calm and aroused, so that 0 divides both as it divides the
    labels.
    """
    table = features.metrics_table(list(melodies))
    arousal = np.log2(features.column(table, "onsets") / (MAX_CALM_ONSETS + 0.5))
    return np.stack([features.majorness(table), arousal], 1)


def judge_by_rule(melodies: Sequence[Melody]) -> Labels:
    """The rule's labels 0–3 of N melodies with notes, (N,)."""
    return np.array([label_by_rule(melody).index for melody in melodies], dtype=np.int64)


class Classifier:
    """A random forest (scikit-learn) on ``features.descriptors``, fitted on labelled melodies."""

    def __init__(self, melodies: Sequence[Melody], labels: Labels, tunes: Labels) -> None:
        """Fit to N melodies with notes, their labels 0–3 and the numbers of their tunes, (N,) each.

        ``cross_validated`` (N,) are the labels that a forest gives each melody that was fitted on the other
        folds, no tune being in two of them: its accuracy on real melodies it has not seen. Raises
        EmomelodyError where there are too few melodies of an emotion, or too few tunes, for five folds.
        """
        from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

        x = np.stack([features.descriptors(melody) for melody in melodies])  # (N, 22)
        counts = np.bincount(labels, minlength=len(Emotion))
        if counts.min() < FOLDS or len(set(tunes.tolist())) < FOLDS:
            raise EmomelodyError(
                f"a classifier needs {FOLDS} melodies of each emotion and {FOLDS} tunes, and there are"
                f" {', '.join(map(str, counts))} of e1 … e4 and {len(set(tunes.tolist()))} tunes"
            )
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a small emotion may be missing from a fold
            self.cross_validated: Labels = cross_val_predict(_forest(), x, labels, groups=tunes, cv=folds)
        self._forest = _forest().fit(x, labels)

    def judge(self, melodies: Sequence[Melody]) -> Labels:
        """Labels 0–3 of N melodies with notes, (N,)."""
        labels: Labels = self._forest.predict(np.stack([features.descriptors(m) for m in melodies]))
        return labels


def agreement(judged: Labels, labels: Labels) -> dict[str, float | None]:
    """The shares judged like the labels, (N,) 0–3 each: per label, in all, and by the sign of each axis."""
    signs = np.array([(e.valence, e.arousal) for e in Emotion])
    valence, arousal = (signs[judged] == signs[labels]).T
    by_emotion = {e.code: share(judged[labels == e.index] == e.index) for e in Emotion}
    return by_emotion | {
        "all": share(judged == labels),
        "arousal": share(arousal),
        "valence": share(valence),
    }


def share(right: NDArray[np.bool_]) -> float | None:
    """The share that is true, None of nothing."""
    return float(right.mean()) if len(right) else None


def _forest() -> RandomForestClassifier:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(TREES, min_samples_leaf=2, class_weight="balanced", random_state=0)


def _find_mode(melody: Melody) -> str:
    sounding = ((note.pitch, Fraction(note.duration, STEPS_PER_BEAT)) for note in melody.notes)
    return find_key(Path("melody"), sounding).mode
