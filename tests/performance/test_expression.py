"""Tempo, loudness and register of each point, against the study they are taken from, and in files."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from conftest import Run

from emomelody.music.emotion import Emotion
from emomelody.performance.expression import BASE_VELOCITY, EDGE, expression_at, phrase_dynamics, velocity

# Of the study, by emotion: slowest and fastest tempo, semitones, dB.
STUDY = {
    Emotion.E1: (160, 184, 0, 5),
    Emotion.E2: (184, 228, -24, 10),
    Emotion.E3: (40, 69, -12, 0),
    Emotion.E4: (40, 69, 0, 0),
}


@pytest.mark.parametrize("emotion", Emotion)
def test_a_quadrant_has_the_tempo_register_and_loudness_of_the_study(emotion: Emotion) -> None:
    slowest, fastest, semitones, decibels = STUDY[emotion]
    for valence, arousal in itertools.product(np.linspace(EDGE, 1, 9), repeat=2):
        expression = expression_at((emotion.valence * valence, emotion.arousal * arousal))
        assert slowest - 1e-9 <= expression.tempo <= fastest + 1e-9
        assert 12 * round(expression.octave) == semitones
        assert expression.loudness == pytest.approx(decibels)
    # A synthesiser's level grows by 40 log10 of the velocity.
    assert 40 * np.log10(velocity(decibels) / BASE_VELOCITY) == pytest.approx(decibels, abs=0.15)


def test_expression_is_continuous_and_tempo_grows_with_arousal() -> None:
    line = np.linspace(-1, 1, 2001)
    for fixed in (-0.7, -0.02, 0, 0.3):
        for points in ([(v, fixed) for v in line], [(fixed, a) for a in line]):
            expressions = [expression_at(point) for point in points]
            assert np.abs(np.diff([p.tempo for p in expressions])).max() < 1.6
            assert np.abs(np.diff([p.loudness for p in expressions])).max() < 0.11
            assert np.abs(np.diff([p.octave for p in expressions])).max() < 0.03
        assert (np.diff([expression_at((fixed, a)).tempo for a in line]) > 0).all()


def test_phrases_swell_and_downbeats_are_a_little_louder() -> None:
    gains = [phrase_dynamics(step) for step in range(64)]
    assert max(gains) - min(gains) < 3
    assert gains[32] == max(gains)
    assert gains[1] < gains[16 + 1] < gains[28] > gains[60]
    assert phrase_dynamics(64) == phrase_dynamics(0)
    assert 0 < velocity(10 + max(gains)) < 127


def test_files_are_played_as_samples_json_records(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "angry", "-n", 5, "--seed", 1, "-o", "plain")
    run("sample", "-e", "angry", "-n", 5, "--seed", 1, "-o", "played", "--expressive")
    run("sample", "-e", "angry", "-n", 5, "--seed", 1, "-o", "slow", "--expressive", "--tempo", 100)
    (index,) = json.loads((tmp_path / "played" / "samples.json").read_text())["runs"]
    assert index["setting"] | {"octave": None, "tempo": None, "velocity": None} == index["setting"]
    for entry in index["samples"]:
        (name,) = entry["files"]
        plain, played, slow = (
            pretty_midi.PrettyMIDI(str(tmp_path / folder / name)) for folder in ("plain", "played", "slow")
        )
        notes = played.instruments[0].notes
        assert [n.pitch for n in notes] == [n.pitch - 24 for n in plain.instruments[0].notes]
        ((_, tempo),) = entry["tempos"]
        assert 184 <= tempo <= 228
        assert played.get_tempo_changes()[1].tolist() == pytest.approx([tempo], rel=1e-4)
        assert entry["octaves"] == [[0, -2]]
        assert [n.velocity for n in notes] == entry["velocities"]
        assert slow.get_tempo_changes()[1].tolist() == pytest.approx([100])
        assert [n.velocity for n in slow.instruments[0].notes] == entry["velocities"]
