"""``sample`` through the installed command, with the shipped weights."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Run

from emomelody.formats import midi
from emomelody.models.checkpoint import bundled_weights, load_checkpoint
from emomelody.music.emotion import Emotion
from emomelody.music.tokens import to_tokens
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample

MODELS = ("base", "emoreg", "emoreg-va")
GOLDEN = Path(__file__).parent / "golden.json"


def index(folder: Path) -> dict:
    return json.loads((folder / "samples.json").read_text())


def test_twenty_sad_melodies(tmp_path: Path, run: Run) -> None:
    done = run("sample", "--emotion", "sad", "-n", 20, "--seed", 42)
    assert done.stdout == "samples: 20 melodies, sad, model emoreg-va, seed 42\n"
    described = index(tmp_path / "samples")
    assert described["model"] == "emoreg-va"
    assert described["checksum"] == load_checkpoint(bundled_weights()["emoreg-va"]).checksum
    assert described["seed"] == 42
    names = [f"sad-s42-{i:03d}.mid" for i in range(20)]
    assert [entry["files"] for entry in described["samples"]] == [[name] for name in names]
    assert sorted(p.name for p in (tmp_path / "samples").glob("*.mid")) == names
    for entry in described["samples"]:
        assert entry["emotion"] == "sad"
        assert all(-1 <= coordinate < 0 for coordinate in entry["point"])
        (file,) = entry["files"]
        song = midi.read(tmp_path / "samples" / file)
        assert song.length == 16
        assert [track.name for track in song.tracks] == [file.removesuffix(".mid")]


def test_the_same_seed_gives_the_same_bytes_and_five_are_the_first_of_ten(tmp_path: Path, run: Run) -> None:
    for out, num, seed in (("five", 5, 7), ("ten", 10, 7), ("again", 10, 7), ("other", 10, 8)):
        run("sample", "-e", "e1", "-n", num, "--seed", seed, "-o", out)
    files = {
        out: [p.read_bytes() for p in sorted((tmp_path / out).glob("*.mid"))]
        for out in ("five", "ten", "again", "other")
    }
    assert files["ten"][:5] == files["five"]
    assert files["ten"] == files["again"]
    assert files["ten"] != files["other"]


def test_the_number_of_threads_changes_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    command = [
        Path(sys.executable).with_name("emomelody"),
        "sample",
        "-e",
        "angry",
        "-n",
        "20",
        "--seed",
        "3",
        "--like",
        ROOT / "examples" / "emoreg-va" / "happy-0.mid",
    ]
    for threads in "12":
        chosen = environment | {"OMP_NUM_THREADS": threads}
        subprocess.run([*command, "-o", threads], cwd=tmp_path, env=chosen, check=True, capture_output=True)
    one, two = ([p.read_bytes() for p in sorted((tmp_path / n).iterdir())] for n in "12")
    assert one == two


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("emotion", Emotion)
def test_a_thousand_draws_stay_in_their_quadrant(model: str, emotion: Emotion) -> None:
    checkpoint = load_checkpoint(bundled_weights()[model])
    rng = np.random.default_rng(0)
    latents = np.array([checkpoint.plane.sample(emotion, rng) for _ in range(1000)])
    assert (np.sign(latents) == [emotion.valence, emotion.arousal]).all()
    assert (np.abs(latents) <= checkpoint.plane.scale).all()


@pytest.mark.parametrize("model", MODELS)
def test_shipped_weights_make_the_golden_melodies(model: str) -> None:
    """golden.json is written by tests/sampling/make_golden.py; a new set of weights needs a new one."""
    checkpoint = load_checkpoint(bundled_weights()[model])
    golden = json.loads(GOLDEN.read_text())[model]
    assert checkpoint.checksum == golden["checksum"]
    for emotion in Emotion:
        made = [to_tokens(s.melody).tolist() for s in sample(checkpoint, Request(3, emotion, seed=1))]
        assert made == golden[emotion.code]


def test_a_point_is_kept_and_its_quadrant_is_the_label(tmp_path: Path, run: Run) -> None:
    cases = {("-0.5", "0.8"): "angry", ("0", "0"): "happy", ("-1", "0"): "angry", ("0", "-1"): "relaxed"}
    for number, (point, title) in enumerate(cases.items()):
        run("sample", "--point", *point, "--seed", 1, "-o", f"out{number}")
        (entry,) = index(tmp_path / f"out{number}")["samples"]
        assert entry["emotion"] == title
        assert entry["point"] == [float(c) for c in point]
        assert entry["files"] == [f"{title}-s1-000.mid"]
        scale = load_checkpoint(bundled_weights()["emoreg-va"]).plane.scale
        assert entry["latent"] == pytest.approx(np.multiply(entry["point"], scale))


def test_temperature_makes_one_point_many_melodies(tmp_path: Path, run: Run) -> None:
    arguments = ("--point", 0.4, 0.4, "-n", 4, "--seed", 1, "-m", "emoreg")
    assert "add --temperature" in run("sample", *arguments, "-o", "cold").stderr
    run("sample", *arguments, "--temperature", 1.5, "-o", "warm")
    melodies = {
        out: {midi.read_melody(p) for p in (tmp_path / out).glob("*.mid")} for out in ("cold", "warm")
    }
    assert len(melodies["cold"]) == 1
    assert len(melodies["warm"]) > 1


def test_many_melodies_are_the_same_by_one_process_and_by_several(
    tmp_path: Path, run: Run, environment: dict[str, str]
) -> None:
    words = ["sample", "-m", "emoreg", "-e", "happy", "-n", "1000", "--seed", "3", "-o", "out"]
    for threads in "12":
        (tmp_path / threads).mkdir()
        subprocess.run(
            [Path(sys.executable).with_name("emomelody"), *words],
            cwd=tmp_path / threads,
            env=environment | {"OMP_NUM_THREADS": threads},
            check=True,
            capture_output=True,
        )
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / threads / "out").iterdir()} for threads in "12"
    )
    assert len(one) == 1001
    assert one == two
    assert len(json.loads(one["samples.json"])["samples"]) == 1000
    # What a process finds out reaches the user as one line, and nothing is left.
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "happy-s3-700.mid").write_bytes(b"mine")
    stderr = run(*words, code=1, threads=2).stderr
    assert stderr == "emomelody: out: has happy-s3-700.mid already: choose another --out, or add --force\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["happy-s3-700.mid"]


def test_what_stops_many_processes_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, torch; from pathlib import Path; import emomelody; from emomelody.sampling import folder, generation\n"
        "from emomelody.music.emotion import Emotion; from emomelody.sampling.request import Request\n"
        "torch.set_num_threads(2)\n"
        "def stop(entry):\n"
        "    if entry.number == 300: raise ValueError('enough')\n"
        "request = Request(3000, Emotion.E1)\n"
        "try: folder.write_folder(emomelody.load('emoreg').checkpoint, generation.Recipe('emoreg', request),\n"
        "                         Path('out'), on_entry=stop)\n"
        "except ValueError as error: print(error, torch.get_num_threads())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "enough 2\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("model", ["emoreg-va", "emoreg"])
def test_the_least_temperature_and_share_take_the_likeliest(tmp_path: Path, run: Run, model: str) -> None:
    few = ["sample", "-m", model, "-e", "sad", "-n", 2, "--seed", 1]
    run(*few, "--temperature", 1e-40, "-o", "cold")
    run(*few, "--temperature", 1, "--top-p", 1e-46, "-o", "narrow")
    assert len(list(tmp_path.glob("*/*.mid"))) == 4


def test_without_a_seed_the_used_one_is_printed(tmp_path: Path, run: Run) -> None:
    first = run("sample", "-e", "relaxed", "-o", "a").stdout
    again = run("sample", "-e", "relaxed", "-o", "b", "--seed", first.split()[-1]).stdout
    assert first.split()[-1] == again.split()[-1]
    (one,), (two,) = ((tmp_path / out).glob("*.mid") for out in "ab")
    assert one.read_bytes() == two.read_bytes()
    assert first != run("sample", "-e", "relaxed", "-o", "c").stdout.replace("c:", "a:")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-e", "gloomy"], "unknown emotion 'gloomy': use happy (e1, Q1), angry"),
        (["--point", "0.5", "1.2"], "point 0.5 1.2 is outside the plane"),
        (["--point", "nan", "0"], "outside the plane"),
        ([], "ask for an emotion, a point or a path"),
        (["-e", "sad", "--point", "0", "0"], "ask for an emotion, a point or a path"),
        (["-e", "sad", "-m", "nobody"], "no such model: use base, emoreg"),
        (["-e", "sad", "-m", "no/such.safetensors"], "no such weights file"),
        (["-e", "sad", "--temperature", "0"], "temperature 0 must be above 0"),
        (["-e", "sad", "-o", "file.txt"], "file.txt: is a file"),
        (["-e", "sad", "--device", "abacus"], "device 'abacus' cannot be used here"),
    ],
)
def test_wrong_requests_are_one_line(tmp_path: Path, run: Run, arguments: list[str], reason: str) -> None:
    (tmp_path / "file.txt").write_text("in the way")
    stderr = run("sample", *arguments, code=1).stderr
    assert reason in stderr
    assert stderr.count("\n") == 1
    assert not (tmp_path / "samples").exists()


def test_files_are_replaced_only_by_force(tmp_path: Path, run: Run) -> None:
    run("sample", "-e", "sad", "--seed", 1)
    before = (tmp_path / "samples" / "samples.json").read_bytes()
    assert "has samples.json already" in run("sample", "-e", "happy", "--seed", 2, code=1).stderr
    assert (tmp_path / "samples" / "samples.json").read_bytes() == before
    (tmp_path / "samples" / "samples.json").unlink()
    assert "has sad-s1-000.mid already" in run("sample", "-e", "sad", "--seed", 1, code=1).stderr
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["sad-s1-000.mid"]
    run("sample", "-e", "sad", "--seed", 1, "--force")


def test_quiet_says_the_result_only_and_verbose_names_the_weights(tmp_path: Path, run: Run) -> None:
    quiet = run("-q", "sample", "--point", 0, 0, "-n", 2, "--seed", 1)
    assert quiet.stderr == ""
    assert "seed 1" in quiet.stdout
    assert "SHA-256" in run("-v", "sample", "-e", "sad", "-o", "b").stderr


@pytest.mark.parametrize("emotion", ["happy", "angry", "sad", "relaxed"])
def test_the_emotion_survives_reading_back(emotion: str, tmp_path: Path, run: Run) -> None:
    """The key is written, so that no other tonic is found in the notes."""
    run("sample", "-e", emotion, "-n", 10, "--seed", 1, "-o", "made")
    run("preprocess", "made", "-o", "again")
    with (tmp_path / "again" / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    mode = Emotion.parse(emotion).mode
    assert {row["key"] for row in rows} == {f"C {mode}"}
    assert sum(row["emotion"] == Emotion.parse(emotion).code for row in rows) >= 7
