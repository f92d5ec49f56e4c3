"""What says which emotion a melody has: the labelling rule, and a classifier fitted on labelled melodies.

Both encode_melody the notes only. The rule labels the training data where nothing better does, so that a model trained
on such data is measured by its own teacher: the classifier is there to be asked as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emomelody.data.tunes import FOLDS
from emomelody.errors import EmomelodyError
from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody
from emomelody.music.rule import Labels

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

TREES = 300


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
