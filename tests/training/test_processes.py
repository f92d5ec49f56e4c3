"""Training in several processes, as ``torchrun`` starts them."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

SCRIPT = Path(__file__).with_name("train_in_group.py")
# Largest difference of a weight after some fifty updates.
FLOAT_ROUNDING, BFLOAT16_ROUNDING = 1e-5, 0.1


def by_two(*command: object) -> subprocess.CompletedProcess[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [*torchrun, *map(str, command)], capture_output=True, text=True, check=True, env={**os.environ}
    )


# Some fifty updates, for emoreg-va with unequal shards, for base with a batch of one, of which one process
# has nothing. The paper's models in float64: at their learning rate rounding errors grow tenfold every few
# steps, in one process as in two.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "dtype", "precision", "batch_size", "epochs", "tolerance"),
    [
        ("emoreg", "float64", "float32", 8, 13, FLOAT_ROUNDING),
        ("emoreg-va", "float32", "float32", 7, 10, FLOAT_ROUNDING),
        ("emoreg-va", "float32", "bfloat16", 7, 10, BFLOAT16_ROUNDING),
        ("base", "float64", "float32", 31, 2, FLOAT_ROUNDING),
    ],
)
def test_two_processes_train_the_weights_of_one(
    small_data: Path,
    tmp_path: Path,
    model: str,
    dtype: str,
    precision: str,
    batch_size: int,
    epochs: int,
    tolerance: float,
) -> None:
    rest = [model, dtype, precision, str(batch_size), str(epochs)]
    subprocess.run([sys.executable, SCRIPT, small_data, tmp_path / "one", *rest], check=True)
    by_two(SCRIPT, small_data, tmp_path / "two", *rest)
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert max(float((one[name].double() - two[name].double()).abs().max()) for name in one) <= tolerance
    histories = [read_history(tmp_path / name) for name in ("one", "two")]
    assert len(histories[0]) == epochs
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
