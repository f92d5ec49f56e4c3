"""What several commands read: data folders, weights, and the melodies to evaluate against."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody.cli.output import list_skipped, output, progress_bar
from emomelody.errors import BadInput
from emomelody.music.meter import Meter
from emomelody.music.style import Style

if TYPE_CHECKING:
    from emomelody.data.dataset import Dataset
    from emomelody.data.preprocess import Report
    from emomelody.data.sources import Source
    from emomelody.data.windows import Windows
    from emomelody.emotions.rule import Arousal
    from emomelody.weights.checkpoint import Checkpoint


def load_data(
    folder: Path, *, meter: Meter = Meter.FOUR_FOUR, style: Style | None = None, to_c: bool = False
) -> Dataset:
    """Read a data folder (``data.dataset.load``); files that cannot be read are listed on stderr."""
    from emomelody.data.dataset import load

    dataset = load(folder, meter=meter, style=style, to_c=to_c)
    list_skipped(dataset.skipped)
    return dataset


@cache
def load_weights(name: str) -> Checkpoint:
    """Read the weights of a bundled model, a weights file or a run folder, once."""
    from emomelody.weights.checkpoint import find_weights, load_checkpoint

    path = find_weights(name)
    checkpoint = load_checkpoint(path)
    if output.verbose:
        output.note(f"weights {path}, {checkpoint.name}, SHA-256 {checkpoint.checksum}")
    return checkpoint


def evaluation_data(
    data: Path | None,
    windows: str = "first",
    style: Style | None = None,
    meter: Meter = Meter.FOUR_FOUR,
) -> Dataset:
    """Read a style and meter of the given data folder, else of ``evaluation.reference.default_data``.

    ``windows`` (first, all) are those of the chorales, if there is no ``data`` folder.
    """
    if data is not None:
        return load_data(data, meter=meter, style=style)
    from rich.progress import BarColumn

    from emomelody.evaluation.reference import default_data

    with progress_bar(BarColumn(), transient=True) as progress:
        task = progress.add_task("reading", total=None, visible=False)

        def on_build(what: str, folder: Path, pieces: int) -> None:
            output.note(f"building {what} once, into {folder}")
            progress.update(task, total=pieces, visible=True)

        folder = default_data(
            windows, style, meter, on_build=on_build, on_piece=lambda: progress.advance(task)
        )
    return load_data(folder, meter=meter, style=style)


def check_data_folder(out: Path, force: bool) -> None:
    """Raise BadInput where ``out`` is a file, or not empty and ``force`` is not given."""
    if out.exists() and not out.is_dir():
        raise BadInput(out, "is a file: choose another --out")
    if not force and out.is_dir() and any(out.iterdir()):
        raise BadInput(out, "is not empty: choose another --out, or add --force")


def run_preprocess(
    sources: list[Source], out: Path, windows: Windows, arousal: Arousal, seed: int, jobs: int | None
) -> Report:
    """Run ``data.preprocess.preprocess`` with a progress bar."""
    from rich.progress import BarColumn

    from emomelody.data.preprocess import preprocess

    with progress_bar(BarColumn()) as progress:
        task = progress.add_task("reading", total=len(sources))
        return preprocess(
            sources,
            out,
            windows=windows,
            arousal=arousal,
            seed=seed,
            jobs=jobs,
            on_piece=lambda: progress.advance(task),
        )
