"""The folder that ``sample`` writes: each melody in each format, and samples.json to make them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import torch

from emomelody.errors import BadInput
from emomelody.files import staged
from emomelody.formats.encode import encode
from emomelody.models.checkpoint import Checkpoint
from emomelody.music.emotion import Emotion
from emomelody.sampling.generation import ArrangedSample, Recipe, arrange_samples
from emomelody.sampling.index import INDEX_NAME, _entry, _header
from emomelody.sampling.request import check_request
from emomelody.sampling.sampler import batch_size, chunks
from emomelody.workers import by_processes

MANY = 1000  # files, for which it is worth while to start processes
PART = 64  # files that a process makes at a time, a batch at least: what Ctrl-C waits for


@dataclass(frozen=True)
class Entry:
    """What is said of a melody that was written."""

    number: int
    line: str  # of samples.json
    emotion: Emotion
    melody: int  # a hash, by which different ones are told apart
    made: ArrangedSample | None


def write_folder(
    checkpoint: Checkpoint,
    recipe: Recipe,
    folder: Path,
    *,
    force: bool = False,
    keep: bool = False,
    on_entry: Callable[[Entry], None] = lambda _entry: None,
) -> None:
    """Make the melodies and write each in each of the recipe's formats, and samples.json: all, or nothing.

    ``on_entry`` hears of each, in order, with what was made where it shall ``keep`` that; what it raises ends
    the work. Many are made by as many processes as torch has threads. Raises BadInput where a file is there
    already and ``force`` is not given, or where the folder cannot be written to; EmomelodyError for what
    cannot be sampled or set, and where a format cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput(folder, "is a file: choose another --out")
    _check_free(folder, INDEX_NAME, force)
    check_request(checkpoint, recipe.request)
    with staged(folder) as stage, (stage / INDEX_NAME).open("w", encoding="utf-8") as index:
        index.write(_header(recipe, checkpoint))
        # Closed before the stage is removed, so that no process writes into it any more.
        write = partial(_write, checkpoint, recipe, folder, stage, force, keep)
        with closing(_entries(write, checkpoint, recipe, keep)) as entries:
            for entry in entries:
                on_entry(entry)
                index.write(("," if entry.number else "") + f"\n  {entry.line}")
        index.write("\n ]\n}\n")


def _entries(
    write: Callable[[range], Iterator[Entry]], checkpoint: Checkpoint, recipe: Recipe, keep: bool
) -> Generator[Entry]:
    """The entries of all melodies, in order, of which many are made by several processes."""
    numbers, jobs = range(recipe.request.n), torch.get_num_threads()
    many = len(numbers) * len(recipe.formats) >= MANY and jobs > 1 and not keep
    if not many or checkpoint.device.type != "cpu":  # none may be split off from one that uses a GPU
        yield from write(numbers)
        return
    size = batch_size(checkpoint)
    parts = chunks(numbers, size * max(1, PART // (size * len(recipe.formats))))
    with closing(by_processes(jobs, partial(_alone, write), parts)) as done:
        yield from chain.from_iterable(done)


def _write(
    checkpoint: Checkpoint, recipe: Recipe, folder: Path, stage: Path, force: bool, keep: bool, numbers: range
) -> Iterator[Entry]:
    """Make and write the melodies of these numbers."""
    for number, (piece, sample) in zip(numbers, arrange_samples(checkpoint, recipe, numbers), strict=True):
        for form in recipe.formats:
            name = f"{piece.title}.{form}"
            _check_free(folder, name, force)
            (stage / name).write_bytes(encode(piece, form, recipe.soundfont))
        line = json.dumps(_entry(piece, sample, recipe))
        made = (piece, sample) if keep else None
        yield Entry(number, line, sample.emotion, hash(sample.melody), made)


def _alone(write: Callable[[range], Iterator[Entry]], numbers: range) -> list[Entry]:
    """``write`` in a process that has a core to itself."""
    torch.set_num_threads(1)
    return list(write(numbers))


def _check_free(folder: Path, name: str, force: bool) -> None:
    if (folder / name).is_dir():
        raise BadInput(folder / name, "is a folder: choose another --out or --name")
    if not force and (folder / name).exists():
        raise BadInput(folder, f"has {name} already: choose another --out, or add --force")
