"""Sources → ``data/``: the paper's four transformations, the labels, the folder and its manifest."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from emomelody import corpus, manifest, midi
from emomelody.corpus import Key, Piece
from emomelody.emotion import Emotion
from emomelody.errors import BadInput, EmomelodyError
from emomelody.files import staged
from emomelody.judges import label_by_rule
from emomelody.melody import (
    BARS,
    BEATS_PER_BAR,
    MAX_PITCH,
    STEPS_PER_BEAT,
    WINDOW_STEPS,
    Melody,
    TimedNote,
    quantise,
)
from emomelody.piece import arrange
from emomelody.tunes import group_tunes, hold_out
from emomelody.workers import by_processes

FULL_SPEED, HALF_SPEED = Fraction(1), Fraction(1, 2)
MIN_SOUNDING_STEPS = WINDOW_STEPS // 2  # a window with more rest than sound is no melody
CHUNK = 4  # sources that a process takes at a time: what Ctrl-C waits for
_MAX_STEM = 150  # bytes; file systems take names of 255
MAX_OFF_GRID = 0.2  # share of onsets farther than a quarter of a step from the grid (triplets, rubato)


class Windows(StrEnum):
    """Which windows of a piece are taken."""

    FIRST = "first"  # one from the very beginning, pickup included: the paper's
    ALL = "all"  # from barline to barline to the end, not overlapping


@dataclass(frozen=True)
class Source:
    """A file to read, and its label where it was given one."""

    path: Path
    emotion: Emotion | None = None
    label_from: str = manifest.BY_RULE
    both_speeds: bool = False  # also stretch two bars to four, as the paper's set has its calm melodies


@dataclass(frozen=True)
class Window:
    """A melody cut from a piece, in C, with its label."""

    melody: Melody
    emotion: Emotion
    label_from: str
    first_bar: int
    bars: int
    half_speed: bool


@dataclass(frozen=True)
class Cut:
    """What came of one source: its windows, and how many were left out for which reason."""

    source: Path
    key: Key
    transposition: int
    pitches: tuple[int, ...]  # of the whole line, by which tunes are told apart
    windows: tuple[Window, ...]
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """What ``preprocess`` did."""

    pieces: int
    kept: Mapping[Emotion, int]
    left_out_of: Mapping[Path, Mapping[str, int]]  # windows and pieces by source and reason
    bad: tuple[BadInput, ...]  # sources that could not be read
    held_out: int

    @property
    def left_out(self) -> Counter[str]:
        """The windows and pieces left out of all sources, by reason."""
        return _total(self.left_out_of)


def chorale_sources() -> list[Source]:
    """The Bach chorales of the installed music21, each at both speeds."""
    return [Source(path, both_speeds=True) for path in corpus.chorales()]


def file_sources(
    given: list[Path], labels: Mapping[str, Emotion]
) -> tuple[list[Source], list[BadInput], set[str]]:
    """The files of the given files and folders, labelled by ``labels`` or by folder names.

    ``labels`` goes by a file's path relative to its folder, or by its name. Returns also the sources that
    cannot be used, and the labels that no file goes by.
    """
    unused = set(labels)
    sources: dict[str, Source] = {}
    bad = []
    for top in given:
        try:
            files = corpus.find_files(top)
        except BadInput as error:
            bad.append(error)
            continue
        for path in files:
            relative = path.relative_to(top) if top.is_dir() else Path(path.name)
            unused -= {relative.as_posix(), path.name}
            listed = labels.get(relative.as_posix()) or labels.get(path.name)
            folder = _folder_emotion(path, top)
            if listed:
                source = Source(path, listed, "csv")
            elif folder:
                source = Source(path, folder, "folder")
            else:
                source = Source(path)
            sources.setdefault(os.path.realpath(path), source)  # unlike resolve, past links in a circle
    return list(sources.values()), bad, unused


def read_labels(path: Path) -> dict[str, Emotion]:
    """The labels of a CSV file with the columns file and emotion. Raises BadInput naming the line."""
    labels = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                if not row.get("file") or not row.get("emotion"):
                    raise BadInput(path, f"line {number}: needs the columns file,emotion")
                try:
                    labels[row["file"]] = Emotion.parse(row["emotion"])
                except EmomelodyError as error:
                    raise BadInput(path, f"line {number}: {error}") from error
    except OSError as error:
        raise BadInput(path, error.strerror or str(error)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(path, "not a CSV file in UTF-8") from error
    if not labels:
        raise BadInput(path, "no labels in it; it needs the columns file,emotion")
    return labels


def preprocess(
    sources: list[Source],
    out: Path,
    *,
    windows: Windows = Windows.ALL,
    seed: int = 0,
    jobs: int | None = None,
    on_piece: Callable[[], None] = lambda: None,
) -> Report:
    """Cut, label and write the melodies of all sources into ``out``; ``on_piece`` hears of each source.

    What an earlier call wrote there is removed, once the new melodies are made.

    ``seed`` chooses the held-out tunes, ``jobs`` is the number of processes (default: one per core).
    Raises EmomelodyError where no window is left, BadInput where ``out`` cannot be written to; it is then as
    it was.
    """
    cuts: list[Cut] = []
    bad: list[BadInput] = []
    with staged(out) as stage:
        for result in _cut_all(sources, windows, jobs or os.cpu_count() or 1):
            on_piece()
            if isinstance(result, BadInput):
                bad.append(result)
            else:
                cuts.append(result)
        left_out_of = {cut.source: cut.left_out for cut in cuts if cut.left_out}
        if not any(cut.windows for cut in cuts):
            found = [f"{reason}: {n}" for reason, n in _total(left_out_of).items()]
            raise EmomelodyError(f"no melody is left ({'; '.join([f'{bad[0]}'] if bad else found)})")
        rows = _write(cuts, stage, seed)
        _remove_output(out)
    kept = Counter(Emotion.parse(row.emotion) for row in rows)
    held_out = sum(row.split == manifest.HELD_OUT for row in rows)
    return Report(len(cuts), kept, left_out_of, tuple(bad), held_out)


def _total(left_out_of: Mapping[Path, Mapping[str, int]]) -> Counter[str]:
    return sum((Counter(reasons) for reasons in left_out_of.values()), Counter[str]())


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


def cut(source: Source, windows: Windows) -> Cut | BadInput:
    """The windows of one source, or why it has none."""
    try:
        piece = corpus.read(source.path)
    except BadInput as error:
        return error
    if not piece.common_time:
        return Cut(source.path, piece.key, 0, (), (), {f"piece not in {corpus.METER}": 1})
    # Down by the tonic; only a line that would fall off the keyboard goes up instead.
    lowest = min(note.pitch for note in piece.line)
    transposition = -piece.key.tonic if lowest >= piece.key.tonic else 12 - piece.key.tonic
    if max(note.pitch for note in piece.line) + transposition > MAX_PITCH:
        return BadInput(source.path, "from top to bottom of the keyboard: it cannot be transposed")
    line = [TimedNote(n.onset, n.end, n.pitch + transposition) for n in piece.line]
    found: list[Window] = []
    left_out: Counter[str] = Counter()
    for speed in (FULL_SPEED, HALF_SPEED) if source.both_speeds else (FULL_SPEED,):
        for first_bar, start in _starts(piece, windows, speed):
            window = _window(piece, line, start, speed)
            if isinstance(window, str):
                left_out[window] += 1
                continue
            emotion = source.emotion or label_by_rule(window, piece.key.mode)
            bars = int(BARS * speed)
            half = speed == HALF_SPEED
            found.append(Window(window, emotion, source.label_from, first_bar, bars, half))
    pitches = tuple(note.pitch for note in line)
    return Cut(source.path, piece.key, transposition, pitches, tuple(found), left_out)


def beginning(path: Path) -> Melody:
    """The first four bars of a piece, in C. Raises BadInput where there are none."""
    found = cut(Source(path), Windows.FIRST)
    if isinstance(found, BadInput):
        raise found
    if not found.windows:
        raise BadInput(path, f"no melody in it ({', '.join(found.left_out)})")
    return found.windows[0].melody


def _starts(piece: Piece, windows: Windows, speed: Fraction) -> Iterator[tuple[int, Fraction]]:
    """The (number of the first bar, time in quarters) of each window; a pickup is bar 0."""
    if windows is Windows.FIRST:
        yield (0 if piece.barlines and piece.barlines[0] > 0 else 1), Fraction(0)
        return
    free, end = Fraction(0), piece.line[-1].end
    for number, barline in enumerate(piece.barlines, start=1):
        if free <= barline < end:
            yield number, barline
            free = barline + BARS * BEATS_PER_BAR * speed


def _window(piece: Piece, line: list[TimedNote], start: Fraction, speed: Fraction) -> Melody | str:
    """The melody from ``start`` (quarters) on, or the reason why it is none."""
    end = start + BARS * BEATS_PER_BAR * speed
    if not any(a <= start and min(end, line[-1].end) <= b for a, b in piece.common_time):
        return f"window not in {corpus.METER}"
    # A window that starts inside a held note starts with that note's onset.
    inside = [
        TimedNote(max(n.onset, start) - start, min(n.end, end) - start, n.pitch)
        for n in line
        if n.onset < end and n.end > start
    ]
    positions = [n.onset / speed * STEPS_PER_BEAT for n in inside]
    off_grid = sum(abs(p - round(p)) > Fraction(1, 4) for p in positions)
    if off_grid > MAX_OFF_GRID * len(positions):
        return "window off the sixteenth grid"
    melody = quantise(inside, WINDOW_STEPS, speed=speed)
    if sum(n.duration for n in melody.notes) < MIN_SOUNDING_STEPS:
        return "window with more rest than sound"
    return melody


def _cut_all(sources: list[Source], windows: Windows, jobs: int) -> Iterator[Cut | BadInput]:
    """``cut`` of every source in order, by as many processes."""
    jobs = min(jobs, len(sources))
    if jobs <= 1:
        yield from map(partial(cut, windows=windows), sources)
        return
    size = max(1, min(CHUNK, len(sources) // (4 * jobs)))
    parts = (sources[first : first + size] for first in range(0, len(sources), size))
    yield from chain.from_iterable(by_processes(jobs, partial(_cut_each, windows), parts))


def _cut_each(windows: Windows, sources: list[Source]) -> list[Cut | BadInput]:
    return [cut(source, windows) for source in sources]


def _write(cuts: list[Cut], out: Path, seed: int) -> list[manifest.Row]:
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


def _folder_emotion(path: Path, top: Path) -> Emotion | None:
    """The emotion that the nearest folder above the file is named after, up to the source itself."""
    for folder in path.parents:
        emotion = Emotion.named(folder.name)
        if emotion or folder == top or top == path:
            return emotion
    return None
