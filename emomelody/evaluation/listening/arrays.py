"""The answers of all listeners as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.rule import Labels
from emomelody.evaluation.listening.answers import AnswerFile
from emomelody.music.tokens import Floats


@dataclass(frozen=True)
class AnswerArrays:
    """N answers. Emotions are class indices 0–3, points (valence, arousal) in [−1, 1]²."""

    listeners: Labels  # (N,), which listener, 0, 1, …
    melodies: Labels  # (N,), which melody of the test, 0, 1, …
    systems: NDArray[np.str_]  # (N,)
    requested: Labels  # (N,)
    points: Floats  # (N, 2), requested; NaN where none was
    predicted: Labels  # (N,), by the listener judge
    emotions: Labels  # (N,), answered, as are the rest
    placed: Floats  # (N, 2)
    musical: Labels  # (N,), 1 … 7
    human: NDArray[np.bool_]  # (N,)

    @classmethod
    def of(cls, files: Sequence[AnswerFile]) -> AnswerArrays:
        """The answers of one or more files of one test, each by another listener."""
        pairs = [(number, answer) for number, file in enumerate(files) for answer in file.answers]
        answers = [answer for _, answer in pairs]
        stimuli = [answer.stimulus for answer in answers]
        nowhere = (np.nan, np.nan)
        return cls(
            listeners=np.array([number for number, _ in pairs]),
            melodies=np.unique([stimulus.melody for stimulus in stimuli], return_inverse=True)[1],
            systems=np.array([stimulus.system for stimulus in stimuli]),
            requested=np.array([stimulus.requested.index for stimulus in stimuli]),
            points=np.array([stimulus.point or nowhere for stimulus in stimuli], dtype=float),
            predicted=np.array([stimulus.predicted.index for stimulus in stimuli]),
            emotions=np.array([answer.emotion.index for answer in answers]),
            placed=np.array([(answer.valence, answer.arousal) for answer in answers]),
            musical=np.array([answer.musical for answer in answers]),
            human=np.array([answer.human for answer in answers]),
        )

    def __len__(self) -> int:
        return len(self.listeners)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> AnswerArrays:
        """Some of the answers; ``chosen`` is (N,)."""
        return AnswerArrays(*(getattr(self, field.name)[chosen] for field in fields(self)))
