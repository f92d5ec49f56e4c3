"""Chords under sampled melodies. The melodies stay as they are: chords have random numbers of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emomelody.harmony.model import HarmonyModel
from emomelody.sampling.request import Request, Sample

_CHORDS = 1  # after the seed and the number of a melody: a stream of random numbers of its own


def with_chords(model: HarmonyModel, request: Request, sample: Sample, number: int) -> Sample:
    """The sample with chords in the mode of each bar, tenser where its valence is low.

    ``number`` is that of the melody among those of the request. Melodies that share their random numbers
    share those of their chords.
    """
    shared = request.grid is not None or request.to is not None
    rng = np.random.default_rng([request.seed, 0 if shared else number, _CHORDS])
    valences = [point[0] for point in sample.trajectory]
    modes = request.modes(sample.trajectory)
    return replace(sample, chords=model.harmonise(sample.melody, modes, valences, rng))
