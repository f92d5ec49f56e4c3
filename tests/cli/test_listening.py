"""``emomelody evaluate --answers``: the command as a user runs it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from conftest import Run
from evaluation.listening.simulated import file_of, melodies, write_test

from emomelody.evaluation.listening.analysis import evaluate_answers
from emomelody.evaluation.listening.answers import read_answers
from emomelody.evaluation.presentation.tables import flat

Change = Callable[[dict[str, Any]], object]  # of a file's JSON object, in place


def first(**changes: Any) -> Change:
    """Changes what the file says of the melody of its first answer."""
    return lambda data: data["answers"][0].update(changes)


def opinion(**changes: Any) -> Change:
    """Changes what the listener answers there."""
    return lambda data: data["answers"][0]["answer"].update(changes)


SIDE, QUADRANT = "must be a number from −1 to 1", "must be one of happy, angry, sad, relaxed"
# By the name of a file: how it is damaged, and the reason that is given.
DAMAGED: dict[str, tuple[Change, str]] = {
    "format": (lambda d: d.update(format="other"), "not a file of answers of a listening test"),
    "version": (lambda d: d.update(version=2), "in another version of the format than 1"),
    "answers": (lambda d: d.update(answers={}), "the file: 'answers' must be a list"),
    "total": (
        lambda d: d.update(total=True),
        "the file: 'total' must be a whole number of 1 or more",
    ),
    "listener": (lambda d: d.update(listener=None), "the file: 'listener' must be text"),
    "no-test": (lambda d: d.pop("test"), "the file has no 'test'"),
    "too-many": (lambda d: d.update(total=59), "60 answers, more than its total of 59"),
    "twice": (
        lambda d: d["answers"].__setitem__(3, d["answers"][1]),
        "answers 2 and 4 are to the same melody",
    ),
    "row": (lambda d: d["answers"].__setitem__(0, []), "answer 1 is not an object"),
    "melody": (first(melody="m\n1"), "answer 1: 'melody' must be text"),
    "system": (first(system=""), "answer 1: 'system' must be text"),
    "emotion": (first(emotion="bored"), f"answer 1: 'emotion' {QUADRANT}"),
    "predicted": (first(predicted=None), f"answer 1: 'predicted' {QUADRANT}"),
    "point": (first(point=[0, 2]), "answer 1: 'point' must be null or two numbers from −1 to 1"),
    "answer": (first(answer=3), "answer 1: 'answer' must be an object"),
    "heard": (opinion(emotion=["sad"]), f"answer 1: 'emotion' {QUADRANT}"),
    "valence": (opinion(valence=float("nan")), f"answer 1: 'valence' {SIDE}"),
    "arousal": (opinion(arousal="0.5"), f"answer 1: 'arousal' {SIDE}"),
    "musical": (opinion(musical=8), "answer 1: 'musical' must be a whole number from 1 to 7"),
    "human": (opinion(human=1), "answer 1: 'human' must be true or false"),
    "no-human": (lambda d: d["answers"][0]["answer"].pop("human"), "answer 1 has no 'human'"),
    "other-test": (lambda d: d.update(test="other"), "from a different listening test than most files here"),
    "same": (lambda d: d.update(listener="listener 2"), "of the same listener as 02.json, which is used"),
    "contradiction": (
        first(system="emoreg-x"),
        "contradicts the files before it about the origin of a melody",
    ),
}


def test_damaged_and_half_finished_files_are_named_and_the_others_used(tmp_path: Path, run: Run) -> None:
    good = write_test(tmp_path / "good", 5, seed=3)
    folder = write_test(tmp_path / "answers", 5, seed=3)
    rng, heard = np.random.default_rng(4), melodies()
    for name, (change, _) in DAMAGED.items():
        data = file_of(name, heard, rng)
        change(data)
        (folder / f"{name}.json").write_text(json.dumps(data))
    (folder / "cut.json").write_text((good / "00.json").read_text()[:900])
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "folder.json").mkdir()
    reasons = {name: reason for name, (_, reason) in DAMAGED.items()}
    reasons |= dict.fromkeys(("cut", "deep"), "not JSON, or cut off") | {"folder": "is not a file"}
    half = file_of("half", heard, rng)
    half["answers"] = half["answers"][:31]
    (folder / "half.json").write_text(json.dumps(half))
    (folder / "notes.txt").write_text("not an answer")

    done = run("evaluate", "--answers", "answers", "--json", "f.json", code=1)
    lines = done.stderr.splitlines()
    skipped = [line for line in lines if line.startswith("skipped: ")]
    assert len(skipped) == len(reasons) == 27
    for line, (name, reason) in zip(skipped, sorted(reasons.items()), strict=True):
        assert line.startswith(f"skipped: answers/{name}.json: {reason}")
    assert [line for line in lines if "half" in line] == [
        "half-finished, not used: answers/half.json (31 of 60 answers)"
    ]
    assert lines[-1] == "emomelody: 27 of 33 files of answers could not be used"
    assert json.loads((tmp_path / "f.json").read_text()) == evaluate_answers(read_answers(good).files)
    assert done.stdout == run("evaluate", "--answers", "good").stdout

    for name in reasons:
        (folder / f"{name}.json").rename(tmp_path / f"{name}.bad")
    done = run("evaluate", "--answers", "answers", code=0)
    assert "half-finished, not used: answers/half.json (31 of 60 answers)" in done.stderr
    assert "skipped" not in done.stderr


def test_tables_and_files(tmp_path: Path, run: Run) -> None:
    write_test(tmp_path / "answers", 3, seed=0)
    done = run("evaluate", "--answers", "answers", "--json", "f.json", "--csv", "f.csv")
    assert done.stdout.startswith("Listening test: 3 listeners, 180 answers")
    assert len(done.stdout.splitlines()) < 33  # one screen
    assert done.stderr == "-v shows the confusion matrices\n"
    figures = json.loads((tmp_path / "f.json").read_text())
    assert [system["name"] for system in figures["systems"]] == ["emoreg", "emoreg-va", "real"]
    assert f" {figures['systems'][1]['emotion']['all']:.1%} [" in done.stdout
    rows = list(csv.DictReader(io.StringIO((tmp_path / "f.csv").read_text())))
    for system in (*figures["systems"], figures["all"]):
        found = {row["figure"]: float(row["value"]) for row in rows if row["system"] == system["name"]}
        assert found == dict(flat(system))
    assert "emotion.confusion.e1.e4" in {row["figure"] for row in rows}

    refused = run("evaluate", "--answers", "answers", "--json", "f.json", code=1).stderr
    assert refused == "emomelody: f.json: exists already: choose another name, or add --force\n"
    detailed = run("evaluate", "--answers", "answers", "-v", "--csv", "f.csv", "--force")
    assert detailed.stdout.startswith(done.stdout)
    assert "real: requested emotion and emotion heard" in detailed.stdout
    quiet = run("evaluate", "--answers", "answers", "-q", "--json", "-")
    assert (json.loads(quiet.stdout), quiet.stderr) == (figures, "")


def test_nothing_to_analyse_is_one_line(tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "half").mkdir()
    half = file_of("half", melodies(), np.random.default_rng(0)) | {"total": 61}
    (tmp_path / "half" / "a.json").write_text(json.dumps(half))
    for folder, line in {
        "nowhere": "emomelody: nowhere: no such folder",
        "empty": "emomelody: empty: has no answers of listeners: put the JSON files that they sent there",
        "half": "emomelody: half: no finished file of answers to analyse",
    }.items():
        assert run("evaluate", "--answers", folder, "-q", code=1).stderr == f"{line}\n"


def test_other_options_are_usage_errors(run: Run) -> None:
    others = ("-m", "base", "--generated", "x", "--data", "x", "--style", "folk", "--meter", "6/8", "-n", 5)
    more = ("--judge-data", "x", "--seed", 0, "--seeds", 1, "--report", "x", "--json", "f.json", "-q")
    assert run("evaluate", "--answers", "x", *others, *more, code=2).stderr == (
        "emomelody: --answers takes everything from its folder: leave out --model, --generated, --data,"
        " --style, --meter, --judge-data, --num, --seed, --seeds, --report\n"
    )
