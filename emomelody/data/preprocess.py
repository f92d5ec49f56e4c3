"""From sources to a data folder: windows in e1 … e4 as MIDI files, and the manifest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emomelody.data import manifest, skipped
from emomelody.data.chords import table
from emomelody.data.labelling import Rule
from emomelody.data.labels import Label
from emomelody.data.sources import Source
from emomelody.data.tunes import FOLK_PASSAGE, PASSAGE, hold_out, number_tunes
from emomelody.data.windows import (
    FULL_SPEED,
    HALF_SPEED,
    QUARTER_SPEED,
    PieceWindows,
    Window,
    Windows,
    cut_windows,
)
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import Arousal
from emomelody.errors import BadInput, EmomelodyError
from emomelody.files import staged
from emomelody.formats import midi
from emomelody.music.melody import Melody
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN
from emomelody.workers import by_processes

CHUNK = 4  # sources per task of a worker process; Ctrl-C waits for a task to finish
_MAX_STEM = 150  # bytes of a source's name in a file name; file systems allow 255 in all
_SPEED_NAMES = {FULL_SPEED: "", HALF_SPEED: "-half", QUARTER_SPEED: "-quarter"}


@dataclass(frozen=True)
class Report:
    """What ``preprocess`` found and wrote."""

    pieces: int  # read
    kept: Mapping[Emotion, int]  # melodies written
    kinds: Mapping[tuple[Style, Meter], int]  # melodies written
    labels_from: Mapping[str, int]  # melodies by the origin of their label: csv, folder or rule
    rule: Rule  # of those without another label
    held_out: int  # melodies
    skipped_by_source: Mapping[Source, Mapping[str, int]]  # skipped windows and pieces, by reason
    without_melody: Mapping[str, int]  # the user's pieces that gave none, by their most frequent reason
    bad: tuple[BadInput, ...]  # sources that could not be read

    @property
    def melodies(self) -> int:
        """The number of melodies written."""
        return sum(self.kept.values())

    @property
    def skipped(self) -> Counter[str]:
        """Skipped windows and pieces of all sources, by reason."""
        return _total(self.skipped_by_source)


def preprocess(
    sources: list[Source],
    out: Path,
    *,
    windows: Windows = Windows.ALL,
    arousal: Arousal = Arousal.NOTES,
    seed: int = 0,
    jobs: int | None = None,
    on_piece: Callable[[], None] = lambda: None,
) -> Report:
    """Cut, label and write the melodies of all sources into the folder ``out``.

    ``arousal`` is what the rule takes for high arousal where there is no other label. ``seed`` chooses the
    held-out tunes, ``jobs`` is the number of processes (default: one per core), and ``on_piece`` is called
    after each source. The output of an earlier call in ``out`` is replaced.

    Raises EmomelodyError if no melody is found, BadInput if ``out`` cannot be written to. ``out`` is left as
    it was in both cases.
    """
    pieces: list[PieceWindows] = []
    bad: list[BadInput] = []
    with staged(out) as stage:
        for result in _cut_all(sources, windows, jobs or os.cpu_count() or 1):
            on_piece()
            if isinstance(result, BadInput):
                bad.append(result)
            else:
                pieces.append(result)
        pieces = list(_without_duplicates(pieces))
        by_source = {piece.source: piece.skipped for piece in pieces if piece.skipped}
        if not any(piece.windows for piece in pieces):
            raise _no_melody(_total(by_source), bad)
        rule = Rule.of(pieces, arousal)
        rows = _write(pieces, rule, stage, seed)
        _remove_output(out)
    return Report(
        pieces=len(pieces),
        kept=Counter(Emotion.parse(row.emotion) for row in rows),
        kinds=Counter((row.style, row.meter) for row in rows),
        labels_from=Counter(row.label_from for row in rows),
        rule=rule,
        held_out=sum(row.split == manifest.HELD_OUT for row in rows),
        skipped_by_source=by_source,
        without_melody=Counter(
            max(piece.skipped, key=piece.skipped.__getitem__)
            for piece in pieces
            if piece.source.style is Style.OWN and not piece.windows
        ),
        bad=tuple(bad),
    )


def _without_duplicates(pieces: list[PieceWindows]) -> Iterator[PieceWindows]:
    """The pieces without the windows that an earlier one has, in any key, at the same tempo and label.

    Collections hold many tunes several times. A window that recurs in its own piece stays, because that is
    the form of the piece, and so do all of the corpora, which the bundled weights are trained on.
    """
    known: set[tuple[Melody, float, Label | None]] = set()
    for piece in pieces:
        if piece.source.style is not Style.OWN:
            yield piece
            continue
        keys = [(window.melody, window.seconds, piece.source.label) for window in piece.windows]
        new = tuple(window for window, key in zip(piece.windows, keys, strict=True) if key not in known)
        known.update(keys)
        count = len(piece.windows) - len(new)
        reasons = {**piece.skipped, skipped.DUPLICATE: count} if count else piece.skipped
        yield replace(piece, windows=new, skipped=reasons)


def _no_melody(reasons: Mapping[str, int], bad: list[BadInput]) -> EmomelodyError:
    """The error for sources that gave nothing: the first that is bad, or why all windows were skipped."""
    if bad:
        return EmomelodyError(f"no melody found ({bad[0]})")
    counts = "; ".join(f"{reason}: {count}" for reason, count in reasons.items())
    return EmomelodyError(f"no melody found ({counts}): {'; '.join(map(skipped.remedy, reasons))}")


def _total(skipped_by_source: Mapping[Source, Mapping[str, int]]) -> Counter[str]:
    return sum((Counter(reasons) for reasons in skipped_by_source.values()), Counter[str]())


def _remove_output(out: Path) -> None:
    """Remove what an earlier ``preprocess`` wrote: its tables, and the files listed inside ``out``."""
    path = out / manifest.NAME
    if not path.exists():
        return
    for row in manifest.read(path):
        file = (out / row.file).resolve()
        if file.is_relative_to(out.resolve()):
            file.unlink(missing_ok=True)
    (out / table.NAME).unlink(missing_ok=True)
    path.unlink()


def _cut_all(sources: list[Source], windows: Windows, jobs: int) -> Iterator[PieceWindows | BadInput]:
    """``cut_windows`` of every source, in order, in ``jobs`` processes."""
    jobs = min(jobs, len(sources))
    if jobs <= 1:
        yield from map(partial(cut_windows, windows=windows), sources)
        return
    size = max(1, min(CHUNK, len(sources) // (4 * jobs)))
    chunks = (sources[first : first + size] for first in range(0, len(sources), size))
    yield from chain.from_iterable(by_processes(jobs, partial(_cut_each, windows), chunks))


def _cut_each(windows: Windows, sources: list[Source]) -> list[PieceWindows | BadInput]:
    return [cut_windows(source, windows) for source in sources]


def _write(pieces: list[PieceWindows], rule: Rule, out: Path, seed: int) -> list[manifest.Row]:
    """Write the MIDI files, then the manifest: a folder with a manifest is complete."""
    tunes = _number_tunes(pieces)
    windows = [(p, tune, w) for p, tune in zip(pieces, tunes, strict=True) for w in p.windows]
    labels = [rule.label(piece, window) for piece, _, window in windows]
    splits = _splits(
        [(piece.source.style, window.melody.meter) for piece, _, window in windows],
        np.array([label.emotion.index for label in labels]),
        np.array([tune for _, tune, _ in windows]),
        seed,
    )
    for emotion in Emotion:
        (out / emotion.code).mkdir(parents=True, exist_ok=True)
    rows: list[manifest.Row] = []
    taken: set[str] = set()
    for (piece, tune, window), label, split in zip(windows, labels, splits, strict=True):
        stem = _stem(piece, window)
        name = _unused_name(f"{label.emotion.code}/{stem}", taken)
        title = stem.encode("utf-8", "replace").decode("utf-8")  # file names need not be UTF-8
        arranged = arrange(
            window.melody, title=title, emotion=label.emotion, modes=[piece.key.mode], setting=PLAIN
        )
        midi.write(arranged, out / name)
        rows.append(_row(name, piece, tune, window, label, split))
    chords = {piece.source.name: piece.chords for piece in pieces if piece.chords}
    if chords:
        table.write(out / table.NAME, chords)
    manifest.write(out / manifest.NAME, rows)
    return rows


def _row(name: str, piece: PieceWindows, tune: int, window: Window, label: Label, split: str) -> manifest.Row:
    valence, arousal = label.point or (None, None)
    return manifest.Row(
        file=name,
        source=piece.source.name,
        style=piece.source.style,
        meter=window.melody.meter,
        tune=tune,
        bars=f"{window.first_bar}-{window.first_bar + window.bars - 1}",
        of_bars=piece.bars,
        key=piece.key.name,
        transposition=piece.transposition,
        emotion=label.emotion.code,
        valence=valence,
        arousal=arousal,
        label_from=label.label_from,
        arousal_by=label.arousal_by,
        split=split,
    )


def _number_tunes(pieces: list[PieceWindows]) -> list[int]:
    """A tune number for each piece. Pieces of different styles are never the same tune.

    Pieces in 4/4 are numbered first, so that those in other meters do not change their numbers.
    """
    numbers = [0] * len(pieces)
    total = 0
    for style in Style:
        chosen = [n for n, piece in enumerate(pieces) if piece.source.style is style]
        if not chosen:
            continue
        found = number_tunes(
            [pieces[n].pitches for n in chosen],
            [pieces[n].meter is Meter.FOUR_FOUR for n in chosen],
            FOLK_PASSAGE if style is Style.FOLK else PASSAGE,
        )
        for n, number in zip(chosen, found, strict=True):
            numbers[n] = total + number
        total += max(found) + 1
    return numbers


def _splits(
    kinds: list[tuple[Style, Meter]], labels: NDArray[np.int64], tunes: NDArray[np.int64], seed: int
) -> list[str]:
    """The side of each of N melodies, from their labels (N,) and tunes (N,).

    Each style and meter is split on its own, so that one does not change the split of another; a tune stays
    on the side that it has.
    """
    sides: dict[int, str] = {}  # by tune
    for kind in product(Style, Meter):
        new = np.array([n for n, own in enumerate(kinds) if own == kind and tunes[n] not in sides], dtype=int)
        if not len(new):
            continue
        try:
            held_out = hold_out(labels[new], tunes[new], seed)
        except EmomelodyError:  # too few to split: written all the same, ``train`` raises an error
            held_out = np.zeros(len(new), dtype=bool)
        chosen = [manifest.HELD_OUT if held else manifest.TRAINING for held in held_out]
        sides |= dict(zip(tunes[new].tolist(), chosen, strict=True))
    return [sides[tune] for tune in tunes.tolist()]


def _stem(piece: PieceWindows, window: Window) -> str:
    """The name of a window's file without folder and suffix, e.g. bwv10.7-b001-half."""
    source = os.fsdecode(os.fsencode(piece.source.stem)[:_MAX_STEM])
    return f"{source}-b{window.first_bar:03d}{_SPEED_NAMES[window.speed]}"


def _unused_name(stem: str, taken: set[str]) -> str:
    """``stem``.mid, with -2, -3 … for further sources of the same name; added to ``taken``."""
    name, number = f"{stem}.mid", 2
    while name.lower() in taken:
        name, number = f"{stem}-{number}.mid", number + 1
    taken.add(name.lower())
    return name
