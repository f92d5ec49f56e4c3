"""``emomelody evaluate``: the command as a user runs it."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pytest
from conftest import Run

from emomelody.emotions.emotion import Emotion
from emomelody.formats import midi
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN
from emomelody.weights.checkpoint import load_checkpoint, save_checkpoint


def copies(folder: Path, small_data: Path, change: str) -> None:
    rng = np.random.default_rng(0)
    for emotion in Emotion:
        (folder / emotion.code).mkdir(parents=True)
        for number, path in enumerate(sorted((small_data / emotion.code).iterdir())):
            some = midi.read_melody(path)
            if change == "transposed":
                some = some.transposed(number - 5)
            if change == "shuffled":
                order = rng.permutation(len(some.notes))
                pitches = [some.notes[i].pitch for i in order]
                notes = zip(some.notes, pitches, strict=True)
                some = Melody(tuple(Note(n.onset, n.duration, p) for n, p in notes))
            midi.write(
                arrange(some, title="x", emotion=emotion, setting=PLAIN), folder / emotion.code / path.name
            )


def rekey(folder: Path, key: str, semitones: int, *, only: str = "") -> None:
    """Transpose melodies and write a key signature into their files."""
    for path in folder.rglob(f"{only}*.mid"):
        file = mido.MidiFile(path)
        for track in file.tracks:
            for message in track:
                if message.type == "key_signature":
                    message.key = key + "m" * message.key.endswith("m")
                elif message.type in ("note_on", "note_off"):
                    message.note += semitones
        file.save(path)


def test_melodies_in_other_keys_are_transposed_by_their_signatures(
    tmp_path: Path, run: Run, small_data: Path
) -> None:
    shutil.copytree(small_data, tmp_path / "theirs")
    rekey(tmp_path / "theirs", "A", 9, only="melody-0")
    done = run("evaluate", "--generated", "theirs", "--data", small_data, "--json", "f.json")
    assert "4 of 40 melodies transposed to C by the key signature in their files" in done.stderr
    in_c = run("evaluate", "--generated", small_data, "--data", small_data, "--json", "-")
    assert "transposed" not in in_c.stderr
    assert "Verdict" in in_c.stderr  # stdout has the figures alone
    theirs, ours = (
        json.loads(text)["systems"][0] for text in ((tmp_path / "f.json").read_text(), in_c.stdout)
    )
    assert theirs | {"name": ""} == ours | {"name": ""}


def test_the_verdict_comes_first_and_the_tables_on_demand(tmp_path: Path, run: Run, small_data: Path) -> None:
    arguments = ("evaluate", "--generated", small_data, "--data", small_data)
    brief = run(*arguments)
    assert brief.stdout.lstrip().startswith("Verdict")
    assert len(brief.stdout.splitlines()) < 24  # one screen
    assert "Table 3" not in brief.stdout
    assert "-v shows every table; --report FOLDER writes them" in brief.stderr
    detailed = run(*arguments, "-v")
    assert detailed.stdout.startswith(brief.stdout)
    assert "Table 3" in detailed.stdout
    assert "-v shows" not in detailed.stderr
    quiet = run(*arguments, "-q", "--csv", "-")
    assert quiet.stderr == ""
    assert quiet.stdout.startswith("system,") and "novelty.exact,1" in quiet.stdout


@pytest.mark.parametrize(("change", "exact"), [("same", 1.0), ("transposed", 1.0), ("shuffled", 0.0)])
def test_copies_are_found_out(change: str, exact: float, tmp_path: Path, run: Run, small_data: Path) -> None:
    copies(tmp_path / "theirs", small_data, change)
    done = run("evaluate", "--generated", "theirs", "--data", small_data, "--json", "f.json")
    (system,) = json.loads((tmp_path / "f.json").read_text())["systems"]
    assert system["novelty"]["exact"] == exact
    assert system["novelty"]["real"]["exact"] < 0.5
    assert system["emotion"]["classifier"]["real"]["all"] > 0.8
    assert "exact copies" in done.stdout
    assert "placement" not in done.stdout
    if change == "same":
        assert system["metrics"]["mean_gap"] == 0


def test_unreadable_files_and_missing_emotions_are_named(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data / "e1", tmp_path / "theirs" / "e1")
    (tmp_path / "theirs" / "e1" / "bad.mid").write_text("no midi")
    done = run("evaluate", "--generated", "theirs", "--data", small_data)
    assert "skipped: theirs/e1/bad.mid: not a MIDI file" in done.stderr
    assert "no angry or sad or relaxed melodies: the figures are of the others alone" in done.stderr


@pytest.mark.slow
def test_a_full_disk_does_not_hide_the_figures(
    tmp_path: Path, environment: dict[str, str], small_data: Path
) -> None:
    """A limit on the size of files stands in for the disk."""
    words = ["evaluate", "--generated", str(small_data), "--data", str(small_data), "--json", "f.json"]
    command = ["sh", "-c", 'ulimit -f 1; exec "$0" "$@"', str(Path(sys.executable).with_name("emomelody"))]
    done = subprocess.run(
        [*command, *words], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert done.returncode == 1
    assert done.stderr.endswith("emomelody: f.json: cannot be written (File too large)\n")
    assert "Verdict" in done.stdout
    assert not (tmp_path / "f.json").exists()


@pytest.mark.slow
def test_several_models_seeds_and_files(tmp_path: Path, run: Run, small_data: Path) -> None:
    arguments = ("-m", "base", "-m", "emoreg", "--data", small_data, "-n", 5, "--seeds", 2)
    done = run("evaluate", "-v", *arguments, "--json", "f.json", "--csv", "f.csv", "--report", "report")
    assert re.search(
        r"^ +base +emoreg +base +emoreg +melodies *$", done.stdout, re.MULTILINE
    )  # ours, the paper's
    assert "mean D, unseen" in done.stdout
    for option, file in (("--json", "f.json"), ("--csv", "f.csv"), ("--report", "report")):
        stderr = run("evaluate", *arguments, option, file, code=1).stderr
        assert "exists already: choose another name, or add --force" in stderr
    assert re.search(r"^ mean \|Δμ\|/σ +\d\.\d\d ± \d\.\d\d", done.stdout, re.MULTILINE)
    assert "base, emoreg: not trained on this data, as far as is known" in done.stderr
    systems = json.loads((tmp_path / "f.json").read_text())["systems"]
    assert [s["name"] for s in systems] == ["base", "emoreg"]
    assert systems[0]["seeds"] == [0, 1]
    assert systems[1]["placement"]["unseen"]["examples"] == 40
    assert 0 < systems[1]["placement"]["unseen"]["mean"] <= 1
    assert systems[1]["placement"]["paper"]["e1"] == 0.83
    assert systems[1]["metrics"]["generated"] == {e.code: 5 for e in Emotion}
    with (tmp_path / "f.csv").open(newline="") as file:
        rows = {(row["system"], row["figure"]): row for row in csv.DictReader(file)}
    row = rows["emoreg", "metrics.mean_gap"]
    assert float(row["value"]) == systems[1]["metrics"]["mean_gap"]
    assert float(row["deviation"]) == systems[1]["deviation"]["metrics"]["mean_gap"] > 0
    pictures = {p.name for p in (tmp_path / "report").glob("*.png")}
    assert pictures == {f"{m}-{p}.png" for m in ("base", "emoreg") for p in ("latent-space", "plane")}
    page = " ".join((tmp_path / "report" / "report.html").read_text().split())
    assert page.count("data:image/png;base64,") == len(pictures)
    assert not re.search(r"(src|href)=\"(?!data:|#)|<link|<script src", page)
    (shown,) = re.findall(r'<script type="application/json" id="player-data">(.*?)</script>', page)
    titles = [melody["title"] for melody in json.loads(shown)["melodies"]]
    assert all(
        f"base {e.title} 1{beside}" in titles for e in Emotion for beside in ("", ", nearest", ", real")
    )
    assert len(titles) == 2 * 4 * 2 * 3  # systems, emotions, melodies of each, each beside two
    assert "the share of the melodies labelled e_i whose latent mean lies in quadrant i" in page
    summary, contents, terms, placement = (
        page.index(part) for part in ("<caption>Verdict", "Contents</h2>", "Terms</h2>", "Placement</h2>")
    )
    assert summary < contents < terms < placement
    for link in re.findall(r'href="#(\w+)"', page):
        assert f'id="{link}"' in page


@pytest.mark.slow
def test_judges_can_have_their_own_data(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    (tmp_path / "experts").mkdir()
    # Experts who call happy what we call sad: the classifier learns that, and the rule disagrees.
    for ours, theirs in (("e1", "e3"), ("e3", "e1"), ("e2", "e2"), ("e4", "e4")):
        (tmp_path / "experts" / theirs).symlink_to(small_data / ours)
    run("evaluate", "--generated", small_data, "--judge-data", "experts", "--json", "f.json")
    (system,) = json.loads((tmp_path / "f.json").read_text())["systems"]
    assert system["emotion"]["rule"]["all"] > 0.95
    assert system["emotion"]["rule"]["real"]["all"] == pytest.approx(0.5, abs=0.05)
    assert system["emotion"]["classifier"]["all"] < 0.6
    assert system["emotion"]["classifier"]["real"]["all"] > 0.9
    assert system["emotion"]["judged_on"]["where"] == "the judge data"


@pytest.mark.slow
def test_labels_by_the_rule_are_said_to_be(tmp_path: Path, run: Run, small_data: Path) -> None:
    (tmp_path / "songs").mkdir()
    for path in small_data.rglob("*.mid"):
        shutil.copy(path, tmp_path / "songs" / f"{path.parent.name}-{path.name}")
    run("preprocess", "songs", "--arousal", "notes")
    done = run("evaluate", "--generated", small_data)
    assert "the rule itself labelled 100% of them" in done.stderr
    assert "onsets per second" not in done.stderr
    run("preprocess", "songs", "--force")
    done = run("evaluate", "--generated", small_data)
    assert "the rule itself labelled 100% of them" in done.stderr
    assert "for 100% of them it took arousal from onsets per second" in done.stderr
    assert "the rule itself" not in run("evaluate", "--generated", small_data, "--data", small_data).stderr


def test_a_model_that_makes_only_silence_says_so(tmp_path: Path, run: Run, small_data: Path) -> None:
    run("train", small_data, "--model", "emoreg", "--epochs", 1, "--lr", 1e-9)
    run_folder = tmp_path / "runs" / "emoreg"
    checkpoint = load_checkpoint(run_folder / "model.safetensors")
    checkpoint.tensors["output.bias"][-1] = 100  # hold, always
    save_checkpoint(checkpoint, run_folder / "model.safetensors")
    for command in (("sample", "-e", "sad"), ("evaluate", "--data", small_data)):
        stderr = run(*command, "-m", "runs/emoreg", code=1).stderr
        assert "make only silence here: train longer" in stderr.splitlines()[-1]


@pytest.mark.slow
def test_data_here_is_the_default(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    done = run("evaluate", "-n", 1)
    assert "mean D, unseen" in done.stdout
    assert "has not learned own melodies in 4/4: its chorale melodies are evaluated" in done.stderr


def test_wrong_requests_are_one_line(tmp_path: Path, run: Run, small_data: Path) -> None:
    for arguments, reason in {
        ("--generated", "x"): "x: no such folder",
        ("--data", "nowhere"): "nowhere: no such folder",
        ("-m", "nobody", "--data", "x"): "no such model",
        ("--data", str(small_data), "-n", "1", "--judge-data", "x"): "x: no such folder",
        ("--data", str(small_data), "--style", "folk"): "no folk melodies in 4/4",
        ("--style", "own", "-m", "emoreg"): "no melodies of your own in 4/4 here: name a folder",
        ("--data", str(small_data), "-n", "1", "--json", "no/such/f.json"): "cannot be written",
        ("--data", str(small_data), "-n", "1", "--csv", "no/such/f.csv"): "cannot be written",
    }.items():
        stderr = run("evaluate", *arguments, code=1).stderr
        assert reason in stderr.splitlines()[-1]


def test_options_that_exclude_each_other_are_usage_errors(run: Run) -> None:
    generated = ("--generated", "x", "-m", "base", "-n", "5", "--seed", "0", "--seeds", "1")
    expected = "takes its melodies from a folder: leave out --model, --num, --seed, --seeds"
    assert expected in run("evaluate", *generated, code=2).stderr
    assert "'jazz' is not one of chorale, folk, own" in run("evaluate", "--style", "jazz", code=2).stderr
    assert "'5/4' is not one of 4/4, 3/4, 6/8" in run("evaluate", "--meter", "5/4", code=2).stderr
    assert "cannot both go to stdout" in run("evaluate", "--json", "-", "--csv", "-", code=2).stderr


@pytest.mark.slow
@pytest.mark.parametrize(("windows", "models"), [("first_windows", "base emoreg"), ("chorales", "emoreg-va")])
def test_bundled_weights_on_the_chorales(
    windows: str, models: str, tmp_path: Path, run: Run, request: pytest.FixtureRequest
) -> None:
    """Without data/ they are measured on the chorales in the user's cache, the data they were trained on."""
    request.getfixturevalue(windows)
    arguments = [part for name in models.split() for part in ("-m", name)]
    # Of so few melodies the two-sample tests are left out, which would take two minutes.
    done = run("evaluate", *arguments, "-n", 3, "--json", "figures.json")
    assert "building the chorales" not in done.stderr
    systems = json.loads((tmp_path / "figures.json").read_text())["systems"]
    assert [system["name"] for system in systems] == models.split()
    for system in systems:
        assert "unseen" not in system["placement"], "these chorales are not the trained ones"
        assert system["metrics"]["mean_gap"] < 0.8
        assert system["emotion"]["classifier"]["real"]["all"] >= 0.9
        if system["model"] == "emoreg":
            assert min(system["placement"]["training"][e.code] for e in Emotion) >= 0.95
        if system["model"] == "emoreg-va":
            assert system["novelty"]["exact"] == 0
            assert system["plane"]["far_as_requested"] >= 0.95
            assert min(system["plane"][axis] for axis in ("arousal", "valence")) >= 0.97
            harmony = system["harmony"]
            assert harmony["inside"]["all"]["reharmonised"] >= 0.8
            assert max(harmony["inside"]["all"][baseline] for baseline in ("tonic", "random")) <= 0.2
            assert harmony["perplexity"] < 4.5
            assert harmony["agreement"]["generated"]["function"] >= 0.7
