"""Measures speed and memory, and prints a table: python -m tests.benchmarks [NAME ...] [--melodies N]

The names are those of the functions below: startup, training, sampling, preprocessing, evaluation. Without a
name, all of them run.

Each row has a reference that is measured in the same run. Start-up times and training steps are medians of
runs that alternate with the reference; whatever takes many seconds runs once. Use an idle machine with the
package installed. README.md in this folder has the figures of one machine.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import mido
import numpy as np
import torch
from torch import Tensor, nn

from emomelody.emotions.emotion import Emotion
from emomelody.models import cvae as model_module
from emomelody.models import emoreg_va
from emomelody.music.melody import WINDOW_STEPS
from emomelody.music.tokens import Vocabulary
from emomelody.sampling.candidates import CANDIDATES
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import samples
from emomelody.training.examples import Examples
from emomelody.training.recipes import RECIPES
from emomelody.weights.checkpoint import VA, bundled_weights, load_checkpoint
from emomelody.workers import by_processes

Row = tuple[str, str, str, str]  # what is measured, its speed, the reference, the ratio
COMMAND = Path(sys.executable).with_name("emomelody")
RUNS = 9


def seconds(work: Callable[[], object]) -> float:
    """The wall-clock time of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def alternating(*works: Callable[[], object], runs: int = RUNS) -> list[float]:
    """The median seconds of each call; the calls take turns, after one round to warm up."""
    for work in works:
        work()
    taken = [[seconds(work) for work in works] for _ in range(runs)]
    return [statistics.median(times) for times in zip(*taken, strict=True)]


def call(*command: object) -> None:
    """Run a program to its end."""
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


MEASURED = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def measured(*command: object) -> tuple[float, float]:
    """The seconds of a command and the peak memory of its largest process in MB."""
    started = time.perf_counter()
    # A small process starts it: a new process inherits the peak memory of the one that starts it.
    words = [sys.executable, "-c", MEASURED, *map(str, command)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, int(done.stdout) / 1000


def startup(folder: Path, melodies: int) -> Iterator[Row]:
    """Start-up of the command line and of small requests."""

    def sampled(name: str) -> Callable[[], None]:
        def work() -> None:
            shutil.rmtree(folder / "few", ignore_errors=True)
            call(COMMAND, "sample", "-m", name, "-e", "sad", "-n", 20, "-o", folder / "few")

        return work

    bare, shown = alternating(
        lambda: call(sys.executable, "-c", "import typer"), lambda: call(COMMAND, "--help")
    )
    yield "`--help`", f"{shown:.2f} s", f"`import typer` {bare:.2f} s", f"{shown / bare:.2f}"
    names = list(bundled_weights())
    floor, *times = alternating(lambda: call(sys.executable, "-c", "import torch"), *map(sampled, names))
    for name, taken in zip(names, times, strict=True):
        what = f"`sample -m {name} -n 20`"
        yield what, f"{taken:.2f} s", f"`import torch` {floor:.2f} s", f"{taken / floor:.2f}"


def training(folder: Path, melodies: int) -> Iterator[Row]:
    """A training step as in ``train``; the reference is the same step with torch's own GRU in float32."""
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    for device in devices:
        for name in ("emoreg", "emoreg-va"):
            ours, plain = step(name, device, model_module.gru), step(name, device, plain_gru)
            reference, taken = alternating(plain, ours)
            yield (
                f"a step of {name}, {device}",
                f"{1000 * taken:.0f} ms",
                f"float32 `nn.GRU` {1000 * reference:.0f} ms",
                f"{reference / taken:.2f}",
            )


def step(name: str, device: str, gru: Callable[..., Tensor]) -> Callable[[], None]:
    """A training step on random melodies with this recurrence; ours runs in the precision of ``train``."""
    from emomelody.models.gru import bfloat16_pays

    torch.manual_seed(0)
    recipe = RECIPES[name](1.0)
    vocabulary = Vocabulary(tuple(range(50, 88)))
    size = (recipe.batch_size, 64)
    classes = torch.randint(len(vocabulary), size, device=device)
    batch = Examples(classes, classes[:, 0] % 4, torch.randn(len(classes), 2, device=device), classes)
    model = recipe.build(vocabulary, vocabulary.tokens[classes.cpu().numpy()]).to(device)
    optimiser = recipe.optimiser(model.parameters(), recipe.learning_rate)
    random = torch.Generator().manual_seed(0)
    low = gru is not plain_gru and device == "cpu" and bfloat16_pays()

    def work() -> None:
        model_module.gru, emoreg_va.gru = gru, gru
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            loss = recipe.terms(model, batch, random, 0.5).loss
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        loss.item()

    return work


def plain_gru(layer: nn.GRU, x: Tensor, steps: int, start: Tensor | None = None) -> Tensor:
    """``emomelody.models.gru.gru`` by torch alone."""
    output: Tensor = layer(x.expand(steps, -1, -1), None if start is None else start[None])[0]
    return output


def sampling(folder: Path, melodies: int) -> Iterator[Row]:
    """``sample`` as a whole, and decoding alone.

    The reference is an upper bound: the decoder's recurrent matrix products alone, at the rate of the
    machine's fastest product.
    """
    a, b = np.ones((2048, 2048), np.float32), np.ones((2048, 2048), np.float32)
    rate = 2 * 2048**3 / alternating(lambda: a @ b)[0]  # operations per second
    for name in ("emoreg-va", "emoreg"):
        words = ["sample", "-m", name, "-e", "sad", "-n", melodies, "--seed", 0, "-o", folder / name]
        taken, memory = measured(COMMAND, *words)
        checkpoint = load_checkpoint(bundled_weights()[name])
        candidates = CANDIDATES if name == VA else 1
        products = 2 * checkpoint.tensors["decoder.weight_hh_l0"].size * WINDOW_STEPS * candidates
        limit = rate / products  # melodies per second
        bound = f"recurrent products at {rate / 1e9:.0f} GFLOP/s: {limit:.0f} melodies/s"
        speed = melodies / taken
        what = f"`sample -m {name} -n {melodies}`"
        yield what, f"{speed:.0f} melodies/s, {memory:.0f} MB", bound, f"{speed / limit:.2f}"
        request = Request(min(melodies, 2048), Emotion.E3)
        (taken,) = alternating(lambda c=checkpoint, r=request: deque(samples(c, r), maxlen=0), runs=3)
        speed = request.n / taken
        yield f"decoding {name}", f"{speed:.0f} melodies/s", bound, f"{speed / limit:.2f}"


def preprocessing(folder: Path, melodies: int) -> Iterator[Row]:
    """``preprocess`` on all cores; the reference for MIDI files is mido reading them on as many."""
    taken = seconds(lambda: call(COMMAND, "preprocess", "-o", folder / "data"))
    yield "`preprocess` (the chorales)", f"{taken:.0f} s", "", ""
    if not (folder / "emoreg-va").exists():
        call(COMMAND, "sample", "-e", "sad", "-n", melodies, "--seed", 0, "-o", folder / "emoreg-va")
    files = sorted((folder / "emoreg-va").glob("*.mid"))
    taken, memory = measured(COMMAND, "preprocess", folder / "emoreg-va", "-o", folder / "again")
    parts = [files[first : first + 50] for first in range(0, len(files), 50)]
    parsed = seconds(lambda: list(by_processes(torch.get_num_threads(), parse, parts)))
    yield (
        f"`preprocess` of {len(files)} MIDI files",
        f"{len(files) / taken:.0f} files/s, {memory:.0f} MB",
        f"mido alone {len(files) / parsed:.0f} files/s",
        f"{parsed / taken:.2f}",
    )


def parse(files: list[Path]) -> None:
    for file in files:
        mido.MidiFile(file)


def evaluation(folder: Path, melodies: int) -> Iterator[Row]:
    """``evaluate`` with the default model, with data at hand."""
    if not (folder / "data").exists():
        call(COMMAND, "preprocess", "-o", folder / "data")
    taken, memory = measured(COMMAND, "evaluate", "--data", folder / "data")
    yield "`evaluate`", f"{taken:.0f} s, {memory:.0f} MB", "", ""


ALL = {work.__name__: work for work in (startup, training, sampling, preprocessing, evaluation)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--melodies", type=int, default=10_000, help="melodies to sample and preprocess")
    chosen = parser.parse_args()
    for name in set(chosen.names) - set(ALL):
        parser.error(f"no benchmark {name}: choose from {', '.join(ALL)}")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    print("| what | measured | reference | ratio |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.names or ALL:
            for row in ALL[name](Path(folder), chosen.melodies):
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
