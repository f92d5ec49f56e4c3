"""The block ``harmony`` of a model: its chords are sampled, measured and heard."""

from __future__ import annotations

from dataclasses import replace

from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.harmony.figures import evaluate_harmony
from emomelody.evaluation.harmony.harmonised import Harmonised
from emomelody.evaluation.harmony.real import harmonised_endings, held_out_perplexity, reharmonised
from emomelody.evaluation.harmony.tonality import heard
from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.statistics import Figures
from emomelody.performance.piece import Piece, arrange
from emomelody.sampling.request import TUNE_BARS, Request, Sample
from emomelody.sampling.sampler import sample
from emomelody.weights.checkpoint import Checkpoint

MELODIES = 250  # of each emotion, or fewer where fewer of four bars are sampled


def measure_harmony(
    checkpoint: Checkpoint, style: StyleDistribution, reference: ReferenceSet, per_emotion: int, seed: int
) -> Figures | None:
    """``evaluate_harmony`` of melodies of eight bars, beside the last eight bars of held-out pieces.

    Also the share that listeners would hear as requested, by the melody alone and with its chords. None where
    the model has no chords, or the data no held-out melody with chords.
    """
    model, dataset = checkpoint.harmony, reference.dataset
    real, tunes = harmonised_endings(dataset, TUNE_BARS, reference.held_out)
    if model is None or not real:
        return None
    request = Request(
        min(per_emotion, MELODIES),
        Emotion.E1,
        bars=TUNE_BARS,
        style=style.style,
        meter=style.meter,
        seed=seed,
        chords=True,
    )
    samples = {e: sample(checkpoint, replace(request, emotion=e)) for e in Emotion}
    generated = {e: [Harmonised(s.melody, s.chords, e.mode) for s in some] for e, some in samples.items()}
    pieces = {e: [_arranged(s) for s in some] for e, some in samples.items()}
    accompanied = {e: [(piece, piece.accompaniment) for piece in some] for e, some in pieces.items()}
    figures = evaluate_harmony(
        generated,
        real,
        tunes,
        reharmonised=reharmonised(model, real, seed),
        perplexity=held_out_perplexity(model, dataset, reference.held_out),
        seed=seed,
    )
    return figures | {
        "heard": {
            name: heard(accompanied, generated, with_chords=name == "chords") for name in ("melody", "chords")
        }
    }


def _arranged(made: Sample) -> Piece:
    return arrange(
        made.melody, title="", emotion=made.emotion, trajectory=made.trajectory, chords=made.chords
    )
