"""Descriptors and n-grams, by hand and beside a second implementation."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import random_melody

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.two_sample.descriptors import descriptor_table, descriptors
from emomelody.evaluation.two_sample.ngrams import ngram_table
from emomelody.music import features
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.music.tokens import HOLD, REST, from_tokens, to_tokens

RNG = np.random.default_rng(2)
MELODIES = [random_melody(RNG, emotion) for emotion in Emotion for _ in range(6)]
TOKENS = np.stack([to_tokens(melody) for melody in MELODIES])


def test_descriptors_are_the_features_of_each_melody() -> None:
    found = descriptors(TOKENS)
    table = features.metrics_table(MELODIES)
    for name, metric in {
        "pitch_range": "pitch_range",
        "pitches_used": "pitches_used",
        "in_c_major": "in_c_major",
        "in_c_minor": "in_c_minor",
        "notes": "onsets",
        "grooving_similarity": "grooving_similarity",
    }.items():
        assert found[name] == pytest.approx(features.column(table, metric)), name
    for row, melody in enumerate(MELODIES):
        sizes, lengths = np.abs(features.intervals(melody)), np.array(features.durations(melody))
        assert found["interval_size"][row] == pytest.approx(sizes.mean())
        assert found["interval_steps"][row] == pytest.approx(np.isin(sizes, (1, 2)).mean())
        assert found["interval_repeats"][row] == pytest.approx((sizes == 0).mean())
        assert found["duration_mean"][row] == pytest.approx(lengths.mean())
        assert found["duration_deviation"][row] == pytest.approx(lengths.std())
        assert found["rests"][row] == pytest.approx(1 - lengths.sum() / 64)
        onsets, pitches = np.array([(n.onset, n.pitch) for n in melody.notes]).T
        assert found["pitch_deviation"][row] == pytest.approx(pitches.std())
        assert found["slope"][row] == pytest.approx(np.polyfit(onsets, pitches, 1)[0])


def test_descriptors_by_hand() -> None:
    notes = (Note(0, 4, 60), Note(6, 4, 72), Note(12, 8, 71), Note(24, 8, 67))
    found = {name: value[0] for name, value in descriptors(to_tokens(Melody(notes, 32))[None]).items()}
    assert found["syncopation"] == 0.25  # the second note; the third crosses the bar
    assert found["across_bar"] == 0.25
    assert {found[f"onset_on_{place}"] for place in ("beat_1", "beat_3", "beat_4", "eighth")} == {0.25}
    assert (found["interval_leaps"], found["leap_recovered"]) == (pytest.approx(1 / 3), 1)
    assert (found["class_0"], found["class_7"]) == (pytest.approx(8 / 24), pytest.approx(8 / 24))
    assert (found["last_dominant"], found["last_tonic"], found["first_tonic"]) == (1, 0, 1)
    assert (found["last_duration"], found["last_end"]) == (8, 32)
    assert found["second_half_higher"] == pytest.approx(67 - (60 + 72 + 71) / 3)
    assert found["empty_bars"] == 0


def test_classes_of_intervals_and_durations_are_complete() -> None:
    found = descriptors(TOKENS)
    for kind, names in {
        "interval": ("repeats", "steps", "thirds", "fourths_fifths", "leaps"),
        "duration": (
            "sixteenth", "eighth", "dotted_eighth", "quarter", "dotted_quarter", "half", "longer"
        ),
    }.items():  # fmt: skip
        assert sum(found[f"{kind}_{name}"] for name in names) == pytest.approx(1)


def test_other_lengths_meters_and_silence_have_descriptors() -> None:
    for meter in (Meter.THREE_FOUR, Meter.SIX_EIGHT):
        table = descriptor_table(TOKENS[:, :48], meter)
        assert len(table) == len(TOKENS) and np.isfinite(table).all()
    assert np.isfinite(descriptor_table(np.full((2, 64), REST))).all()
    one_bar = descriptor_table(np.array([[60, *[HOLD] * 15]]))
    assert np.isfinite(one_bar).all()


def test_ngrams_of_equal_melodies_are_equal_and_rare_ones_are_left_out() -> None:
    tokens = np.concatenate([TOKENS[:1].repeat(3, 0), TOKENS[1:2]])
    table = ngram_table(tokens).toarray()
    assert (table[0] == table[1]).all()
    assert np.linalg.norm(table, axis=1) == pytest.approx(1)
    # Only those of the first melody occur three times.
    notes = from_tokens(tokens[0]).notes
    streams = (
        [(n.duration, n.pitch - notes[i - 1].pitch if i else None) for i, n in enumerate(notes)],
        [n.pitch % 12 for n in notes],
        [n.onset % 16 for n in notes],
    )
    expected = sum(
        len({tuple(stream[i : i + size]) for i in range(len(stream) - size + 1)})
        for stream in streams
        for size in range(1, 5)
    )
    assert (table[0] > 0).sum() == table.shape[1] == expected
