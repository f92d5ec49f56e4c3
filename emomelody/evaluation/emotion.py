"""Emotion: do generated melodies have the requested one? And are they valid before repair?

The rule and the classifier see notes only. The rule labels the training data where no better labels exist, so
a model trained on such data is measured by its own teacher; the classifier is a second opinion. A key finder
says whether the mode can be told from the notes, and a model of listeners' ratings what would be heard.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from emomelody.data.dataset import Dataset
from emomelody.data.tunes import FOLDS
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import Labels, judge_by_rule
from emomelody.errors import EmomelodyError
from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.statistics import Figures, Melodies, Rows, share
from emomelody.music import features
from emomelody.music.melody import Melody
from emomelody.music.tokens import HOLD, REST, Floats, Tokens, from_tokens, to_tokens
from emomelody.music.tonality import MINOR, find_keys
from emomelody.performance.listeners import CALM, rate, valence_and_arousal
from emomelody.performance.piece import arrange
from emomelody.performance.setting import EXPRESSIVE, PLAIN
from emomelody.sampling.request import Sample

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

TREES = 300
FEW_NOTES = 4
SETTINGS = {"plain": PLAIN, "expressive": EXPRESSIVE}
CALM_LEVELS = (0.0, -5.0, -10.0)  # dB: of the calm emotions, in the terms of the listening study
# Melodies by requested emotion, each with the target points of its bars; () for the emotion's corner.
Played = Mapping[Emotion, Sequence[tuple[Melody, tuple[tuple[float, float], ...]]]]
TONALITY: Rows = {
    "mode": ("requested mode found", "{:.1%}"),
    "mode_least": ("… in the emotion where it is found least", "{:.1%}"),
    "tonic": ("requested tonic found", "{:.1%}"),
    "real_mode": ("written mode of real melodies found", "{:.1%}"),
    "real_tonic": ("written tonic of real melodies found", "{:.1%}"),
}
VALIDITY: Rows = {
    "all_rests": ("all rests", "{:.1%}"),
    "hold_first": ("hold first", "{:.1%}"),
    "hold_after_rest": ("hold after a rest", "{:.1%}"),
    "few_notes": ("fewer than 4 notes", "{:.1%}"),
}


class Classifier:
    """A random forest (scikit-learn) on ``features.descriptors``, fitted on labelled melodies."""

    def __init__(self, melodies: Sequence[Melody], labels: Labels, tunes: Labels) -> None:
        """Fit to N melodies with notes, their labels 0–3 and the numbers of their tunes, (N,) each.

        ``cross_validated`` (N,) holds the label of each melody by a forest fitted on the other folds; no tune
        is in two folds. Raises EmomelodyError where there are too few melodies or tunes for five folds.
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
            warnings.simplefilter("ignore")  # a rare emotion may be missing from a fold
            self.cross_validated: Labels = cross_val_predict(_forest(), x, labels, groups=tunes, cv=folds)
        self._forest = _forest().fit(x, labels)

    def judge(self, melodies: Sequence[Melody]) -> Labels:
        """Label N melodies with notes: class indices 0–3, (N,)."""
        labels: Labels = self._forest.predict(np.stack([features.descriptors(m) for m in melodies]))
        return labels


class Judges:
    """The judges of emotion by name, and their accuracy on labelled real melodies.

    The real melodies are those of ``judge_data``, else the held-out ones, else all of the reference.
    """

    def __init__(self, reference: ReferenceSet, judge_data: Dataset | None) -> None:
        data = judge_data or reference.dataset
        chosen, where = np.ones(len(data), dtype=bool), "the judge data" if judge_data else "the data"
        if judge_data is None and reference.known:
            chosen, where = reference.held_out, "the held-out melodies"
        real = [from_tokens(tokens, data.meter) for tokens in data.tokens[chosen]]
        labels, tunes = data.labels[chosen], data.tunes[chosen]
        by_rule, by_tempo = (
            None if labelled is None else float(labelled[chosen].mean())
            for labelled in (data.by_rule, data.by_tempo)
        )
        self.judged_on: dict[str, Any] = {
            "melodies": len(real),
            "where": where,
            "labelled_by_rule": by_rule,
            "arousal_by_tempo": by_tempo,
        }
        self.judges: dict[str, Callable[[Sequence[Melody]], Labels]] = {"rule": judge_by_rule}
        self.accuracy = {"rule": agreement(judge_by_rule(real), labels)}
        try:
            classifier = Classifier(real, labels, tunes)
        except EmomelodyError as error:
            self.judged_on["no_classifier"] = str(error)
        else:
            self.judges["classifier"] = classifier.judge
            self.accuracy["classifier"] = agreement(classifier.cross_validated, labels)


def evaluate_emotion(melodies: Melodies, judges: Judges) -> Figures:
    """Share of melodies whose emotion is the requested one, by two judges that see the notes only.

    The rule counts onsets (more than ten are high arousal, in 3/4 and 6/8 more than seven) and compares the
    scale rates (more notes in C major than in C minor are positive valence). The classifier is a random
    forest (scikit-learn, 300 trees) on 22 features of a melody: the seven metrics, mean duration and
    interval, the share of rests, and each pitch class's share of the sounding time. It is fitted on labelled
    real melodies that the model was not trained on.

    "Real melodies" is each judge's agreement with the labels of those real melodies; the classifier's is
    cross-validated in five folds, and no tune is in two folds. Where those labels come from the rule, the
    rule's agreement with itself says little, unless it labelled arousal by onsets per second: it judges by
    onsets in four bars. "Arousal alone" and "valence alone" ask only for the right side of that axis. The
    confusion matrix has the requested emotion in rows and the judged emotion in columns.
    """
    requested = np.concatenate([np.full(len(melodies[e]), e.index) for e in Emotion])
    everything = [melody for e in Emotion for melody in melodies[e]]
    figures: Figures = {"judged_on": judges.judged_on}
    for name, judge in judges.judges.items():
        judged = judge(everything)
        confusion = {
            e.code: {j.code: share(judged[requested == e.index] == j.index) for j in Emotion} for e in Emotion
        }
        figures[name] = agreement(judged, requested) | {
            "confusion": confusion,
            "real": judges.accuracy[name],
        }
    return figures


def evaluate_tonality(melodies: Melodies, reference: ReferenceSet) -> Figures:
    """Do the notes establish their key? By a key finder that is told neither tonic nor mode.

    All melodies are in C, in major for positive valence and in minor for negative. The key finder correlates
    the durations of the pitch classes with the profiles of all 24 keys (Krumhansl and Kessler 1982); the
    first and the last note count 5 % more. "Mode" is the share of melodies whose key it finds in the
    requested mode, "tonic" with C as its tonic. "Real melodies" are the training melodies with the mode of
    their label.
    """
    everything = {e: np.stack([to_tokens(m) for m in melodies[e]]) for e in Emotion if melodies[e]}
    real = {e: reference.dataset.tokens[reference.of(e)] for e in Emotion if len(reference.of(e))}
    mode, tonic = found_keys(everything)
    real_mode, real_tonic = found_keys(real)
    return {
        "mode": mean_share(mode),
        "mode_least": min(mode.values(), default=None),
        "tonic": mean_share(tonic),
        "mode_by_emotion": mode,
        "tonic_by_emotion": tonic,
        "real_mode": mean_share(real_mode),
        "real_tonic": mean_share(real_tonic),
    }


def found_keys(tokens: Mapping[Emotion, Tokens]) -> tuple[dict[str, float], dict[str, float]]:
    """The shares of melodies (N, T) by emotion whose requested mode and tonic are found, by code."""
    keys = {e: find_keys(rows) for e, rows in tokens.items()}  # (N,) each
    mode = {e.code: float(((k >= MINOR) == (e.mode == "minor")).mean()) for e, k in keys.items()}
    tonic = {e.code: float((k % MINOR == 0).mean()) for e, k in keys.items()}
    return mode, tonic


def mean_share(shares: Mapping[str, float]) -> float | None:
    """The mean of shares by emotion; None if there are none."""
    return float(np.mean([*shares.values()])) if shares else None


def evaluate_listeners(played: Played, real: Figures) -> Figures:
    """Would listeners hear the requested emotion? By a linear model of published ratings.

    The model predicts how happy, scary (for angry), sad and peaceful (for relaxed) the 46 listeners of
    Eerola, Friberg and Bresin (2013) would rate a melody as it is played: from its notes per second, mean
    pitch, level, note length, and the mode that a key finder finds in the notes. The emotion heard is that of
    the highest rating, in standard deviations from the study's mean. The model generalises well for happy and
    sad, less for relaxed, and badly for angry melodies.

    "Expressive" is how ``sample`` plays by default, which follows another study, and "plain" is ``--plain``,
    everything at 120 BPM and one velocity. How loud the calm emotions are is a matter of taste: the figures
    are the lowest of 0, −5 and −10 dB relative to the middle level of the study. "Real melodies" are the
    training melodies, played at the corner of their label.
    """
    return {name: shares | {"real": real[name]} for name, shares in _heard(played).items()}


def heard_points(melodies: Sequence[Melody], points: Floats) -> Floats:
    """Valence and arousal (N, 2) that listeners would hear in melodies with notes played at points (N, 2)."""
    major = find_keys(np.stack([to_tokens(melody) for melody in melodies])) < MINOR  # (N,)
    targets = [(float(valence), float(arousal)) for valence, arousal in points]
    pieces = [
        arrange(melody, title="", emotion=Emotion.at(*target), trajectory=[target], setting=EXPRESSIVE)
        for melody, target in zip(melodies, targets, strict=True)
    ]
    (ratings,) = rate(pieces, major, [CALM])  # (N, 4)
    return valence_and_arousal(ratings)


def listeners_of_real(reference: ReferenceSet) -> Figures:
    """The shares of ``evaluate_listeners`` for the training melodies."""
    return _heard(at_corners({e: [reference.melodies[i] for i in reference.of(e)] for e in Emotion}))


def at_corners(melodies: Melodies) -> Played:
    """Melodies to be played at the corners of their emotions."""
    return {emotion: [(melody, ()) for melody in some] for emotion, some in melodies.items()}


def _heard(played: Played) -> dict[str, dict[str, float | None]]:
    """The share of melodies in which the requested emotion is heard, by setting, by emotion and of all."""
    right: dict[str, dict[str, Floats]] = {name: {} for name in SETTINGS}  # shares by level, (L,) each
    for emotion, melodies in played.items():
        if not melodies:
            continue
        major = find_keys(np.stack([to_tokens(melody) for melody, _ in melodies])) < MINOR  # (N,)
        for name, setting in SETTINGS.items():
            pieces = [
                arrange(melody, title="", emotion=emotion, trajectory=trajectory, setting=setting)
                for melody, trajectory in melodies
            ]
            heard = rate(pieces, major, CALM_LEVELS).argmax(2)  # (L, N)
            right[name][emotion.code] = (heard == emotion.index).mean(1)
    return {name: lowest_shares(by_level) for name, by_level in right.items()}


def lowest_shares(by_level: dict[str, Floats]) -> dict[str, float | None]:
    """The lowest of the shares at several levels, (L,) by emotion: by emotion, and of their mean."""
    shares: dict[str, float | None] = {code: float(values.min()) for code, values in by_level.items()}
    return shares | {"all": float(np.mean([*by_level.values()], 0).min()) if by_level else None}


def evaluate_validity(samples: Sequence[Sample]) -> Figures:
    """Flaws in the tokens that a model samples, before they are repaired, as shares of all melodies.

    "All rests" has no note at all (``sample`` then samples another). "Hold first" begins with a hold token,
    and "hold after a rest" has one after a rest: there is nothing to hold, so both become rests. "Few notes"
    has fewer than four notes.
    """
    silent = sum(s.silent_draws for s in samples)
    tokens = np.stack([s.tokens for s in samples])  # (N, T)
    after_rest = ((tokens[:, :-1] == REST) & (tokens[:, 1:] == HOLD)).any(1)
    return {
        "all_rests": silent / (silent + len(samples)),
        "hold_first": share(tokens[:, 0] == HOLD),
        "hold_after_rest": share(after_rest),
        "few_notes": share((tokens < REST).sum(1) < FEW_NOTES),
    }


def agreement(judged: Labels, labels: Labels) -> dict[str, float | None]:
    """Shares of equal labels of (N,) and (N,): by label, of all, and by the side of each axis alone."""
    signs = np.array([(e.valence, e.arousal) for e in Emotion])
    valence, arousal = (signs[judged] == signs[labels]).T
    by_label = {e.code: share(judged[labels == e.index] == e.index) for e in Emotion}
    return by_label | {"all": share(judged == labels), "arousal": share(arousal), "valence": share(valence)}


def _forest() -> RandomForestClassifier:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(TREES, min_samples_leaf=2, class_weight="balanced", random_state=0)
