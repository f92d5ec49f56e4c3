"""Every figure of ``evaluate``, as one dictionary; no printing.

Each block is a function whose docstring is its definition, and stands under the block in the report. Shares
are 0 … 1, but D of formula (9), which is in percent as in the paper. A figure that cannot be had is None.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emomelody.evaluation import novelty
from emomelody.evaluation.figures import Figures, Melodies
from emomelody.evaluation.judges import agreement, share
from emomelody.evaluation.reference import ReferenceSet
from emomelody.music.emotion import Emotion
from emomelody.music.tokens import HOLD, REST, to_tokens
from emomelody.sampling.request import Sample

FEW_NOTES = 4


def evaluate_emotion(melodies: Melodies, real: ReferenceSet) -> Figures:
    """The share of melodies whose emotion is the one asked for, by two judges, which encode_melody the notes only.

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


def evaluate_novelty(melodies: Melodies, real: ReferenceSet) -> Figures:
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
