"""``evaluate``: the blocks against values worked out by hand, and the installed command."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run, random_melody

from emomelody.data.dataset import Dataset, Split, load
from emomelody.evaluation import emotion as emotion_blocks
from emomelody.evaluation import evaluate, placement, style
from emomelody.evaluation.reference import DataSplit, ReferenceSet
from emomelody.formats import midi
from emomelody.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody, Note
from emomelody.music.plane import Plane, Region
from emomelody.music.tokens import HOLD, REST, Vocabulary, to_tokens
from emomelody.performance.piece import arrange
from emomelody.sampling.request import Sample
from emomelody.training.config import TrainConfig
from emomelody.training.trainer import Trainer


def melody(*pitches: int) -> Melody:
    return Melody(tuple(Note(4 * i, 4, pitch) for i, pitch in enumerate(pitches)))


def dataset(melodies: dict[Emotion, list[Melody]]) -> Dataset:
    """Labelled melodies as if they had been read, each its own tune."""
    flat = [(m, e.index) for e, some in melodies.items() for m in some]
    tokens = np.stack([to_tokens(m) for m, _ in flat])
    labels = np.array([label for _, label in flat])
    files = tuple(Path(f"{i}.mid") for i in range(len(flat)))
    return Dataset(tokens, labels, np.arange(len(flat)), files, None, None, np.full(len(flat), -1), ())


def real_of(melodies: dict[Emotion, list[Melody]]) -> ReferenceSet:
    data = dataset(melodies)
    return ReferenceSet(data, DataSplit.of(data, None), None)


def two_of_each() -> dict[Emotion, list[Melody]]:
    rng = np.random.default_rng(4)
    return {e: [random_melody(rng, e) for _ in range(2)] for e in Emotion}


def test_a_set_is_like_itself() -> None:
    some = two_of_each()
    figures = evaluate.evaluate_generated(dataset(some), dataset(some), name="same").figures
    cells = [cell for metric in figures["metrics"]["cells"].values() for cell in metric.values()]
    assert {cell["w1"] for cell in cells} == {0}
    assert {cell["gap"] for cell in cells} <= {0, None}
    assert figures["metrics"]["mean_gap"] == figures["metrics"]["worst_gap"] == 0
    assert {c["distance"] for h in figures["histograms"].values() for c in h.values()} == {0}
    assert figures["novelty"]["exact"] == 1
    assert figures["novelty"]["passage_share"] == 1
    assert figures["emotion"]["rule"]["all"] == 1


def test_cells_and_gaps_by_hand() -> None:
    generated = {e: [] for e in Emotion} | {Emotion.E3: [melody(60, 63), melody(60, 67)]}  # ranges 3, 7
    real = real_of({Emotion.E3: [melody(60, 62), melody(60, 72)]})  # ranges 2 and 12
    table = style.evaluate_metrics(generated, real)
    cell = table["cells"]["pitch_range"]["e3"]
    assert cell["generated"] == {"mean": 5, "deviation": 2}
    assert cell["training"] == {"mean": 7, "deviation": 5}
    assert cell["gap"] == pytest.approx(2 / 5)
    assert cell["w1"] == pytest.approx((1 + 5) / 2)
    assert cell["w1_halves"] == 10  # every half is one of the two
    assert table["cells"]["pitch_range"]["e1"] == {
        "generated": None, "training": None, "gap": None, "w1": None, "w1_halves": None
    }  # fmt: skip
    assert table["generated"] == {"e1": 0, "e2": 0, "e3": 2, "e4": 0}
    histograms = style.evaluate_histograms(generated, real)
    assert histograms["intervals"]["e3"]["distance"] == pytest.approx(1)  # 3, 7 and 2, 12
    assert histograms["durations"]["e3"]["distance"] == 0
    assert histograms["durations"]["e1"] == {"distance": None, "halves": None}


def test_the_emotion_block_by_hand() -> None:
    happy, sad = (random_melody(np.random.default_rng(0), e) for e in (Emotion.E1, Emotion.E3))
    asked = {Emotion.E1: [happy, sad], Emotion.E2: [happy], Emotion.E3: [sad], Emotion.E4: []}
    figures = emotion_blocks.evaluate_emotion(asked, real_of(two_of_each()))["rule"]
    assert figures["confusion"]["e1"] == {"e1": 0.5, "e2": 0, "e3": 0.5, "e4": 0}
    assert figures["confusion"]["e4"]["e4"] is None
    assert (figures["e1"], figures["e2"], figures["e3"], figures["all"]) == (0.5, 0, 1, 0.5)
    assert figures["arousal"] == pytest.approx(3 / 4)  # happy, happy for angry, sad
    assert figures["valence"] == pytest.approx(2 / 4)
    assert figures["real"]["all"] == 1


def test_placement_has_wilsons_interval(small_data: Path, tmp_path: Path) -> None:
    data, config = load(small_data), TrainConfig(model="emoreg", epochs=1, split=Split.RANDOM, seed=5)
    checkpoint = Trainer(data, config, tmp_path).run(tmp_path)
    real = ReferenceSet(data, DataSplit.of(data, checkpoint), None)
    # 7 of 8 happy ones in Q1, 0 of 8 angry, all sad and relaxed. Wilson's interval is
    # (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n).
    means = np.zeros((40, 2))
    for emotion in Emotion:
        chosen = np.flatnonzero(real.seen & (data.labels == emotion.index))
        means[chosen] = (emotion.valence, emotion.arousal)
        if emotion in (Emotion.E1, Emotion.E2):
            means[chosen[: 1 if emotion is Emotion.E1 else None]] = (1, -1)
    placed = placement.evaluate_placement(checkpoint, real, means)["training"]
    assert (placed["e1"], placed["e2"], placed["e3"], placed["e4"], placed["mean"]) == (
        87.5,
        0,
        100,
        100,
        71.875,
    )
    z, n, p = 1.959964, 8, 0.875
    middle, reach = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    ends = [100 * (middle + sign * reach) / (1 + z * z / n) for sign in (-1, 1)]
    assert placed["interval"]["e1"] == pytest.approx(ends, abs=1e-3)
    all_right = 100 / (1 + z * z / n)  # Wilson's lower end for 8 of 8
    low = 71.875 - ((87.5 - ends[0]) ** 2 + 2 * (100 - all_right) ** 2) ** 0.5 / 4
    assert placed["interval"]["mean"][0] == pytest.approx(low, abs=1e-3)


def test_a_run_knows_its_own_data(small_data: Path, tmp_path: Path) -> None:
    data, config = load(small_data), TrainConfig(model="emoreg", epochs=1, split=Split.RANDOM, seed=5)
    checkpoint = Trainer(data, config, tmp_path).run(tmp_path)
    real = ReferenceSet(data, DataSplit.of(data, checkpoint), None)
    placed = placement.evaluate_placement(checkpoint, real, placement.latent_means(checkpoint, data))
    assert placed["training"]["examples"] == 32
    assert placed["held_out"]["examples"] == 8
    for side in ("training", "held_out"):
        rounded = {e.code: round(placed[side][e.code] / 100, 4) for e in Emotion}
        assert rounded == checkpoint.training[f"placement_{side}"]
    assert real.judged["melodies"] == 8
    assert "needs 5 melodies" in real.judged["no_classifier"]


def test_an_ideal_latent_space() -> None:
    real = real_of(two_of_each())
    majorness, onsets = features.majorness(real.table), features.column(real.table, "onsets")
    r2 = np.corrcoef(majorness, onsets)[0, 1] ** 2
    ideal = placement.evaluate_latent_space(real, np.stack([majorness, np.exp(onsets / 9)], 1))
    assert ideal["valence"] == pytest.approx(1)
    assert ideal["arousal"] == pytest.approx(1)
    assert ideal["sap"] == pytest.approx(1 - r2, abs=0.05)
    assert placement.evaluate_latent_space(real, np.stack([onsets, onsets], 1))["sap"] == pytest.approx(0)


class Obedient(torch.nn.Module):
    """Decodes a point into what it asks for: more notes for arousal, more major thirds for valence."""

    def __init__(self, blind: bool) -> None:
        super().__init__()
        self.blind, self.scale = blind, torch.nn.Parameter(torch.ones(1))
        self.config = type("Config", (), {"steps": 64})

    def decode(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        del labels
        logits = torch.zeros(len(z), 64, 4)  # E flat, E, rest, hold
        for row, (valence, arousal) in enumerate(z.tolist()):
            count = 12 if self.blind else round(11 + 10 * arousal)
            major = 6 if self.blind else round(count * (1 + valence) / 2)
            logits[row, :, 2] = 1
            logits[row, : 2 * major : 2, 1] = 2
            logits[row, 2 * major : 2 * count : 2, 0] = 2
        return logits


@pytest.mark.parametrize(("blind", "least", "most"), [(False, 0.85, 1.0), (True, 0.0, 0.0)])
def test_the_plane_of_an_obedient_and_of_a_blind_model(blind: bool, least: float, most: float) -> None:
    region = Region(np.ones(1), np.zeros((1, 2)), np.eye(2)[None])
    plane = Plane((1.0, 1.0), (region,) * 4)
    model = Checkpoint("emoreg", Obedient(blind), Vocabulary((63, 64)), plane, {})  # type: ignore[arg-type]
    figures, grid = plane.evaluate_plane(model)
    for name in ("arousal", "arousal_high", "arousal_low", "valence", "valence_high", "valence_low"):
        assert least <= figures[name] <= most + 1e-9, name
    assert grid.onsets[0, 0] == (12 if blind else 1)
    assert grid.onsets[-1, 0] == (12 if blind else 21)
    assert (figures["far_as_requested"] > 0.95) is not blind
    assert figures["silent"] == 0


def test_validity_by_hand() -> None:
    def made(*tokens: int, silent: int = 0) -> Sample:
        whole = np.array(tokens + (REST,) * (8 - len(tokens)))
        return Sample(Melody((), 8), Emotion.E1, (0, 0), (0, 0), whole, silent)

    samples = [made(HOLD, 60), made(60, 61, 62, 63), made(60, REST, HOLD, silent=1), made(60, HOLD)]
    assert emotion_blocks.evaluate_validity(samples) == {
        "all_rests": 0.2,
        "hold_first": 0.25,
        "hold_after_rest": 0.25,
        "few_notes": 0.75,
    }


def test_seeds_give_means_and_deviations() -> None:
    runs = [{"a": 1.0, "b": {"c": value, "d": None, "e": "x"}} for value in (1, 2, 6)]
    mean, deviation = evaluate.over_seeds(runs)
    assert mean == {"a": 1.0, "b": {"c": 3.0, "d": None, "e": "x"}}
    assert deviation == {"a": 0.0, "b": {"c": pytest.approx(7**0.5)}}


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
            midi.write(arrange(some, title="x", emotion=emotion), folder / emotion.code / path.name)


@pytest.mark.parametrize(("change", "exact"), [("same", 1.0), ("transposed", 1.0), ("shuffled", 0.0)])
def test_copies_are_found_out(change: str, exact: float, tmp_path: Path, run: Run, small_data: Path) -> None:
    copies(tmp_path / "theirs", small_data, change)
    done = run("evaluate", "--generated", "theirs", "--data", small_data, "--json", "f.json")
    (system,) = json.loads((tmp_path / "f.json").read_text())["systems"]
    assert system["novelty"]["exact"] == exact
    assert system["novelty"]["real"]["exact"] < 0.5
    assert system["emotion"]["classifier"]["real"]["all"] > 0.8
    assert "exact copies" in done.stdout
    assert "placement accuracy" not in done.stdout
    if change == "same":
        assert system["metrics"]["mean_gap"] == 0


def test_unreadable_files_are_named(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "theirs")
    (tmp_path / "theirs" / "e1" / "bad.mid").write_text("no midi")
    done = run("evaluate", "--generated", "theirs", "--data", small_data)
    assert "left out: theirs/e1/bad.mid: not a MIDI file" in done.stderr


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
    assert "Novelty" in done.stdout
    assert not (tmp_path / "f.json").exists()


def test_several_models_seeds_and_files(tmp_path: Path, run: Run, small_data: Path) -> None:
    arguments = ("-m", "base", "-m", "emoreg", "--data", small_data, "-n", 5, "--seeds", 2)
    done = run("evaluate", *arguments, "--json", "f.json", "--csv", "f.csv", "--report", "report")
    assert "emoreg, unseen (40)" in done.stdout
    for option, file in (("--json", "f.json"), ("--csv", "f.csv"), ("--report", "report")):
        stderr = run("evaluate", *arguments, option, file, code=1).stderr
        assert "is there already: choose another name, or add --force" in stderr
    assert "paper's base" in done.stdout
    assert re.search(r"mean \|Δμ\|/σ +\d\.\d\d ± \d\.\d\d", done.stdout)
    assert "base, emoreg: this is not the data that the weights were trained on" in done.stderr
    systems = json.loads((tmp_path / "f.json").read_text())["systems"]
    assert [s["name"] for s in systems] == ["base", "emoreg"]
    assert systems[0]["seeds"] == [0, 1]
    assert systems[1]["metrics"]["generated"] == {e.code: 5 for e in Emotion}
    with (tmp_path / "f.csv").open(newline="") as file:
        rows = {(row["system"], row["figure"]): row for row in csv.DictReader(file)}
    row = rows["emoreg", "metrics.mean_gap"]
    assert float(row["value"]) == systems[1]["metrics"]["mean_gap"]
    assert float(row["deviation"]) == systems[1]["deviation"]["metrics"]["mean_gap"] > 0
    pictures = {p.name for p in (tmp_path / "report").glob("*.png")}
    assert pictures == {
        f"{m}-{p}.png" for m in ("base", "emoreg") for p in ("latent-space", "plane", "melodies")
    }
    page = " ".join((tmp_path / "report" / "report.html").read_text().split())
    assert page.count("data:image/png;base64,") == len(pictures)
    assert not re.search(r"https?://|<script|<link|src=\"(?!data:)", page)
    assert "the share of the melodies labelled e_i whose latent mean lies in quadrant i" in page


def test_judges_can_have_their_own_data(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    (tmp_path / "experts").mkdir()
    # Experts who call happy what we call sad: the judge learns that, and the rule's worth falls.
    for ours, theirs in (("e1", "e3"), ("e3", "e1"), ("e2", "e2"), ("e4", "e4")):
        (tmp_path / "experts" / theirs).symlink_to(small_data / ours)
    run("evaluate", "--generated", small_data, "--judge-data", "experts", "--json", "f.json")
    (system,) = json.loads((tmp_path / "f.json").read_text())["systems"]
    assert system["emotion"]["rule"]["all"] > 0.95
    assert system["emotion"]["rule"]["real"]["all"] == pytest.approx(0.5, abs=0.05)
    assert system["emotion"]["classifier"]["all"] < 0.6
    assert system["emotion"]["classifier"]["real"]["all"] > 0.9
    assert system["emotion"]["judged_on"]["where"] == "the judge data"


def test_labels_by_the_rule_are_said_to_be(tmp_path: Path, run: Run, small_data: Path) -> None:
    (tmp_path / "songs").mkdir()
    for path in small_data.rglob("*.mid"):
        shutil.copy(path, tmp_path / "songs" / f"{path.parent.name}-{path.name}")
    run("preprocess", "songs")
    done = run("evaluate", "--generated", small_data)
    assert "the rule itself labelled 100% of them" in done.stderr
    assert "the rule itself" not in run("evaluate", "--generated", small_data, "--data", small_data).stderr


def test_a_model_that_makes_only_silence_says_so(tmp_path: Path, run: Run, small_data: Path) -> None:
    run("train", small_data, "--model", "emoreg", "--epochs", 1, "--lr", 1e-9)
    run_folder = tmp_path / "runs" / "emoreg"
    checkpoint = load_checkpoint(run_folder / "model.safetensors")
    with torch.no_grad():
        checkpoint.model.output.bias[-1] = 100  # hold, always
    save_checkpoint(checkpoint, run_folder / "model.safetensors")
    for command in (("sample", "-e", "sad"), ("evaluate", "--data", small_data)):
        stderr = run(*command, "-m", "runs/emoreg", code=1).stderr
        assert "make only silence here: train longer" in stderr.splitlines()[-1]


def test_data_here_is_the_default(tmp_path: Path, run: Run, small_data: Path) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    assert "unseen (40)" in run("evaluate", "-n", 1).stdout


def test_wrong_requests_are_one_line(tmp_path: Path, run: Run, small_data: Path) -> None:
    for arguments, reason in {
        ("--generated", "x", "-m", "base"): "--generated needs no model",
        ("--generated", "x", "--seeds", "2"): "--generated needs no model and no seeds",
        ("--generated", "x"): "x: no such folder",
        ("--data", "nowhere"): "nowhere: no such folder",
        ("-m", "nobody", "--data", "x"): "no such model",
        ("--data", str(small_data), "-n", "1", "--judge-data", "x"): "x: no such folder",
        ("--data", str(small_data), "-n", "1", "--json", "no/such/f.json"): "cannot be written",
        ("--data", str(small_data), "-n", "1", "--csv", "no/such/f.csv"): "cannot be written",
    }.items():
        stderr = run("evaluate", *arguments, code=1).stderr
        assert reason in stderr.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(("windows", "models"), [("first_windows", "base emoreg"), ("chorales", "emoreg-va")])
def test_bundled_weights_on_the_chorales(
    windows: str, models: str, tmp_path: Path, run: Run, request: pytest.FixtureRequest
) -> None:
    """Without data/ they are measured on the chorales in the user's cache, the data they were trained on."""
    request.getfixturevalue(windows)
    arguments = [part for name in models.split() for part in ("-m", name)]
    done = run("evaluate", *arguments, "-n", 20, "--json", "figures.json")
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
