"""Every figure of ``evaluate``, as one dictionary; no printing.

Each block is a function whose docstring is its definition, and stands under the block in the report. Shares
are 0 … 1, but D of formula (9), which is in percent as in the paper. A figure that cannot be had is None.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from emomelody import distances, features, novelty, paper
from emomelody.checkpoint import Checkpoint
from emomelody.compose import closes
from emomelody.dataset import Dataset
from emomelody.emotion import Emotion
from emomelody.judges import Labels, agreement, judge_by_rule, label_by_rule, share
from emomelody.melody import WINDOW_STEPS, Melody
from emomelody.model import LATENT, encode_all
from emomelody.plane import Floats, placement, quadrants
from emomelody.real import Real, Sides
from emomelody.sample import Request, Sample, decode, draw_stops, hear, sample
from emomelody.tokens import HOLD, REST, Tokens, from_tokens, to_tokens
from emomelody.trajectory import Stop, interpolate
from emomelody.va import EmoregVA

GRID = 21  # points on each axis of the plane
FAR = 0.25  # from both axes: where a point's emotion is beyond doubt
FEW_NOTES = 4
PATH_BARS = 16
PATH_MELODIES = 50  # for each pair of emotions
TRANSFERRED = 100  # real melodies given other emotions
CONFIDENCE = 0.95

Melodies = Mapping[Emotion, Sequence[Melody]]
Figures = dict[str, Any]


@dataclass(frozen=True)
class Grid:
    """The plane as a model decodes it: axes (G,), onsets and majorness (G, G) by [arousal, valence]."""

    axis: Floats
    onsets: Floats  # 0 for silence
    majorness: Floats  # NaN for silence


@dataclass(frozen=True)
class Evaluation:
    """A system's figures, and what its pictures are drawn from."""

    name: str
    figures: Figures
    melodies: Melodies
    means: Floats | None = None  # latent means of the data, (N, 2)
    grid: Grid | None = None


def evaluate_placement(checkpoint: Checkpoint, real: Real, means: Floats) -> Figures:
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


def evaluate_latent_space(real: Real, means: Floats) -> Figures:
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


def evaluate_metrics(melodies: Melodies, real: Real) -> Figures:
    """Table 3: mean and deviation (population's) of each metric per emotion, beside the training melodies'.

    The first four are the paper's, by MusPy; pitch-class entropy (bits) is MusPy's, onsets are counted, and
    grooving similarity is S.-L. Wu and Y.-H. Yang's (2020), over all pairs of bars on sixteen steps. |Δμ|/σ
    (``gap``) is the distance of the means in deviations of the training melodies, ``mean_gap`` and
    ``worst_gap`` over the paper's 16 cells. W1 is the Wasserstein-1 distance of the two distributions in the
    metric's unit, and beside it stands what chance makes of it: the 95th percentile of W1 between random
    halves of the training melodies.
    """
    cells: dict[str, Figures] = {name: {} for name in features.METRIC_NAMES}
    gaps = []
    for emotion in Emotion:
        ours, theirs = features.metrics_table(list(melodies[emotion])), real.table[real.of(emotion)]
        for name in features.METRIC_NAMES:
            a, b = features.column(ours, name), features.column(theirs, name)
            both = len(a) > 0 and len(b) > 0
            gap = abs(a.mean() - b.mean()) / b.std() if both and np.ptp(b) > 0 else None
            cells[name][emotion.code] = {
                "generated": _moments(a),
                "training": _moments(b),
                "gap": gap,
                "w1": distances.wasserstein(a, b) if both else None,
                "w1_halves": _number(real.bands[emotion][name]),
            }
            if gap is not None and name in features.PAPER_METRICS:
                gaps.append(gap)
    return {
        "cells": cells,
        "mean_gap": float(np.mean(gaps)) if gaps else None,
        "worst_gap": max(gaps, default=None),
        "generated": {e.code: len(melodies[e]) for e in Emotion},
        "training": {e.code: len(real.of(e)) for e in Emotion},
    }


def evaluate_histograms(melodies: Melodies, real: Real) -> Figures:
    """How far the histograms of intervals (semitones) and of durations (steps) are from the training
    melodies'.

    The Jensen–Shannon distance of the pooled histograms per emotion: 0 for equal ones, 1 where they share
    nothing. Beside it stands what chance makes of it: the 95th percentile between random halves of the
    training melodies.
    """
    figures: Figures = {name: {} for name in features.HISTOGRAMS}
    for emotion in Emotion:
        for name in features.HISTOGRAMS:
            ours = features.counts(melodies[emotion], name)
            found = distances.histogram_distance(ours, real.histogram(emotion, name))
            figures[name][emotion.code] = {
                "distance": _number(found),
                "halves": _number(real.bands[emotion][name]),
            }
    return figures


def evaluate_emotion(melodies: Melodies, real: Real) -> Figures:
    """The share of melodies whose emotion is the one asked for, by two judges, which hear the notes only.

    The rule (``judges.label_by_rule``) goes by the number of onsets and by the scale rates. The classifier is
    a random forest on 22 descriptors of a melody, fitted on labelled melodies that no system learned from.
    Beside each stands what it is worth itself: its agreement with the labels of those real melodies, the
    classifier's cross-validated with no tune on both sides. Where those labels come from the rule, its own
    figure is a tautology. Arousal and valence are judged right where the quadrant lies on the right side of
    the axis. The confusion matrix has asked emotions in rows, judged ones in columns.
    """
    asked = np.concatenate([np.full(len(melodies[e]), e.index) for e in Emotion])
    everything = [melody for e in Emotion for melody in melodies[e]]
    figures: Figures = {"judged_on": real.judged}
    for name, judge in real.judges.items():
        judged = judge(everything)
        confusion = {
            e.code: {j.code: share(judged[asked == e.index] == j.index) for j in Emotion} for e in Emotion
        }
        figures[name] = agreement(judged, asked) | {"confusion": confusion, "real": real.worth[name]}
    return figures


def evaluate_novelty(melodies: Melodies, real: Real) -> Figures:
    """Whether the melodies are new: each against the nearest training melody, in any transposition.

    ``exact``, ``within_2`` and ``within_4`` are the shares of melodies that differ from it in none, at most
    two and at most four of the 64 steps; ``nearest`` is the median of that distance. ``passage`` is the
    median length, in notes, of the longest passage (same intervals, same times from onset to onset) that some
    training melody has too, ``passage_share`` its mean share of a melody's notes. ``distinct`` is the share
    of different melodies among the generated. Beside them stand the figures of real held-out melodies against
    the training melodies: what a composer of the same style would score.
    """
    tokens = np.stack([to_tokens(m) for e in Emotion for m in melodies[e]])
    return novelty.figures(tokens, real.dataset.tokens[real.seen]) | {"real": real.novelty}


def evaluate_plane(checkpoint: Checkpoint) -> tuple[Figures, Grid]:
    """What the plane does: a melody for each of 21 × 21 points, −1 … 1 on both axes.

    ``as_asked`` is the share of points whose melody the rule puts into the point's quadrant, ``far_as_asked``
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
        "as_asked": share(right),
        "far_as_asked": share(right[far]),
        "arousal": _spearman(arousal, onsets),
        "arousal_high": _spearman(arousal[arousal > 0], onsets[arousal > 0]),
        "arousal_low": _spearman(arousal[arousal < 0], onsets[arousal < 0]),
        "valence": _spearman(valence[sounding], majorness[sounding]),
        "valence_high": _spearman(valence[sounding & (valence > 0)], majorness[sounding & (valence > 0)]),
        "valence_low": _spearman(valence[sounding & (valence < 0)], majorness[sounding & (valence < 0)]),
        "silent": share(~sounding),
    }
    return figures, Grid(axis, onsets.reshape(GRID, GRID), majorness.reshape(GRID, GRID))


def evaluate_path(checkpoint: Checkpoint, real: Real) -> Figures:
    """What becomes of melodies whose emotion changes: 50 of sixteen bars for each ordered pair of emotions.

    The path leads from the first emotion, in bar 1, to the second, from bar 9 on. ``first`` and ``last`` are
    the shares whose first and last four bars the rule hears as asked, ``both`` those where it hears both.
    ``window_gap`` is the mean of |Δμ|/σ over table 3's 16 cells for the four-bar windows of as many melodies
    of one emotion. ``closing`` is the share that ends on a long tonic or dominant on a strong beat, beside
    that of the windows of real melodies (``closing_real``). Only of models that make melodies of any length.
    """
    pairs = list(itertools.permutations(Emotion, 2))
    stops = [(Stop(0, first, None), Stop(PATH_BARS // 2, second, None)) for first, second in pairs]
    tokens = _drawn_along(checkpoint, [*stops, *((Stop(0, e, None),) for e in Emotion)])  # (16, N, T)
    moving, still = tokens[: len(pairs)], tokens[len(pairs) :]
    hits = [
        [_heard(some[:, :WINDOW_STEPS]) == first.index, _heard(some[:, -WINDOW_STEPS:]) == second.index]
        for some, (first, second) in zip(moving, pairs, strict=True)
    ]
    closing = closes(moving.reshape(-1, moving.shape[-1]))
    windows = {
        e: [m for m in map(from_tokens, some.reshape(-1, WINDOW_STEPS)) if m.notes]
        for e, some in zip(Emotion, still, strict=True)
    }
    right = np.array(hits)  # (pairs, 2, N)
    return {
        "first": float(right[:, 0].mean()),
        "last": float(right[:, 1].mean()),
        "both": float(right.all(1).mean()),
        "window_gap": evaluate_metrics(windows, real)["mean_gap"],
        "closing": float(np.mean(closing)),
        "closing_real": float(closes(real.dataset.tokens).mean()),
    }


def evaluate_transfer(checkpoint: Checkpoint, real: Real) -> Figures:
    """Whether a melody can be given another emotion: up to 100 that the model has not learned from (where
    that is not known, any), each in all four.

    Their content is decoded at a place of each emotion. ``as_asked`` is the share whose emotion the rule
    hears as asked, ``contour`` the mean correlation (Pearson's) of the pitches that sound on each of the 64
    steps with the original's, both over the three other emotions; ``contour_own`` is that of the original's
    own emotion, ``contour_random`` that with another melody of the list. Only of models with a content.
    """
    chosen = np.flatnonzero(real.held_out if real.known else real.seen)
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(len(chosen), TRANSFERRED)).astype(int)]
    originals = [real.melodies[i] for i in chosen]  # M
    latents = np.stack([hear(checkpoint, melody) for melody in originals])  # (M, Z)
    lines = [features.contour(melody) for melody in originals]
    right, contours, own, random_pairs = [], [], [], []
    for emotion in Emotion:
        randoms = [np.random.default_rng([0, i]) for i in range(len(chosen))]
        along = np.stack([np.tile(checkpoint.plane.draw(emotion, r), (WINDOW_STEPS, 1)) for r in randoms])
        labels = np.full(len(chosen), emotion.index)
        made = decode(checkpoint, along, labels, randoms, content=latents[:, LATENT:])
        heard = _heard(made)
        for i, tokens in enumerate(made):
            line = features.contour(from_tokens(tokens))
            if real.dataset.labels[chosen[i]] == emotion.index:
                own.append(_correlation(line, lines[i]))
                continue
            right.append(heard[i] == emotion.index)
            contours.append(_correlation(line, lines[i]))
            random_pairs.append(_correlation(line, lines[i - len(lines) // 2]))
    return {
        "as_asked": share(np.array(right)),
        "contour": float(np.mean(contours)),
        "contour_own": float(np.mean(own)),
        "contour_random": float(np.mean(random_pairs)),
    }


def evaluate_validity(samples: Sequence[Sample]) -> Figures:
    """What the model makes before anything is repaired, as shares of the melodies it made.

    ``all_rests`` have no note at all (``sample`` draws another), ``hold_first`` begin by holding nothing,
    ``hold_after_rest`` hold nothing later on (both become rests), ``few_notes`` have fewer than four notes.
    """
    silent = sum(s.silent_draws for s in samples)
    tokens = np.stack([s.tokens for s in samples])
    after_rest = ((tokens[:, :-1] == REST) & (tokens[:, 1:] == HOLD)).any(1)
    return {
        "all_rests": silent / (silent + len(samples)),
        "hold_first": share(tokens[:, 0] == HOLD),
        "hold_after_rest": share(after_rest),
        "few_notes": share((tokens < REST).sum(1) < FEW_NOTES),
    }


def evaluate_models(
    checkpoints: Mapping[str, Checkpoint],
    dataset: Dataset,
    judge_data: Dataset | None = None,
    *,
    per_emotion: int,
    seeds: Sequence[int],
    on_step: Callable[[str], None] = lambda _what: None,
) -> list[Evaluation]:
    """Every block for each model, by the name it goes by; ``on_step`` hears of ``model_steps`` steps."""
    reals: dict[tuple[bool, bytes, bytes], Real] = {}
    found = []
    for name, checkpoint in checkpoints.items():
        sides = Sides.of(dataset, checkpoint)
        key = (sides.known, sides.seen.tobytes(), sides.held_out.tobytes())
        if key not in reals:
            reals[key] = Real(dataset, sides, judge_data)
        on_step("real melodies")
        evaluation = _evaluate_model(
            checkpoint, reals[key], per_emotion=per_emotion, seeds=seeds, name=name, on_step=on_step
        )
        found.append(evaluation)
    return found


def model_steps(models: int, seeds: int) -> int:
    """How often ``evaluate_models`` calls ``on_step``."""
    return models * (2 + 2 * seeds)


def evaluate_generated(
    generated: Dataset, dataset: Dataset, judge_data: Dataset | None = None, *, name: str
) -> Evaluation:
    """The blocks that need no model, for melodies of any system with the emotions they were asked for."""
    real = Real(dataset, Sides.of(dataset, None), judge_data)
    melodies = {
        e: [from_tokens(tokens) for tokens in generated.tokens[generated.labels == e.index]] for e in Emotion
    }
    figures = {"model": None, "name": name, **_measure(melodies, real), "deviation": None}
    return Evaluation(name, figures, melodies)


def latent_means(checkpoint: Checkpoint, dataset: Dataset) -> Floats:
    """The latent means (N, 2) of the data's melodies: what the paper's figures 5–7 show."""
    classes, _moved = checkpoint.vocabulary.encode(dataset.tokens)
    device = next(checkpoint.model.parameters()).device
    on_device = (torch.from_numpy(array).to(device) for array in (classes, dataset.labels))
    return encode_all(checkpoint.model, *on_device)[0]


def over_seeds(runs: Sequence[Figures]) -> tuple[Figures, Figures]:
    """Means and deviations (sample's) of every number in dictionaries of one shape, else the first value."""
    mean: Figures = {}
    deviation: Figures = {}
    for key, value in runs[0].items():
        values = [run[key] for run in runs]
        if isinstance(value, dict):
            mean[key], deviation[key] = over_seeds(values)
        elif all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            mean[key] = float(np.mean(values)) if len(set(values)) > 1 else value
            deviation[key] = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        else:
            mean[key] = value
    return mean, deviation


def _drawn_along(checkpoint: Checkpoint, ways: Sequence[tuple[Stop, ...]]) -> Tokens:
    """``PATH_MELODIES`` melodies along each of W ways over the plane, all in one go, tokens (W, N, T)."""
    along, randoms, labels = [], [], []
    for stops in ways:
        for number in range(PATH_MELODIES):
            random = np.random.default_rng([0, number])
            along.append(interpolate(stops, draw_stops(checkpoint.plane, stops, random), PATH_BARS))
            randoms.append(random)
            labels.append(stops[0].label.index)
    tokens = decode(checkpoint, np.stack(along), np.array(labels), randoms)
    return tokens.reshape(len(ways), PATH_MELODIES, -1)


def _heard(tokens: Tokens) -> Labels:
    """The rule's labels 0–3 of windows (N, T) cut from longer melodies, −1 for silence, (N,)."""
    melodies = map(from_tokens, tokens)
    return np.array([label_by_rule(m).index if m.notes else -1 for m in melodies])


def _measure(melodies: Melodies, real: Real) -> Figures:
    """The blocks that need nothing of a system but its melodies."""
    return {
        "metrics": evaluate_metrics(melodies, real),
        "histograms": evaluate_histograms(melodies, real),
        "emotion": evaluate_emotion(melodies, real),
        "novelty": evaluate_novelty(melodies, real),
    }


def _evaluate_model(
    checkpoint: Checkpoint,
    real: Real,
    *,
    per_emotion: int,
    seeds: Sequence[int],
    name: str,
    on_step: Callable[[str], None],
) -> Evaluation:
    """All blocks for a model; with several seeds means over them, and deviations under ``deviation``."""
    means = latent_means(checkpoint, real.dataset)
    plane, grid = evaluate_plane(checkpoint)
    on_step("plane")
    runs, first = [], None
    for seed in seeds:
        drawn = {e: sample(checkpoint, Request(per_emotion, e, seed=seed)) for e in Emotion}
        on_step("sampling")
        melodies = {e: [s.melody for s in samples] for e, samples in drawn.items()}
        everything = [s for samples in drawn.values() for s in samples]
        runs.append(_measure(melodies, real) | {"validity": evaluate_validity(everything)})
        on_step("measuring")
        first = first or melodies
    mean, deviation = over_seeds(runs)
    beyond = {}
    if isinstance(checkpoint.model, EmoregVA):
        beyond = {"path": evaluate_path(checkpoint, real), "transfer": evaluate_transfer(checkpoint, real)}
    figures = {
        "model": checkpoint.name,
        "name": name,
        "checksum": checkpoint.checksum,
        "seeds": list(seeds),
        "placement": evaluate_placement(checkpoint, real, means),
        "latent_space": evaluate_latent_space(real, means),
        "plane": plane,
        **beyond,
        **mean,
        "deviation": deviation if len(seeds) > 1 else None,
    }
    return Evaluation(name, figures, first or {}, means, grid)


def _placed(means: Floats, labels: Labels) -> Figures:
    from scipy.stats import binomtest

    d = placement(means, labels)
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


def _spearman(a: Floats, b: Floats) -> float | None:
    """Spearman's rank correlation; 0 where ``b`` never changes, None for fewer than two points."""
    from scipy.stats import spearmanr

    if len(a) < 2:
        return None
    return float(spearmanr(a, b).statistic) if np.ptp(b) > 0 and np.ptp(a) > 0 else 0.0


def _correlation(a: Floats, b: Floats) -> float:
    """Pearson's correlation; 0 where one of them never changes."""
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0


def _moments(values: Floats) -> Figures | None:
    return {"mean": float(values.mean()), "deviation": float(values.std())} if len(values) else None


def _number(value: float) -> float | None:
    """NaN, which JSON does not know, as None."""
    return None if np.isnan(value) else value


def _by_emotion(values: Sequence[float] | Floats) -> dict[str, float | None]:
    return {e.code: _number(float(v)) for e, v in zip(Emotion, values, strict=True)}
