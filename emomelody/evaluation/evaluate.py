"""All figures of a system as one nested dictionary.

Each block of figures comes from one ``evaluate_*`` function, whose docstring is its definition and is printed
in the report. Shares are 0 … 1. A figure that does not exist is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emomelody.data.dataset import Dataset
from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.evaluation.emotion import (
    Judges,
    Played,
    at_corners,
    evaluate_emotion,
    evaluate_listeners,
    evaluate_tonality,
    evaluate_validity,
    listeners_of_real,
)
from emomelody.evaluation.examples import Example, find_examples
from emomelody.evaluation.form import evaluate_form
from emomelody.evaluation.harmony.block import measure_harmony
from emomelody.evaluation.long import LONG_BARS, TUNE_BARS, evaluate_long, sample_long
from emomelody.evaluation.novelty import evaluate_novelty, real_novelty
from emomelody.evaluation.own.between import PAIRS, evaluate_between
from emomelody.evaluation.own.completion import TUNES, evaluate_completion
from emomelody.evaluation.paths import PATH_MELODIES, TRANSFERRED, evaluate_path, evaluate_transfer
from emomelody.evaluation.plane import (
    Grid,
    evaluate_latent_space,
    evaluate_placement,
    evaluate_plane,
    latent_means,
)
from emomelody.evaluation.presentation.columns import number
from emomelody.evaluation.presentation.tables import with_deviations
from emomelody.evaluation.presentation.verdict import verdict
from emomelody.evaluation.reference import DataSplit, ReferenceSet, learned_style
from emomelody.evaluation.sets import MelodySet, RealMelodies
from emomelody.evaluation.statistics import Figures, Melodies
from emomelody.evaluation.style import evaluate_histograms, evaluate_metrics
from emomelody.evaluation.two_sample.figures import evaluate_two_sample
from emomelody.music.melody import BARS
from emomelody.music.tokens import Floats, from_tokens, to_tokens
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample
from emomelody.weights.checkpoint import Checkpoint


@dataclass(frozen=True, repr=False)
class Evaluation:
    """The figures of a system, and what its pictures are drawn from. In a notebook it shows the verdict."""

    name: str
    figures: Figures
    melodies: Melodies
    means: Floats | None = None  # latent means of the data, (N, 2)
    grid: Grid | None = None
    examples: tuple[Example, ...] = ()

    def __repr__(self) -> str:
        emotion = number(self.figures["emotion"]["rule"]["all"], "{:.0%}")
        gap = number(self.figures["metrics"]["mean_gap"], "{:.2f}")
        copies = number(self.figures["novelty"]["exact"], "{:.0%}")
        return f"<{self.name}: emotion as requested {emotion}, mean |Δμ|/σ {gap}, exact copies {copies}>"

    def _repr_html_(self) -> str:
        return verdict([self.figures]).to_html()

    def to_frame(self) -> Any:
        """Every number as a row of a pandas DataFrame: figure (keys joined by dots), value, deviation.

        ``deviation`` is the standard deviation over the seeds, NaN where there is none. Raises EmomelodyError
        where pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise EmomelodyError("to_frame needs pandas: pip install pandas") from error
        frame = pandas.DataFrame(with_deviations(self.figures), columns=["figure", "value", "deviation"])
        return frame.astype({"deviation": float})


@dataclass(frozen=True)
class _Yardsticks:
    """What systems with the same split of the data are compared with."""

    reference: ReferenceSet
    judges: Judges
    novelty: Figures | None  # of real held-out melodies
    listeners: Figures  # of real melodies
    real: RealMelodies

    @classmethod
    def of(
        cls, dataset: Dataset, split: DataSplit, judge_data: Dataset | None, real: RealMelodies
    ) -> _Yardsticks:
        reference = ReferenceSet(dataset, split)
        novelty, listeners = real_novelty(reference), listeners_of_real(reference)
        return cls(reference, Judges(reference, judge_data), novelty, listeners, real)

    def measure(
        self,
        melodies: Melodies,
        played: Played | None = None,
        longer: Mapping[int, MelodySet] | None = None,
    ) -> Figures:
        """The blocks that need nothing but a system's melodies.

        ``played`` are the melodies with their target points, by default those of the emotions' corners, and
        ``longer`` melodies of ``LONG_BARS`` by number of bars, where the system makes them.
        """
        more: Figures = {}
        if longer:
            more["long"] = evaluate_long(longer, self.real.sets)
            more["form"] = evaluate_form(longer, self.real.sets)
            windows = longer[TUNE_BARS].cut(BARS)
        else:
            tokens = {e: np.stack([to_tokens(m) for m in some]) for e, some in melodies.items() if some}
            windows = MelodySet.generated(tokens, self.reference.dataset.meter)
        tests = evaluate_two_sample({BARS: windows, **(longer or {})}, self.real)
        if tests:
            more["two_sample"] = tests
        return more | {
            "metrics": evaluate_metrics(melodies, self.reference),
            "histograms": evaluate_histograms(melodies, self.reference),
            "emotion": evaluate_emotion(melodies, self.judges),
            "listeners": evaluate_listeners(played or at_corners(melodies), self.listeners),
            "tonality": evaluate_tonality(melodies, self.reference),
            "novelty": evaluate_novelty(
                melodies, self.reference, self.novelty, longer[TUNE_BARS] if longer else None
            ),
        }


def evaluate_models(
    checkpoints: Mapping[str, Checkpoint],
    dataset: Dataset,
    judge_data: Dataset | None = None,
    *,
    per_emotion: int = 250,
    seeds: Sequence[int] = (0,),
    on_step: Callable[[str], None] = lambda _step: None,
) -> list[Evaluation]:
    """Evaluate models, by the names they go by, against the melodies of ``dataset``.

    ``per_emotion`` melodies of each emotion are sampled for each seed. The judges of emotion are fitted and
    measured on ``judge_data``, else on the melodies that the model was not trained on. ``on_step`` is called
    ``step_count`` times with what was just done. Raises EmomelodyError where there is no seed or melody, and
    for a model without melodies in the data's meter.
    """
    if not seeds:
        raise EmomelodyError("number of seeds 0 must be at least 1")
    styles = [learned_style(checkpoint, dataset.style, dataset.meter) for checkpoint in checkpoints.values()]
    makes_longer = any(styles)
    real = RealMelodies(dataset, (BARS, *LONG_BARS) if makes_longer else (BARS,))
    known: dict[tuple[bool, bytes, bytes], _Yardsticks] = {}
    evaluations = []
    for (name, checkpoint), style in zip(checkpoints.items(), styles, strict=True):
        split = DataSplit.of(dataset, checkpoint)
        key = (split.known, split.seen.tobytes(), split.held_out.tobytes())
        if key not in known:
            known[key] = _Yardsticks.of(dataset, split, judge_data, real)
        on_step("real melodies")
        evaluations.append(_evaluate_model(name, checkpoint, style, known[key], per_emotion, seeds, on_step))
    return evaluations


def step_count(models: int, seeds: int) -> int:
    """How often ``evaluate_models`` calls ``on_step``."""
    return models * (2 + 2 * seeds)


def evaluate_generated(
    generated: Dataset, dataset: Dataset, judge_data: Dataset | None = None, *, name: str = "generated"
) -> Evaluation:
    """Evaluate melodies of any system, labelled with the requested emotions.

    The blocks that need a model are left out.
    """
    real = RealMelodies(dataset, (BARS,))
    yardsticks = _Yardsticks.of(dataset, DataSplit.of(dataset, None), judge_data, real)
    melodies = {
        e: [from_tokens(row, generated.meter) for row in generated.tokens[generated.labels == e.index]]
        for e in Emotion
    }
    figures = {
        "model": None,
        "name": name,
        **_kind(dataset),
        **yardsticks.measure(melodies),
        "deviation": None,
    }
    examples = find_examples(name, melodies, yardsticks.reference)
    return Evaluation(name, figures, melodies, examples=examples)


def over_seeds(runs: Sequence[Figures]) -> tuple[Figures, Figures]:
    """Means and sample standard deviations of the numbers of equally shaped figures.

    Anything but a number is taken from the first run.
    """
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


def _evaluate_model(
    name: str,
    checkpoint: Checkpoint,
    style: StyleDistribution | None,
    yardsticks: _Yardsticks,
    per_emotion: int,
    seeds: Sequence[int],
    on_step: Callable[[str], None],
) -> Evaluation:
    """All blocks of a model; the blocks of sampled melodies are means over the seeds."""
    reference = yardsticks.reference
    means = latent_means(checkpoint, reference.dataset)  # (N, 2)
    plane, grid = evaluate_plane(checkpoint, style)
    on_step("plane")
    runs, first = [], None
    for seed in seeds:
        request = Request(
            per_emotion,
            Emotion.E1,
            style=style.style if style else None,
            meter=reference.dataset.meter,
            seed=seed,
        )
        samples = {e: sample(checkpoint, replace(request, emotion=e)) for e in Emotion}
        on_step("sampling")
        melodies = {e: [s.melody for s in some] for e, some in samples.items()}
        validity = evaluate_validity([s for some in samples.values() for s in some])
        played = {e: [(s.melody, s.trajectory) for s in some] for e, some in samples.items()}
        longer = sample_long(checkpoint, style, per_emotion, seed) if style else None
        runs.append(yardsticks.measure(melodies, played, longer) | {"validity": validity})
        on_step("measuring")
        first = first or melodies
    mean, deviation = over_seeds(runs)
    figures = {
        "model": checkpoint.name,
        "name": name,
        **_kind(reference.dataset),
        "sampled_style": str(style.style) if style else None,
        "checksum": checkpoint.checksum,
        "seeds": list(seeds),
        "placement": evaluate_placement(checkpoint, reference, means),
        "latent_space": evaluate_latent_space(reference, means),
        "plane": plane,
    }
    if style:
        figures["path"] = evaluate_path(checkpoint, style, reference, min(per_emotion, PATH_MELODIES))
        figures["transfer"] = evaluate_transfer(checkpoint, style, reference, min(per_emotion, TRANSFERRED))
        figures |= {
            name: block
            for name, block in {
                "completion": evaluate_completion(checkpoint, style, reference, min(per_emotion, TUNES)),
                "between": evaluate_between(checkpoint, style, reference, min(per_emotion, PAIRS)),
                "harmony": measure_harmony(checkpoint, style, reference, per_emotion, seeds[0]),
            }.items()
            if block
        }
    figures |= mean | {"deviation": deviation if len(seeds) > 1 else None}
    examples = find_examples(name, first or {}, reference)
    return Evaluation(name, figures, first or {}, means, grid, examples)


def _kind(dataset: Dataset) -> Figures:
    """What the real melodies are."""
    return {"style": str(dataset.style), "meter": str(dataset.meter)}
