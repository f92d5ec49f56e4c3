"""``emomelody sample``: what a user types, sees and gets."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import COMMAND, Run

from emomelody.cli.sample.command import join_points
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import label_by_rule
from emomelody.formats import midi
from emomelody.music import features
from emomelody.music.melody import BARS, Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN
from emomelody.weights.checkpoint import bundled_weights, load_checkpoint

FORMATS = ("mid", "musicxml", "svg", "png", "wav")
TITLES = ("happy", "angry", "sad", "relaxed")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def runs(folder: Path) -> list[dict[str, Any]]:
    described: list[dict[str, Any]] = json.loads((folder / "samples.json").read_text())["runs"]
    return described


def song(path: Path, *semitones: int, mode: Emotion = Emotion.E1, meter: Meter = Meter.FOUR_FOUR) -> None:
    """Four bars of quarters, at these semitones above C, in turn."""
    steps = BARS * meter.bar
    notes = tuple(Note(4 * i, 4, 60 + semitones[i % len(semitones)]) for i in range(steps // 4))
    midi.write(arrange(Melody(notes, steps, meter), title="song", emotion=mode, setting=PLAIN), path)


def test_twenty_sad_melodies(tmp_path: Path, run: Run) -> None:
    done = run("sample", "--emotion", "sad", "-n", 20, "--seed", 42)
    assert done.stdout == "Wrote 20 melodies to samples/ (sad, emoreg-va, seed 42)\n"
    assert done.stderr == ""
    (described,) = runs(tmp_path / "samples")
    assert described["model"] == "emoreg-va"
    assert described["checksum"] == load_checkpoint(bundled_weights()["emoreg-va"]).checksum
    assert described["seed"] == 42
    names = [f"sad-s42-{i:03d}.mid" for i in range(20)]
    assert [entry["files"] for entry in described["samples"]] == [[name] for name in names]
    assert sorted(contents(tmp_path / "samples")) == [*names, "samples.json"]
    for entry in described["samples"]:
        assert entry["emotion"] == "sad"
        assert all(-1 <= coordinate < 0 for coordinate in entry["point"])
        (file,) = entry["files"]
        written = midi.read(tmp_path / "samples" / file)
        assert written.length == 32  # quarter notes, eight bars
        assert [track.name for track in written.tracks] == [file.removesuffix(".mid")]


def test_quiet_prints_the_result_only_and_verbose_each_melody(run: Run) -> None:
    arguments = ("sample", "--point", "0.5,0.25", "-n", 2, "--seed", 1, "-m", "emoreg")
    sentence = "Wrote 2 melodies to {}/ (happy at 0.5,0.25, emoreg, seed 1)\n"
    assert "add --temperature 1 for different ones" in run(*arguments, "-o", "a").stderr
    quiet = run(*arguments, "-q", "-o", "b")
    assert (quiet.stdout, quiet.stderr) == (sentence.format("b"), "")
    verbose = run(*arguments, "-v", "-o", "c")
    assert verbose.stdout == sentence.format("c")
    assert "SHA-256" in verbose.stderr
    assert "happy-s1-001: happy at 0.50,0.25\n" in verbose.stderr


def test_without_a_seed_the_used_one_is_printed(tmp_path: Path, run: Run) -> None:
    def seed(line: str) -> str:
        (found,) = re.findall(r"seed (\d+)\)", line)
        return str(found)

    first = seed(run("sample", "-e", "relaxed", "-o", "a").stdout)
    run("sample", "-e", "relaxed", "-o", "b", "--seed", first)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert seed(run("sample", "-e", "relaxed", "-o", "c").stdout) != first


def test_several_emotions_go_to_one_folder(tmp_path: Path, run: Run) -> None:
    done = run("sample", "-e", "happy", "-e", "Q3", "-n", 5, "--seed", 3)
    assert done.stdout == "Wrote 10 melodies to samples/ (5 happy, 5 sad, emoreg-va, seed 3)\n"
    for emotion in ("happy", "sad"):
        assert len(list((tmp_path / "samples").glob(f"{emotion}-s3-*.mid"))) == 5
    run("sample", "-e", "sad", "-e", "e3", "-n", 2, "--seed", 3, "-o", "alone")  # the same emotion
    alone = contents(tmp_path / "alone")
    assert len(alone) == 3
    name = "sad-s3-001.mid"
    assert alone[name] == (tmp_path / "samples" / name).read_bytes()


def test_a_folder_holds_several_runs_which_again_reproduces(
    tmp_path: Path, run: Run, run_installed: Run
) -> None:
    run("sample", "-e", "sad", "-n", 2, "--seed", 1, "-f", "mid,musicxml")
    run("sample", "-e", "happy", "--seed", 2, "-m", "emoreg", "--key", "A", "-f", "wav")
    run("sample", "-e", "sad", "-e", "angry", "--seed", 3)
    assert [described["emotion"] for described in runs(tmp_path / "samples")] == [
        "sad",
        "happy",
        "sad",
        "angry",
    ]
    again = run_installed("sample", "--again", "samples/samples.json", "-o", "again")
    assert contents(tmp_path / "again") == contents(tmp_path / "samples")
    assert again.stdout.splitlines() == [
        "Wrote 2 melodies to again/ (sad, emoreg-va, seed 1)",
        "Wrote 1 melody to again/ (happy, emoreg, seed 2)",
        "Wrote 2 melodies to again/ (1 sad, 1 angry, emoreg-va, seed 3)",
    ]


def test_taken_names_need_force(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "--seed", 1, "-f", "mid,wav")
    before = contents(tmp_path / "samples")
    again = ("sample", "-e", "sad", "--seed", 1, "--key", "D")
    expected = "samples/sad-s1-000.mid is there already: choose another --out or --name, or add --force"
    assert run(*again, code=1).stderr == f"emomelody: {expected}\n"
    assert contents(tmp_path / "samples") == before
    replaced = "replaced an earlier run of 1 melody, sad-s1-000.mid to sad-s1-000.wav\n"
    assert run(*again, "--force").stderr == replaced
    assert sorted(contents(tmp_path / "samples")) == ["sad-s1-000.mid", "samples.json"]
    assert [described["setting"]["tonic"] for described in runs(tmp_path / "samples")] == ["D"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("-e", "sad", "-n", 3, "-f", "mid", "-f", "musicxml", "--key", "A"),
        ("--point", "0.5", "-0.25", "-m", "emoreg", "-n", 2, "--temperature", 1.5, "--top-p", 0.9),
        ("--path", "-0.5,1e-3@0 happy@4", "--bars", 5, "--name", "{model}{index}"),
        ("--like", "song.mid", "--spread", 0.3, "-n", 2, "--tempo", 90.5),
        ("--like", "song.mid", "-e", "happy", "-f", "png", "--program", "flute"),
        ("-e", "Gloomy", "-e", "at ease", "-e", "happy", "-n", 2, "-f", "mid,musicxml"),
        ("--path", "at-ease@0 tense@2 happy@4", "--bars", 5),
    ],
)
def test_the_same_files_again(
    tmp_path: Path, run: Run, run_installed: Run, arguments: tuple[object, ...]
) -> None:
    song(tmp_path / "song.mid", 0, 1, 2, 3, 4)
    first = run("sample", *arguments, "-o", "a")
    (tmp_path / "song.mid").unlink()  # its notes are in samples.json
    again = run_installed("sample", "--again", "a/samples.json", "-o", "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert first.stdout.replace("to a/", "to b/") == again.stdout


def test_a_samples_json_of_version_0_1_again(tmp_path: Path, run: Run) -> None:
    """It holds one run at top level."""
    run("sample", "-e", "sad", "-n", 2, "--seed", 1, "-o", "a")
    (old,) = runs(tmp_path / "a")
    (tmp_path / "old.json").write_text(json.dumps(old | {"version": "0.1.0"}, indent=1))
    done = run("sample", "--again", "old.json", "-o", "b")
    assert "old.json: made by version 0.1.0 of emomelody: emoreg-va now samples other melodies" in done.stderr
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_again_in_another_setting_and_format(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "-n", 2, "--seed", 1, "--tempo", 66, "-o", "a")
    run("sample", "--again", "a/samples.json", "-o", "b", "--key", "D", "-f", "musicxml,mid")
    assert sorted(contents(tmp_path / "b")) == sorted(
        [*(f"sad-s1-00{i}.{form}" for i in range(2) for form in ("mid", "musicxml")), "samples.json"]
    )
    before, after = (midi.read(tmp_path / folder / "sad-s1-001.mid") for folder in "ab")
    assert [n.pitch + 2 for n in before.tracks[0].notes] == [n.pitch for n in after.tracks[0].notes]
    setting = runs(tmp_path / "b")[0]["setting"]
    assert (setting["tonic"], setting["tempo"]) == ("D", 66)
    run("sample", "--again", "a/samples.json", "-o", "a", "-f", "wav")  # beside the first files
    assert {"sad-s1-001.mid", "sad-s1-001.wav"} < set(contents(tmp_path / "a"))
    run("sample", "--again", "a/samples.json", "-o", "c")
    assert contents(tmp_path / "c") == contents(tmp_path / "a")
    run("sample", "--again", "a/samples.json", "-o", "d", "-f", "mid")  # both runs: the same files, once
    assert sorted(contents(tmp_path / "d")) == ["sad-s1-000.mid", "sad-s1-001.mid", "samples.json"]


def test_again_needs_the_weights_that_made_the_run(tmp_path: Path, run: Run) -> None:
    moved = tmp_path / "moved.safetensors"
    moved.write_bytes(bundled_weights()["emoreg"].read_bytes())
    run("sample", "-e", "sad", "--seed", 1, "-m", "moved.safetensors", "-o", "a")
    run("sample", "-e", "happy", "--seed", 1, "-o", "a")
    moved.rename(tmp_path / "here.safetensors")
    assert "moved.safetensors" in run("sample", "--again", "a/samples.json", "-o", "b", code=1).stderr
    run("sample", "--again", "a/samples.json", "-o", "b", "-m", "here.safetensors")
    names = ["happy-s1-000.mid", "sad-s1-000.mid"]
    assert [(tmp_path / "a" / n).read_bytes() for n in names] == [
        (tmp_path / "b" / n).read_bytes() for n in names
    ]
    other = run("sample", "--again", "a/samples.json", "-o", "c", "-m", "base", code=1).stderr
    assert "no run in it was made with the weights base" in other
    run("sample", "-e", "sad", "--seed", 1, "-o", "d")
    index = tmp_path / "d" / "samples.json"
    index.write_text(re.sub(r'"checksum": "\w+"', f'"checksum": "{"0" * 64}"', index.read_text()))
    stderr = run("sample", "--again", index, "-o", "c", code=1).stderr
    assert "made with other weights than" in stderr
    assert not (tmp_path / "c").exists()


def test_one_melody_goes_to_a_named_file(tmp_path: Path, run: Run) -> None:
    done = run("sample", "-e", "sad", "--seed", 1, "-o", "sad.mid")
    assert done.stdout == "Wrote 1 melody to sad.mid (sad, emoreg-va, seed 1)\n"
    run("sample", "-e", "sad", "--seed", 1, "-o", "Sad {x}.WAV")
    assert sorted(contents(tmp_path)) == ["Sad {x}.WAV", "sad.mid"]
    assert (tmp_path / "Sad {x}.WAV").read_bytes()[:4] == b"RIFF"
    assert midi.read(tmp_path / "sad.mid").tracks[0].name == "sad"
    run("sample", "-e", "sad", "--seed", 1, "-o", "folder")
    melodies = [midi.read_melody(tmp_path / name) for name in ("sad.mid", "folder/sad-s1-000.mid")]
    assert melodies[0] == melodies[1]
    before = (tmp_path / "sad.mid").read_bytes()
    stderr = run("sample", "-e", "sad", "--seed", 2, "-o", "sad.mid", code=1).stderr
    assert "sad.mid is there already: choose another --out, or add --force" in stderr
    assert (tmp_path / "sad.mid").read_bytes() == before
    run("sample", "-e", "sad", "--seed", 2, "-o", "sad.mid", "--force")
    assert (tmp_path / "sad.mid").read_bytes() != before
    for more in (("-n", 2), ("-e", "happy")):
        stderr = run("sample", "-e", "sad", "-o", "two.mid", *more, code=2).stderr
        assert "two.mid is one file: for several melodies give a folder, -o two" in stderr
    stderr = run("sample", "-e", "sad", "-o", "one.mid", "-f", "wav", code=2).stderr
    assert "names the file and its format: leave out --format" in stderr
    run("sample", "-e", "sad", "--seed", 1, "-o", "agreed.mid", "-f", "midi")
    assert (tmp_path / "agreed.mid").is_file()
    assert "there is no folder new" in run("sample", "-e", "sad", "-o", "new/one.mid", code=1).stderr
    assert "belongs to a run" in run("sample", "-e", "sad", "-o", "folder/sad-s1-000.mid", code=1).stderr
    (tmp_path / "old.mid").mkdir()
    run("sample", "-e", "sad", "--seed", 1, "-o", "old.mid")  # a folder that is there stays one
    assert (tmp_path / "old.mid" / "samples.json").exists()


def test_one_file_goes_to_stdout(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "--seed", 1, "-f", "mid,wav")
    for form in ("mid", "wav"):
        arguments = ["sample", "-e", "sad", "--seed", "1", "-o", "-", "-f", form]
        done = subprocess.run([COMMAND, *arguments], capture_output=True, check=True, cwd=tmp_path)
        assert done.stdout == (tmp_path / "samples" / f"sad-s1-000.{form}").read_bytes()
        assert b"Wrote 1 melody to stdout (sad, emoreg-va, seed 1)" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["samples"]
    for more in (("-n", 2), ("--show",), ("-f", "mid,wav")):
        stderr = run("sample", "-e", "sad", "-o", "-", *more, code=2).stderr
        assert "--out - writes one melody in one format, or one page, without --show" in stderr


def test_points_as_two_numbers_or_one_word(tmp_path: Path, run: Run) -> None:
    for number, words in enumerate(
        (["--point", "-0.5,0.4"], ["--point=-0.5,0.4"], ["--point", "-.5", "+.4"])
    ):
        run("sample", *words, "--seed", 1, "-o", number)
        assert runs(tmp_path / str(number))[0]["point"] == [-0.5, 0.4]
        assert contents(tmp_path / str(number)) == contents(tmp_path / "0")
    stderr = run("sample", "--point", "0.5", "-e", "sad", code=2).stderr
    assert "--emotion and --point exclude each other" in stderr
    assert "write e.g. -0.5,0.4" in run("sample", "--point", "0.5", code=2).stderr


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        (["--point", "-0.5", "0.4", "-n", "3"], ["--point", "-0.5,0.4", "-n", "3"]),
        (["--point", "1e-3", "1."], ["--point", "1e-3,1."]),
        (["--point", "-0.5,0.4", "0.3"], ["--point", "-0.5,0.4", "0.3"]),
        (["--point", "-n", "3"], ["--point", "-n", "3"]),
        (["--tempo", "90", "3", "--point"], ["--tempo", "90", "3", "--point"]),
        (["0.1", "0.2", "0.3"], ["0.1", "0.2", "0.3"]),
    ],
)
def test_joining_points(words: list[str], joined: list[str]) -> None:
    assert join_points(words) == joined


@pytest.mark.parametrize(
    ("point", "title"),
    [("0,0", "neutral"), ("0,0.4", "happy-angry"), ("-0.5,0", "angry-sad"), ("0.5,-1", "relaxed")],
)
def test_a_point_is_named_by_what_lies_on_both_sides(
    tmp_path: Path, run: Run, point: str, title: str
) -> None:
    done = run("sample", "--point", point, "--seed", 1)
    assert done.stdout == f"Wrote 1 melody to samples/ ({title} at {point}, emoreg-va, seed 1)\n"
    (entry,) = runs(tmp_path / "samples")[0]["samples"]
    assert (entry["emotion"], entry["files"]) == (title, [f"{title}-s1-000.mid"])
    assert entry["point"] == [float(c) for c in point.split(",")]


def test_other_words_are_points_with_a_name(tmp_path: Path, run: Run) -> None:
    done = run("sample", "-e", "Gloomy", "-e", "happy", "-e", "AT EASE", "-e", "gloomy", "-n", 2, "--seed", 1)
    sentence = "Wrote 6 melodies to samples/ (2 gloomy, 2 happy, 2 at-ease, emoreg-va, seed 1)\n"
    assert done.stdout == sentence
    names = [f"{word}-s1-00{i}" for word in ("gloomy", "happy", "at-ease") for i in range(2)]
    assert sorted(contents(tmp_path / "samples")) == sorted([*(f"{n}.mid" for n in names), "samples.json"])
    assert midi.read(tmp_path / "samples" / "gloomy-s1-000.mid").tracks[0].name == "gloomy-s1-000"
    gloomy, _, at_ease = runs(tmp_path / "samples")
    for described, word, point in (
        (gloomy, "gloomy", [-0.6122, -0.3394]),
        (at_ease, "at-ease", [0.544, -0.4405]),
    ):
        assert described["emotion"] == word
        assert {(e["emotion"], *e["point"]) for e in described["samples"]} == {(word, *point)}
    run("sample", "--point", "-0.6122,-0.3394", "-n", 2, "--seed", 1, "-o", "point")
    for number in range(2):
        word, point = (
            midi.read_melody(tmp_path / name / f"{title}-s1-00{number}.mid")
            for name, title in (("samples", "gloomy"), ("point", "sad"))
        )
        assert word == point


def test_words_name_paths_variations_and_files(tmp_path: Path, run: Run) -> None:
    path = ("sample", "--path", "Gloomy@0 excited@4", "--bars", 6, "--seed", 1)
    done = run(*path, "-v", "-o", "path")
    assert done.stdout == "Wrote 1 melody to path/ (gloomy@0 excited@4, emoreg-va, seed 1)\n"
    assert "gloomy-s1-000: gloomy at -0.61,-0.34\n" in done.stderr
    (described,) = runs(tmp_path / "path")
    assert described["path"] == "gloomy@0 excited@4"
    assert described["samples"][0]["point"] == [-0.6122, -0.3394]
    like = ("sample", "--like", "path/gloomy-s1-000.mid", "-e", "serene", "--seed", 1)
    done = run(*like, "--name", "{emotion} {seed}", "-o", "like")
    assert done.stdout.endswith("(like path/gloomy-s1-000.mid, serene, emoreg-va, seed 1)\n")
    assert sorted(contents(tmp_path / "like")) == ["samples.json", "serene 1.mid"]


def test_one_word_has_one_likeliest_melody_by_the_papers_models(run: Run) -> None:
    done = run("sample", "-e", "tired", "-n", 2, "--seed", 1, "-m", "emoreg")
    assert done.stderr == "one point has one likeliest melody: add --temperature 1 for different ones\n"


def test_the_words_are_listed(tmp_path: Path, run: Run) -> None:
    done = run("sample", "--emotion", "list", "-n", 3)
    assert done.stderr == ""
    assert not any(tmp_path.iterdir())
    rows = [line.split() for line in done.stdout.splitlines() if line.strip().endswith(TITLES)]
    assert [row[0] for row in rows[:5]] == [*TITLES, "delighted"]
    assert len(rows) == 28
    assert rows[2] == ["sad", "-1", "to", "0", "-1", "to", "0", "sad"]
    assert ["gloomy", "-0.61", "-0.34", "sad"] in rows
    assert ["sleepy", "+0.02", "-0.70", "relaxed"] in rows
    for word, valence, arousal, title in rows[4:]:
        assert Emotion.at(float(valence), float(arousal)).title == title, word
    assert run("sample", "-e", "happy", "-e", "LIST", "-q").stdout == done.stdout
    assert "'list' shows" in run("sample", "--help").stdout


def test_formats_in_any_case_and_several_at_once(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "-n", 2, "--seed", 7, "--name", "{emotion}-{seed}-{index}", "-f", "MIDI",
        "-f", "xml,svg,PNG", "-f", "wav,mid")  # fmt: skip
    names = [f"sad-7-00{i}.{form}" for i in range(2) for form in FORMATS]
    assert sorted(contents(tmp_path / "samples")) == sorted([*names, "samples.json"])
    entries = runs(tmp_path / "samples")[0]["samples"]
    assert [name for entry in entries for name in entry["files"]] == names
    for name, start in {".mid": b"MThd", ".musicxml": b"<?xml", ".svg": b"<svg", ".png": b"\x89PNG"}.items():
        assert (tmp_path / "samples" / f"sad-7-000{name}").read_bytes().startswith(start)
    wav = (tmp_path / "samples" / "sad-7-000.wav").read_bytes()
    assert (wav[:4], wav[8:12]) == (b"RIFF", b"WAVE")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--key", "Am"], "--key Am is a minor key: add an emotion that is in minor, angry or sad"),
        (
            ["-e", "happy", "--key", "Am"],
            "happy melodies are in major: use --key A, or -e angry or -e sad for a minor key",
        ),
        (["-e", "sad", "-e", "happy", "--key", "Am"], "happy melodies are in major"),
        (
            ["-e", "gloomy", "--key", "A major"],
            "gloomy melodies are in minor: use --key A, or -e happy or -e relaxed for a major key",
        ),
        (["--path", "calm@0 tense@2", "--key", "Am"], "paths that begin calm begin in major: use --key A"),
        (
            ["--point", "0.5,0.5", "--key", "F#m"],
            "melodies at 0.5,0.5 are in major: use --key F#, or a point",
        ),
        (["--path", "sad@0 happy@2", "--key", "A major"], "paths that begin sad begin in minor: use --key A"),
        (["--like", "major.mid", "--key", "Am"], "major.mid is in major: use --key A, or -e angry"),
        (["--like", "major.mid", "-e", "relaxed", "--key", "Am"], "relaxed melodies are in major"),
        (["--key", "H", "-e", "sad"], "unknown key 'H'"),
    ],
)
def test_keys_that_the_emotion_cannot_have(
    tmp_path: Path, run: Run, arguments: list[str], reason: str
) -> None:
    song(tmp_path / "major.mid", 0, 4, 7, 4)
    stderr = run("sample", *arguments, code=2).stderr
    assert reason in stderr
    assert not (tmp_path / "samples").exists()


def test_again_in_a_key_of_another_mode(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "-e", "happy", "--seed", 1, "-o", "a")
    stderr = run("sample", "--again", "a/samples.json", "-o", "b", "--key", "A major", code=2).stderr
    assert stderr == "emomelody: sad melodies are in minor: use --key A\n"
    run("sample", "--again", "a/samples.json", "-o", "b", "--key", "A")


def test_a_variation_keeps_the_mode_of_its_file(tmp_path: Path, run: Run) -> None:
    song(tmp_path / "major.mid", 0, 4, 7, 4)
    run("sample", "--like", "major.mid", "--spread", 1, "-n", 20, "--seed", 1, "--key", "A major")
    described = runs(tmp_path / "samples")[0]["samples"]
    assert {Emotion.parse(entry["emotion"]).mode for entry in described} == {"major", "minor"}
    for path in (tmp_path / "samples").glob("*.mid"):
        assert midi.read(path).keys == ((0, "A"),)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            [],
            "give an emotion, such as -e sad, or --point, --path, --grid, --like, --continue, --from or"
            " --again",
        ),
        (["-e", "xyz"], "unknown emotion 'xyz': use happy (e1, Q1), angry"),
        (
            ["-e", "gloomi"],
            "unknown emotion 'gloomi': did you mean gloomy? 'emomelody sample --emotion list'",
        ),
        (["--path", "sad@0 exited@2"], "unknown emotion 'exited': did you mean excited"),
        (["-e", "sad", "-f", "mp3"], "unknown format 'mp3': use mid, musicxml, svg, png, wav or html"),
        (["-e", "sad", "--program", "kazoo"], "unknown program 'kazoo'"),
        (["-e", "sad", "-n", "many"], "'many' is not a whole number of 1 or more"),
        (["-e", "sad", "--bars", "65"], "65 is not a whole number from 1 to 64"),
        (["-e", "sad", "--octave", "5"], "5 is not a whole number from -4 to 4"),
        (["-e", "sad", "--temperature", "0"], "0 is not a number above 0, up to 10"),
        (["-e", "sad", "--top-p", "0"], "0 is not a number above 0, up to 1"),
        (["--point", "0.5", "1.2"], "point 0.5,1.2 is outside the plane"),
        (["--point", "nan", "0"], "outside the plane"),
        (["-e", "sad", "--path", "sad@0 happy@2"], "--emotion and --path exclude each other"),
        (["--path", "sad@0 happy@8"], "the path ends at bar 8"),
        (["--path", "sad@0 2,0@2"], "outside the plane"),
        (["-e", "sad", "--spread", "0.2"], "it needs --like"),
        (["-e", "sad", "-o", "sad.mp3"], "--out sad.mp3 ends in none of .mid, .musicxml, .svg, .png, .wav"),
        (["-e", "sad", "-o", "sad.json"], "give such a file, or a folder"),
        (["-e", "sad", "--name", "{source}-{index}"], "there is no file to vary"),
        (["-e", "sad", "--name", "../{index}"], "name '../{index}' has a '/'"),
        (["-e", "sad", "-n", "2", "--name", "same"], "add {index}"),
        (["-e", "sad", "-e", "happy", "--name", "x"], "is the same for several melodies: add {emotion}"),
        (["-e", "sad", "--soundfont", "a.sf2"], "--soundfont is for sound: it needs --format wav or --play"),
        (["-e", "sad", "--again", "s.json"], "leave out --emotion"),
        (["--again", "s.json", "-n", "3", "--seed", "2"], "leave out --num and --seed"),
        (["--like", "a.mid", "--like", "b.mid"], "--like takes one file: 'emomelody place' says where"),
        (["--like", "a.mid", "--continue", "b.mid"], "--like and --continue exclude each other"),
        (["--keep", "1-4", "-e", "sad"], "--keep says which bars of a file to keep: it needs --like"),
        (["--from", "a.mid"], "--from begins what --to ends: it needs --to"),
        (["--from", "a.mid", "--to", "b.mid", "-e", "sad"], "with --from leave out --emotion"),
        (["--continue", "a.mid", "--form", "AB"], "with --continue leave out --form"),
        (
            ["-e", "sad", "-m", "base", "--bars", "8"],
            "paths and melodies to vary need emoreg-va",
        ),
        (["-e", "sad", "-m", "base", "--top-p", "0.9"], "top-p needs a temperature"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, run: Run, arguments: list[str], reason: str) -> None:
    stderr = run("sample", *arguments, code=2).stderr
    assert reason in stderr
    assert stderr.startswith("emomelody: ")
    assert stderr.count("\n") == 1
    assert not re.search("pydantic|Input should|valid integer", stderr)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-e", "sad", "-m", "nobody"], "no such model: use base, emoreg"),
        (["-e", "sad", "-m", "no/such.safetensors"], "no such weights file"),
        (["-e", "sad", "-o", "file.txt"], "file.txt: is a file"),
        (["--like", "file.txt"], "file.txt: not a MIDI, MusicXML or ABC file"),
        (["--like", "none.mid"], "none.mid: No such file"),
        (["--again", "none.json"], "none.json: No such file"),
        (["--again", "file.txt"], "not a samples.json that this version can read"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, run: Run, arguments: list[str], reason: str) -> None:
    (tmp_path / "file.txt").write_text("in the way")
    stderr = run("sample", *arguments, code=1).stderr
    assert reason in stderr
    assert stderr.count("\n") == 1
    assert not (tmp_path / "samples").exists()


def test_nothing_heavy_is_imported_for_midi_files(tmp_path: Path) -> None:
    """Neither torch nor what other formats and commands need."""
    heavy = ("torch", "music21", "muspy", "matplotlib", "scipy", "sklearn", "pretty_midi")
    program = (
        "import sys; from emomelody.cli.app import main\n"
        f"try: main()\nfinally: print([name for name in {heavy} if name in sys.modules])"
    )
    for arguments, code in (
        (["-e", "happy", "--key", "Am"], 2),
        (["--point", "3,0"], 2),
        (["-e", "sad", "-m", "base", "-o", "sad.mid"], 0),
        (["-e", "sad", "-m", "emoreg"], 0),
        (["--path", "sad@0 happy@4", "--bars", "6"], 0),
        (["--like", "sad.mid", "-n", "2"], 0),  # it names its key, which music21 need not find
        (["--continue", "sad.mid"], 0),
        (["--again", "samples/samples.json", "-o", "again"], 0),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program, "sample", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert (done.returncode, done.stdout.splitlines()[-1]) == (code, "[]"), done.stdout + done.stderr


def test_help_has_panels_and_plain_types(run: Run) -> None:
    text = run("sample", "--help").stdout
    for panel in ("Emotion", "Your own melody", "Tune", "Sampling", "Performance", "Output"):
        assert f"─ {panel} ─" in text
    assert not re.search(r"<|INTEGER|FLOAT|BOOLEAN", text)
    assert "earlier runs that have such files" in text
    assert len(re.findall("^ emomelody sample ", text, re.MULTILINE)) == 5


@pytest.mark.slow
def test_many_melodies_are_the_same_by_one_process_and_by_several(
    tmp_path: Path, environment: dict[str, str], run: Run
) -> None:
    words = ["sample", "-m", "emoreg", "-e", "happy", "-n", "1000", "--seed", "3", "-o", "out"]
    for threads in "12":
        (tmp_path / threads).mkdir()
        subprocess.run(
            [COMMAND, *words],
            cwd=tmp_path / threads,
            env=environment | {"OMP_NUM_THREADS": threads},
            check=True,
            capture_output=True,
        )
    one, two = (contents(tmp_path / threads / "out") for threads in "12")
    assert len(one) == 1001
    assert one == two
    assert len(runs(tmp_path / "1" / "out")[0]["samples"]) == 1000
    # An error in a process reaches the user as one line, and nothing is left.
    stderr = run(*words, "--octave", 4, code=1, threads=2).stderr
    assert stderr.startswith("emomelody: octave +4 ")
    assert stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
    # Names are checked before anything is sampled.
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "happy-s3-700.mid").write_bytes(b"mine")
    assert "out/happy-s3-700.mid is there already" in run(*words, code=1, threads=2).stderr
    assert contents(tmp_path / "out") == {"happy-s3-700.mid": b"mine"}


@pytest.mark.parametrize("emotion", ["happy", "angry", "sad", "relaxed"])
def test_the_emotion_survives_reading_back(emotion: str, tmp_path: Path, run: Run) -> None:
    """The files name their key, so that no other tonic is found in the notes."""
    run("sample", "-e", emotion, "-n", 10, "--bars", 4, "--seed", 1, "-o", "made")
    run("preprocess", "made", "--arousal", "notes", "-o", "again")
    with (tmp_path / "again" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    mode = Emotion.parse(emotion).mode
    assert {row["key"] for row in rows} == {f"C {mode}"}
    assert sum(row["emotion"] == Emotion.parse(emotion).code for row in rows) >= 7


@pytest.mark.slow
def test_files_are_varied(tmp_path: Path, run: Run) -> None:
    song(tmp_path / "one.mid", 0, 4, 7, 4)
    done = run("sample", "--like", "one.mid", "-n", 4, "--seed", 1, "--spread", 0.5, "-o", "varied")
    assert re.fullmatch(r"one\.mid lies at 0\.\d\d,0\.\d\d \(happy\)\n", done.stderr)
    assert done.stdout == "Wrote 4 melodies to varied/ (like one.mid, emoreg-va, seed 1)\n"
    (described,) = runs(tmp_path / "varied")
    assert (described["like"]["file"], described["spread"], described["bars"]) == ("one.mid", 0.5, 4)
    assert len({tuple(entry["latent"]) for entry in described["samples"]}) == 4
    for entry in described["samples"]:
        assert Emotion.at(*entry["latent"]).title == entry["emotion"]
        assert entry["files"][0].startswith(f"one-{entry['emotion']}-s1-")
    song(tmp_path / "two.mid", 0, 4, 7, 4)
    run("sample", "--like", "two.mid", "-n", 4, "--seed", 1, "--spread", 0.5, "-o", "varied")
    assert len(list((tmp_path / "varied").glob("*.mid"))) == 8
    for target in (
        ("--point", 0.5, 0.5),
        ("--path", "sad@0 happy@3", "--bars", 6),
        ("-e", "sad", "-e", "e4"),
    ):
        run("sample", "--like", "one.mid", *target, "-o", f"to{target[0]}")
        assert list((tmp_path / f"to{target[0]}").glob("*.mid"))


def test_a_melody_keeps_its_contour_in_another_emotion(tmp_path: Path, run: Run) -> None:
    # Up and down a major scale.
    song(tmp_path / "one.mid", 0, 2, 4, 5, 7, 9, 11, 12, 12, 11, 9, 7, 5, 4, 2, 0)
    run("sample", "--like", "one.mid", "-e", "sad", "-n", 20, "--seed", 1, "-o", "sad")
    original = features.contour(midi.read_melody(tmp_path / "one.mid"))
    melodies = [midi.read_melody(path) for path in (tmp_path / "sad").glob("*.mid")]
    assert sum(label_by_rule(melody) is Emotion.E3 for melody in melodies) >= 16
    correlations = [np.corrcoef(features.contour(melody), original)[0, 1] for melody in melodies]
    assert np.mean(correlations) > 0.45


def test_melodies_are_shown(tmp_path: Path, run: Run) -> None:
    done = run("sample", "-e", "sad", "-n", 2, "--bars", 4, "--seed", 42, "--show", "--key", "A minor")
    first, second, result = done.stdout.split("\n\n")
    assert result == "Wrote 2 melodies to samples/ (sad, emoreg-va, seed 42)\n"
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


@pytest.mark.parametrize(
    ("style", "meter", "found"),
    [
        (None, None, None),
        ("chorale", "3/4", "chorale 3/4"),
        (None, "3/4", "chorale 3/4"),  # the first that the model has learned in the meter
        (None, "6/8", "folk 6/8"),
        ("Folk", None, "folk 4/4"),
    ],
)
def test_styles_and_meters(
    tmp_path: Path, run: Run, small_model: Path, style: str | None, meter: str | None, found: str | None
) -> None:
    given = [*(["--style", style] if style else []), *(["--meter", meter] if meter else [])]
    done = run("sample", "-e", "sad", "-m", small_model, "--seed", 1, "--show", "-f", "mid,png", *given)
    named = f"{found}, " if found else ""
    assert done.stdout.endswith(f"Wrote 1 melody to samples/ (sad, {named}emoreg-va, seed 1)\n")
    title, _, *_ = done.stdout.splitlines()
    assert title == "sad-s1-000: sad, C minor" + (f", {meter}" if meter else "")
    numbers = [line.split() for line in done.stdout.splitlines() if re.fullmatch(r"[ \d]+", line)]
    assert numbers == [[*"1234"], [*"5678"]]
    written = midi.read(tmp_path / "samples" / "sad-s1-000.mid")
    assert written.meter == (meter or "4/4")
    assert written.length * 4 == 8 * written.meter.bar
    (described,) = runs(tmp_path / "samples")
    assert described["bars"] == 8
    recorded = {key: described[key] for key in ("style", "meter", "form") if key in described}
    assert recorded == {k: v for k, v in (("style", style and style.lower()), ("meter", meter)) if v}


def bars_of(path: Path, bars: int) -> list[Melody]:
    """The bars of a melody that was written with ``--plain``, each as a melody."""
    meter = midi.read(path).meter
    notes = midi.read_melody(path, bars * meter.bar).notes
    numbers = [note.onset // meter.bar for note in notes]
    return [
        Melody(tuple(Note(n.onset % meter.bar, 1, n.pitch) for n in notes if n.onset // meter.bar == bar))
        for bar in range(max(numbers) + 1)
    ]


def test_a_form_repeats_sections(tmp_path: Path, run: Run, small_model: Path) -> None:
    sample = ("sample", "-m", small_model, "--seed", 1, "--plain")
    done = run(*sample, "-e", "sad", "--meter", "6/8", "--form", "AABA", "--bars", 16, "-n", 2, "-o", "a")
    assert done.stdout == "Wrote 2 melodies to a/ (sad, folk 6/8, form AABA, emoreg-va, seed 1)\n"
    (described,) = runs(tmp_path / "a")
    assert described["form"] == "AABA"
    assert [entry["form"] for entry in described["samples"]] == ["AABA", "AABA"]
    for number in range(2):
        bars = bars_of(tmp_path / "a" / f"sad-s1-00{number}.mid", 16)
        assert bars[:3] == bars[4:7] == bars[12:15] != bars[8:11]
    # No bar repeats one of another emotion.
    run(*sample, "--path", "sad@0 sad@3 happy@4 happy@7 sad@8", "--bars", 12, "--form", "AAA", "-o", "b")
    first, second, third = (bars_of(tmp_path / "b" / "sad-s1-000.mid", 12)[i : i + 3] for i in (0, 4, 8))
    assert not any(map(Melody.__eq__, first, second))
    assert not any(map(Melody.__eq__, second, third))


def test_files_in_other_meters_are_varied(
    tmp_path: Path, run: Run, small_model: Path, old_model: Path
) -> None:
    song(tmp_path / "jig.mid", 0, 4, 7, 4, meter=Meter.SIX_EIGHT)
    like = ("sample", "--like", "jig.mid", "-m", small_model)
    done = run(*like, "-e", "sad", "--form", "AB", "--seed", 1)
    assert done.stdout.endswith("(like jig.mid, sad, folk 6/8, form AB, emoreg-va, seed 1)\n")
    written = midi.read(tmp_path / "samples" / "jig-sad-s1-000.mid")
    assert (written.meter, written.length) == (Meter.SIX_EIGHT, 12)  # quarter notes, four bars
    stderr = run(*like, "--meter", "3/4", "-o", "no", code=2).stderr
    assert stderr == "emomelody: the melody to vary is in 6/8, not in 3/4\n"
    stderr = run(*like[:-1], old_model, "-o", "no", code=2).stderr
    assert stderr == "emomelody: the model has learned chorale 4/4, but no melodies in 6/8\n"
    assert not (tmp_path / "no").exists()


def test_tunes_again(tmp_path: Path, run: Run, run_installed: Run, small_model: Path) -> None:
    song(tmp_path / "waltz.mid", 0, 3, 7, 3, meter=Meter.THREE_FOUR)
    for number, arguments in enumerate(
        (
            ("-e", "sad"),
            ("-e", "sad", "--style", "folk", "--meter", "6/8", "--form", "AB", "-n", 2),
            ("--like", "waltz.mid", "--style", "folk", "--form", "AABA"),
            ("--path", "sad@0 happy@4", "--meter", "3/4", "--form", "AABB"),
        )
    ):
        run("sample", *arguments, "-m", small_model, "--seed", number, "-o", "a")
    (tmp_path / "waltz.mid").unlink()
    again = run_installed("sample", "--again", "a/samples.json", "-o", "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert again.stdout.splitlines()[1:] == [
        "Wrote 2 melodies to b/ (sad, folk 6/8, form AB, emoreg-va, seed 1)",
        "Wrote 1 melody to b/ (like waltz.mid, folk 3/4, form AABA, emoreg-va, seed 2)",
        "Wrote 1 melody to b/ (sad@0 happy@4, chorale 3/4, form AABB, emoreg-va, seed 3)",
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--style", "jazz"], "unknown style 'jazz': use chorale, folk or own"),
        (["--meter", "7/8"], "unknown meter '7/8': use 4/4, 3/4 or 6/8"),
        (
            ["--style", "chorale", "--meter", "6/8"],
            "learned chorale 4/4, chorale 3/4, folk 4/4, folk 3/4, folk 6/8, but no chorale 6/8",
        ),
        (["--style", "own"], "folk 6/8, but no own 4/4"),
        (["--form", "aaba"], "form 'aaba' must be capital letters, one a section, such as AABA"),
        (["--form", "ABC"], "form ABC: 8 bars cannot be divided into 3 sections of equal length"),
        (["--style", "folk", "-m", "emoreg"], "need emoreg-va"),
        (["--form", "AB", "-m", "base"], "need emoreg-va"),
        (["--again", "a.json", "--meter", "3/4"], "leave out --emotion and --meter"),
    ],
)
def test_wrong_tunes_are_one_line(
    tmp_path: Path, run: Run, small_model: Path, arguments: list[str], reason: str
) -> None:
    stderr = run("sample", "-e", "sad", "-m", small_model, *arguments, code=2).stderr
    assert re.fullmatch(f"emomelody: .*{re.escape(reason)}.*\n", stderr)
    assert not any(tmp_path.iterdir())


def test_old_weights_have_no_form(run: Run, old_model: Path) -> None:
    stderr = run("sample", "-e", "sad", "-m", old_model, "--form", "AB", code=2).stderr
    expected = "these weights, of version 0.4 or before, have no forms: train again"
    assert stderr == f"emomelody: {expected}\n"


def test_melodies_are_played_by_a_player_of_the_system(tmp_path: Path, run: Run) -> None:
    """The player here keeps what it gets: machines that run tests need no sound card."""
    programs = tmp_path / "bin"
    programs.mkdir()
    player = programs / "aplay"
    player.write_text(f'#!/bin/sh\nfor file; do :; done\n/bin/cat "$file" >> "{tmp_path}/played"\n')
    player.chmod(0o755)
    run("sample", "-e", "sad", "-n", 2, "--seed", 1, "-f", "wav", "--play", path=programs)
    wavs = [(tmp_path / "samples" / f"sad-s1-00{i}.wav").read_bytes() for i in range(2)]
    assert (tmp_path / "played").read_bytes() == b"".join(wavs)

    player.write_text("#!/bin/sh\necho no sound card >&2\nexit 1\n")
    done = run("sample", "-e", "sad", "--seed", 2, "-o", "b", "--play", path=programs, code=1)
    assert done.stderr.endswith("emomelody: aplay failed: no sound card\n")
    assert (tmp_path / "b" / "sad-s2-000.mid").exists()  # what is written stays

    player.unlink()
    stderr = run("sample", "-e", "sad", "--seed", 2, "-o", "c", "--play", path=programs, code=1).stderr
    assert "--play finds no player on this system: install one of afplay" in stderr
    assert not (tmp_path / "c").exists()


def test_without_fluidsynth_a_soundfont_says_how_to_get_it(tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ("sample", "-e", "sad", "--soundfont", "a.sf2", "-f", "wav")
    stderr = run(*arguments, path=tmp_path / "empty", code=1).stderr
    assert "--soundfont needs FluidSynth" in stderr
    assert "apt install fluidsynth" in stderr
    assert not (tmp_path / "samples").exists()


def test_nothing_is_left_where_writing_fails(tmp_path: Path, run: Run) -> None:
    """A limit on the size of files stands in for a full disk: the MIDI file fits, the sound does not."""
    run("sample", "-e", "sad", "--seed", 1, "-o", "there")
    before = contents(tmp_path / "there")
    for out in ("new/deep", "there"):
        words = ["sample", "-e", "sad", "--seed", "1", "--force", "-f", "mid,wav", "-o", out]
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
        ("file", "file: is a file: choose another folder"),
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
