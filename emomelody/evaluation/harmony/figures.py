"""The block ``harmony`` of ``evaluate``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.harmony.agreement import function_agreement
from emomelody.evaluation.harmony.bands import bands
from emomelody.evaluation.harmony.baselines import always_tonic, random_diatonic
from emomelody.evaluation.harmony.harmonised import Harmonised
from emomelody.evaluation.harmony.metrics import METRICS, metrics
from emomelody.evaluation.harmony.tonality import tonality
from emomelody.evaluation.statistics import Figures, or_none, share
from emomelody.music.tokens import Floats

ByEmotion = Mapping[Emotion, Sequence[Harmonised]]
COMPARED = ("generated", "reharmonised", "tonic", "random")  # what the band of the real melodies is for


def evaluate_harmony(
    generated: ByEmotion,
    real: ByEmotion,
    tunes: Mapping[Emotion, Sequence[int]],
    *,
    reharmonised: ByEmotion | None = None,
    perplexity: float | None = None,
    seed: int = 0,
) -> Figures:
    """Do the chords fit the melody, move and close as Bach's do?

    CHE, CC, CTD, CTnCTR, PCS and MCTD are those of Yeh et al. (Journal of New Music Research, 2021). CHE is
    the entropy (nats) of the chords at the beats, CC how many different ones there are, and CTD how far, as
    tonal centroids (Harte, Sandler and Gasser 2006), those at successive beats are apart. CTnCTR is the share
    of notes that are chord tones or lie at most two semitones from the next note; in melodies that move by
    step these are nearly all, so the share of chord tones alone stands below. PCS rates the intervals of
    melody and chord notes: unison, thirds, fifth and sixths 1, the fourth 0, others −1. MCTD is the tonal
    distance of the melody's note and its chord. Harmonic rhythm is in chords per quarter note.
    The tonic at the end is the triad on C, in minor also with the major third; a cadence is that after a
    dominant or subdominant. A figure is the mean over the melodies that have one, and of all emotions the
    mean of theirs.

    "Real melodies" are held-out chorale melodies with Bach's chords. The band is where the generated mean
    lies in 95 of 100 cases if the generated harmony is like the real one: the middle of 1,000 means of as
    many random real melodies as were generated, each time out of other tunes that might have been held out (a
    bootstrap by tune). Random halves of the real melodies would differ more, because a half has fewer tunes:
    a band of these would be too easy. Of many figures one in twenty lies outside by chance. There is no band
    for fewer than five tunes.

    The model's chords for the same held-out melodies show what of a difference is the harmony's: generated
    melodies stay in their key more than real ones do.
    Two baselines harmonise the real melodies: always the tonic triad, and a random diatonic triad for each of
    Bach's chords. Some of their figures may be in the band, such as the harmonic rhythm of the random ones; a
    harmony has to have more.

    The key finder hears the notes of the chords like those of the melody, by their durations. Tonic triads
    alone would make any key clear: the share of real melodies is the measure, not 100 %. Perplexity is that
    of the model for a chord of the held-out chorales. The agreement is that of the model's and of the
    baselines' chords for the held-out melodies with Bach's, beat by beat (in 6/8 dotted quarter notes): the
    same function among the beats where both chords have one, the beats where both have one, the same root,
    and the same chord.
    """
    used = [e for e in Emotion if generated.get(e) and real.get(e)]
    baselines: dict[str, ByEmotion] = {
        "tonic": {e: always_tonic(real[e]) for e in used},
        "random": {e: random_diatonic(real[e], seed=seed + e.index) for e in used},
    }
    given: dict[str, ByEmotion] = {"generated": generated, "real": real}
    if reharmonised:
        given["reharmonised"] = reharmonised
    sets = {name: {e: some[e] for e in used} for name, some in (given | baselines).items()}
    answers = ({"generated": reharmonised} if reharmonised else {}) | baselines
    bach = _flat(real, used)
    return {
        **_metrics_and_bands(sets, tunes, seed),
        "tonality": {name: tonality(some) for name, some in sets.items()},
        "agreement": {name: function_agreement(_flat(some, used), bach) for name, some in answers.items()},
        "perplexity": perplexity,
        "melodies": {name: len(_flat(sets[name], used)) for name in given},
    }


def is_inside(cell: Figures, name: str) -> bool | None:
    """Whether a figure of a metric lies in the band of the real ones; None where one of them is missing."""
    if None in (cell[name], cell["low"], cell["high"]):
        return None
    return bool(cell["low"] <= cell[name] <= cell["high"])


def _metrics_and_bands(
    sets: Mapping[str, ByEmotion], tunes: Mapping[Emotion, Sequence[int]], seed: int
) -> Figures:
    """The means of the metrics of each set beside the bands, and the shares of them that are inside."""
    values = {name: {e: _values(some) for e, some in of.items()} for name, of in sets.items()}  # (N, M) each
    counts = {e: len(some) for e, some in sets["generated"].items()}
    numbers = {e: np.asarray(tunes[e], dtype=np.int64) for e in counts}  # (N,) each
    means = {name: _means(some) for name, some in values.items()}
    cells: dict[str, dict[str, Figures]] = {}
    for code, edges in bands(values["real"], numbers, counts, seed=seed).items():
        columns = {name: of[code] for name, of in means.items()} | dict(
            zip(("low", "high"), edges, strict=True)
        )
        cells[code] = {
            metric: {name: or_none(float(column[number])) for name, column in columns.items()}
            for number, metric in enumerate(METRICS)
        }
    inside = {
        code: {name: _share_inside(of.values(), name) for name in COMPARED if name in sets}
        for code, of in cells.items()
    }
    return {"metrics": cells, "inside": inside}


def _share_inside(cells: Iterable[Figures], name: str) -> float | None:
    """The share of the metrics with a band that are in it."""
    found = [inside for cell in cells if (inside := is_inside(cell, name)) is not None]
    return share(np.array(found))


def _values(harmonised: Sequence[Harmonised]) -> Floats:
    """All metrics of N melodies, (N, M)."""
    found = metrics(harmonised)
    return np.stack([found[name] for name in METRICS], 1)


def _means(values: Mapping[Emotion, Floats]) -> dict[str, Floats]:
    """The means (M,) of metrics (N, M) by the emotions' codes and of ``all``; NaN where no melody has one."""
    means = {}
    for emotion, table in values.items():
        exists: NDArray[np.bool_] = ~np.isnan(table)
        counts = exists.sum(0)
        means[emotion.code] = np.where(
            counts > 0, np.where(exists, table, 0).sum(0) / np.maximum(counts, 1), np.nan
        )
    return means | ({"all": np.mean([*means.values()], 0)} if means else {})


def _flat(harmonised: ByEmotion, used: Sequence[Emotion]) -> list[Harmonised]:
    return [h for e in used for h in harmonised[e]]
