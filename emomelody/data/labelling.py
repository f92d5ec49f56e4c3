"""The labels of windows: those that their pieces were given, and the rule's for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emomelody.data import manifest
from emomelody.data.labels import Label
from emomelody.data.windows import PieceWindows, Window
from emomelody.emotions import rule
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import Arousal


@dataclass(frozen=True)
class Rule:
    """How the rule decides arousal for the melodies of one data folder."""

    arousal: Arousal
    threshold: float  # onsets per second above which arousal is high

    @classmethod
    def of(cls, pieces: Sequence[PieceWindows], arousal: Arousal) -> Rule:
        """The rule with its threshold.

        For ``quantile`` that is the middle of all windows, with those that have a label, so that a melody is
        compared with everything that the folder holds. If all are equally fast, or if there is one alone,
        there is no upper half, and the rule is ``time``.
        """
        if arousal is Arousal.QUANTILE:
            rates = [rule.onset_rate(w.melody, w.seconds) for piece in pieces for w in piece.windows]
            threshold = rule.halving_threshold(rates)
            return cls(Arousal.TIME, rule.THRESHOLD) if threshold is None else cls(arousal, threshold)
        return cls(arousal, rule.THRESHOLD)

    def label(self, piece: PieceWindows, window: Window) -> Label:
        """The label of a window: its piece's if that was given one, else by the rule."""
        if piece.source.label is not None:
            return piece.source.label
        mode = piece.key.mode
        # Training measures the notes itself, so that the point is only needed where the tempo counts.
        if self.arousal is Arousal.NOTES:
            return Label(rule.label_by_rule(window.melody, mode), manifest.BY_RULE, None, self.arousal)
        point = rule.point_by_rule(window.melody, mode, window.seconds, self.threshold)
        return Label(Emotion.at(*point), manifest.BY_RULE, point, self.arousal)
