"""Paths and transfer: melodies whose emotion changes, and real melodies in another emotion.

Only ``emoreg-va`` can do both.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import EmotionPath, Waypoint
from emomelody.emotions.rule import Labels, label_by_rule
from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.statistics import Figures, Rows, correlation, share
from emomelody.evaluation.style import evaluate_metrics
from emomelody.music import features
from emomelody.music.form import Form
from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.music.tokens import Floats, Tokens, from_tokens
from emomelody.music.tonality import has_closing_note
from emomelody.sampling.own import encode_melodies
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import decode
from emomelody.sampling.targets import Target, plan_along
from emomelody.weights.checkpoint import Checkpoint
from emomelody.weights.config import LATENT

PATH_BARS = 16
PATH_MELODIES = 50  # along each path, or fewer
TRANSFERRED = 100  # real melodies given other emotions, or fewer
PATH: Rows = {
    "first": ("first four bars as requested", "{:.1%}"),
    "last": ("last four bars as requested", "{:.1%}"),
    "both": ("both ends as requested", "{:.1%}"),
    "window_gap": ("mean |Δμ|/σ of four-bar windows of one emotion", "{:.2f}"),
    "closing": ("closing melodies", "{:.1%}"),
    "closing_real": ("closing windows of real melodies", "{:.1%}"),
}
TRANSFER: Rows = {
    "as_requested": ("emotion as requested", "{:.1%}"),
    "contour": ("correlation of the contour with the original's", "{:+.2f}"),
    "contour_own": ("… in the original's own emotion", "{:+.2f}"),
    "contour_random": ("… with a different melody's", "{:+.2f}"),
}


def evaluate_path(
    checkpoint: Checkpoint,
    distribution: StyleDistribution,
    reference: ReferenceSet,
    count: int = PATH_MELODIES,
) -> Figures:
    """Melodies of sixteen bars whose emotion changes: 50 for each of the 12 ordered pairs of emotions.

    An evaluation of fewer melodies per emotion samples as few here.

    The path leads from the first emotion in bar 1 to the second one, which it reaches in bar 9 and keeps. The
    first and the last four bars are as requested where the rule labels them so; "both" is the share of
    melodies where it labels both ends so.

    Mean |Δμ|/σ is the one of table 3's 16 cells, here for all four-bar windows of as many sixteen-bar
    melodies of one emotion. Closing melodies end with a long tonic or dominant on a strong beat; the same
    share of the four-bar windows of real melodies stands below it.
    """
    pairs = list(itertools.permutations(Emotion, 2))
    moving = [
        _request(distribution, path=EmotionPath((Waypoint(0, first), Waypoint(PATH_BARS // 2, second))))
        for first, second in pairs
    ]
    constant = [_request(distribution, emotion=emotion) for emotion in Emotion]
    tokens = _sample_all(checkpoint, [*moving, *constant], count)  # (12 + 4, N, T)
    meter, size = distribution.meter, BARS * distribution.meter.bar
    changing, steady = tokens[: len(pairs)], tokens[len(pairs) :]
    hits = np.array(
        [
            [_judge(some[:, :size], meter) == first.index, _judge(some[:, -size:], meter) == second.index]
            for some, (first, second) in zip(changing, pairs, strict=True)
        ]
    )  # (pairs, 2, N)
    windows = {
        e: [m for m in (from_tokens(row, meter) for row in some.reshape(-1, size)) if m.notes]
        for e, some in zip(Emotion, steady, strict=True)
    }
    closing = has_closing_note(changing.reshape(-1, changing.shape[-1]), meter)
    return {
        "first": float(hits[:, 0].mean()),
        "last": float(hits[:, 1].mean()),
        "both": float(hits.all(1).mean()),
        "window_gap": evaluate_metrics(windows, reference)["mean_gap"],
        "closing": float(np.mean(closing)),
        "closing_real": float(has_closing_note(reference.dataset.tokens, meter).mean()),
    }


def evaluate_transfer(
    checkpoint: Checkpoint,
    distribution: StyleDistribution,
    reference: ReferenceSet,
    count: int = TRANSFERRED,
) -> Figures:
    """Real melodies in another emotion: up to 100 held-out melodies, each in all four emotions.

    An evaluation of fewer melodies per emotion takes as few here.

    Where it is not known what the model was trained on, any melodies are taken. The melody is encoded, and
    its content is decoded, with its form, at a point sampled from each emotion's region. "As requested" is
    the share that the rule labels with the requested emotion. The contour is the pitch at each step; its
    correlation (Pearson's) with the original's contour is averaged over the melodies. Both are taken over the
    three other emotions. Below stand the contour's correlation in the original's own emotion, and, for
    comparison, with a different melody.
    """
    chosen = np.flatnonzero(reference.held_out if reference.known else reference.seen)
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(len(chosen), count)).astype(int)]
    originals = [reference.melodies[i] for i in chosen]  # M
    labels = reference.dataset.labels[chosen]  # (M,)
    contents = encode_melodies(checkpoint, originals)[:, LATENT:]  # (M, C)
    contours = [features.contour(melody) for melody in originals]
    meter = distribution.meter
    forms = [Form.of(tokens, meter.bar) for tokens in reference.dataset.tokens[chosen]]
    right, other, own, unrelated = [], [], [], []
    for emotion in Emotion:
        decoded = _decode_contents(checkpoint, distribution, contents, forms, emotion)  # (M, T)
        judged = _judge(decoded, meter)
        for i, tokens in enumerate(decoded):
            contour = features.contour(from_tokens(tokens, meter))
            if labels[i] == emotion.index:
                own.append(correlation(contour, contours[i]))
                continue
            right.append(judged[i] == emotion.index)
            other.append(correlation(contour, contours[i]))
            unrelated.append(correlation(contour, contours[i - len(contours) // 2]))
    return {
        "as_requested": share(np.array(right)),
        "contour": float(np.mean(other)),
        "contour_own": float(np.mean(own)),
        "contour_random": float(np.mean(unrelated)),
    }


def _decode_contents(
    checkpoint: Checkpoint,
    distribution: StyleDistribution,
    contents: Floats,
    forms: Sequence[Form],
    emotion: Emotion,
) -> Tokens:
    """Decode M contents (M, C) with forms at points sampled from the emotion's region, tokens (M, T)."""
    rngs = [np.random.default_rng([0, i]) for i in range(len(contents))]
    latents = np.stack([distribution.plane.sample(emotion, rng) for rng in rngs])  # (M, 2)
    along = np.repeat(latents[:, None], BARS * distribution.meter.bar, 1)  # (M, T, 2)
    plans = [
        replace(plan_along(distribution, row, rng), form=form)
        for row, form, rng in zip(along, forms, rngs, strict=True)
    ]
    labels = np.full(len(contents), emotion.index)
    return decode(checkpoint, plans, labels, rngs, contents=contents[:, None], distribution=distribution)


def _request(
    distribution: StyleDistribution, *, emotion: Emotion | None = None, path: EmotionPath | None = None
) -> Request:
    """A request for melodies of sixteen bars in a style and meter."""
    style, meter = distribution.style, distribution.meter
    return Request(emotion=emotion, path=path, bars=PATH_BARS, style=style, meter=meter)


def _sample_all(checkpoint: Checkpoint, requests: Sequence[Request], count: int) -> Tokens:
    """Sample N = ``count`` melodies for each of P requests in the same batches, tokens (P, N, T)."""
    plans, rngs, labels = [], [], []
    for request in requests:
        target = Target.of(checkpoint, request)
        for number in range(count):
            rng = np.random.default_rng([request.seed, number])
            latents = target.sample_latents(rng)  # (W, 2)
            plans.append(target.plan(request, latents, rng))
            rngs.append(rng)
            labels.append(target.waypoints[0].label.index)
    distribution = checkpoint.distribution(requests[0].style, requests[0].meter)
    tokens = decode(checkpoint, plans, np.array(labels), rngs, distribution=distribution)  # (P · N, T)
    return tokens.reshape(len(requests), count, -1)


def _judge(tokens: Tokens, meter: Meter) -> Labels:
    """The rule's labels 0–3 of windows (N, T) of longer melodies, −1 for silence, (N,)."""
    melodies = [from_tokens(row, meter) for row in tokens]
    return np.array([label_by_rule(m).index if m.notes else -1 for m in melodies])
