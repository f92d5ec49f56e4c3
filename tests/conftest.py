"""What the tests share: the installed command, small data, the paper's training set where present."""

from __future__ import annotations

import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from small_model import save_small_model

import emomelody
from emomelody.data import manifest
from emomelody.emotions.emotion import Emotion
from emomelody.formats import midi
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN

# One worker per core: torch's own threads would only compete with them.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).with_name("emomelody")  # the installed script
SERVER = Path(__file__).with_name("command_server.py")
PRECISION = Path(__file__).with_name("precision")
PAPER_SET = ROOT.parent / "shared" / "data" / "musgenvae" / "dataset"

Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("emomelody")
    group.addoption(
        "--bfloat16",
        choices=("on", "off"),
        help="train in bfloat16 on the CPU, or never; by default the processor decides",
    )
    group.addoption("--long", action="store_true", help="also run the tests that take many minutes")


def pytest_configure(config: pytest.Config) -> None:
    """Force the precision in this process, before it imports the models, and in all that it starts."""
    choice = config.getoption("--bfloat16")
    if not choice:
        return
    os.environ["EMOMELODY_TESTS_BFLOAT16"] = choice
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PRECISION), *filter(None, folders)])
    assert "emomelody.models.gru" not in sys.modules
    runpy.run_path(str(PRECISION / "sitecustomize.py"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start with the slowest, so that no core waits for them at the end; leave out the long ones."""
    items.sort(key=lambda item: "slow" not in item.keywords)
    for item in items:
        if "long" in item.keywords and not config.getoption("--long"):
            item.add_marker(pytest.mark.skip(reason="takes many minutes: add --long"))


def pytest_report_header(config: pytest.Config) -> str:
    from emomelody.models.gru import bfloat16_pays

    return f"training on the CPU in {'bfloat16' if bfloat16_pays() else 'float32'}"


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def cache(shared: Path) -> Path:
    """The user's cache folder of all tests; ``chorales`` and ``first_windows`` put the chorales there.

    .ci/run names one for its several sessions.
    """
    return Path(os.environ.get("EMOMELODY_TESTS_CACHE", shared / "cache"))


@pytest.fixture(scope="session")
def environment(cache: Path) -> dict[str, str]:
    """Environment variables with a terminal and a cache that do not vary."""
    return {
        **{k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "GITHUB_ACTIONS")},
        "COLUMNS": "140",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "XDG_CACHE_HOME": str(cache),
    }


def shell(line: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a line as a user types it, in a folder, with the installed programs."""
    programs = os.pathsep.join([str(COMMAND.parent), environment["PATH"]])
    return subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=environment | {"PATH": programs},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


# Half a minute of one core each, so they are run once for all tests.
PREPROCESS_CHORALES = "emomelody preprocess"
PREPROCESS_FIRST = "emomelody preprocess --windows first -o first"


def built_once(line: str, made: str, folder: Path, environment: dict[str, str]) -> Path:
    """``folder`` with what the line writes to ``made``; the first worker to come here runs the line."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as place:
                checked(shell(line, Path(place), environment), 0)
                Path(place, made).rename(folder)
    return folder


@pytest.fixture(scope="session")
def chorales(cache: Path, environment: dict[str, str]) -> Path:
    """All windows of the chorales: what ``emomelody preprocess`` writes. Not to be changed."""
    folder = cache / "emomelody" / f"chorales-all-{emomelody.__version__}"
    return built_once(PREPROCESS_CHORALES, "data", folder, environment)


@pytest.fixture(scope="session")
def first_windows(cache: Path, environment: dict[str, str]) -> Path:
    """The first window of each chorale, as in the paper's training set. Not to be changed."""
    folder = cache / "emomelody" / f"chorales-first-{emomelody.__version__}"
    return built_once(PREPROCESS_FIRST, "first", folder, environment)


def variables(path: Path | None, threads: int) -> dict[str, str]:
    """What a call changes in the environment. ``path`` is the only folder where it finds programs."""
    return {"OMP_NUM_THREADS": str(threads)} | ({"PATH": str(path)} if path else {})


def checked(done: subprocess.CompletedProcess[str], code: int) -> subprocess.CompletedProcess[str]:
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def run_installed(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs the installed command in a process of its own, in an empty folder; arguments as of ``run``.

    For tests of what happens before the command line is imported, and of what forks share (see ``run``).
    """

    def call(
        *arguments: object, code: int = 0, path: Path | None = None, threads: int = 1
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [COMMAND, *map(str, arguments)],
            cwd=tmp_path,
            env=environment | variables(path, threads),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return checked(done, code)

    return call


class CommandServer:
    """A process that has imported what the command needs and runs it in forks of itself."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.control, other = socket.socketpair()
        with other:
            self.process = subprocess.Popen(
                [sys.executable, SERVER, str(other.fileno())],
                env=environment | variables(None, 1),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
            )
        self.replies = self.control.makefile("r")
        assert self.replies.readline() == "ready\n", "the command server has not started"

    def call(
        self, arguments: list[str], folder: Path, changes: dict[str, str], threads: int
    ) -> subprocess.CompletedProcess[str]:
        request: dict[str, Any] = {
            "arguments": [str(COMMAND), *arguments],
            "folder": str(folder),
            "environment": self.environment | changes,
            "threads": threads,
        }
        with ExitStack() as stack:
            asked, stdout, stderr = (stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3))
            stdin = stack.enter_context(Path(os.devnull).open())
            json.dump(request, asked)
            asked.seek(0)
            socket.send_fds(self.control, [b"!"], [f.fileno() for f in (asked, stdin, stdout, stderr)])
            code = int(self.replies.readline())
            return subprocess.CompletedProcess(["emomelody", *arguments], code, read(stdout), read(stderr))

    def close(self) -> None:
        self.replies.close()
        self.control.close()
        self.process.wait()


def read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@pytest.fixture(scope="session")
def command_server(environment: dict[str, str]) -> Iterator[CommandServer]:
    server = CommandServer(environment)
    yield server
    server.close()


@pytest.fixture
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    """Runs the installed command in an empty folder.

    Each call is a process that runs the installed script, with a folder, an environment, arguments, files
    and signals of its own; it is forked from one that has already imported torch and the other libraries,
    but not the command line, which reads the terminal and the environment when it is imported. So it does
    what a new process does, except that

    - imports of libraries are neither timed nor seen: ``run_installed`` shows start-up, and that nothing
      relies on an import that another module happens to make (test_installed.py, with every command);
    - all calls share the order of sets of strings (PYTHONHASHSEED): where a test says that the same request
      gives the same bytes, ``run_installed`` makes one of the two;
    - modules are not taken apart at the end (command_server.py);
    - stdin is empty, stdout and stderr are files: tests of pipes and Ctrl-C start a process of their own.
    """
    if sys.platform != "linux":  # elsewhere forks of a process that has imported so much are not safe
        installed: Run = request.getfixturevalue("run_installed")
        return installed
    server: CommandServer = request.getfixturevalue("command_server")

    def call(
        *arguments: object, code: int = 0, path: Path | None = None, threads: int = 1
    ) -> subprocess.CompletedProcess[str]:
        """``path`` is the only folder where the command finds programs, if given."""
        done = server.call(list(map(str, arguments)), tmp_path, variables(path, threads), threads)
        return checked(done, code)

    return call


@pytest.fixture(scope="session")
def paper_set() -> Path:
    if not PAPER_SET.is_dir():
        pytest.skip("the paper's own training set is not here (it may not be redistributed)")
    return PAPER_SET


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a small emoreg-va (``small_model.save_small_model``)."""
    return save_small_model(tmp_path_factory.mktemp("weights") / "small.safetensors")


@pytest.fixture(scope="session")
def old_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, without what version 0.3 did not know."""
    return save_small_model(tmp_path_factory.mktemp("weights") / "old.safetensors", old=True)


def random_melody(
    rng: np.random.Generator, emotion: Emotion, meter: Meter = Meter.FOUR_FOUR, bars: int = 4
) -> Melody:
    """Four bars that fit the emotion: short notes when aroused, major thirds when positive.

    Notes end after so many ``bars``.
    """
    scale = [60, 62, 64, 65, 67, 69] if emotion.valence > 0 else [60, 62, 63, 65, 67, 68]
    duration = meter.bar // 4 if emotion.arousal > 0 else meter.bar // 2
    onsets = range(0, bars * meter.bar, duration)
    notes = tuple(Note(onset, duration, int(rng.choice(scale))) for onset in onsets)
    return Melody(notes, 4 * meter.bar, meter)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty melodies in the paper's own layout, without a manifest."""
    folder = tmp_path_factory.mktemp("small") / "data"
    rng = np.random.default_rng(0)
    for emotion in Emotion:
        (folder / emotion.code).mkdir(parents=True)
        for number in range(10):
            path = folder / emotion.code / f"melody-{number}.mid"
            piece = arrange(random_melody(rng, emotion), title=path.stem, emotion=emotion, setting=PLAIN)
            midi.write(piece, path)
    return folder


# Of the tunes in ``tunes_data``: style, meter, and the bars of each tune. The last is held out.
TUNES = [
    (Style.FOLK, Meter.FOUR_FOUR, (16, 8, 20, 7, 8)),
    (Style.FOLK, Meter.SIX_EIGHT, (18, 8)),
    (Style.OWN, Meter.FOUR_FOUR, (8,)),
]


@pytest.fixture(scope="session")
def tunes_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whole tunes in two styles and two meters, with a manifest; the last window may be incomplete.

    The user's own tune has no held-out melody.
    """
    folder, rng = tmp_path_factory.mktemp("tunes") / "data", np.random.default_rng(1)
    emotions, rows = list(Emotion), []
    for emotion in Emotion:
        (folder / emotion.code).mkdir(parents=True)
    for style, meter, lengths in TUNES:
        for number, bars in enumerate(lengths):
            for first in range(0, bars, 4):
                emotion = emotions[len(rows) % 4]
                name = f"{emotion.code}/{len(rows)}.mid"
                melody = random_melody(rng, emotion, meter, min(4, bars - first))
                midi.write(arrange(melody, title=name, emotion=emotion, setting=PLAIN), folder / name)
                held_out = 0 < number == len(lengths) - 1
                rows.append(
                    manifest.Row(
                        file=name,
                        source=f"{style}-{number}.abc",
                        style=style,
                        meter=meter,
                        tune=100 * TUNES.index((style, meter, lengths)) + number,
                        bars=f"{first + 1}-{first + 4}",
                        of_bars=bars,
                        key="C major",
                        transposition=0,
                        emotion=emotion.code,
                        valence=None,
                        arousal=None,
                        label_from=manifest.BY_FOLDER,
                        arousal_by="",
                        split=manifest.HELD_OUT if held_out else manifest.TRAINING,
                    )
                )
    manifest.write(folder / manifest.NAME, rows)
    return folder
