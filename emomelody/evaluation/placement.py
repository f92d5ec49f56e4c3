"""Every figure of ``evaluate``, as one dictionary; no printing.

Each block is a function whose docstring is its definition, and stands under the block in the report. Shares
are 0 … 1, but D of formula (9), which is in percent as in the paper. A figure that cannot be had is None.
"""

from __future__ import annotations

import numpy as np
import torch

from emomelody.data.dataset import Dataset
from emomelody.evaluation import paper
from emomelody.evaluation.figures import Figures, _by_emotion, _number, _spearman
from emomelody.evaluation.reference import ReferenceSet
from emomelody.models.checkpoint import Checkpoint
from emomelody.models.inference import encode_all
from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.plane import Floats, placement
from emomelody.music.rule import Labels

CONFIDENCE = 0.95


def evaluate_placement(checkpoint: Checkpoint, real: ReferenceSet, means: Floats) -> Figures:
    """Table 2: placement accuracy D_i of formula (9) in percent, the share of the melodies labelled e_i whose
    latent mean lies in quadrant i, on training and held-out melodies.

    The interval holds the share with 95 % confidence by Wilson's method (scipy's ``binomtest``); that of the
    mean is made from the four by R. G. Newcombe's method of variance estimates recovery. Where the data is
    not what the weights were trained on (told by its fingerprint), there is no such division, and all of it
    stands under ``unseen``. ``octave_moves`` counts the onsets that had to be moved by octaves because the
    weights do not know their pitch.
    """
    labels = real.dataset.labels
    sides = {"training": real.seen, "held_out": real.held_out} if real.known else {"unseen": real.seen}
    _classes, moved = checkpoint.vocabulary.encode(real.dataset.tokens)
    printed = paper.PLACEMENT.get(checkpoint.name)
    return {
        "octave_moves": moved,
        "paper": None if printed is None else _by_emotion(printed) | {"mean": float(np.mean(printed))},
        **{name: _placed(means[chosen], labels[chosen]) for name, chosen in sides.items()},
    }


def evaluate_latent_space(real: ReferenceSet, means: Floats) -> Figures:
    """What each axis of the latent space knows, over all melodies of the data.

    ``valence`` and ``arousal`` are Spearman's rank correlations of z(0) with the in-C-major minus the
    in-C-minor rate and of z(1) with the number of onsets. ``sap`` is the separated attribute predictability
    of A. Kumar, P. Sattigeri and A. Balakrishnan (2018): how much better the best axis predicts an attribute
    than the next best (R² of a line), averaged over both attributes; 1 is the best.
    """
    attributes = np.stack([features.majorness(real.table), features.column(real.table, "onsets")])  # (2, N)
    r = np.corrcoef(means.T, attributes)[:2, 2:]  # (axis, attribute)
    best = np.sort(r**2, axis=0)
    return {
        "valence": _spearman(means[:, 0], attributes[0]),
        "arousal": _spearman(means[:, 1], attributes[1]),
        "sap": _number(float((best[1] - best[0]).mean())),
    }


def latent_means(checkpoint: Checkpoint, dataset: Dataset) -> Floats:
    """The latent means (N, 2) of the data's melodies: what the paper's figures 5–7 show."""
    classes, _moved = checkpoint.vocabulary.encode(dataset.tokens)
    device = next(checkpoint.model.parameters()).device
    on_device = (torch.from_numpy(array).to(device) for array in (classes, dataset.labels))
    return encode_all(checkpoint.model, *on_device)[0]


def _placed(means: Floats, labels: Labels) -> Figures:
    from scipy.stats import binomtest

    d = 100 * placement(means, labels)
    counts = np.bincount(labels, minlength=len(Emotion))
    interval: dict[str, list[float] | None] = {}
    squares = np.zeros(2)  # of what the ends lie away from the shares
    for emotion, placed, count in zip(Emotion, d, counts.tolist(), strict=True):
        if count == 0:
            interval[emotion.code] = None
            continue
        test = binomtest(round(placed / 100 * count), count).proportion_ci(CONFIDENCE, method="wilson")
        ends = 100 * np.array([test.low, test.high])
        interval[emotion.code] = ends.tolist()
        squares += (ends - placed) ** 2
    mean = float(np.nanmean(d))
    reach = np.sqrt(squares) / (counts > 0).sum()
    interval["mean"] = (mean + reach * (-1, 1)).tolist()
    return {**_by_emotion(d), "mean": mean, "interval": interval, "examples": int(counts.sum())}
