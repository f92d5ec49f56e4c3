"""Key, octave, tempo and sound: by hand, and through the installed command and two readers of MIDI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mido
import pretty_midi
import pytest
from conftest import Run

from emomelody.errors import EmomelodyError
from emomelody.formats import midi
from emomelody.music.emotion import Emotion
from emomelody.music.key import parse_key
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange
from emomelody.performance.setting import Setting, parse_program


@pytest.mark.parametrize(
    ("text", "tonic", "mode"),
    [
        ("A minor", "A", "minor"),
        ("f#m", "F#", "minor"),
        ("B♭", "Bb", None),
        ("b", "B", None),
        (" Eb Major ", "Eb", "major"),
    ],
)
def test_keys(text: str, tonic: str, mode: str | None) -> None:
    assert parse_key(text) == (tonic, mode)


@pytest.mark.parametrize("text", ["", "H", "A dur", "C##", "major"])
def test_keys_that_are_none(text: str) -> None:
    with pytest.raises(EmomelodyError, match="unknown key"):
        parse_key(text)


def test_programs_by_number_name_and_part_of_a_name() -> None:
    for text, number in {
        "0": 0,
        "127": 127,
        "Violin": 40,
        "FLUTE": 73,
        "acoustic  grand piano": 0,
        "ocarina": 79,
        "piano": 0,
        "Guitar": 24,
        "strings": 40,
    }.items():
        assert parse_program(text) == number
    for text, hint in {
        "trumpt": "trumpet",
        "electric guitar": "electric guitar \\(jazz\\)",
        "xyz": "General MIDI name",
        "128": "0 … 127",
    }.items():
        with pytest.raises(EmomelodyError, match=hint):
            parse_program(text)


def test_the_nearest_way_to_a_key_and_its_signature() -> None:
    melody = Melody((Note(0, 4, 60), Note(4, 4, 64)))
    for tonic, octave, pitches in (
        ("F#", 0, [66, 70]),
        ("G", 0, [55, 59]),
        ("A", 1, [69, 73]),
        ("Bb", -2, [34, 38]),
    ):
        piece = arrange(melody, title="a", emotion=Emotion.E1, setting=Setting(tonic, octave))
        assert [n.pitch for n in piece.melody.notes] == pitches
    assert (Setting("Db").key("major"), Setting("Db").key("minor")) == ("Db", "C#m")
    with pytest.raises(EmomelodyError, match="leaves the keyboard"):
        arrange(melody.transposed(24), title="a", emotion=Emotion.E1, setting=Setting("F#", 4))


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"tonic": "A minor"}, "tonic 'A minor'"),
        ({"tempo": 0}, "tempo 0 is not a number from 10"),
        ({"program": "kazoo"}, "unknown program 'kazoo'"),
        ({"program": 1.5}, "program 1.5 is not a whole number"),
        ({"velocity": 200}, "velocity 200"),
        ({"octave": 9}, "octave 9"),
    ],
)
def test_settings_that_no_file_can_have(choice: dict[str, Any], reason: str) -> None:
    with pytest.raises(EmomelodyError, match=reason):
        Setting(**choice)


def test_a_program_may_be_given_by_name() -> None:
    assert Setting(program="violin") == Setting(program=40)
    assert Setting(program="violin").program == 40


def test_every_key_has_a_signature(tmp_path: Path) -> None:
    for letter in "CDEFGAB":
        for sign in ("", "#", "b"):
            for emotion in Emotion:
                setting = Setting(letter + sign)
                piece = arrange(Melody((Note(0, 4, 60),)), title="a", emotion=emotion, setting=setting)
                midi.write(piece, tmp_path / "a.mid")
                ((_, key),) = midi.read(tmp_path / "a.mid").keys
                assert key.endswith("m") == (emotion.mode == "minor")


def test_the_file_is_set_as_asked(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "--seed", 1, "-o", "c")
    choices = ("--key", "A minor", "--octave", -1, "--tempo", 61.5, "--program", "cello", "--velocity", 50)
    run("sample", "-e", "sad", "--seed", 1, "-o", "a", *choices)
    plain, set_ = (pretty_midi.PrettyMIDI(str(tmp_path / out / "sad-s1-000.mid")) for out in "ca")
    (instrument,), (before,) = set_.instruments, plain.instruments
    assert instrument.program == 42
    assert {note.velocity for note in instrument.notes} == {50}
    assert [n.pitch for n in instrument.notes] == [n.pitch - 3 - 12 for n in before.notes]
    for ours, theirs in zip(instrument.notes, before.notes, strict=True):
        assert ours.start == pytest.approx(theirs.start * 120 / 61.5, abs=1e-3)
    assert set_.get_tempo_changes()[1].tolist() == pytest.approx([61.5], rel=1e-5)
    assert set_.key_signature_changes[0].key_number == 12 + 9  # A minor
    messages = [m for track in mido.MidiFile(tmp_path / "a" / "sad-s1-000.mid").tracks for m in track]
    assert [m.key for m in messages if m.type == "key_signature"] == ["Am"]
    found = json.loads((tmp_path / "a" / "samples.json").read_text())["setting"]
    assert found == {"tonic": "A", "octave": -1, "tempo": 61.5, "program": 42, "velocity": 50}


def test_what_cannot_be_set_is_one_line_and_writes_nothing(tmp_path: Path, run: Run) -> None:
    for arguments, reason, code in (
        (("--key", "H"), "unknown key 'H'", 1),
        (("--key", "A major"), "sad is in minor: leave major out of --key", 1),
        (("--program", "kazoo"), "unknown program 'kazoo'", 1),
        (("--tempo", "0"), "--tempo", 2),
        (("--tempo", "-3"), "--tempo", 2),
        (("--tempo", "10000"), "--tempo", 2),
        (("--velocity", "128"), "--velocity", 2),
        (("--octave", "4", "--key", "F#", "-n", "40"), "leaves the keyboard", 1),
    ):
        stderr = run("sample", "-e", "sad", "--seed", 1, *arguments, code=code).stderr
        assert reason in stderr
        assert stderr.count("\n") == 1
    assert not (tmp_path / "samples").exists()
