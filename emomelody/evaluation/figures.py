"""Every figure of ``evaluate``, as one dictionary; no printing.

Each block is a function whose docstring is its definition, and stands under the block in the report. Shares
are 0 … 1, but D of formula (9), which is in percent as in the paper. A figure that cannot be had is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody
from emomelody.music.plane import Floats

Melodies = Mapping[Emotion, Sequence[Melody]]
Figures = dict[str, Any]


def _spearman(a: Floats, b: Floats) -> float | None:
    """Spearman's rank correlation; 0 where ``b`` never changes, None for fewer than two points."""
    from scipy.stats import spearmanr

    if len(a) < 2:
        return None
    return float(spearmanr(a, b).statistic) if np.ptp(b) > 0 and np.ptp(a) > 0 else 0.0


def _correlation(a: Floats, b: Floats) -> float:
    """Pearson's correlation; 0 where one of them never changes."""
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0


def _number(value: float) -> float | None:
    """NaN, which JSON does not know, as None."""
    return None if np.isnan(value) else value


def _by_emotion(values: Sequence[float] | Floats) -> dict[str, float | None]:
    return {e.code: _number(float(v)) for e, v in zip(Emotion, values, strict=True)}
