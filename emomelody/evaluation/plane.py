"""The plane: where the encoder places melodies, and what the decoder makes of each point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from emomelody.data.dataset import Dataset
from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import placement, quadrants
from emomelody.emotions.rule import Labels, judge_by_rule
from emomelody.evaluation.emotion import heard_points
from emomelody.evaluation.presentation import paper
from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.statistics import (
    Figures,
    Rows,
    by_emotion,
    or_none,
    share,
    spearman,
    wilson_interval,
)
from emomelody.models.build import to_model
from emomelody.models.inference import encode_all
from emomelody.music import features
from emomelody.music.melody import BARS, Melody
from emomelody.music.meter import Meter
from emomelody.music.tokens import Floats, from_tokens
from emomelody.sampling.sampler import decode
from emomelody.sampling.targets import plan_along
from emomelody.weights.checkpoint import VA, Checkpoint

GRID = 21  # points on each axis of the plane
FAR = 0.25  # distance from both axes beyond which the quadrant of a point is clear
PLANE: Rows = {
    "as_requested": ("in the requested quadrant", "{:.1%}"),
    "far_as_requested": ("… of the points 0.25 and more from both axes", "{:.1%}"),
    "arousal": ("arousal with onsets (Spearman)", "{:+.2f}"),
    "arousal_high": ("… inside high arousal", "{:+.2f}"),
    "arousal_low": ("… inside low arousal", "{:+.2f}"),
    "valence": ("valence with majorness (Spearman)", "{:+.2f}"),
    "valence_high": ("… inside positive valence", "{:+.2f}"),
    "valence_low": ("… inside negative valence", "{:+.2f}"),
    "heard_arousal": ("arousal with the arousal heard (Spearman)", "{:+.2f}"),
    "heard_valence": ("valence with the valence heard (Spearman)", "{:+.2f}"),
    "silent": ("silent points", "{:.1%}"),
}
LATENT_SPACE: Rows = {
    "valence": ("z(0) with majorness (Spearman)", "{:+.2f}"),
    "arousal": ("z(1) with onsets (Spearman)", "{:+.2f}"),
    "sap": ("SAP", "{:.2f}"),
}


@dataclass(frozen=True)
class Grid:
    """Features of the melodies that a model decodes on a grid of G × G points, indexed [arousal, valence]."""

    axis: Floats  # the coordinates on both axes, (G,)
    onsets: Floats  # (G, G), 0 for silence
    majorness: Floats  # (G, G), NaN for silence


def evaluate_placement(checkpoint: Checkpoint, reference: ReferenceSet, means: Floats) -> Figures:
    """Placement accuracy D, the paper's table 2: does the encoder place melodies in the right quadrant?

    D_i, the paper's equation (9), is the share of the melodies labelled e_i whose latent mean lies in
    quadrant i. It is given for training and for held-out melodies. If the data is not the data that the
    weights were trained on (compared by a checksum), nothing is known about a split, and D is given for all
    of it ("unseen").

    The interval has 95 % confidence, by Wilson's method (``scipy.stats.binomtest``). The interval of the mean
    combines the four by R. G. Newcombe's method of variance estimates recovery.
    """
    labels = reference.dataset.labels
    splits = {"unseen": reference.seen}
    if reference.known:
        splits = {"training": reference.seen, "held_out": reference.held_out}
    _classes, moved = checkpoint.vocabulary.encode(reference.dataset.tokens)
    printed = paper.PLACEMENT.get(checkpoint.name)
    return {
        "octave_moves": moved,  # onsets whose pitch the weights do not know: moved by octaves
        "paper": None if printed is None else by_emotion(printed) | {"mean": float(np.mean(printed))},
        **{name: _accuracy(means[chosen], labels[chosen]) for name, chosen in splits.items()},
    }


def evaluate_latent_space(reference: ReferenceSet, means: Floats) -> Figures:
    """How well the two latent axes order all melodies of the data.

    z(0) is the valence axis: its Spearman rank correlation with majorness, the share of notes in C major
    minus the share in C minor. z(1) is the arousal axis: its rank correlation with the number of onsets. SAP
    is the separated attribute predictability of A. Kumar, P. Sattigeri and A. Balakrishnan (2018): how much
    better the best axis predicts an attribute than the other one (R² of a line), averaged over majorness and
    onsets; 1 is the best.
    """
    onsets = features.column(reference.table, "onsets")
    attributes = np.stack([features.majorness(reference.table), onsets])  # (2, N)
    r = np.corrcoef(means.T, attributes)[:2, 2:]  # (axis, attribute)
    best = np.sort(r**2, axis=0)
    return {
        "valence": spearman(means[:, 0], attributes[0]),
        "arousal": spearman(means[:, 1], attributes[1]),
        "sap": or_none(float((best[1] - best[0]).mean())),
    }


def evaluate_plane(checkpoint: Checkpoint, distribution: StyleDistribution | None) -> tuple[Figures, Grid]:
    """How well decoded melodies follow the requested point: one melody at each of 21 × 21 points.

    "In the requested quadrant" is the share of points whose melody the rule labels with the emotion of the
    point's quadrant, also of those points alone that are more than 0.25 away from both axes. The others are
    Spearman rank correlations (``scipy.stats.spearmanr``): of requested arousal with the number of onsets,
    and of requested valence with majorness, the share of notes in C major minus the share in C minor. They
    are taken over the whole plane and over each half of it: inside a half the emotion's label, which the
    decoders of the paper's models get too, explains little. A model that ignores the point scores 0, and 25 %
    in the requested quadrant. What is heard is predicted by a model of listeners' ratings for the melodies as
    ``sample`` plays them (see the emotion that listeners would hear): arousal is by how much the higher of
    the ratings of happy and scary exceeds the higher of sad and peaceful, valence by how much the higher of
    happy and peaceful exceeds the higher of scary and sad. Silent points have no note; they count as wrong,
    and their valence is left out.
    """
    axis = np.linspace(-1, 1, GRID)
    valence, arousal = (side.ravel() for side in np.meshgrid(axis, axis))  # (G²,) each
    points = np.stack([valence, arousal], 1)  # (G², 2)
    melodies = _decode_points(checkpoint, distribution, points)
    onsets = np.array([float(len(m.notes)) for m in melodies])
    sounding = onsets > 0
    majorness, judged = np.full(len(points), np.nan), np.full(len(points), -1)
    heard = np.zeros((0, 2))  # (sounding points, 2)
    notes = [m for m in melodies if m.notes]
    if notes:
        majorness[sounding] = features.majorness(features.metrics_table(notes))
        judged[sounding] = judge_by_rule(notes)
        heard = heard_points(notes, points[sounding])
    right = judged == quadrants(points)
    far = (np.abs(points) > FAR).all(1)
    high, low = arousal > 0, arousal < 0
    positive, negative = sounding & (valence > 0), sounding & (valence < 0)
    figures: Figures = {
        "as_requested": share(right),
        "far_as_requested": share(right[far]),
        "arousal": spearman(arousal, onsets),
        "arousal_high": spearman(arousal[high], onsets[high]),
        "arousal_low": spearman(arousal[low], onsets[low]),
        "valence": spearman(valence[sounding], majorness[sounding]),
        "valence_high": spearman(valence[positive], majorness[positive]),
        "valence_low": spearman(valence[negative], majorness[negative]),
        "heard_arousal": spearman(arousal[sounding], heard[:, 1]),
        "heard_valence": spearman(valence[sounding], heard[:, 0]),
        "silent": share(~sounding),
    }
    return figures, Grid(axis, onsets.reshape(GRID, GRID), majorness.reshape(GRID, GRID))


def latent_means(checkpoint: Checkpoint, dataset: Dataset) -> Floats:
    """The latent means (N, 2) of the data's melodies, as the paper's figures 5–7 show them."""
    classes, _moved = checkpoint.vocabulary.encode(dataset.tokens)  # (N, T)
    labels_or_meter = dataset.meter if checkpoint.name == VA else torch.from_numpy(dataset.labels)
    return encode_all(to_model(checkpoint), torch.from_numpy(classes), labels_or_meter)[0]


def _decode_points(
    checkpoint: Checkpoint, distribution: StyleDistribution | None, points: Floats
) -> list[Melody]:
    """Decode one melody at each of P points (P, 2), in a style and meter."""
    meter = distribution.meter if distribution else Meter.FOUR_FOUR
    latents = np.stack([checkpoint.plane.to_latent((v, a)) for v, a in points.tolist()])  # (P, 2)
    along = np.repeat(latents[:, None], BARS * meter.bar, 1)  # (P, T, 2)
    rngs = [np.random.default_rng([0, i]) for i in range(len(points))]
    plans = [plan_along(distribution, row, rng) for row, rng in zip(along, rngs, strict=True)]
    rows = decode(checkpoint, plans, quadrants(points), rngs, distribution=distribution)
    return [from_tokens(row, meter) for row in rows]


def _accuracy(means: Floats, labels: Labels) -> Figures:
    """D of each emotion and their mean, with intervals, of latent means (N, 2) and labels (N,)."""
    d = placement(means, labels)  # (4,)
    counts = np.bincount(labels, minlength=len(Emotion))
    hits = quadrants(means) == labels  # (N,)
    interval: dict[str, list[float] | None] = {}
    squares = np.zeros(2)  # squared distances of the two ends from D, summed over the emotions
    for emotion, placed in zip(Emotion, d, strict=True):
        ends = wilson_interval(hits[labels == emotion.index])
        interval[emotion.code] = ends
        if ends:
            squares += (np.array(ends) - placed) ** 2
    mean = float(np.nanmean(d))
    reach = np.sqrt(squares) / (counts > 0).sum()
    interval["mean"] = (mean + reach * (-1, 1)).tolist()
    return {**by_emotion(d), "mean": mean, "interval": interval, "examples": int(counts.sum())}
