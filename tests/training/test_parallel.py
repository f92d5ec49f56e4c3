"""Training in several processes, as ``torchrun`` starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

SCRIPT = Path(__file__).with_name("team.py")


def by_two(*command: object) -> subprocess.CompletedProcess[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [*torchrun, *map(str, command)], capture_output=True, text=True, check=True, env={**os.environ}
    )


# Fifty updates, emoreg-va's with unequal shards, base's with batches of one, where one process has none. The
# paper's models in float64: at their rate what is only rounding grows tenfold every few steps, in one process
# as in two.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "dtype", "batch_size", "epochs"),
    [("emoreg", "float64", 8, 13), ("emoreg-va", "float32", 7, 10), ("base", "float64", 31, 2)],
)
def test_two_processes_train_the_weights_of_one(
    small_data: Path, tmp_path: Path, model: str, dtype: str, batch_size: int, epochs: int
) -> None:
    rest = [model, dtype, str(batch_size), str(epochs)]
    subprocess.run([sys.executable, SCRIPT, small_data, tmp_path / "one", *rest], check=True)
    by_two(SCRIPT, small_data, tmp_path / "two", *rest)
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert max(float((one[name].double() - two[name].double()).abs().max()) for name in one) <= 1e-5
    histories = [(tmp_path / name / "history.csv").read_text().splitlines() for name in ("one", "two")]
    for row, other in zip(*histories, strict=True):
        values, others = (line.split(",")[:-1] for line in (row, other))
        assert values[:1] == others[:1]
        if row != histories[0][0]:
            assert list(map(float, values)) == pytest.approx(list(map(float, others)), rel=1e-3, abs=1e-3)


@pytest.mark.slow
def test_the_command_in_two_processes_writes_and_speaks_once(small_data: Path, tmp_path: Path) -> None:
    options = ["--epochs", "1", "--split", "random", "-o", tmp_path / "runs"]
    done = by_two("-m", "emomelody", "train", small_data, *options)
    assert done.stdout.count("Placement accuracy") == 1
    assert done.stderr.count("32 melodies, 8 held out") == 1
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.glob("runs/*/*")) == [
        "curves.png",
        "history.csv",
        "latent-0001.png",
        "model.safetensors",
    ]
