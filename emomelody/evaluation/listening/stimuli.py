"""The melodies of a listening test: those of models and real ones, played alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from emomelody.data.dataset import Dataset
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import Point
from emomelody.errors import EmomelodyError
from emomelody.evaluation.listening.answers import REAL, Stimulus
from emomelody.evaluation.reference import DataSplit, learned_style
from emomelody.evaluation.sets import MelodySet
from emomelody.music.melody import BARS, Melody
from emomelody.music.tokens import from_tokens, to_tokens
from emomelody.music.tonality import MINOR, find_keys
from emomelody.performance.listeners import CALM, rate
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.setting import Setting
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample
from emomelody.sampling.targets import default_bars
from emomelody.weights.checkpoint import Checkpoint


def make_stimuli(
    checkpoints: Mapping[str, Checkpoint], dataset: Dataset, per_emotion: int, seed: int, setting: Setting
) -> list[tuple[Piece, Stimulus]]:
    """The melodies of a test in random order: of each model and real ones, ``per_emotion`` of every emotion.

    All have the length of the shortest default of the models. The real ones are the last bars of held-out
    tunes, each played at the point of a generated melody of its emotion; of an emotion that has fewer tunes
    there are fewer. Raises EmomelodyError where there is none, or for a style that a model has not learned.
    """
    bars = min(map(default_bars, checkpoints.values()))
    made = [*_generated(checkpoints, dataset, per_emotion, seed, bars)]
    points: dict[Emotion, list[Point]] = {
        emotion: [point for _, requested, _, point in made if requested is emotion and point]
        for emotion in Emotion
    }
    held_out = np.logical_and.reduce([DataSplit.of(dataset, c).held_out for c in checkpoints.values()])
    real = MelodySet.endings(dataset, bars // BARS, held_out)
    if not len(real):
        raise EmomelodyError(f"no held-out tune of {bars} bars to compare with: give others as --data")
    rng = np.random.default_rng(seed)
    for emotion in Emotion:
        rows = rng.permutation(np.flatnonzero(real.labels == emotion.index))[:per_emotion]
        for number, row in enumerate(rows):
            point = points[emotion][number]
            made.append((REAL, emotion, from_tokens(real.tokens[row], real.meter), point))
    stimuli = []
    for number, chosen in enumerate(rng.permutation(len(made))):
        system, emotion, melody, point = made[chosen]
        piece = arrange(melody, title="", emotion=emotion, trajectory=[point], setting=setting)
        requested = None if system == REAL else point
        stimulus = Stimulus(f"m{number:03d}", system, emotion, requested, _predicted(melody, piece))
        stimuli.append((piece, stimulus))
    return stimuli


def _generated(
    checkpoints: Mapping[str, Checkpoint], dataset: Dataset, per_emotion: int, seed: int, bars: int
) -> Iterator[tuple[str, Emotion, Melody, Point]]:
    """The system, the requested emotion, the melody and its point of all generated melodies."""
    for name, checkpoint in checkpoints.items():
        known = learned_style(checkpoint, dataset.style, dataset.meter)
        style = known.style if known else None
        for emotion in Emotion:
            request = Request(per_emotion, emotion, style=style, meter=dataset.meter, bars=bars, seed=seed)
            for made in sample(checkpoint, request):
                yield name, emotion, made.melody, made.trajectory[0]


def _predicted(melody: Melody, piece: Piece) -> Emotion:
    """The emotion that the listener judge hears in a melody (in C) as it is played."""
    major = find_keys(to_tokens(melody)[None]) < MINOR  # (1,)
    heard: Emotion = [*Emotion][int(rate([piece], major, [CALM]).argmax())]
    return heard
