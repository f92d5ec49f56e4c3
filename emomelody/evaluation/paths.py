"""Every figure of ``evaluate``, as one dictionary; no printing.

Each block is a function whose docstring is its definition, and stands under the block in the report. Shares
are 0 … 1, but D of formula (9), which is in percent as in the paper. A figure that cannot be had is None.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from emomelody.evaluation.figures import Figures, _correlation
from emomelody.evaluation.judges import share
from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.style import evaluate_metrics
from emomelody.models.checkpoint import Checkpoint
from emomelody.models.cvae import LATENT
from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.melody import WINDOW_STEPS
from emomelody.music.path import Waypoint, interpolate
from emomelody.music.rule import Labels, label_by_rule
from emomelody.music.tokens import Tokens, from_tokens
from emomelody.sampling.candidates import has_closing_note
from emomelody.sampling.sampler import decode, encode_melody, waypoint_latents

PATH_BARS = 16
PATH_MELODIES = 50  # for each pair of emotions
TRANSFERRED = 100  # real melodies given other emotions


def evaluate_path(checkpoint: Checkpoint, real: ReferenceSet) -> Figures:
    """What becomes of melodies whose emotion changes: 50 of sixteen bars for each ordered pair of emotions.

    The path leads from the first emotion, in bar 1, to the second, from bar 9 on. ``first`` and ``last`` are
    the shares whose first and last four bars the rule hears as asked, ``both`` those where it hears both.
    ``window_gap`` is the mean of |Δμ|/σ over table 3's 16 cells for the four-bar windows of as many melodies
    of one emotion. ``closing`` is the share that ends on a long tonic or dominant on a strong beat, beside
    that of the windows of real melodies (``closing_real``). Only of models that make melodies of any length.
    """
    pairs = list(itertools.permutations(Emotion, 2))
    stops = [(Waypoint(0, first, None), Waypoint(PATH_BARS // 2, second, None)) for first, second in pairs]
    tokens = _drawn_along(checkpoint, [*stops, *((Waypoint(0, e, None),) for e in Emotion)])  # (16, N, T)
    moving, still = tokens[: len(pairs)], tokens[len(pairs) :]
    hits = [
        [_heard(some[:, :WINDOW_STEPS]) == first.index, _heard(some[:, -WINDOW_STEPS:]) == second.index]
        for some, (first, second) in zip(moving, pairs, strict=True)
    ]
    closing = has_closing_note(moving.reshape(-1, moving.shape[-1]))
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
        "closing_real": float(has_closing_note(real.dataset.tokens).mean()),
    }


def evaluate_transfer(checkpoint: Checkpoint, real: ReferenceSet) -> Figures:
    """Whether a melody can be given another emotion: up to 100 that the model has not learned from (where
    that is not known, any), each in all four.

    Their content is decoded at a place of each emotion. ``as_requested`` is the share whose emotion the rule
    hears as asked, ``contour`` the mean correlation (Pearson's) of the pitches that sound on each of the 64
    steps with the original's, both over the three other emotions; ``contour_own`` is that of the original's
    own emotion, ``contour_random`` that with another melody of the list. Only of models with a content.
    """
    chosen = np.flatnonzero(real.held_out if real.known else real.seen)
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(len(chosen), TRANSFERRED)).astype(int)]
    originals = [real.melodies[i] for i in chosen]  # M
    latents = np.stack([encode_melody(checkpoint, melody) for melody in originals])  # (M, Z)
    lines = [features.contour(melody) for melody in originals]
    right, contours, own, random_pairs = [], [], [], []
    for emotion in Emotion:
        randoms = [np.random.default_rng([0, i]) for i in range(len(chosen))]
        along = np.stack([np.tile(checkpoint.plane.sample(emotion, r), (WINDOW_STEPS, 1)) for r in randoms])
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
        "as_requested": share(np.array(right)),
        "contour": float(np.mean(contours)),
        "contour_own": float(np.mean(own)),
        "contour_random": float(np.mean(random_pairs)),
    }


def _drawn_along(checkpoint: Checkpoint, ways: Sequence[tuple[Waypoint, ...]]) -> Tokens:
    """``PATH_MELODIES`` melodies along each of W ways over the plane, all in one go, tokens (W, N, T)."""
    along, randoms, labels = [], [], []
    for stops in ways:
        for number in range(PATH_MELODIES):
            random = np.random.default_rng([0, number])
            along.append(interpolate(stops, waypoint_latents(checkpoint.plane, stops, random), PATH_BARS))
            randoms.append(random)
            labels.append(stops[0].label.index)
    tokens = decode(checkpoint, np.stack(along), np.array(labels), randoms)
    return tokens.reshape(len(ways), PATH_MELODIES, -1)


def _heard(tokens: Tokens) -> Labels:
    """The rule's labels 0–3 of windows (N, T) cut from longer melodies, −1 for silence, (N,)."""
    melodies = map(from_tokens, tokens)
    return np.array([label_by_rule(m).index if m.notes else -1 for m in melodies])
