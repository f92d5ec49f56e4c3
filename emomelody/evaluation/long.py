"""Longer melodies than the windows of training: sampling them, and the key that they establish.

Only ``emoreg-va`` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.emotion import found_keys, mean_share
from emomelody.evaluation.sets import MelodySet
from emomelody.evaluation.statistics import Figures, Rows
from emomelody.music.melody import BARS
from emomelody.music.tokens import Tokens
from emomelody.music.tonality import has_closing_note
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample
from emomelody.weights.checkpoint import Checkpoint

LONG_BARS = (8, 16, 32)
KEY_BARS = LONG_BARS[:2]
LONG_MELODIES = 50  # of each emotion and length, or fewer where fewer of four bars are sampled
TUNE_BARS = 16  # of the melodies whose four-bar windows are tested, as long as most folk tunes
LONG: Rows = {
    f"{figure}_{bars}": (f"{title}, {bars} bars", "{:.1%}")
    for bars in KEY_BARS
    for figure, title in {
        "mode": "requested mode found",
        "tonic": "requested tonic found",
        "real_mode": "written mode of real melodies found",
        "real_tonic": "written tonic of real melodies found",
        "closing": "closing melodies",
    }.items()
}


def sample_long(
    checkpoint: Checkpoint, distribution: StyleDistribution, per_emotion: int, seed: int
) -> dict[int, MelodySet]:
    """Melodies of each emotion and number of bars in a style and meter, by their bars.

    Of sixteen bars so many that they have ``per_emotion`` windows of four or more for each emotion, and no
    fewer than of the others.
    """
    style, meter, fewest = distribution.style, distribution.meter, min(per_emotion, LONG_MELODIES)
    tunes = max(-(-per_emotion * BARS // TUNE_BARS), fewest)

    def tokens(emotion: Emotion, bars: int) -> Tokens:
        count = tunes if bars == TUNE_BARS else fewest
        request = Request(count, emotion, bars=bars, style=style, meter=meter, seed=seed)
        return np.stack([s.tokens for s in sample(checkpoint, request)])

    return {bars: MelodySet.generated({e: tokens(e, bars) for e in Emotion}, meter) for bars in LONG_BARS}


def evaluate_long(generated: Mapping[int, MelodySet], real: Mapping[int, MelodySet]) -> Figures:
    """The key that the notes of longer melodies establish: of 50 or more of each emotion and length.

    An evaluation of fewer melodies per emotion samples as few here. Mode and tonic are found as in four bars.
    "Real melodies" are the last 8 or 16 bars of pieces, of the whole data.
    """
    figures: Figures = {}
    for bars in KEY_BARS:
        by_emotion = generated[bars].by_emotion()
        mode, tonic = (mean_share(shares) for shares in found_keys(by_emotion))
        real_mode, real_tonic = (mean_share(shares) for shares in found_keys(real[bars].by_emotion()))
        closing = [has_closing_note(tokens, generated[bars].meter).mean() for tokens in by_emotion.values()]
        figures |= {
            f"mode_{bars}": mode,
            f"tonic_{bars}": tonic,
            f"real_mode_{bars}": real_mode,
            f"real_tonic_{bars}": real_tonic,
            f"closing_{bars}": float(np.mean(closing)),
        }
    return figures
