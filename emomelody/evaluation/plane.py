"""Every figure of ``evaluate``, as one dictionary; no printing.

Each block is a function whose docstring is its definition, and stands under the block in the report. Shares
are 0 … 1, but D of formula (9), which is in percent as in the paper. A figure that cannot be had is None.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emomelody.evaluation.figures import Figures, _spearman
from emomelody.evaluation.judges import share
from emomelody.models.checkpoint import Checkpoint
from emomelody.music import features
from emomelody.music.melody import WINDOW_STEPS
from emomelody.music.plane import Floats, quadrants
from emomelody.music.rule import judge_by_rule
from emomelody.music.tokens import from_tokens
from emomelody.sampling.sampler import decode

GRID = 21  # points on each axis of the plane
FAR = 0.25  # from both axes: where a point's emotion is beyond doubt


@dataclass(frozen=True)
class Grid:
    """The plane as a model decodes it: axes (G,), onsets and majorness (G, G) by [arousal, valence]."""

    axis: Floats
    onsets: Floats  # 0 for silence
    majorness: Floats  # NaN for silence


def evaluate_plane(checkpoint: Checkpoint) -> tuple[Figures, Grid]:
    """What the plane does: a melody for each of 21 × 21 points, −1 … 1 on both axes.

    ``as_requested`` is the share of points whose melody the rule puts into the point's quadrant, ``far_as_requested``
    of those farther than 0.25 from both axes. The others are Spearman's rank correlations of asked arousal
    with the number of onsets and of asked valence with the in-C-major minus the in-C-minor rate: over the
    plane, and inside each half of it, where the label alone, which the paper's decoders are given too,
    explains nothing. A model that ignores the point gets 0 (and a quarter as asked). ``silent`` is the share
    of points without any note; they count as not as asked, and for no correlation of valence.
    """
    axis = np.linspace(-1, 1, GRID)
    valence, arousal = (side.ravel() for side in np.meshgrid(axis, axis))
    points = np.stack([valence, arousal], 1)  # (G², 2)
    asked = quadrants(points)
    latents = np.stack([checkpoint.plane.to_latent((v, a)) for v, a in points.tolist()])
    along = np.repeat(latents[:, None], WINDOW_STEPS, 1)  # (G², T, 2)
    randoms = [np.random.default_rng([0, i]) for i in range(len(points))]
    melodies = [from_tokens(row) for row in decode(checkpoint, along, asked, randoms)]
    sounding = np.array([bool(m.notes) for m in melodies])
    onsets = np.array([float(len(m.notes)) for m in melodies])
    majorness, judged = np.full(len(points), np.nan), np.full(len(points), -1)
    notes = [m for m in melodies if m.notes]
    if notes:
        majorness[sounding] = features.majorness(features.metrics_table(notes))
        judged[sounding] = judge_by_rule(notes)
    right = judged == asked
    far = (np.abs(points) > FAR).all(1)
    figures: Figures = {
        "as_requested": share(right),
        "far_as_requested": share(right[far]),
        "arousal": _spearman(arousal, onsets),
        "arousal_high": _spearman(arousal[arousal > 0], onsets[arousal > 0]),
        "arousal_low": _spearman(arousal[arousal < 0], onsets[arousal < 0]),
        "valence": _spearman(valence[sounding], majorness[sounding]),
        "valence_high": _spearman(valence[sounding & (valence > 0)], majorness[sounding & (valence > 0)]),
        "valence_low": _spearman(valence[sounding & (valence < 0)], majorness[sounding & (valence < 0)]),
        "silent": share(~sounding),
    }
    return figures, Grid(axis, onsets.reshape(GRID, GRID), majorness.reshape(GRID, GRID))
