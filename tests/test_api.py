"""The Python interface, as the README and a notebook use it."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

import emomelody
from emomelody.api import GeneratedMelody
from emomelody.data.user_tune import UserTune
from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.formats import midi
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter


def test_melodies_can_be_written_shown_and_measured(tmp_path: Path) -> None:
    melodies = emomelody.load("emoreg").sample("sad", n=3, seed=1)
    assert len(melodies) == 3
    first = melodies[0]
    assert first.emotion is Emotion.E3
    first.write(tmp_path / "sad.mid", emomelody.PLAIN)
    assert midi.read_melody(tmp_path / "sad.mid").notes == first.notes
    first.write(tmp_path / "sad.png")
    assert (tmp_path / "sad.png").read_bytes()[:4] == b"\x89PNG"
    assert first.roll().startswith("sad: sad, C minor\n")
    with pytest.raises(EmomelodyError, match=r"one of \.mid, \.musicxml, \.svg, \.png, \.wav"):
        first.write(tmp_path / "sad.mp3")
    assert first.measure().onsets == len(first.notes)
    assert isinstance(first.judge(), Emotion)
    assert emomelody.load("emoreg").sample(Emotion.E3, n=1, seed=1)[0].notes == first.notes
    assert emomelody.load("base").sample(point=(0.5, -0.5))[0].emotion is Emotion.E4


def test_a_melody_shows_its_bars() -> None:
    jig = Melody((Note(0, 6, 60), Note(6, 6, 64)), 48, Meter.SIX_EIGHT)
    melody = GeneratedMelody(jig, Emotion.E1, "happy", ((0.5, 0.5),) * 4)
    assert repr(melody).startswith("<happy melody: 4 bars in 6/8, 2 notes, Point(")


def test_sampling_and_placing_import_no_torch() -> None:
    program = (
        "import sys, emomelody; model = emomelody.load(); (melody,) = model.sample('sad')\n"
        "model.place(melody); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_wrong_requests_raise() -> None:
    model = emomelody.load("emoreg")
    for request in ({}, {"emotion": "merry"}, {"point": (2, 0)}, {"emotion": "sad", "bars": 8}):
        with pytest.raises(EmomelodyError):
            model.sample(**request)
    for request, reason in (
        ({"seed": None}, "seed None is not a whole number"),
        ({"seed": 2**32}, "seed 4,294,967,296 must be from 0 to 4,294,967,295"),
        ({"n": 2.5}, "number of melodies 2.5 is not a whole number"),
        ({"top_p": "most"}, "top-p 'most' is not a number"),
        ({"temperature": 0}, "temperature 0 must be above 0 and at most 10"),
    ):
        with pytest.raises(EmomelodyError, match=reason):
            model.sample("sad", **request)
    for point in ((0.5,), "0.5,0.5", (None, 0)):
        with pytest.raises(EmomelodyError, match="is not a pair of numbers: valence and arousal"):
            model.sample(point=point)
    with pytest.raises(EmomelodyError, match="emotion 3 is not"):
        model.sample(3)
    with pytest.raises(EmomelodyError, match="is not a text such as"):
        model.sample(path=[("sad", 0)])
    with pytest.raises(EmomelodyError, match="3 is neither a file nor a melody"):
        model.sample(like=3)
    with pytest.raises(EmomelodyError):
        emomelody.load("nobody")


def test_a_melody_at_the_middle_of_the_plane_is_called_neutral(tmp_path: Path) -> None:
    (melody,) = emomelody.load("emoreg-va").sample(point=(0, 0))
    assert repr(melody).startswith("<neutral melody")
    assert repr(melody.point) == "Point(valence=+0.00, arousal=+0.00, neutral)"
    assert melody.roll().startswith("neutral: neutral, ")


def test_melodies_with_chords(tmp_path: Path) -> None:
    model = emomelody.load()
    (alone,), (melody,) = (model.sample("sad", seed=4, chords=wanted) for wanted in (False, True))
    assert melody.notes == alone.notes
    assert (alone.chords, melody.chords[0].onset) == ((), 0)
    melody.write(tmp_path / "sad.mid", emomelody.Setting(tonic="E", chords_program="orchestral harp"))
    song = midi.read(tmp_path / "sad.mid")
    assert [track.program for track in song.tracks] == [0, 46]
    roots = {(chord.chord.root + 4) % 12 for chord in melody.chords}
    assert roots <= {note.pitch % 12 for note in song.tracks[1].notes}
    with pytest.raises(EmomelodyError, match="know no chords"):
        emomelody.load("base").sample("sad", chords=True)


def test_words_for_emotions(tmp_path: Path) -> None:
    model = emomelody.load("emoreg-va")
    (melody,) = model.sample("Gloomy", seed=1)
    assert repr(melody).startswith("<gloomy melody: 8 bars, ")
    assert repr(melody.point) == "Point(valence=-0.61, arousal=-0.34, sad)"
    assert melody.emotion is Emotion.E3
    assert melody.roll().startswith("gloomy: sad, C minor\n")
    (along,) = model.sample(path="calm@0 tense@4", bars=6, seed=1)
    assert repr(along).startswith("<calm melody: 6 bars, ")
    assert along.trajectory[0] == pytest.approx((0.5052, -0.4845))
    assert along.trajectory[5] == pytest.approx((-0.0342, 0.6992))
    with pytest.raises(EmomelodyError, match=r"unknown emotion 'gloomi': did you mean gloomy\?"):
        model.sample("gloomi")


def test_a_notebook_shows_short_texts_a_picture_and_a_player() -> None:
    model = emomelody.load("emoreg-va")
    assert re.fullmatch(r"<emoreg-va: chorale 4/4, .*0\.\d million parameters, SHA-256 \w{12}>", repr(model))
    assert repr(emomelody.load("base")).startswith("<base: 1.7 million parameters, SHA")
    melody = model.sample(point=(-0.5, -0.25), bars=4, seed=1)[0]
    assert repr(melody) == (
        f"<sad melody: 4 bars, {len(melody.notes)} notes, Point(valence=-0.50, arousal=-0.25, sad)>"
    )
    page = melody._repr_html_()
    picture, sound = (base64.b64decode(data) for data in re.findall(r"base64,([^\"]+)", page))
    assert picture[:4] == b"\x89PNG"
    rate, samples = wavfile.read(io.BytesIO(sound))
    assert len(samples) / rate == pytest.approx(melody.arrange(emomelody.EXPRESSIVE).seconds + 1, abs=0.01)
    assert np.abs(samples).max() > 1000
    assert "&lt;sad melody" in page


def test_pieces_are_placed_on_the_plane(tmp_path: Path) -> None:
    model = emomelody.load("emoreg-va")
    for name in ("happy", "sad"):
        melody = model.sample(name, seed=2)[0]
        point = model.place(melody)
        assert point.emotion.title == name
        melody.write(tmp_path / "piece.mid")  # an octave higher if happy, with short notes
        melody.write(tmp_path / "plain.mid", emomelody.PLAIN)
        read = model.place(tmp_path / "piece.mid")
        assert read == model.place(tmp_path / "plain.mid")
        # A file may be read in another octave than the melody was in.
        assert (read.valence, read.arousal) == pytest.approx((point.valence, point.arousal), abs=0.02)
        assert model.place(melody.melody) == point
        halves = [model.place(UserTune(melody.melody).bars(first, 4)) for first in (1, 5)]
        assert point.valence == pytest.approx(np.mean([half.valence for half in halves]))
        assert point.arousal == pytest.approx(np.mean([half.arousal for half in halves]))
    varied = model.sample(like=melody, spread=0, seed=1)[0]
    assert varied.notes == model.sample(like=tmp_path / "piece.mid", spread=0, seed=1)[0].notes
    with pytest.raises(EmomelodyError, match="emoreg-va"):
        emomelody.load("base").place(melody)
    for piece, reason in ((None, "None is neither a file nor a melody"), (Melody(()), "has no note")):
        with pytest.raises(EmomelodyError, match=reason):
            model.place(piece)


def test_tunes_in_every_style_and_meter(small_model: Path, old_model: Path, tmp_path: Path) -> None:
    model = emomelody.load(small_model)
    assert model.styles == ("chorale 4/4", "chorale 3/4", "folk 4/4", "folk 3/4", "folk 6/8")
    assert emomelody.load("base").styles == ()
    first = {}
    for style, meter in (name.split() for name in model.styles):
        (melody,) = model.sample("sad", style=style, meter=meter, seed=1)
        assert (melody.melody.bars, melody.melody.meter) == (8, Meter(meter))
        first.setdefault(meter, melody)
        assert melody.notes == model.sample("sad", style=style, meter=Meter(meter), bars=8, seed=1)[0].notes
    assert first["3/4"].notes == model.sample("sad", meter="3/4", seed=1)[0].notes
    (tune,) = model.sample("sad", form="AABA", bars=16, seed=1)
    # The last bar of a section is varied, and with it the duration of a note that lasts into it.
    starts = [
        [(n.onset - 64 * i, n.pitch) for n in tune.notes if 64 * i <= n.onset < 64 * i + 48] for i in range(4)
    ]
    assert starts[0] == starts[1] == starts[3]

    for meter, melody in first.items():
        (varied,) = model.sample(like=melody, seed=1)
        assert (varied.melody.bars, varied.melody.meter) == (8, Meter(meter))
        melody.write(tmp_path / "tune.mid", emomelody.PLAIN)
        assert model.place(tmp_path / "tune.mid") == model.place(melody)
        assert model.sample(like=melody, form="AB", bars=8)[0].melody.bars == 8

    for request, reason in (
        ({"style": "own"}, "has learned chorale 4/4, .* but no own 4/4"),
        ({"style": "jazz"}, "unknown style 'jazz'"),
        ({"meter": "7/8"}, "unknown meter '7/8'"),
        ({"form": 3}, "form '3' must be capital letters"),
        ({"like": first["6/8"], "meter": "3/4"}, "is in 6/8, not in 3/4"),
    ):
        with pytest.raises(EmomelodyError, match=reason):
            model.sample("sad", **request)
    with pytest.raises(EmomelodyError, match="has learned chorale 4/4, but no melodies in 6/8"):
        emomelody.load(old_model).place(first["6/8"])


@pytest.mark.slow
def test_a_model_can_be_evaluated(small_data: Path) -> None:
    evaluation = emomelody.load("emoreg").evaluate(small_data, n=2, seeds=2)
    assert evaluation.figures["seeds"] == [0, 1]
    assert evaluation.figures["metrics"]["generated"] == {"e1": 2, "e2": 2, "e3": 2, "e4": 2}
    rows = evaluation.to_frame().set_index("figure")
    assert rows.loc["metrics.mean_gap", "value"] == evaluation.figures["metrics"]["mean_gap"]
    assert rows.loc["metrics.mean_gap", "deviation"] > 0
    assert rows["deviation"].dtype == float
    assert repr(evaluation).startswith("<emoreg: emotion as requested ")
    for numbers in ({"seeds": 0}, {"n": 0}):
        with pytest.raises(EmomelodyError, match="must be at least 1"):
            emomelody.load("emoreg").evaluate(small_data, **numbers)
    for kind, reason in (
        ({"meter": "5/4"}, "unknown meter '5/4': use 4/4, 3/4 or 6/8"),
        ({"style": "jazz"}, "unknown style 'jazz': use chorale, folk or own"),
        ({"style": "folk"}, "no folk melodies in 4/4"),
    ):
        with pytest.raises(EmomelodyError, match=reason):
            emomelody.load("emoreg").evaluate(small_data, **kind)


def test_settings_go_by_the_names_of_version_0_1() -> None:
    from emomelody import setting

    assert setting.Setting is emomelody.Setting
    assert setting.EXPRESSIVE is emomelody.EXPRESSIVE
