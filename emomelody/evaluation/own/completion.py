"""Completion: held-out tunes of sixteen bars, of which eight or four bars are composed anew.

Only ``emoreg-va`` can do that. N tunes of T steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import judge_by_rule
from emomelody.evaluation.form import MOTIF
from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.sets import MelodySet
from emomelody.evaluation.statistics import Figures, Rows, share, split_half_distance
from emomelody.evaluation.two_sample.figures import CLASSIFIERS, two_sample_test
from emomelody.music.draft import Draft
from emomelody.music.notes import Notes
from emomelody.music.tokens import HOLD, REST, Floats, Tokens, from_tokens
from emomelody.music.tonality import find_keys
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import decode
from emomelody.sampling.targets import Target
from emomelody.weights.checkpoint import Checkpoint

TUNES = 200  # that are completed, or fewer
WINDOWS = 4  # of a tune: sixteen bars
CONTINUED = (True,) * 8 + (False,) * 8
FILLED = (True,) * 4 + (False,) * 4 + (True,) * 8
COMPLETION: Rows = {
    **{
        name: (f"bars 9–16 told from the real ones, AUC, {title}", "{:.2f}")
        for name, title in CLASSIFIERS.items()
    },
    "key": ("the tune's key found in the continued tune", "{:.1%}"),
    "key_real": ("… in bars 1–8 of the real tune", "{:.1%}"),
    "motif": ("motifs of bars 9–16 that occur in bars 1–8", "{:.1%}"),
    "motif_real": ("… in real tunes", "{:.1%}"),
    **{
        f"{place}_{figure}{suffix}": (f"{what} {where}{end}", "{:.2f}")
        for place, where in {
            "continued": "into composed bar 9",
            "into": "into composed bar 5",
            "out_of": "out of composed bar 8",
        }.items()
        for figure, what in {"interval": "semitones", "time": "steps"}.items()
        for suffix, end in {"": "", "_real": ", real tunes", "_split_half": ", split-half"}.items()
    },
    "emotion": ("bars 5–8 in another emotion as requested", "{:.1%}"),
}


def evaluate_completion(
    checkpoint: Checkpoint, distribution: StyleDistribution, reference: ReferenceSet, tunes: int = TUNES
) -> Figures | None:
    """Held-out tunes completed: up to 200, of which bars 9–16, or bars 5–8, are composed anew.

    The tunes are the last sixteen bars of held-out pieces; None where there are none. An evaluation of fewer
    melodies per emotion takes as few.

    The classifiers of the two-sample test learn to tell the composed bars 9–16 from those of the same tunes.
    The key is that which a key finder finds in the whole real tune. Motifs are four successive intervals with
    their rhythm, in any transposition, that lie in bars 9–16. The interval and the time from the last note
    before a boundary to the first one after it are means over the tunes; "split-half" is how far apart those
    of random halves of the real tunes are by chance, at the 95th percentile. In another emotion are bars 5–8,
    each of the four for a quarter of the tunes, and the rule says which emotion it is.
    """
    dataset = reference.dataset
    real = MelodySet.endings(dataset, WINDOWS, reference.held_out)
    if not len(real):
        return None
    real = real[np.linspace(0, len(real) - 1, min(len(real), tunes)).astype(int)]
    bar = dataset.meter.bar
    continued = complete(checkpoint, distribution, real, CONTINUED)
    filled = complete(checkpoint, distribution, real, FILLED)
    emotions = [list(Emotion)[number % len(Emotion)] for number in range(len(real))]
    moved = complete(checkpoint, distribution, real, FILLED, emotions)
    judged = judge_by_rule([from_tokens(row, dataset.meter) for row in moved[:, 4 * bar : 8 * bar]])
    tests = two_sample_test(*(_second_half(real, tokens) for tokens in (continued, real.tokens))) or {}
    keys = find_keys(real.tokens)
    return {
        **{name: tests[name]["auc"] for name in CLASSIFIERS if name in tests},
        "key": share(find_keys(continued) == keys),
        "key_real": share(find_keys(real.tokens[:, : 8 * bar]) == keys),
        "motif": _motifs_again(continued, 8 * bar),
        "motif_real": _motifs_again(real.tokens, 8 * bar),
        **_at_boundary("continued", continued, real.tokens, 8 * bar),
        **_at_boundary("into", filled, real.tokens, 4 * bar),
        **_at_boundary("out_of", filled, real.tokens, 8 * bar),
        "emotion": share(judged == [emotion.index for emotion in emotions]),
    }


def complete(
    checkpoint: Checkpoint,
    distribution: StyleDistribution,
    tunes: MelodySet,
    kept: tuple[bool, ...],
    emotions: Sequence[Emotion] | None = None,
) -> Tokens:
    """Tunes (N, T) of which the bars that are not ``kept`` are composed, as they were or in N emotions."""
    style, meter = distribution.style, distribution.meter
    plans, rngs, drafts = [], [], []
    for number, tokens in enumerate(tunes.tokens):
        draft = Draft(from_tokens(tokens, meter), kept)
        emotion = emotions[number] if emotions else None
        request = Request(emotion=emotion, draft=draft, bars=draft.bars, style=style, meter=meter)
        target, rng = Target.of(checkpoint, request), np.random.default_rng([request.seed, number])
        plans.append(target.plan(request, target.sample_latents(rng), rng))
        rngs.append(rng)
        drafts.append(draft.tokens())
    own = np.stack(drafts)  # (N, T)
    labels = np.zeros(len(own), dtype=np.int64)  # the paper's models alone need them
    composed = decode(checkpoint, plans, labels, rngs, distribution=distribution, kept=own)
    return np.where(own >= 0, own, composed)


def _second_half(tunes: MelodySet, tokens: Tokens) -> MelodySet:
    """The second half of tunes (N, T), without what still sounds of the first."""
    half = tokens[:, tokens.shape[1] // 2 :]
    begun = np.logical_or.accumulate(half < REST, axis=1)
    return replace(tunes, tokens=np.where((half == HOLD) & ~begun, REST, half))


def _motifs_again(tokens: Tokens, boundary: int) -> float | None:
    """The share of the motifs after a step of tunes (N, T) that also occur before it."""
    notes = Notes.of(tokens)
    at = notes.after(MOTIF)  # (k,)
    steps = [
        values[at - n] - values[at - n - 1] for n in range(MOTIF) for values in (notes.pitch, notes.onset)
    ]
    motifs = list(map(tuple, np.stack([notes.melody[at], *steps], 1).tolist()))
    before, after = notes.onset[at] < boundary, notes.onset[at - MOTIF] >= boundary
    known = {motif for motif, is_before in zip(motifs, before, strict=True) if is_before}
    later = [motif in known for motif, is_after in zip(motifs, after, strict=True) if is_after]
    return float(np.mean(later)) if later else None


def _at_boundary(place: str, tokens: Tokens, real: Tokens, step: int) -> Figures:
    """The mean interval and time over a boundary, of tunes (N, T) and of the real ones."""
    ours, theirs = _steps_over(tokens, step), _steps_over(real, step)  # (n, 2) each
    figures: Figures = {}
    for column, name in enumerate(("interval", "time")):
        values = theirs[:, column]
        figures |= {
            f"{place}_{name}": float(ours[:, column].mean()),
            f"{place}_{name}_real": float(values.mean()),
            f"{place}_{name}_split_half": split_half_distance(values, _mean_distance, 0),
        }
    return figures


def _mean_distance(first: Floats, second: Floats) -> float:
    return float(abs(first.mean() - second.mean()))


def _steps_over(tokens: Tokens, step: int) -> Floats:
    """The size of the interval and the time from the last note before a step to the first after, (n, 2)."""
    onset = tokens < REST
    both = onset[:, :step].any(1) & onset[:, step:].any(1)
    tokens, onset = tokens[both], onset[both]
    last = step - 1 - onset[:, :step][:, ::-1].argmax(1)
    first = step + onset[:, step:].argmax(1)
    rows = np.arange(len(tokens))
    return np.stack([np.abs(tokens[rows, first] - tokens[rows, last]), first - last], 1).astype(float)
