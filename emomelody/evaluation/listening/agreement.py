"""How far listeners agree with each other."""

from __future__ import annotations

from typing import Literal

import krippendorff
import numpy as np

from emomelody.emotions.rule import Labels
from emomelody.evaluation.listening.arrays import AnswerArrays
from emomelody.evaluation.statistics import Figures
from emomelody.music.tokens import Floats

Level = Literal["nominal", "ordinal", "interval"]
DIGITS = 2  # of valence and arousal: a finer step is finer than a click, and takes memory by its square


def evaluate_agreement(answers: AnswerArrays) -> Figures:
    """Krippendorff's alpha of each question: 1 for perfect agreement, 0 for that of chance.

    K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), by the library ``krippendorff``:
    nominal for emotion and human, interval for valence and arousal, ordinal for musical.
    """
    valence, arousal = answers.placed.T.round(DIGITS)
    questions: dict[str, tuple[Labels | Floats, Level]] = {
        "emotion": (answers.emotions, "nominal"),
        "valence": (valence, "interval"),
        "arousal": (arousal, "interval"),
        "musical": (answers.musical, "ordinal"),
        "human": (answers.human.astype(int), "nominal"),
    }
    return {
        question: alpha(answers.listeners, answers.melodies, values, level)
        for question, (values, level) in questions.items()
    }


def alpha(listeners: Labels, melodies: Labels, values: Labels | Floats, level: Level) -> float | None:
    """Krippendorff's alpha of N values by listeners (N,) of melodies (N,), at a level of measurement.

    None where it is undefined: no melody has two answers, or all those of such melodies are the same.
    """
    table = np.full((listeners.max() + 1, melodies.max() + 1), np.nan)
    table[listeners, melodies] = values
    answered = ~np.isnan(table)
    pairable = answered.sum(0) > 1
    if len(np.unique(table[answered & pairable])) < 2:
        return None
    return float(krippendorff.alpha(table[:, pairable], level_of_measurement=level))
