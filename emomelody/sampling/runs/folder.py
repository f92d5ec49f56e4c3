"""Writing runs into a folder: each melody in each format, and samples.json to reproduce them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from emomelody.files import locked, staged
from emomelody.formats.encode import Format, encode
from emomelody.performance.piece import Piece
from emomelody.sampling.batches import batch_size, split_into_batches
from emomelody.sampling.request import Sample
from emomelody.sampling.runs.generation import ArrangedSample, GenerationConfig, arrange_samples
from emomelody.sampling.runs.index import INDEX_NAME, RecordedRun, to_entry, to_header, write_index, write_run
from emomelody.sampling.runs.names import FolderNames
from emomelody.sampling.runs.page import RunsPage
from emomelody.sampling.sampler import check_support
from emomelody.weights.checkpoint import Checkpoint
from emomelody.workers import by_processes, core_count

MANY = 1000  # files of a run, from which on starting processes pays
PART = 64  # files that a process writes at a time, at least a batch: Ctrl-C waits for them

Run = tuple[Checkpoint, GenerationConfig]


@dataclass(frozen=True)
class Written:
    """A melody that was written."""

    number: int  # in its run
    title: str  # the name of its files without suffix
    line: str  # its entry in samples.json
    description: str  # of its target
    point: tuple[float, float]  # its target, in the first bar
    melody: int  # a hash, the same for the same melody
    arranged: ArrangedSample | None  # if it is kept

    @classmethod
    def of(
        cls, number: int, piece: Piece, sample: Sample, config: GenerationConfig, *, keep: bool
    ) -> Written:
        """The description of a sample and its piece."""
        return cls(
            number,
            piece.title,
            json.dumps(to_entry(piece, sample, config)),
            sample.description,
            sample.trajectory[0],
            hash(sample.melody),
            (piece, sample) if keep else None,
        )


def write_folder(
    runs: Sequence[Run],
    folder: Path,
    *,
    force: bool = False,
    keep: bool = False,
    command: str | None = None,
    on_written: Callable[[int, Written], None] = lambda _run, _written: None,
) -> list[RecordedRun]:
    """Sample the melodies of all runs, write their files, and add the runs to samples.json: all or nothing.

    Runs that are there already stay. With ``force``, those that own a name that a new run needs are removed
    with all their files, and other files of such names are replaced. Returns the removed runs. One process
    at a time writes into a folder; others wait.

    Where a run's formats have a page, one page has the melodies of all such runs; ``command`` stands on it.

    ``on_written`` gets the number of the run and each melody, in order, with the arranged sample where
    ``keep`` is set; what it raises ends the work. A run of many files is written by a process per core.

    Raises EmomelodyError for a request that a model cannot meet, for names that are taken, and for a format
    that cannot be written; BadInput where the folder cannot be.
    """
    page = RunsPage([config for _, config in runs], command)
    headers = [to_header(config, checkpoint, page.name) for checkpoint, config in runs]
    with locked(folder):
        names = FolderNames(folder, force=force)
        if page.name:
            names.claim_page(page.name)
        for (checkpoint, config), header in zip(runs, headers, strict=True):
            check_support(checkpoint, config.request)
            for title in _known_titles(checkpoint, config):
                names.claim(title, header)
        with staged(folder) as stage, tempfile.TemporaryFile("w+", encoding="utf-8") as new_runs:
            for number, (checkpoint, config) in enumerate(runs):
                new_runs.write(",\n" if number else "")
                # Closed before the stage is removed, so that no process writes into it any more.
                paged = config in page.configs
                with closing(_write_files(checkpoint, config, stage, keep or paged)) as melodies:
                    shown = page.adding(melodies) if paged else melodies
                    lines = _report(shown, number, config, headers[number], names, on_written)
                    write_run(new_runs, headers[number], lines)
            if page.name:
                (stage / page.name).write_bytes(page.encode())
            write_index(stage / INDEX_NAME, names.kept, new_runs)
        return names.remove_replaced()


def _known_titles(checkpoint: Checkpoint, config: GenerationConfig) -> Iterator[str]:
    """The titles of a run's melodies as far as they are known before they are sampled."""
    description = config.request.description
    if description is not None:
        yield from (config.title(n, description, checkpoint.name) for n in range(config.request.n))


def _report(
    melodies: Iterator[Written],
    run: int,
    config: GenerationConfig,
    header: dict[str, object],
    names: FolderNames,
    on_written: Callable[[int, Written], None],
) -> Iterator[str]:
    """The lines of a run's melodies, after their names are claimed and they are reported."""
    for written in melodies:
        if config.request.description is None:
            names.claim(written.title, header)
        on_written(run, written)
        yield written.line


def _write_files(
    checkpoint: Checkpoint, config: GenerationConfig, stage: Path, keep: bool
) -> Generator[Written]:
    """Write all files of a run; many by several processes, in the same order."""
    numbers, jobs = range(config.request.n), core_count()
    write = partial(_write_some, checkpoint, config, stage, keep)
    many = len(numbers) * len(config.formats) >= MANY and jobs > 1 and not keep
    if not many:
        yield from write(numbers)
        return
    size = batch_size(checkpoint)
    parts = split_into_batches(numbers, size * max(1, PART // (size * len(config.formats))))
    with closing(by_processes(jobs, partial(_in_process, write), parts)) as done:
        yield from chain.from_iterable(done)


def _write_some(
    checkpoint: Checkpoint, config: GenerationConfig, stage: Path, keep: bool, numbers: range
) -> Iterator[Written]:
    """Write the files of the melodies of these numbers."""
    for number, (piece, sample) in zip(numbers, arrange_samples(checkpoint, config, numbers), strict=True):
        for form in config.formats:
            if form is not Format.HTML:  # the page is of all melodies
                (stage / f"{piece.title}.{form}").write_bytes(encode(piece, form, config.soundfont))
        yield Written.of(number, piece, sample, config, keep=keep)


def _in_process(write: Callable[[range], Iterator[Written]], numbers: range) -> list[Written]:
    """``write`` in a process that has a core to itself."""
    os.environ["OMP_NUM_THREADS"] = "1"
    return list(write(numbers))
