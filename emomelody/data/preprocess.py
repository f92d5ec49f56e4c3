"""Sources → ``data/``: the paper's four transformations, the labels, the folder and its manifest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from emomelody.data import manifest
from emomelody.data.tunes import group_tunes, hold_out
from emomelody.data.windows import PieceWindows, Source, Windows, cut_windows
from emomelody.errors import BadInput, EmomelodyError
from emomelody.files import staged
from emomelody.formats import midi
from emomelody.music.emotion import Emotion
from emomelody.performance.piece import arrange
from emomelody.workers import by_processes

CHUNK = 4  # sources that a process takes at a time: what Ctrl-C waits for
_MAX_STEM = 150  # bytes; file systems take names of 255


@dataclass(frozen=True)
class Report:
    """What ``preprocess`` did."""

    pieces: int
    kept: Mapping[Emotion, int]
    skipped_by_source: Mapping[Path, Mapping[str, int]]  # windows and pieces by source and reason
    bad: tuple[BadInput, ...]  # sources that could not be read
    held_out: int

    @property
    def skipped(self) -> Counter[str]:
        """The windows and pieces left out of all sources, by reason."""
        return _total(self.skipped_by_source)


def preprocess(
    sources: list[Source],
    out: Path,
    *,
    windows: Windows = Windows.ALL,
    seed: int = 0,
    jobs: int | None = None,
    on_piece: Callable[[], None] = lambda: None,
) -> Report:
    """Cut, label and write the melodies of all sources into ``out``; calls ``on_piece`` after each source.

    What an earlier call wrote there is removed, once the new melodies are made.

    ``seed`` chooses the held-out tunes, ``jobs`` is the number of processes (default: one per core).
    Raises EmomelodyError where no window is left, BadInput where ``out`` cannot be written to; it is then as
    it was.
    """
    cuts: list[PieceWindows] = []
    bad: list[BadInput] = []
    with staged(out) as stage:
        for result in _cut_all(sources, windows, jobs or os.cpu_count() or 1):
            on_piece()
            if isinstance(result, BadInput):
                bad.append(result)
            else:
                cuts.append(result)
        skipped_by_source = {cut.source: cut.skipped for cut in cuts if cut.skipped}
        if not any(cut.windows for cut in cuts):
            found = [f"{reason}: {n}" for reason, n in _total(skipped_by_source).items()]
            raise EmomelodyError(f"no melody is left ({'; '.join([f'{bad[0]}'] if bad else found)})")
        rows = _write(cuts, stage, seed)
        _remove_output(out)
    kept = Counter(Emotion.parse(row.emotion) for row in rows)
    held_out = sum(row.split == manifest.HELD_OUT for row in rows)
    return Report(len(cuts), kept, skipped_by_source, tuple(bad), held_out)


def _total(skipped_by_source: Mapping[Path, Mapping[str, int]]) -> Counter[str]:
    return sum((Counter(reasons) for reasons in skipped_by_source.values()), Counter[str]())


def _remove_output(out: Path) -> None:
    """Remove what an earlier ``preprocess`` wrote into ``out``: the manifest and the files it lists."""
    path = out / manifest.NAME
    if not path.exists():
        return
    for row in manifest.read(path):
        file = (out / row.file).resolve()
        if file.is_relative_to(out.resolve()):
            file.unlink(missing_ok=True)
    path.unlink()


def _cut_all(sources: list[Source], windows: Windows, jobs: int) -> Iterator[PieceWindows | BadInput]:
    """``cut`` of every source in order, by as many processes."""
    jobs = min(jobs, len(sources))
    if jobs <= 1:
        yield from map(partial(cut_windows, windows=windows), sources)
        return
    size = max(1, min(CHUNK, len(sources) // (4 * jobs)))
    parts = (sources[first : first + size] for first in range(0, len(sources), size))
    yield from chain.from_iterable(by_processes(jobs, partial(_cut_each, windows), parts))


def _cut_each(windows: Windows, sources: list[Source]) -> list[PieceWindows | BadInput]:
    return [cut_windows(source, windows) for source in sources]


def _write(cuts: list[PieceWindows], out: Path, seed: int) -> list[manifest.Row]:
    """The files and the manifest. The manifest comes last: a folder with one is complete."""
    tunes = group_tunes([cut.pitches for cut in cuts])
    flat = [(c, tune, w) for c, tune in zip(cuts, tunes, strict=True) for w in c.windows]
    splits = _splits([w.emotion for _, _, w in flat], [tune for _, tune, _ in flat], seed)
    for emotion in Emotion:
        (out / emotion.code).mkdir(parents=True, exist_ok=True)
    rows: list[manifest.Row] = []
    taken: set[str] = set()
    for (piece, tune, window), split in zip(flat, splits, strict=True):
        speed = "-half" if window.half_speed else ""
        stem = f"{_shortened(piece.source.stem)}-b{window.first_bar:03d}{speed}"
        name = _unused(f"{window.emotion.code}/{stem}", taken)
        title = stem.encode("utf-8", "replace").decode("utf-8")  # a file's name need not be UTF-8
        written = arrange(window.melody, title=title, emotion=window.emotion, mode=piece.key.mode)
        midi.write(written, out / name)
        last_bar = window.first_bar + window.bars - 1
        rows.append(
            manifest.Row(
                file=name,
                source=piece.source.name,
                tune=tune,
                bars=f"{window.first_bar}-{last_bar}",
                key=piece.key.name,
                transposition=piece.transposition,
                emotion=window.emotion.code,
                label_from=window.label_from,
                split=split,
            )
        )
    manifest.write(out / manifest.NAME, rows)
    return rows


def _splits(emotions: list[Emotion], tunes: list[int], seed: int) -> list[str]:
    try:
        chosen = hold_out(np.array([e.index for e in emotions]), np.array(tunes), seed)
    except EmomelodyError:  # a handful of melodies is still worth having; ``train`` will say no
        return [manifest.TRAINING] * len(emotions)
    return [manifest.HELD_OUT if c else manifest.TRAINING for c in chosen]


def _shortened(stem: str) -> str:
    """A source's name, cut to where a name made of it is still one that file systems take."""
    return os.fsdecode(os.fsencode(stem)[:_MAX_STEM])


def _unused(stem: str, taken: set[str]) -> str:
    """``stem``.mid, or with -2, -3 … where sources of one name meet; remembered in ``taken``."""
    name, number = f"{stem}.mid", 2
    while name.lower() in taken:
        name, number = f"{stem}-{number}.mid", number + 1
    taken.add(name.lower())
    return name
