"""The sources of melodies: MIDI and MusicXML files, and the Bach chorales of the installed music21.

Every source becomes a ``SourcePiece``: melody, barlines and spans in 4/4, in quarter notes, its key and
its tempos.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise
from operator import itemgetter
from pathlib import Path

from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats import midi, musicxml
from emomelody.music.key import Key, find_key, from_signature
from emomelody.music.melody import BEATS_PER_BAR, TEMPO, TimedNote

METER = "4/4"
DEFAULT_TEMPO = 60_000_000 // TEMPO  # until a file gives one; also the MIDI standard's
SUFFIXES = midi.SUFFIXES + musicxml.SUFFIXES

Span = tuple[Fraction, Fraction]  # (start, end) in quarter notes


@dataclass(frozen=True)
class SourcePiece:
    """A piece as its source has it; all times in quarter notes from its beginning."""

    source: Path
    line: tuple[TimedNote, ...]  # the melody, ties joined
    barlines: tuple[Fraction, ...]  # where bars begin; a pickup has none
    common_time: tuple[Span, ...]  # the spans in 4/4
    key: Key
    tempos: tuple[tuple[Fraction, int], ...]  # (onset, microseconds per quarter note), in order

    def seconds(self, start: Fraction, end: Fraction) -> Fraction:
        """How long the music from ``start`` to ``end`` (quarter notes) lasts at the piece's tempos."""
        return (self._time(end) - self._time(start)) / 1_000_000

    def _time(self, position: Fraction) -> Fraction:
        onset, time, tempo = self._clock[bisect_right(self._clock, position, key=itemgetter(0)) - 1]
        return time + (position - onset) * tempo

    @cached_property
    def _clock(self) -> list[tuple[Fraction, Fraction, int]]:
        """(onset, microseconds from the beginning, microseconds per quarter note) of each tempo."""
        changes = [(Fraction(0), DEFAULT_TEMPO), *self.tempos]
        times = accumulate(((b - a) * tempo for (a, tempo), (b, _) in pairwise(changes)), initial=Fraction(0))
        return [(onset, time, tempo) for (onset, tempo), time in zip(changes, times, strict=True)]


def find_files(source: Path) -> list[Path]:
    """The MIDI and MusicXML files of a source, itself or (recursively) inside it, sorted.

    Raises BadInput for a source that does not exist, is of another kind, or holds none.
    """
    if source.is_file():
        check_suffix(source)
        return [source]
    if not source.is_dir():
        raise BadInput(source, "is not a file" if source.exists() else "no such file or folder")
    # Broken links are included, so that they are reported.
    files = sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES and not p.is_dir())
    if not files:
        raise BadInput(source, f"holds no {', '.join(SUFFIXES)} files")
    return files


def check_suffix(path: Path) -> None:
    """Raise BadInput for a file whose name is neither that of a MIDI nor of a MusicXML file."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(path, f"not a MIDI or MusicXML file: its name must end in {', '.join(SUFFIXES)}")


def chorales() -> list[Path]:
    """The Bach chorales of the installed music21, as MusicXML files.

    Its Bach folder also holds a prelude, BWV 846, and so does the paper's set.
    """
    from music21 import corpus

    paths = (Path(path) for path in corpus.getComposer("bach"))
    return sorted(path for path in paths if path.suffix in musicxml.SUFFIXES)


def read(path: Path) -> SourcePiece:
    """The piece in a MIDI or MusicXML file. Raises BadInput for one that cannot be used."""
    check_suffix(path)
    return _read_midi(path) if path.suffix.lower() in midi.SUFFIXES else _read_musicxml(path)


def _read_midi(path: Path) -> SourcePiece:
    song = midi.read(path)
    line = song.melody_line()
    if not line:
        raise BadInput(path, "no pitched notes")
    # Until the first time signature a MIDI file is in 4/4.
    spans = _spans_in_common_time([(Fraction(0), METER), *song.meters], song.length)
    barlines = [
        start + BEATS_PER_BAR * bar
        for start, end in spans
        for bar in range(-int((start - end) // BEATS_PER_BAR))
    ]
    notes = (note for track in song.tracks for note in track.notes)
    key = (
        from_signature(song.keys[0][1])
        if song.keys
        else _find_key(path, ((note.pitch, note.end - note.onset) for note in notes))
    )
    spans = _merge_adjacent(spans)
    return SourcePiece(path, tuple(line), tuple(barlines), tuple(spans), key, song.tempos)


def _read_musicxml(path: Path) -> SourcePiece:
    score = musicxml.read(path)
    key = score.key or _find_key(path, score.sounding)
    spans = _merge_adjacent(_spans_in_common_time(score.meters, score.length))
    return SourcePiece(path, score.line, _downbeats(score.bars), tuple(spans), key, score.tempos)


def _find_key(path: Path, sounding: Iterable[tuple[int, Fraction]]) -> Key:
    try:
        return find_key(sounding)
    except EmomelodyError as error:
        raise BadInput(path, str(error)) from error


def _downbeats(bars: Sequence[Span]) -> tuple[Fraction, ...]:
    """Where bars begin, from the (onset, length) of a score's measures.

    A pickup at the beginning, and the second part of a bar that a repeat sign divides, are not counted.
    """
    found, filled = [], Fraction(0)
    for number, (onset, length) in enumerate(bars):
        if number == 0 and length < BEATS_PER_BAR:
            continue
        if filled == 0:
            found.append(onset)
        filled = Fraction(0) if length >= BEATS_PER_BAR else (filled + length) % BEATS_PER_BAR
    return tuple(found)


def _spans_in_common_time(meters: Sequence[tuple[Fraction, str]], end: Fraction) -> list[Span]:
    """The spans in 4/4, from the (onset, meter) of each time signature, up to the piece's end."""
    changes = [*meters, (end, "")]
    return [
        (start, stop) for (start, meter), (stop, _) in pairwise(changes) if meter == METER and stop > start
    ]


def _merge_adjacent(spans: Sequence[Span]) -> list[Span]:
    """Spans with those merged that touch: a time signature may be repeated unchanged."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
