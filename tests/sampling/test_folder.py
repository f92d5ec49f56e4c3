"""Folders that hold several runs: whose names are taken, what is replaced, and what failures leave."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats.encode import Format
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.performance.setting import Setting
from emomelody.sampling.request import Request
from emomelody.sampling.runs.folder import Written, write_folder
from emomelody.sampling.runs.generation import GenerationConfig
from emomelody.sampling.runs.index import read_configs
from emomelody.sampling.runs.names import check_file
from emomelody.weights.checkpoint import Checkpoint, bundled_weights, load_checkpoint

MIDI, WAV = Format.MIDI, Format.WAV
SONG = Melody(tuple(Note(4 * i, 4, 60 + i % 5) for i in range(16)))


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint(bundled_weights()["emoreg"])


def config(
    emotion: Emotion = Emotion.E3, n: int = 1, formats: tuple[Format, ...] = (MIDI,), tonic: str = "C"
) -> GenerationConfig:
    return GenerationConfig(
        "emoreg", Request(n, emotion, seed=1), formats=formats, setting=Setting(tonic=tonic)
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def listed(folder: Path) -> list[list[str]]:
    """The files of each run in samples.json."""
    runs = json.loads((folder / "samples.json").read_text())["runs"]
    return [[name for sample in run["samples"] for name in sample["files"]] for run in runs]


def test_runs_accumulate(tmp_path: Path, checkpoint: Checkpoint) -> None:
    write_folder([(checkpoint, config(Emotion.E3))], tmp_path)
    write_folder([(checkpoint, config(Emotion.E1)), (checkpoint, config(Emotion.E2, 2))], tmp_path)
    assert listed(tmp_path) == [
        ["sad-s1-000.mid"],
        ["happy-s1-000.mid"],
        ["angry-s1-000.mid", "angry-s1-001.mid"],
    ]
    assert set(contents(tmp_path)) == {"samples.json", *(name for run in listed(tmp_path) for name in run)}
    assert [c.request.emotion for c in read_configs(tmp_path / "samples.json")] == [
        Emotion.E3,
        Emotion.E1,
        Emotion.E2,
    ]


def test_a_run_is_added_to_a_folder_of_version_0_1(tmp_path: Path, checkpoint: Checkpoint) -> None:
    write_folder([(checkpoint, config(Emotion.E3))], tmp_path)
    index = tmp_path / "samples.json"
    (run,) = json.loads(index.read_text())["runs"]
    index.write_text(json.dumps(run, indent=1))  # as it was before there were several
    write_folder([(checkpoint, config(Emotion.E1))], tmp_path)
    assert json.loads(index.read_text())["runs"][0] == run
    assert listed(tmp_path) == [["sad-s1-000.mid"], ["happy-s1-000.mid"]]


def test_taken_names_are_refused_and_nothing_changes(tmp_path: Path, checkpoint: Checkpoint) -> None:
    write_folder([(checkpoint, config(n=2, formats=(MIDI, WAV)))], tmp_path)
    (tmp_path / "happy-s1-000.mid").write_bytes(b"mine")
    before = contents(tmp_path)
    for taken, name in (
        (config(), "sad-s1-000.mid"),
        (config(tonic="D", formats=(Format.MUSICXML,)), "sad-s1-000.mid"),  # another melody of that name
        (config(Emotion.E1, 3), "happy-s1-000.mid"),
    ):
        with pytest.raises(EmomelodyError) as error:
            write_folder([(checkpoint, config(Emotion.E4)), (checkpoint, taken)], tmp_path)
        expected = f"{tmp_path / name} is there already: choose another --out or --name, or add --force"
        assert str(error.value) == expected
        assert contents(tmp_path) == before


def test_the_same_request_in_another_meter_is_another_melody(tmp_path: Path, small_model: Path) -> None:
    checkpoint = load_checkpoint(small_model)
    request = Request(emotion=Emotion.E3, seed=1)
    write_folder([(checkpoint, GenerationConfig("small", request))], tmp_path)
    for changes in ({"meter": Meter.THREE_FOUR}, {"style": Style.FOLK}, {"form": "AB"}, {"bars": 8}):
        other = GenerationConfig("small", replace(request, **changes), formats=(Format.MUSICXML,))
        with pytest.raises(EmomelodyError, match="is there already"):
            write_folder([(checkpoint, other)], tmp_path)


def test_force_removes_the_runs_that_are_replaced(tmp_path: Path, checkpoint: Checkpoint) -> None:
    """No sound of an earlier run stays beside a new MIDI file of the same name."""
    write_folder([(checkpoint, config(n=3, formats=(MIDI, WAV)))], tmp_path)
    write_folder([(checkpoint, config(Emotion.E1, formats=(MIDI, WAV)))], tmp_path)
    (tmp_path / "sad-s1-000.txt").write_text("mine")
    happy = (tmp_path / "happy-s1-000.wav").read_bytes()
    write_folder([(checkpoint, config(tonic="D"))], tmp_path, force=True)
    assert listed(tmp_path) == [["happy-s1-000.mid", "happy-s1-000.wav"], ["sad-s1-000.mid"]]
    assert set(contents(tmp_path)) == {
        "samples.json",
        "happy-s1-000.mid",
        "happy-s1-000.wav",
        "sad-s1-000.mid",
        "sad-s1-000.txt",
    }
    assert contents(tmp_path)["happy-s1-000.wav"] == happy
    write_folder([(checkpoint, config(tonic="D"))], tmp_path / "alone")
    new = (tmp_path / "sad-s1-000.mid").read_bytes()
    assert new == (tmp_path / "alone" / "sad-s1-000.mid").read_bytes()


def test_force_replaces_files_that_no_run_owns(tmp_path: Path, checkpoint: Checkpoint) -> None:
    (tmp_path / "sad-s1-000.mid").write_bytes(b"mine")
    (tmp_path / "samples.json").write_text("{}")
    with pytest.raises(BadInput, match=r"samples\.json: not a samples\.json .*: choose another --out, or"):
        write_folder([(checkpoint, config())], tmp_path)
    write_folder([(checkpoint, config())], tmp_path, force=True)
    assert (tmp_path / "sad-s1-000.mid").read_bytes()[:4] == b"MThd"
    assert listed(tmp_path) == [["sad-s1-000.mid"]]


def test_the_same_melodies_may_be_added_in_another_format(tmp_path: Path, checkpoint: Checkpoint) -> None:
    write_folder([(checkpoint, config())], tmp_path)
    write_folder([(checkpoint, config(formats=(WAV,)))], tmp_path)
    assert listed(tmp_path) == [["sad-s1-000.mid"], ["sad-s1-000.wav"]]
    write_folder([(checkpoint, config(formats=(WAV,)))], tmp_path, force=True)
    assert listed(tmp_path) == [["sad-s1-000.mid"], ["sad-s1-000.wav"]]
    write_folder([(checkpoint, config(tonic="D", formats=(WAV,)))], tmp_path, force=True)
    assert listed(tmp_path) == [["sad-s1-000.wav"]]
    assert not (tmp_path / "sad-s1-000.mid").exists()


def test_two_runs_of_the_same_names_are_refused(tmp_path: Path, checkpoint: Checkpoint) -> None:
    runs = [
        (checkpoint, GenerationConfig("emoreg", Request(2, emotion), name="{index}"))
        for emotion in (Emotion.E1, Emotion.E2)
    ]
    with pytest.raises(EmomelodyError, match=r"name '\{index\}' is the same for several melodies"):
        write_folder(runs, tmp_path, force=True)
    assert not contents(tmp_path)


def test_names_that_depend_on_the_melodies_are_checked_too(tmp_path: Path) -> None:
    """Variations of a file are named by the emotion of their own point, known only when they are sampled."""
    run = (
        load_checkpoint(bundled_weights()["emoreg-va"]),
        GenerationConfig("emoreg-va", Request(4, like=SONG, spread=0.5, seed=5), file="song.mid"),
    )
    write_folder([run], tmp_path / "once")
    (name,) = (path.name for path in (tmp_path / "once").glob("*-003.mid"))
    (tmp_path / "twice").mkdir()
    (tmp_path / "twice" / name).write_bytes(b"mine")
    with pytest.raises(EmomelodyError, match=f"{name} is there already"):
        write_folder([run], tmp_path / "twice")
    assert contents(tmp_path / "twice") == {name: b"mine"}
    write_folder([run], tmp_path / "twice", force=True)
    assert contents(tmp_path / "once") == contents(tmp_path / "twice")


def test_single_files_are_refused_where_a_run_owns_them(tmp_path: Path, checkpoint: Checkpoint) -> None:
    write_folder([(checkpoint, config())], tmp_path)
    check_file(tmp_path / "new.mid", force=False)
    with pytest.raises(BadInput, match="belongs to a run in"):
        check_file(tmp_path / "sad-s1-000.mid", force=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "samples.json").write_text("[]")
    check_file(tmp_path / "other" / "new.mid", force=False)
    (tmp_path / "mine.mid").touch()
    check_file(tmp_path / "mine.mid", force=True)
    with pytest.raises(EmomelodyError, match="is there already: choose another --out, or add --force"):
        check_file(tmp_path / "mine.mid", force=False)


def test_melodies_are_reported_in_order(tmp_path: Path, checkpoint: Checkpoint) -> None:
    reported: list[tuple[int, str, bool]] = []

    def on_written(run: int, written: Written) -> None:
        reported.append((run, written.title, written.arranged is not None))

    runs = [(checkpoint, config(Emotion.E1, 2)), (checkpoint, config(Emotion.E2))]
    write_folder(runs, tmp_path, keep=True, on_written=on_written)
    assert reported == [(0, "happy-s1-000", True), (0, "happy-s1-001", True), (1, "angry-s1-000", True)]


@pytest.mark.skipif(sys.platform != "linux", reason="forks a process of many threads")
def test_runs_that_are_written_at_once_are_all_recorded(tmp_path: Path, checkpoint: Checkpoint) -> None:
    folder, fork = tmp_path / "new", multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=write_folder, args=([(checkpoint, config(emotion))], folder))
        for emotion in Emotion
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    names = sorted(f"{emotion.title}-s1-000.mid" for emotion in Emotion)
    assert sorted(name for run in listed(folder) for name in run) == names
    assert sorted(contents(folder)) == [*names, "samples.json"]


def test_what_stops_several_processes_leaves_nothing(tmp_path: Path) -> None:
    program = """
from pathlib import Path
import emomelody
from emomelody.emotions.emotion import Emotion
from emomelody.sampling.runs.folder import write_folder
from emomelody.sampling.runs.generation import GenerationConfig
from emomelody.sampling.request import Request
def stop(run, written):
    if written.number == 300: raise ValueError('enough')
run = (emomelody.load('emoreg').checkpoint, GenerationConfig('emoreg', Request(3000, Emotion.E1)))
try: write_folder([run], Path('out'), on_written=stop)
except ValueError as error: print(error)
"""
    command, environment = [sys.executable, "-c", program], os.environ | {"OMP_NUM_THREADS": "2"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "enough\n"
    assert list(tmp_path.iterdir()) == []
