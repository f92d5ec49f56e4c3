"""The folder that sample writes: names, formats, what is shown and played, making it again, and failures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

from emomelody.errors import BadInput
from emomelody.formats import midi
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange
from emomelody.sampling.index import read_recipe

COMMAND = Path(sys.executable).with_name("emomelody")
FORMATS = ("mid", "musicxml", "svg", "png", "wav")
ALL = tuple(word for form in FORMATS for word in ("--format", form))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_all_formats_at_once_under_chosen_names(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "-n", 2, "--seed", 7, "--name", "{emotion}-{seed}-{index}", *ALL)
    names = [f"sad-7-00{i}.{form}" for i in range(2) for form in FORMATS]
    assert sorted(contents(tmp_path / "samples")) == sorted([*names, "samples.json"])
    entries = json.loads((tmp_path / "samples" / "samples.json").read_text())["samples"]
    assert [name for entry in entries for name in entry["files"]] == names
    for name, start in {".mid": b"MThd", ".musicxml": b"<?xml", ".svg": b"<svg", ".png": b"\x89PNG"}.items():
        assert (tmp_path / "samples" / f"sad-7-000{name}").read_bytes().startswith(start)
    wav = (tmp_path / "samples" / "sad-7-000.wav").read_bytes()
    assert (wav[:4], wav[8:12]) == (b"RIFF", b"WAVE")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-e", "sad", "-n", 3, "-f", "mid", "-f", "musicxml", "--expressive", "--key", "A"),
        ("--point", "0.5", "-0.25", "-m", "emoreg", "-n", 2, "--temperature", 1.5, "--top-p", 0.9),
        ("--path", "-0.5,1e-3@0 happy@4", "--bars", 5, "--name", "{model}{index}"),
        ("--like", "song.mid", "--spread", 0.3, "-n", 2, "--tempo", 90.5),
        ("--like", "song.mid", "-e", "happy", "-f", "png", "--program", "flute"),
    ],
)
def test_the_same_files_again(tmp_path: Path, run: Run, arguments: tuple[object, ...]) -> None:
    song = Melody(tuple(Note(4 * i, 4, 60 + i % 5) for i in range(16)))
    midi.write(arrange(song, title="song", emotion=Emotion.E1), tmp_path / "song.mid")
    first = run("sample", *arguments, "-o", "a")
    (tmp_path / "song.mid").unlink()  # its notes are in samples.json
    again = run("sample", "--again", "a/samples.json", "-o", "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert first.stdout.splitlines()[-1].removeprefix("a: ") == again.stdout.removeprefix("b: ").rstrip()


def test_again_in_another_setting_and_format(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "-n", 2, "--seed", 1, "--tempo", 66, "-o", "a")
    run("sample", "--again", "a/samples.json", "-o", "b", "--key", "D", "-f", "musicxml", "-f", "mid")
    assert sorted(contents(tmp_path / "b")) == sorted(
        [*(f"sad-s1-00{i}.{form}" for i in range(2) for form in ("mid", "musicxml")), "samples.json"]
    )
    before, after = (midi.read(tmp_path / folder / "sad-s1-001.mid") for folder in "ab")
    assert [n.pitch + 2 for n in before.tracks[0].notes] == [n.pitch for n in after.tracks[0].notes]
    setting = json.loads((tmp_path / "b" / "samples.json").read_text())["setting"]
    assert (setting["tonic"], setting["tempo"]) == ("D", 66)


def test_what_cannot_be_made_again(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "--seed", 1, "-o", "a")
    path = tmp_path / "a" / "samples.json"
    good: dict[str, Any] = json.loads(path.read_text())
    for change, reason in (
        ({"checksum": "0" * 64}, "made with other weights"),
        ({"model": "nobody"}, "no such model"),
        ({"seed": -1}, "seed -1 is less than 0"),
        ({"point": [3, 0], "emotion": None}, "outside the plane"),
        ({"name": "../{index}"}, "'/'"),
    ):
        path.write_text(json.dumps(good | change))
        stderr = run("sample", "--again", path, "-o", "b", code=1).stderr
        assert reason in stderr
        assert stderr.count("\n") == 1
    for damaged, reason in (
        (good | {"setting": {"tonic": "H"}}, "tonic 'H'"),
        (good | {"setting": {"colour": "red"}}, "not a samples.json that this version can make again"),
        (good | {"seed": "many"}, "not a samples.json"),
        (good | {"emotion": "gloomy"}, "unknown emotion"),
        (good | {"formats": ["mp3"]}, "not a samples.json"),
        (good | {"formats": []}, "not a samples.json"),
        (good | {"like": {"file": "a", "notes": [[0, 0, 60]]}}, "not a samples.json"),
        ([], "not a samples.json"),
        ({}, "it lacks 'point'"),
    ):
        path.write_text(json.dumps(damaged))
        with pytest.raises(BadInput, match=reason):
            read_recipe(path)
    path.write_text("{")
    with pytest.raises(BadInput, match=r"not a samples\.json"):
        read_recipe(path)
    assert "No such file" in run("sample", "--again", "nothing.json", code=1).stderr
    stderr = run("sample", "--again", path, "-n", 3, "--seed", 2, code=1).stderr
    assert "--again takes that from the file: leave out --num, --seed" in stderr
    assert not (tmp_path / "b").exists()


def test_melodies_are_drawn_in_the_terminal(tmp_path: Path, run: Run) -> None:
    done = run("sample", "-e", "sad", "-n", 2, "--seed", 42, "--show", "--key", "A minor")
    first, second, result = done.stdout.split("\n\n")
    assert result == "samples: 2 melodies, sad, model emoreg-va, seed 42\n"
    title, measured, *lines, bars = first.splitlines()
    assert title == "sad-s42-000: sad, A minor"
    assert bars.split() == ["1", "2", "3", "4"]
    notes = midi.read_melody(tmp_path / "samples" / "sad-s42-000.mid").notes
    assert measured.startswith(f"{len(notes)} onsets, ")
    roll = [line[6:-1] for line in lines]
    assert sum(line.count("▐") for line in roll) == len(notes)
    assert sum(line.count("▐") + line.count("█") for line in roll) == sum(n.duration for n in notes)
    assert len(roll) == max(n.pitch for n in notes) - min(n.pitch for n in notes) + 1
    assert second.startswith("sad-s42-001: ")


def test_one_file_goes_to_stdout(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "--seed", 1, "-f", "mid", "-f", "wav")
    for form in ("mid", "wav"):
        arguments = ["sample", "-e", "sad", "--seed", "1", "-o", "-", "-f", form]
        done = subprocess.run([COMMAND, *arguments], capture_output=True, check=True, cwd=tmp_path)
        assert done.stdout == (tmp_path / "samples" / f"sad-s1-000.{form}").read_bytes()
        assert b"seed 1" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["samples"]
    for more in (("-n", 2), ("--show",), ("-f", "mid", "-f", "wav")):
        assert "--out - is for one file" in run("sample", "-e", "sad", "-o", "-", *more, code=1).stderr


def test_melodies_are_played_by_a_player_of_the_system(tmp_path: Path, run: Run) -> None:
    """The player here keeps what it is given: no machine that runs tests need have ears."""
    programs = tmp_path / "bin"
    programs.mkdir()
    player = programs / "aplay"
    player.write_text(f'#!/bin/sh\nfor file; do :; done\n/bin/cat "$file" >> "{tmp_path}/heard"\n')
    player.chmod(0o755)
    run("sample", "-e", "sad", "-n", 2, "--seed", 1, "-f", "wav", "--play", path=programs)
    wavs = [(tmp_path / "samples" / f"sad-s1-00{i}.wav").read_bytes() for i in range(2)]
    assert (tmp_path / "heard").read_bytes() == b"".join(wavs)

    player.write_text("#!/bin/sh\necho no sound card >&2\nexit 1\n")
    done = run("sample", "-e", "sad", "--seed", 2, "-o", "b", "--play", path=programs, code=1)
    assert done.stderr.endswith("emomelody: aplay failed: no sound card\n")
    assert (tmp_path / "b" / "sad-s2-000.mid").exists()  # what is made stays

    player.unlink()
    stderr = run("sample", "-e", "sad", "--seed", 2, "-o", "c", "--play", path=programs, code=1).stderr
    assert "--play finds no player on this system: install one of afplay" in stderr
    assert not (tmp_path / "c").exists()


def test_without_fluidsynth_a_soundfont_says_how_to_get_it(tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ("sample", "-e", "sad", "--soundfont", "a.sf2")
    stderr = run(*arguments, "-f", "wav", path=tmp_path / "empty", code=1).stderr
    assert "--soundfont needs FluidSynth" in stderr
    assert "apt install fluidsynth" in stderr
    assert "needs --format wav or --play" in run(*arguments, code=1).stderr
    assert not (tmp_path / "samples").exists()


def test_nothing_is_left_where_writing_fails(tmp_path: Path, run: Run) -> None:
    """A limit on the size of files stands in for a full disk: the score fits, the sound does not."""
    run("sample", "-e", "sad", "--seed", 1, "-o", "there")
    before = contents(tmp_path / "there")
    for out in ("new/deep", "there"):
        words = ["sample", "-e", "sad", "--seed", "1", "--force", "-f", "mid", "-f", "wav", "-o", out]
        limited = ["sh", "-c", 'ulimit -f 100; exec "$0" "$@"', str(COMMAND), *words]
        done = subprocess.run(limited, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr == f"emomelody: {out}: cannot be written to (File too large)\n"
    assert not (tmp_path / "new").exists()
    assert contents(tmp_path / "there") == before


def test_folders_that_cannot_be_written_to(tmp_path: Path, run: Run) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder" / "sad-s1-000.mid").mkdir(parents=True)
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o500)
    for out, reason in (
        ("file", "file: is a file: choose another --out"),
        ("file/deeper", "file/deeper: cannot be written to (Not a directory)"),
        ("folder", "folder/sad-s1-000.mid: is a folder: choose another --out or --name"),
        ("closed/new", "closed/new: cannot be written to (Permission denied)"),
    ):
        if out.startswith("closed") and os.geteuid() == 0:
            continue  # root may write everywhere
        stderr = run("sample", "-e", "sad", "--seed", 1, "--force", "-o", out, code=1).stderr
        assert stderr == f"emomelody: {reason}\n"
    closed.chmod(0o700)
    assert not any(closed.iterdir())


def test_names_that_meet_or_leave_the_folder(tmp_path: Path, run: Run) -> None:
    for name, reason in {
        "../{index}": "name '../{index}' has a '/'",
        "/tmp/x": "has a '/'",
        "same": "add {index}",
    }.items():
        stderr = run("sample", "-e", "sad", "-n", 2, "--name", name, code=1).stderr
        assert reason in stderr
        assert stderr.count("\n") == 1
    assert not any(tmp_path.iterdir())
