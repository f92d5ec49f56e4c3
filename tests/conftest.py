"""What the tests share: the installed command, small data, the paper's own set where it is present."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from emomelody.formats import midi
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange

# A worker per core: torch's own threads would only be in each other's way.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)

ROOT = Path(__file__).parent.parent
PAPER_SET = ROOT.parent / "shared" / "data" / "musgenvae" / "dataset"

Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no core waits for them in the end."""
    items.sort(key=lambda item: "slow" not in item.keywords)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's cache folder of all tests: the chorales are built into it once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def environment(cache: Path) -> dict[str, str]:
    """A terminal and a cache that do not vary."""
    return {
        **{k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "GITHUB_ACTIONS")},
        "COLUMNS": "140",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "XDG_CACHE_HOME": str(cache),
    }


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs the installed command in an empty folder."""

    def call(
        *arguments: object, code: int = 0, path: Path | None = None, threads: int = 1
    ) -> subprocess.CompletedProcess[str]:
        """``path`` is the only folder in which the command finds programs, where it is given."""
        chosen = {"PATH": str(path)} if path else {}
        chosen["OMP_NUM_THREADS"] = str(threads)
        command = [Path(sys.executable).with_name("emomelody"), *map(str, arguments)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment | chosen, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return call


@pytest.fixture(scope="session")
def paper_set() -> Path:
    if not PAPER_SET.is_dir():
        pytest.skip("the paper's own training set is not here (it may not be redistributed)")
    return PAPER_SET


def random_melody(rng: np.random.Generator, emotion: Emotion) -> Melody:
    """Sixty-four steps that fit the emotion: short notes when aroused, major thirds when positive."""
    scale = [60, 62, 64, 65, 67, 69] if emotion.valence > 0 else [60, 62, 63, 65, 67, 68]
    duration = 4 if emotion.arousal > 0 else 8
    return Melody(tuple(Note(onset, duration, int(rng.choice(scale))) for onset in range(0, 64, duration)))


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty melodies in the paper's own layout, without a manifest."""
    folder = tmp_path_factory.mktemp("small") / "data"
    rng = np.random.default_rng(0)
    for emotion in Emotion:
        (folder / emotion.code).mkdir(parents=True)
        for number in range(10):
            path = folder / emotion.code / f"melody-{number}.mid"
            piece = arrange(random_melody(rng, emotion), title=path.stem, emotion=emotion)
            midi.write(piece, path)
    return folder
