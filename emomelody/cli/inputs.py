"""What several commands read: data folders, weights, and the data that models are evaluated on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emomelody import __version__
from emomelody.cli.output import list_skipped, output, progress_bar
from emomelody.errors import BadInput

if TYPE_CHECKING:
    from emomelody.data.dataset import Dataset
    from emomelody.data.preprocess import Report
    from emomelody.data.windows import Source, Windows
    from emomelody.models.checkpoint import Checkpoint


def load_data(folder: Path) -> Dataset:
    """The melodies of a data folder; files that cannot be read are listed on stderr."""
    from emomelody.data.dataset import load

    dataset = load(folder)
    list_skipped(dataset.skipped)
    return dataset


def load_weights(name: str) -> Checkpoint:
    """The weights of a bundled model, a weights file or a run folder."""
    from emomelody.models.checkpoint import find_weights, load_checkpoint

    path = find_weights(name)
    checkpoint = load_checkpoint(path)
    if output.verbose:
        output.note(f"weights {path}, {checkpoint.name}, SHA-256 {checkpoint.checksum}")
    return checkpoint


def evaluation_data(data: Path | None, windows: str = "first") -> Dataset:
    """The given folder, else ``data``, else the chorales in the user's cache, built where missing.

    ``windows`` is first, as in the paper's set, or all: what the weights in question were trained on.
    """
    if data is not None:
        return load_data(data)
    if Path("data").is_dir():
        return load_data(Path("data"))
    from platformdirs import user_cache_path

    from emomelody.data.labels import chorale_sources
    from emomelody.data.manifest import NAME
    from emomelody.data.windows import Windows

    folder = user_cache_path("emomelody") / f"chorales-{windows}-{__version__}"
    if not (folder / NAME).exists():  # the manifest is written last
        output.note(f"no data/ here: building the chorales once, into {folder}")
        check_data_folder(folder, force=True)
        run_preprocess(chorale_sources(), folder, Windows(windows), 0, None)
    return load_data(folder)


def check_data_folder(out: Path, force: bool) -> None:
    """Raise BadInput where ``out`` is a file, or not empty and ``force`` is not given."""
    if out.exists() and not out.is_dir():
        raise BadInput(out, "is a file: choose another --out")
    if not force and out.is_dir() and any(out.iterdir()):
        raise BadInput(out, "is not empty: choose another --out, or add --force")


def run_preprocess(sources: list[Source], out: Path, windows: Windows, seed: int, jobs: int | None) -> Report:
    """``data.preprocess.preprocess`` with a progress bar."""
    from rich.progress import BarColumn

    from emomelody.data.preprocess import preprocess

    with progress_bar(BarColumn()) as progress:
        task = progress.add_task("reading", total=len(sources))
        return preprocess(
            sources,
            out,
            windows=windows,
            seed=seed,
            jobs=jobs,
            on_piece=lambda: progress.advance(task),
        )
