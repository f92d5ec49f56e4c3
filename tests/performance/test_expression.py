"""How each point is played, against the studies it is taken from, and in files."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import symusic
from conftest import Run

from emomelody.emotions.emotion import Emotion
from emomelody.music.meter import Meter
from emomelody.performance.expression import (
    BASE_VELOCITY,
    expression_at,
    octave_of,
    phrase_dynamics,
    ritardando,
    tempo_at,
    velocity,
)

# What the musicians chose, by emotion: notes per second, mean pitch, dB, note length.
CHOSEN = {
    Emotion.E1: (4.98, 80, 7.8, 0.44),
    Emotion.E2: (4.45, 64, 4.7, 0.51),
    Emotion.E3: (1.33, 70, -13.4, 0.84),
    Emotion.E4: (2.23, 75, -8.5, 0.83),
}


@pytest.mark.parametrize("emotion", Emotion)
def test_the_corners_are_played_as_the_musicians_chose(emotion: Emotion) -> None:
    note_rate, pitch, decibels, note_length = CHOSEN[emotion]
    corner = expression_at((float(emotion.valence), float(emotion.arousal)))
    assert (corner.note_rate, corner.pitch) == pytest.approx((note_rate, pitch))
    assert (corner.loudness, corner.note_length) == pytest.approx((decibels, note_length))
    # A synthesiser's level grows by 40 log10 of the velocity.
    assert 40 * np.log10(velocity(decibels) / BASE_VELOCITY) == pytest.approx(decibels, abs=0.3)
    assert [octave_of(e) for e in Emotion] == [1, -1, 0, 0]


def test_expression_is_continuous_and_grows_with_arousal() -> None:
    line = np.linspace(-1, 1, 2001)
    for fixed in (-0.7, -0.02, 0, 0.3):
        for points in ([(v, fixed) for v in line], [(fixed, a) for a in line]):
            expressions = [expression_at(point) for point in points]
            assert np.abs(np.diff([e.note_rate for e in expressions])).max() < 0.08
            assert np.abs(np.diff([e.loudness for e in expressions])).max() < 0.4
            assert np.abs(np.diff([e.note_length for e in expressions])).max() < 0.009
            assert np.abs(np.diff([tempo_at(point, 0.7) for point in points])).max() < 17
        upwards = [expression_at((fixed, a)) for a in line]
        assert (np.diff([e.note_rate for e in upwards]) > 0).all()
        assert (np.diff([e.loudness for e in upwards]) > 0).all()
        assert (np.diff([e.note_length for e in upwards]) < 0).all()


def test_a_melody_gets_its_notes_per_second_within_the_tempos_of_its_emotion() -> None:
    happy = (1.0, 1.0)
    assert tempo_at(happy, 1.5) * 1.5 / 60 == pytest.approx(4.98)
    assert tempo_at(happy, 0.5) == 228
    assert tempo_at(happy, 4.0) == 160
    for valence, arousal, density in itertools.product((-1, -0.01, 0.6), (-1, -0.3, 0), (0.1, 0.5, 1, 4)):
        assert 40 <= tempo_at((valence, arousal), density) <= 69


def test_phrases_swell_and_downbeats_are_a_little_louder() -> None:
    gains = [phrase_dynamics(step) for step in range(64)]
    assert max(gains) - min(gains) < 4
    assert gains[32] == max(gains)
    assert gains[1] < gains[16 + 1] < gains[28] > gains[60]
    assert phrase_dynamics(64) == phrase_dynamics(0)
    for meter in (Meter.THREE_FOUR, Meter.SIX_EIGHT):
        assert [phrase_dynamics(12 * bar, meter) for bar in range(4)] == gains[::16]
        assert phrase_dynamics(48, meter) == gains[0]
        assert phrase_dynamics(13, meter) < phrase_dynamics(12, meter) < phrase_dynamics(24, meter)
    assert 0 < velocity(-13.4 + min(gains)) < velocity(7.8 + max(gains)) < 127


def test_a_ritardando_brakes_ever_more() -> None:
    shares = [ritardando(x) for x in np.linspace(0, 1, 9)]
    assert (shares[0], shares[-1]) == pytest.approx((1, 0.6))
    assert (np.diff(shares, 2) < 0).all()


@pytest.mark.slow
def test_files_are_played_as_samples_json_records(tmp_path: Path, run: Run) -> None:
    for emotion, octave in {"happy": 1, "angry": -1, "sad": 0, "relaxed": 0}.items():
        request = ("sample", "-e", emotion, "-n", 3, "--seed", 1, "--bars", 4)
        run(*request, "-o", "plain", "--plain")
        run(*request, "-o", "played")
        run(*request, "-o", "slow", "--tempo", 100)
        index = json.loads((tmp_path / "played" / "samples.json").read_text())["runs"][-1]
        assert (
            index["setting"] | dict.fromkeys(("octave", "tempo", "velocity", "note_length"))
            == index["setting"]
        )
        for entry in index["samples"]:
            (name,) = entry["files"]
            plain, played, slow = (
                pretty_midi.PrettyMIDI(str(tmp_path / folder / name))
                for folder in ("plain", "played", "slow")
            )
            notes = played.instruments[0].notes
            assert [n.pitch for n in notes] == [n.pitch + 12 * octave for n in plain.instruments[0].notes]
            assert entry["octaves"] == [[0, octave]]
            ((_, tempo),) = entry["tempos"]
            assert (160 <= tempo <= 228) if emotion in ("happy", "angry") else (40 <= tempo <= 69)
            assert played.get_tempo_changes()[1].tolist() == pytest.approx([tempo], rel=1e-4)
            assert [n.velocity for n in notes] == entry["velocities"]
            lengths = [
                (n.end - n.start) * tempo / ((p.end - p.start) * 120)
                for n, p in zip(notes, plain.instruments[0].notes, strict=True)
            ]
            assert lengths == pytest.approx(entry["note_lengths"], abs=0.01)
            (track,) = symusic.Score(str(tmp_path / "played" / name)).tracks
            assert [(n.pitch, n.velocity) for n in track.notes] == [(n.pitch, n.velocity) for n in notes]
            assert slow.get_tempo_changes()[1].tolist() == pytest.approx([100])
            assert [n.velocity for n in slow.instruments[0].notes] == entry["velocities"]


def test_a_long_melody_slows_down_to_its_close(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "--bars", 8, "-n", 10, "--seed", 3, "-o", "long", "-f", "mid,musicxml")
    (index,) = json.loads((tmp_path / "long" / "samples.json").read_text())["runs"]
    closing = [entry for entry in index["samples"] if len(entry["tempos"]) > 1]
    assert len(closing) >= 5
    for entry in closing:
        bars, tempos = zip(*entry["tempos"], strict=True)
        assert bars[0] == 0
        assert 6 <= bars[1] < bars[-1] == 7.75
        assert list(tempos) == sorted(tempos, reverse=True)
        assert 0.55 < tempos[-1] / tempos[0] < 0.75
        midi = pretty_midi.PrettyMIDI(str(tmp_path / "long" / entry["files"][0]))
        assert midi.get_tempo_changes()[1].tolist() == pytest.approx(tempos, rel=1e-4)
        score = (tmp_path / "long" / entry["files"][1]).read_text()
        assert score.count("<per-minute>") == 1
        assert "<words>rit.</words>" in score
        assert score.count("<sound tempo=") == len(tempos)
