"""The real melodies beside which ``evaluate`` puts a system's: what has to be found out of them just once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.data.dataset import Dataset, Split
from emomelody.errors import EmomelodyError
from emomelody.evaluation import distances, novelty
from emomelody.evaluation.judges import Classifier, agreement
from emomelody.models.checkpoint import Checkpoint
from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody
from emomelody.music.plane import Floats
from emomelody.music.rule import Labels, judge_by_rule
from emomelody.music.tokens import from_tokens


@dataclass(frozen=True)
class DataSplit:
    """Which melodies of the data a system learned from, (N,) each."""

    known: bool  # whether it learned from this data at all, as far as is known
    seen: NDArray[np.bool_]  # what it is measured against: where that is not known, everything
    held_out: NDArray[np.bool_]  # for comparison with the rest: where that is not known, a fifth by tune

    @classmethod
    def of(cls, dataset: Dataset, checkpoint: Checkpoint | None) -> DataSplit:
        """The sides of a model, or of a system that is known by its melodies only."""
        if checkpoint is not None and checkpoint.training["data"] == dataset.fingerprint:
            held_out = dataset.split(Split(checkpoint.training["split"]), checkpoint.training["seed"])
            return cls(True, ~held_out, held_out)
        everything = np.ones(len(dataset), dtype=bool)
        try:
            return cls(False, everything, dataset.split(Split.TUNE, 0))
        except EmomelodyError:  # too little to compare it with itself
            return cls(False, everything, ~everything)


class ReferenceSet:
    """The data, its sides for one system, what chance makes of each distance, the judges and their worth."""

    def __init__(self, dataset: Dataset, sides: DataSplit, judge_data: Dataset | None) -> None:
        self.dataset = dataset
        self.known, self.seen, self.held_out = sides.known, sides.seen, sides.held_out
        self.melodies = [from_tokens(tokens) for tokens in dataset.tokens]
        self.table = features.metrics_table(self.melodies)  # (N, 7)
        self.bands = {e: self._bands(e) for e in Emotion}
        tokens, held_out = dataset.tokens, self.held_out
        self.novelty = novelty.figures(tokens[held_out], tokens[~held_out]) if held_out.any() else None
        self._fit_judges(judge_data)

    def of(self, emotion: Emotion) -> NDArray[np.int64]:
        """The numbers of the seen melodies with that label."""
        return np.flatnonzero(self.seen & (self.dataset.labels == emotion.index))

    def histogram(self, emotion: Emotion, name: str) -> Floats:
        """The counts of a histogram of the seen melodies with that label, (n, bins)."""
        return features.counts([self.melodies[i] for i in self.of(emotion)], name)

    def _bands(self, emotion: Emotion) -> dict[str, float]:
        """What chance makes of each distance: between random halves of the seen melodies."""
        metrics, seed = self.table[self.of(emotion)], emotion.index
        return {
            name: distances.split_half_distance(metrics[:, column], distances.wasserstein, seed)
            for column, name in enumerate(features.METRIC_NAMES)
        } | {
            name: distances.split_half_distance(
                self.histogram(emotion, name), distances.histogram_distance, seed
            )
            for name in features.HISTOGRAMS
        }

    def _fit_judges(self, judge_data: Dataset | None) -> None:
        """The judges, and what they are worth on real melodies: those the system has not learned from."""
        data = judge_data or self.dataset
        chosen, where = np.ones(len(data), dtype=bool), "the judge data" if judge_data else "the data"
        if judge_data is None and self.known:
            chosen, where = self.held_out, "the held-out melodies"
        real = [from_tokens(tokens) for tokens in data.tokens[chosen]]
        labels, tunes = data.labels[chosen], data.tunes[chosen]
        by_rule = None if data.by_rule is None else float(data.by_rule[chosen].mean())
        self.judged: dict[str, Any] = {"melodies": len(real), "where": where, "labelled_by_rule": by_rule}
        self.judges: dict[str, Callable[[Sequence[Melody]], Labels]] = {"rule": judge_by_rule}
        self.worth = {"rule": agreement(judge_by_rule(real), labels)}
        try:
            classifier = Classifier(real, labels, tunes)
        except EmomelodyError as error:
            self.judged["no_classifier"] = str(error)
        else:
            self.judges["classifier"] = classifier.judge
            self.worth["classifier"] = agreement(classifier.cross_validated, labels)
