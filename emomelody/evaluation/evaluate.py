"""Every figure of ``evaluate``, as one dictionary; no printing.

Each block is a function whose docstring is its definition, and stands under the block in the report. Shares
are 0 … 1, but D of formula (9), which is in percent as in the paper. A figure that cannot be had is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emomelody.data.dataset import Dataset
from emomelody.evaluation.emotion import evaluate_emotion, evaluate_novelty, evaluate_validity
from emomelody.evaluation.figures import Figures, Melodies
from emomelody.evaluation.paths import evaluate_path, evaluate_transfer
from emomelody.evaluation.placement import evaluate_latent_space, evaluate_placement, latent_means
from emomelody.evaluation.plane import Grid, evaluate_plane
from emomelody.evaluation.reference import DataSplit, ReferenceSet
from emomelody.evaluation.style import evaluate_histograms, evaluate_metrics
from emomelody.models.checkpoint import Checkpoint
from emomelody.models.emoreg_va import EmoregVA
from emomelody.music.emotion import Emotion
from emomelody.music.plane import Floats
from emomelody.music.tokens import from_tokens
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample


@dataclass(frozen=True)
class Evaluation:
    """A system's figures, and what its pictures are drawn from."""

    name: str
    figures: Figures
    melodies: Melodies
    means: Floats | None = None  # latent means of the data, (N, 2)
    grid: Grid | None = None


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
    reals: dict[tuple[bool, bytes, bytes], ReferenceSet] = {}
    found = []
    for name, checkpoint in checkpoints.items():
        sides = DataSplit.of(dataset, checkpoint)
        key = (sides.known, sides.seen.tobytes(), sides.held_out.tobytes())
        if key not in reals:
            reals[key] = ReferenceSet(dataset, sides, judge_data)
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
    real = ReferenceSet(dataset, DataSplit.of(dataset, None), judge_data)
    melodies = {
        e: [from_tokens(tokens) for tokens in generated.tokens[generated.labels == e.index]] for e in Emotion
    }
    figures = {"model": None, "name": name, **_measure(melodies, real), "deviation": None}
    return Evaluation(name, figures, melodies)


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


def _measure(melodies: Melodies, real: ReferenceSet) -> Figures:
    """The blocks that need nothing of a system but its melodies."""
    return {
        "metrics": evaluate_metrics(melodies, real),
        "histograms": evaluate_histograms(melodies, real),
        "emotion": evaluate_emotion(melodies, real),
        "novelty": evaluate_novelty(melodies, real),
    }


def _evaluate_model(
    checkpoint: Checkpoint,
    real: ReferenceSet,
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
