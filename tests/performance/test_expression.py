"""How a place on the plane is played, against the study that it is taken from, and in the files."""

from __future__ import annotations

import io
import itertools
import json
import re
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from conftest import Run

from emomelody.formats import midi
from emomelody.formats.score import to_musicxml
from emomelody.formats.text_roll import to_text
from emomelody.music.emotion import Emotion
from emomelody.music.features import metrics
from emomelody.music.melody import Melody, Note
from emomelody.performance.expression import CALM_VELOCITY, EDGE, expression, phrase_dynamics, velocity
from emomelody.performance.piece import arrange
from emomelody.performance.setting import EXPRESSIVE, Setting

# The study's, of e1 … e4: slowest and fastest tempo, semitones, dB.
STUDY = {
    Emotion.E1: (160, 184, 0, 5),
    Emotion.E2: (184, 228, -24, 10),
    Emotion.E3: (40, 69, -12, 0),
    Emotion.E4: (40, 69, 0, 0),
}


@pytest.mark.parametrize("emotion", Emotion)
def test_a_quadrant_is_played_as_in_the_study(emotion: Emotion) -> None:
    slowest, fastest, semitones, decibels = STUDY[emotion]
    for valence, arousal in itertools.product(np.linspace(EDGE, 1, 9), repeat=2):
        played = expression((emotion.valence * valence, emotion.arousal * arousal))
        assert slowest - 1e-9 <= played.tempo <= fastest + 1e-9
        assert 12 * round(played.octave) == semitones
        assert played.loudness == pytest.approx(decibels)
    # 40 log10: what a synthesiser makes of a velocity.
    assert 40 * np.log10(velocity(decibels) / CALM_VELOCITY) == pytest.approx(decibels, abs=0.15)


def test_it_is_continuous_and_grows_with_arousal() -> None:
    line = np.linspace(-1, 1, 2001)
    for fixed in (-0.7, -0.02, 0, 0.3):
        for points in ([(v, fixed) for v in line], [(fixed, a) for a in line]):
            played = [expression(point) for point in points]
            assert np.abs(np.diff([p.tempo for p in played])).max() < 1.6
            assert np.abs(np.diff([p.loudness for p in played])).max() < 0.11
            assert np.abs(np.diff([p.octave for p in played])).max() < 0.03
        assert (np.diff([expression((fixed, a)).tempo for a in line]) > 0).all()


def test_phrases_swell_and_downbeats_weigh_a_little() -> None:
    gains = [phrase_dynamics(step) for step in range(64)]
    assert max(gains) - min(gains) < 3
    assert gains[32] == max(gains)
    assert gains[1] < gains[16 + 1] < gains[28] > gains[60]
    assert phrase_dynamics(64) == phrase_dynamics(0)
    assert 0 < velocity(10 + max(gains)) < 127


def test_a_path_moves_tempo_key_and_register() -> None:
    melody = Melody(tuple(Note(4 * i, 4, 60) for i in range(32)), 128)
    trajectory = [(-0.4, -0.3)] * 2 + [(-0.2, 0.02)] + [(0.4, 0.3)] * 5
    piece = arrange(melody, title="a", emotion=Emotion.E3, trajectory=trajectory, setting=EXPRESSIVE)
    assert piece.keys == ((0, "Cm"), (48, "C"))
    # On the negative side of valence, arousal crosses its axis first.
    assert piece.sections == ((0, "sad"), (32, "angry"), (48, "happy"))
    tracks = mido.MidiFile(file=io.BytesIO(midi.to_bytes(piece))).tracks
    now, marks = 0, []
    for message in tracks[0]:
        now += message.time
        marks += [(now // 120, message.text)] if message.type == "marker" else []
    assert marks == [(0, "sad"), (32, "angry"), (48, "happy")]
    roll = to_text(piece, metrics(melody)).splitlines()
    assert roll[0] == "a: sad, C minor, then C major"
    assert "C3–C4 (12 semitones)" in roll[1]
    per_minute = re.findall(r"<per-minute>(\d+)<", to_musicxml(piece).decode())
    assert per_minute == [str(round(tempo)) for _, tempo in piece.tempos]
    assert [step for step, _ in piece.tempos] == [0, 32, 48]
    assert piece.octaves == ((0, -1), (64, 0))  # the next phrase
    assert [n.pitch for n in piece.melody.notes] == [48] * 16 + [60] * 16
    assert piece.velocities[-1] > piece.velocities[0]
    seconds = sum(60 / expression(point).tempo * 4 for point in trajectory)
    assert piece.seconds == pytest.approx(seconds, rel=0.01)
    fixed = arrange(
        melody, title="a", emotion=Emotion.E3, trajectory=trajectory, setting=Setting(octave=None)
    )
    assert fixed.tempos == ((0, 120),)
    assert set(fixed.velocities) == {90}


def test_files_call_a_point_on_an_axis_by_its_neighbours() -> None:
    melody = Melody(tuple(Note(4 * i, 4, 60) for i in range(16)))
    for point, words in {(0.0, 0.0): "neutral", (0.0, 0.5): "happy-angry"}.items():
        piece = arrange(melody, title="a", emotion=Emotion.E1, trajectory=[point] * 4)
        assert piece.description == words
        markers = [
            m.text
            for m in mido.MidiFile(file=io.BytesIO(midi.to_bytes(piece))).tracks[0]
            if m.type == "marker"
        ]
        assert markers == [words]
        xml = to_musicxml(piece).decode()
        assert f'<miscellaneous-field name="emotion">{words}<' in xml
        assert f"<words>{words}</words>" in xml
        assert to_text(piece, metrics(melody)).startswith(f"a: {words}, C major")


def test_the_files_are_played_as_samples_json_says(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "angry", "-n", 5, "--seed", 1, "-o", "plain")
    run("sample", "-e", "angry", "-n", 5, "--seed", 1, "-o", "played", "--expressive")
    run("sample", "-e", "angry", "-n", 5, "--seed", 1, "-o", "slow", "--expressive", "--tempo", 100)
    index = json.loads((tmp_path / "played" / "samples.json").read_text())
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
