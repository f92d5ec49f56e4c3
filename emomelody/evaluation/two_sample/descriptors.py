"""Descriptors of melodies: what a random forest and a kernel test compare.

N melodies in C of whole bars, T steps, K notes in all. A mean or a share of nothing is 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emomelody.evaluation.form import motif_recurrence
from emomelody.music.meter import Meter
from emomelody.music.notes import Notes
from emomelody.music.tokens import REST, Floats, Tokens
from emomelody.music.tonality import majorness

LONGEST = np.iinfo(np.int64).max
DURATIONS = {"sixteenth": (1, 1), "eighth": (2, 2), "dotted_eighth": (3, 3), "quarter": (4, 4),
             "dotted_quarter": (5, 7), "half": (8, 11), "longer": (12, LONGEST)}  # fmt: skip
INTERVALS = {"repeats": (0, 0), "steps": (1, 2), "thirds": (3, 4), "fourths_fifths": (5, 7),
             "leaps": (8, LONGEST)}  # fmt: skip  # semitones, either way
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)  # scales on C
Named = dict[str, Floats]  # a value for each melody, (N,), by name


def descriptors(tokens: Tokens, meter: Meter = Meter.FOUR_FOUR) -> Named:
    """The descriptors of melodies (N, T), (N,) each, by name.

    Notes and rests, pitches (semitones, MIDI numbers), intervals (semitones, shares), durations (steps,
    shares), onsets in the bar (shares, grooving similarity of Wu and Yang 2020), pitch classes and scales
    (shares), contour, the first and the last note, and repetition.
    """
    notes = Notes.of(tokens)
    return {
        **_pitches(notes),
        **_intervals(notes),
        **_durations(notes),
        **_rhythm(notes, meter),
        **_tonality(notes),
        **_contour(notes),
        **_repetition(notes),
    }


def descriptor_table(tokens: Tokens, meter: Meter = Meter.FOUR_FOUR) -> Floats:
    """The same as a table (N, D), in the order of their names."""
    return np.stack([*descriptors(tokens, meter).values()], 1)


def _pitches(notes: Notes) -> Named:
    count = notes.total(np.ones(len(notes)))
    mean = _mean(notes, notes.pitch)
    highest, lowest = np.zeros(notes.count), np.full(notes.count, REST * 1.0)
    np.maximum.at(highest, notes.melody, notes.pitch)
    np.minimum.at(lowest, notes.melody, notes.pitch)
    used = np.zeros((notes.count, REST), dtype=bool)
    used[notes.melody, notes.pitch] = True
    return {
        "notes": count,
        "rests": 1 - notes.total(notes.duration) / notes.steps,
        "pitch_mean": mean,
        "pitch_deviation": _deviation(notes, notes.pitch),
        "pitch_range": np.maximum(highest - lowest, 0),
        "pitch_above_lowest": mean - lowest * (count > 0),
        "pitches_used": used.sum(1) * 1.0,
    }


def _intervals(notes: Notes) -> Named:
    second, third = notes.after(1), notes.after(2)
    interval = notes.pitch[second] - notes.pitch[second - 1]
    size = np.abs(interval)
    before, after = (
        notes.pitch[third - 1] - notes.pitch[third - 2],
        notes.pitch[third] - notes.pitch[third - 1],
    )
    after_leap = third[np.abs(before) > 4]
    recovered = (before * after < 0)[np.abs(before) > 4]
    return {
        "interval_mean": _mean(notes, interval, second),
        "interval_size": _mean(notes, size, second),
        "interval_deviation": _deviation(notes, interval, second),
        "interval_up": _mean(notes, interval > 0, second),
        "interval_down": _mean(notes, interval < 0, second),
        "interval_turns": _mean(notes, before * after < 0, third),
        "leap_recovered": _mean(notes, recovered, after_leap),
        **{f"interval_{name}": _mean(notes, hits, second) for name, hits in _classes(size, INTERVALS)},
    }


def _durations(notes: Notes) -> Named:
    second = notes.after(1)
    same = notes.duration[second] == notes.duration[second - 1]
    return {
        "duration_mean": _mean(notes, notes.duration),
        "duration_deviation": _deviation(notes, notes.duration),
        "duration_repeats": _mean(notes, same, second),
        **{f"duration_{name}": _mean(notes, hits) for name, hits in _classes(notes.duration, DURATIONS)},
    }


def _rhythm(notes: Notes, meter: Meter) -> Named:
    place = notes.onset % meter.bar  # (K,)
    to_beat = -place % meter.beat  # steps to the next beat, 0 on a beat
    bars = np.zeros((notes.count, notes.steps // meter.bar, meter.bar))  # (N, B, bar), 1 at onsets
    bars[notes.melody, notes.onset // meter.bar, place] = 1
    by_beat = range(0, meter.bar, meter.beat)
    return {
        **{f"onset_on_beat_{step // meter.beat + 1}": _mean(notes, place == step) for step in by_beat},
        "onset_on_eighth": _mean(notes, (to_beat > 0) & (place % 2 == 0)),
        "onset_on_sixteenth": _mean(notes, place % 2 == 1),
        "syncopation": _mean(notes, (to_beat > 0) & (notes.duration > to_beat)),
        "across_bar": _mean(notes, place + notes.duration > meter.bar),
        "empty_bars": 1 - bars.any(2).mean(1),
        "density_deviation": bars.sum(2).std(1),
        "grooving_similarity": _similarity(bars, range(1, bars.shape[1])),
        "grooving_neighbours": _similarity(bars, range(1, min(2, bars.shape[1]))),
    }


def _tonality(notes: Notes) -> Named:
    pitch_class = notes.pitch % 12
    sounding = np.zeros((notes.count, 12))
    np.add.at(sounding, (notes.melody, pitch_class), notes.duration)
    shares = sounding / np.maximum(sounding.sum(1, keepdims=True), 1)  # (N, 12)
    return {
        **{f"class_{number}": share for number, share in enumerate(shares.T)},
        "in_c_major": _mean(notes, np.isin(pitch_class, MAJOR)),
        "in_c_minor": _mean(notes, np.isin(pitch_class, MINOR)),
        "majorness": majorness(sounding),
        "class_entropy": -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(1),
    }


def _contour(notes: Notes) -> Named:
    centred = notes.onset - _mean(notes, notes.onset)[notes.melody]  # (K,)
    rise = notes.total(centred * notes.pitch) / np.maximum(notes.total(centred**2), 1)
    late = notes.onset >= notes.steps // 2
    half = [_mean(notes, notes.pitch[some], some) for some in map(np.flatnonzero, (late, ~late))]
    first, last = notes.first, notes.last
    of_ends = {
        "first_onset": (first, notes.onset),
        "first_tonic": (first, notes.pitch % 12 == 0),
        "first_dominant": (first, notes.pitch % 12 == 7),
        "last_tonic": (last, notes.pitch % 12 == 0),
        "last_dominant": (last, notes.pitch % 12 == 7),
        "last_duration": (last, notes.duration),
        "last_place": (last, notes.onset),
        "last_end": (last, notes.onset + notes.duration),
    }
    ends = {name: notes.total(values[chosen], chosen) for name, (chosen, values) in of_ends.items()}
    return {
        "slope": rise,
        "second_half_higher": half[0] - half[1],
        "last_above_mean": notes.total(notes.pitch[last], last) - _mean(notes, notes.pitch),
        **ends,
    }


def _repetition(notes: Notes) -> Named:
    found = {f"motif_{n}": motif_recurrence(notes, n) for n in (1, 2, 4)}
    return {name: happens / np.maximum(can, 1) for name, (happens, can) in found.items()}


def _mean(
    notes: Notes, values: Floats | Tokens | NDArray[np.bool_], chosen: Tokens | slice = slice(None)
) -> Floats:
    """The mean over the chosen notes (k,) of each melody, (N,)."""
    counts = notes.total(np.ones(len(values)), chosen)
    return np.asarray(notes.total(values, chosen) / np.maximum(counts, 1))


def _deviation(notes: Notes, values: Tokens, chosen: Tokens | slice = slice(None)) -> Floats:
    """The standard deviation over the chosen notes (k,) of each melody, (N,)."""
    centred = values - _mean(notes, values, chosen)[notes.melody[chosen]]
    return np.sqrt(_mean(notes, centred**2, chosen))


def _classes(values: Tokens, limits: dict[str, tuple[int, int]]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Which of the values (k,) lie between the lowest and the highest of each class, both included."""
    return [(name, (values >= low) & (values <= high)) for name, (low, high) in limits.items()]


def _similarity(bars: Floats, lags: range) -> Floats:
    """1 − the mean share of steps at which bars (N, B, bar) at these lags differ, (N,); 1 without lags."""
    differing = [np.abs(bars[:, lag:] - bars[:, :-lag]).mean(2) for lag in lags]  # (N, B − lag) each
    return 1 - np.concatenate(differing, 1).mean(1) if differing else np.ones(len(bars))
