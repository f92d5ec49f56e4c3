"""Settings: key, octave, tempo, program and velocity, and what the command makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mido
import pretty_midi
import pytest
from conftest import Run

from emomelody.errors import EmomelodyError
from emomelody.performance.setting import Setting, parse_program


def test_a_program_is_found_by_number_name_or_part_of_a_name() -> None:
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
        "128": "from 0 to 127",
    }.items():
        with pytest.raises(EmomelodyError, match=hint):
            parse_program(text)


def test_a_setting_takes_a_program_by_name() -> None:
    assert Setting(program="violin") == Setting(program=40)
    assert Setting(program="violin").program == 40


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"tonic": "A minor"}, "tonic 'A minor'"),
        ({"tempo": 0}, "tempo 0 is not a number from 10"),
        ({"program": "kazoo"}, "unknown program 'kazoo'"),
        ({"program": 1.5}, "program 1.5 is not a whole number"),
        ({"velocity": 200}, "velocity 200"),
        ({"octave": 9}, "octave 9"),
        ({"note_length": 1.5}, "note length 1.5 is not a number from 0.05"),
    ],
)
def test_impossible_settings_are_refused_with_the_reason(choice: dict[str, Any], reason: str) -> None:
    with pytest.raises(EmomelodyError, match=reason):
        Setting(**choice)


def test_a_file_has_the_requested_setting(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "--seed", 1, "-o", "c", "--plain")
    choices = ("--key", "A minor", "--octave", -1, "--tempo", 61.5, "--program", "cello", "--velocity", 50)
    run("sample", "-e", "sad", "--seed", 1, "-o", "a", *choices)
    plain, chosen = (pretty_midi.PrettyMIDI(str(tmp_path / out / "sad-s1-000.mid")) for out in "ca")
    (instrument,), (before,) = chosen.instruments, plain.instruments
    assert instrument.program == 42
    assert {note.velocity for note in instrument.notes} == {50}
    assert [n.pitch for n in instrument.notes] == [n.pitch - 3 - 12 for n in before.notes]
    for ours, theirs in zip(instrument.notes, before.notes, strict=True):
        assert ours.start == pytest.approx(theirs.start * 120 / 61.5, abs=1e-3)
    assert chosen.get_tempo_changes()[1].tolist() == pytest.approx([61.5], rel=1e-5)
    assert chosen.key_signature_changes[0].key_number == 12 + 9  # A minor
    messages = [m for track in mido.MidiFile(tmp_path / "a" / "sad-s1-000.mid").tracks for m in track]
    assert [m.key for m in messages if m.type == "key_signature"] == ["Am"]
    setting = json.loads((tmp_path / "a" / "samples.json").read_text())["runs"][0]["setting"]
    assert setting == {
        "tonic": "A",
        "octave": -1,
        "tempo": 61.5,
        "program": 42,
        "velocity": 50,
        "note_length": None,
        "time_signature": None,
        "chords_program": 0,
    }


def test_an_impossible_setting_is_an_error_of_one_line_and_writes_nothing(tmp_path: Path, run: Run) -> None:
    for arguments, reason, code in (
        (("--key", "H"), "unknown key 'H'", 2),
        (("--key", "A major"), "sad melodies are in minor: use --key A", 2),
        (("--program", "kazoo"), "unknown program 'kazoo'", 2),
        (("--tempo", "0"), "--tempo", 2),
        (("--tempo", "-3"), "--tempo", 2),
        (("--tempo", "10000"), "--tempo", 2),
        (("--velocity", "128"), "--velocity", 2),
        (("--octave", "4", "--key", "F#", "--bars", "64", "-n", "20"), "outside MIDI's range", 1),
    ):
        stderr = run("sample", "-e", "sad", "--seed", 1, *arguments, code=code).stderr
        assert reason in stderr
        assert stderr.count("\n") == 1
    assert not (tmp_path / "samples").exists()
