"""Training in several processes, as ``torchrun`` starts them."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from emomelody.weights.checkpoint import PLANS

SCRIPT = Path(__file__).with_name("train_in_group.py")
# Largest difference of a weight after some fifty updates.
TOLERANCE = {"float32": 1e-5, "bfloat16": 0.1}


def by_two(*command: object) -> subprocess.CompletedProcess[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*torchrun, *map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


# For emoreg-va with unequal shards of tunes, for both with batches of one, of which one process has nothing.
# The paper's models in float64: at their learning rate rounding errors grow tenfold every few steps, in one
# process as in two. The long run makes some fifty updates, the usual one about ten.
RUNS = [  # model, torch's default type, precision, batch size, epochs
    ("emoreg", "float64", "float32", 8, 2),
    ("base", "float64", "float32", 31, 1),
    ("emoreg-va", "float32", "float32", 7, 1),
    ("emoreg-va", "float32", "bfloat16", 7, 1),
]


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, pytest.param(5, marks=pytest.mark.long)])
def test_two_processes_train_the_weights_of_one(
    small_data: Path, tunes_data: Path, tmp_path: Path, times: int
) -> None:
    words = []
    for model, *options, epochs in RUNS:
        data = tunes_data if model == "emoreg-va" else small_data
        words.append(",".join(map(str, (data, model, *options, times * epochs))))
    subprocess.run([sys.executable, SCRIPT, tmp_path / "one", *words], check=True)
    by_two(SCRIPT, tmp_path / "two", *words)
    for number, (_, _, precision, _, epochs) in enumerate(RUNS):
        folders = [tmp_path / name / str(number) for name in ("one", "two")]
        one, two = (load_file(folder / "model.safetensors") for folder in folders)
        assert one.keys() == two.keys()
        for name in one:
            largest = float((one[name].double() - two[name].double()).abs().max())
            if name.startswith(PLANS):  # in ten thousandths, rounded
                assert largest / 10_000 <= max(TOLERANCE[precision], 1e-4)
            else:
                assert largest <= TOLERANCE[precision]
        histories = [read_history(folder) for folder in folders]
        assert len(histories[0]) == times * epochs
        if precision == "float32":
            for row, other in zip(*histories, strict=True):
                assert row == pytest.approx(other, rel=1e-3, abs=1e-3)


def read_history(folder: Path) -> list[dict[str, float]]:
    """The rows of a run's history, without the time."""
    with (folder / "history.csv").open(newline="") as file:
        rows = csv.DictReader(file)
        return [{name: float(value) for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.mark.slow
def test_the_command_in_two_processes_writes_and_prints_once(small_data: Path, tmp_path: Path) -> None:
    options = ["--epochs", "1", "--split", "random", "-o", tmp_path / "runs"]
    done = by_two("-m", "emomelody", "train", small_data, *options)
    assert done.stdout.count("Placement accuracy") == 1
    assert done.stdout.count("Wrote model.safetensors") == 1
    assert done.stderr.count("32 melodies, 8 held out") == 1
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.glob("runs/*/*")) == [
        "curves.png",
        "history.csv",
        "latent-0001.png",
        "model.safetensors",
    ]
