"""Form: do longer melodies return to what they began with, and do their phrases end?

N melodies of B whole bars, T steps. A measure counts, in each melody, the places where something can happen
and those where it does. A figure is the share in all melodies together.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from emomelody.errors import EmomelodyError
from emomelody.evaluation.sets import MelodySet, emotion_weights
from emomelody.evaluation.statistics import PERCENTILE, Figures
from emomelody.music.meter import Meter
from emomelody.music.notes import Notes, recurring
from emomelody.music.tokens import REST, Floats, Tokens

MOTIF = 4  # successive intervals
LAGS = (1, 2, 4, 8, 16)  # bars
PHRASE = 4  # bars
LONG_NOTE = 6  # steps: a dotted quarter note, a beat of 6/8 and a beat and a half of the other meters
TONIC, DOMINANT = 0, 7  # pitch classes in C
HALVINGS = 100
FORM_BARS = (16, 32)
FORM = {
    "motif": "recurring motifs",
    **{
        f"{key}{suffix}": f"{title}{lag}"
        for key, title in {"bar": "recurring bars", "rhythm": "recurring rhythms of bars"}.items()
        for suffix, lag in {"": "", **{f"_{n}": f", {n} bar{'s'[: n > 1]} before" for n in LAGS}}.items()
    },
    "phrase_end": "long notes in the last bars of phrases",
    "phrase_inside": "long notes in the other bars",
    "long_end": "long last note",
    "tonic_end": "last note the tonic",
    "tonic_or_dominant_end": "last note the tonic or dominant",
}  # titles of the shares
Counts = tuple[Floats, Floats]  # in each melody, (N,): where it happens, and where it can


def evaluate_form(generated: Mapping[int, MelodySet], real: Mapping[int, MelodySet]) -> Figures:
    """Do longer melodies return to what they began with, and do their phrases end?

    Recurring motifs are the notes, from the fifth on, at which the last four intervals with their rhythm (the
    distances of the onsets) have occurred before in the melody, in any transposition. Recurring bars are the
    bars, from the second on, whose tokens equal an earlier bar's, and recurring rhythms those with an earlier
    bar's onsets; below stand those that equal the bar 1, 2, 4, 8 or 16 bars before. Bars without an onset are
    not counted.

    Phrases have four bars. A long note is a dotted quarter or longer; the share of the phrases' last bars in
    which one begins stands above that of the other bars. The ends are those of whole melodies.

    "Real melodies" are the last 16 or 32 bars of pieces. They end where the piece does and seldom begin where
    it does. All emotions that both sides have weigh the same, because lively melodies recur more than calm
    ones. "Split-half" is the 95th percentile of the difference between random halves of the real melodies by
    tune: a smaller difference can be chance.
    """
    figures: Figures = {}
    for bars in FORM_BARS:
        ours, theirs = generated[bars], real[bars]
        our_weights, their_weights = emotion_weights(ours.labels, theirs.labels)
        counts = form_counts(theirs.tokens, theirs.meter)
        figures[str(bars)] = {
            **_shares(form_counts(ours.tokens, ours.meter), our_weights),
            "melodies": len(ours),
            "real": _shares(counts, their_weights) | {"melodies": len(theirs)},
            "split_half": split_half_bands(counts, their_weights, theirs.tunes),
        }
    return figures


def form(tokens: Tokens, meter: Meter = Meter.FOUR_FOUR) -> dict[str, float | None]:
    """The shares of ``form_counts`` in melodies (N, T) together, 0 … 1; None where nothing can happen."""
    return _shares(form_counts(tokens, meter), np.ones(len(tokens)))


def form_counts(tokens: Tokens, meter: Meter = Meter.FOUR_FOUR) -> dict[str, Counts]:
    """What recurs and what closes in melodies in C (N, T), by the name of the figure.

    ``motif``: notes, from the fifth on, at which the last four intervals with their rhythm (the distances of
    the onsets) have occurred before in the melody, in any transposition.
    ``bar``, ``rhythm``: bars, from the second on, that equal an earlier one in their tokens, in their onsets;
    ``bar_1``, ``rhythm_1`` … that equal the one 1, 2, 4, 8 or 16 bars before. Bars without an onset are not
    counted.
    ``phrase_end``: the last bars of phrases of four bars in which a long note begins, a dotted quarter or
    longer; ``phrase_inside``: the same of the other bars. The last note of a phrase would often be the pickup
    of the next one.
    ``long_end``, ``tonic_end``, ``tonic_or_dominant_end``: melodies whose last note is long, the tonic, the
    tonic or the dominant.

    Raises EmomelodyError unless T is a multiple of the bar.
    """
    if tokens.shape[1] % meter.bar:
        raise EmomelodyError(f"{tokens.shape[1]} steps are not whole bars of {meter.bar} steps")
    notes = Notes.of(tokens)
    bars = tokens.reshape(len(tokens), tokens.shape[1] // meter.bar, meter.bar)  # (N, B, bar)
    return {
        "motif": motif_recurrence(notes),
        **_bar_recurrence("bar", bars),
        **_bar_recurrence("rhythm", np.where(bars < REST, 0, REST)),
        **_endings(notes, meter),
    }


def split_half_bands(
    counts: Mapping[str, Counts], weights: Floats, tunes: NDArray[np.int64], *, seed: int = 0
) -> dict[str, float | None]:
    """How far apart the shares are in two random halves of real melodies (N,): the 95th percentile.

    From their ``form_counts`` and weights (N,). No tune (N,) is in both halves; there are 100 such splits. A
    smaller difference can be chance. None for a figure that some half does not have, as of a single tune.
    """
    rng = np.random.default_rng(seed)
    known, tune = np.unique(tunes, return_inverse=True)
    halves = np.array([rng.permutation(len(known)) < len(known) // 2 for _ in range(HALVINGS)])[:, tune]
    bands: dict[str, float | None] = {}
    for name, (happens, can) in counts.items():
        both = [(half @ happens, half @ can) for half in (halves * weights, ~halves * weights)]  # (100,) each
        if min(can.min() for _, can in both) > 0:
            first, second = (happens / can for happens, can in both)
            bands[name] = float(np.percentile(np.abs(first - second), PERCENTILE))
        else:
            bands[name] = None
    return bands


def motif_recurrence(notes: Notes, intervals: int = MOTIF) -> Counts:
    """Notes whose last ``intervals`` intervals with their rhythm have occurred before in the melody."""
    at = notes.after(intervals)  # (k,)
    steps = [
        values[at - n] - values[at - n - 1] for n in range(intervals) for values in (notes.pitch, notes.onset)
    ]
    recurs = recurring(np.stack([notes.melody[at], *steps], 1))
    return notes.total(recurs, at), notes.total(np.ones(len(at)), at)


def _bar_recurrence(name: str, bars: Tokens) -> dict[str, Counts]:
    """Bars of melodies (N, B, bar) that equal an earlier one, and one at each of the lags."""
    count, length, steps = bars.shape
    counted = np.asarray((bars < REST).any(2))  # (N, B)
    melody = np.broadcast_to(np.arange(count)[:, None, None], (count, length, 1))
    recurs = recurring(np.concatenate([melody, bars], 2).reshape(count * length, steps + 1))
    found = {name: _counts(recurs.reshape(count, length)[:, 1:], counted[:, 1:])}
    for lag in (lag for lag in LAGS if lag < length):
        equal = (bars[:, lag:] == bars[:, :-lag]).all(2)  # (N, B − lag)
        found[f"{name}_{lag}"] = _counts(equal, counted[:, lag:])
    return found


def _endings(notes: Notes, meter: Meter) -> dict[str, Counts]:
    """Long notes at the end of phrases and inside, and what the last note of a melody is."""
    is_long = notes.duration >= LONG_NOTE  # (K,)
    bars = notes.steps // meter.bar
    held = np.zeros((notes.count, bars), dtype=bool)
    held[notes.melody[is_long], notes.onset[is_long] // meter.bar] = True
    at_end = np.broadcast_to(np.arange(bars) % PHRASE == PHRASE - 1, held.shape)  # (N, B)
    last = notes.last
    pitch_class = notes.pitch[last] % 12
    of_melodies = notes.total(np.ones(len(last)), last)
    ends = {
        "long_end": is_long[last],
        "tonic_end": pitch_class == TONIC,
        "tonic_or_dominant_end": np.isin(pitch_class, (TONIC, DOMINANT)),
    }
    return {
        "phrase_end": _counts(held, at_end),
        "phrase_inside": _counts(held, ~at_end),
        **{name: (notes.total(hits, last), of_melodies) for name, hits in ends.items()},
    }


def _counts(happens: NDArray[np.bool_], can: NDArray[np.bool_]) -> Counts:
    """The counts of places (N, places)."""
    return (happens & can).sum(1, dtype=float), can.sum(1, dtype=float)


def _shares(counts: Mapping[str, Counts], weights: Floats) -> dict[str, float | None]:
    """The shares in melodies with weights (N,) together; None where nothing can happen."""
    totals = {name: (weights @ happens, weights @ can) for name, (happens, can) in counts.items()}
    return {name: float(happens / can) if can else None for name, (happens, can) in totals.items()}
