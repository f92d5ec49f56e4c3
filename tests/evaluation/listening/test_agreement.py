"""Agreement between listeners, against published examples and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from evaluation.listening.simulated import write_test

from emomelody.evaluation.listening.agreement import Level, alpha, evaluate_agreement
from emomelody.evaluation.listening.answers import read_answers
from emomelody.evaluation.listening.arrays import AnswerArrays
from emomelody.music.tokens import Floats

# K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example C: four observers and twelve
# units.
NONE = np.nan
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
)


def alpha_of(table: Floats, level: Level) -> float | None:
    listeners, melodies = np.nonzero(~np.isnan(table))
    return alpha(listeners, melodies, table[listeners, melodies], level)


@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_published_example(level: Level, expected: float) -> None:
    assert alpha_of(OBSERVERS, level) == pytest.approx(expected, abs=5e-4)


def test_by_hand() -> None:
    """Of two listeners and three melodies, two agree: 1 − (n − 1) o₀₁ / (n₀ n₁) = 1 − 5 · 1 / (3 · 3)."""
    assert alpha_of(np.array([[0.0, 1, 0], [0, 1, 1]]), "nominal") == pytest.approx(4 / 9)


@pytest.mark.parametrize(
    "table",
    [
        np.array([[1.0, 2, 3]]),  # one listener
        np.array([[1.0, 1, NONE], [1, 1, 2]]),  # one answer where two answered
        np.array([[1.0, NONE], [NONE, 2]]),  # no melody in common
    ],
)
def test_undefined(table: Floats) -> None:
    assert alpha_of(table, "interval") is None


def test_of_valence_and_arousal_it_compares_variances(tmp_path: Path) -> None:
    """Where all listeners answer for all melodies: 1 − the mean variance within melodies / that of all."""
    answers = AnswerArrays.of(read_answers(write_test(tmp_path, 8, 0)).files)
    found = evaluate_agreement(answers)
    for axis, values in zip(("valence", "arousal"), answers.placed.T, strict=True):
        within = np.mean([values[answers.melodies == melody].var(ddof=1) for melody in range(60)])
        assert found[axis] == pytest.approx(1 - within / values.var(ddof=1), abs=1e-3)
