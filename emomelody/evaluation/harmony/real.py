"""The chorales of a dataset as Bach harmonised them, and as a model does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emomelody.data.chords.table import chords_of, harmonised_tunes
from emomelody.data.dataset import Dataset, tunes_of
from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.harmony.harmonised import Harmonised
from emomelody.evaluation.sets import emotion_of
from emomelody.harmony.fit import perplexity
from emomelody.harmony.model import HarmonyModel
from emomelody.music.chords import TimedChord
from emomelody.music.melody import BARS, Melody
from emomelody.music.tokens import from_tokens

VALENCE = 0.5  # of the points that model and Bach are compared at, positive in major


def harmonised_endings(
    dataset: Dataset, bars: int, chosen: NDArray[np.bool_]
) -> tuple[dict[Emotion, list[Harmonised]], dict[Emotion, list[int]]]:
    """The last bars, a multiple of four, of the pieces of ``chosen`` windows (N,), and their tunes.

    Both by emotion. With the chords of the data folder; empty where it has none.
    """
    chords = chords_of(dataset.files[0].parents[1], dataset)
    found: dict[Emotion, list[Harmonised]] = defaultdict(list)
    tunes: dict[Emotion, list[int]] = defaultdict(list)
    bar = dataset.meter.bar
    for piece in tunes_of(dataset, chosen):
        last = BARS if dataset.remaining is None else int(dataset.remaining[piece[-1]])
        steps = (BARS * (len(piece) - 1) + last) * bar
        start = steps - bars * bar
        timed = [c.moved(n * BARS * bar) for n, window in enumerate(piece.tolist()) for c in chords[window]]
        if last > BARS or start < 0 or not timed or timed[-1].end < steps:
            continue
        melody = from_tokens(dataset.tokens[piece].ravel()[start:steps], dataset.meter)
        emotion = emotion_of(dataset.labels[piece[dataset.whole[piece]][-(bars // BARS) :]])
        found[emotion].append(Harmonised(melody, _from(timed, start, steps), emotion.mode))
        tunes[emotion].append(int(dataset.tunes[piece[0]]))
    return dict(found), dict(tunes)


def reharmonised(
    model: HarmonyModel, real: dict[Emotion, list[Harmonised]], seed: int
) -> dict[Emotion, list[Harmonised]]:
    """The melodies of real ones with the chords of a model."""

    def chords(melody: Melody, emotion: Emotion, number: int) -> tuple[TimedChord, ...]:
        rng = np.random.default_rng([seed, emotion.index, number])
        count = melody.bars
        return model.harmonise(melody, [emotion.mode] * count, [emotion.valence * VALENCE] * count, rng)

    return {
        emotion: [Harmonised(h.melody, chords(h.melody, emotion, n), h.mode) for n, h in enumerate(some)]
        for emotion, some in real.items()
    }


def held_out_perplexity(model: HarmonyModel, dataset: Dataset, held_out: NDArray[np.bool_]) -> float | None:
    """The perplexity of the chords of ``held_out`` windows' (N,) pieces; None for data without chords."""
    tunes = harmonised_tunes(dataset.files[0].parents[1], dataset, held_out)
    return perplexity(model, tunes) if tunes else None


def _from(timed: Sequence[TimedChord], start: int, end: int) -> tuple[TimedChord, ...]:
    """The chords from one step to another, which becomes step 0."""
    inside = ((max(chord.onset, start), min(chord.end, end), chord.chord) for chord in timed)
    return tuple(TimedChord(a - start, b - a, chord) for a, b, chord in inside if a < b)
