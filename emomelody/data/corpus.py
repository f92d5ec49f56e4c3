"""The sources of melodies: MIDI, MusicXML and ABC files, and collections of the installed music21.

Every source becomes a ``SourcePiece``: melody, barlines and meter, in quarter notes, its key and its tempos.
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

import numpy as np

from emomelody.data import grid
from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats import abc, midi, musicxml
from emomelody.formats.abc import Tune
from emomelody.formats.midi import Song
from emomelody.formats.musicxml import Score
from emomelody.music.key import Key, find_key, from_signature
from emomelody.music.melody import STEPS_PER_BEAT, TEMPO, TimedNote
from emomelody.music.meter import Meter

# The written meters that are used, and what they are read as: two bars of 2/4 make one of 4/4, and so on.
READ_AS = {
    "4/4": Meter.FOUR_FOUR,
    "2/2": Meter.FOUR_FOUR,
    "4/2": Meter.FOUR_FOUR,
    "2/4": Meter.FOUR_FOUR,
    "1/4": Meter.FOUR_FOUR,
    "3/4": Meter.THREE_FOUR,
    "6/8": Meter.SIX_EIGHT,
}
FOLK_COLLECTIONS = ("oneills1850", "ryansMammoth", "airdsAirs")  # folders of music21's corpus
WINDOW_QUARTERS = 16  # four bars of 4/4
FINEST = 960  # parts of a quarter note to which a delay is rounded, as fine as the ticks of most files
DEFAULT_TEMPO = 60_000_000 // TEMPO  # until a file gives one; also the MIDI standard's
SUFFIXES = midi.SUFFIXES + musicxml.SUFFIXES + abc.SUFFIXES

Span = tuple[Fraction, Fraction]  # (start, end) in quarter notes


@dataclass(frozen=True)
class SourcePiece:
    """A piece as its source has it; all times in quarter notes from its beginning.

    It is read in one of its meters: 4/4 if four bars are in it, else the one used (``READ_AS``) that lasts
    longest: notation programs write a pickup as a bar of its own meter, such as 1/4.
    """

    source: Path
    line: tuple[TimedNote, ...]  # the melody, ties joined
    barlines: tuple[Fraction, ...]  # where bars of the meter begin; a pickup has none
    notated: str  # the meter as it is written, e.g. 2/4; all of them where none is used
    spans: tuple[Span, ...]  # in that meter; none where none is used
    key: Key
    tempos: tuple[tuple[Fraction, int], ...]  # (onset, microseconds per quarter note), in order
    program: int = 0  # General MIDI 0 … 127 of the melody's track or part; 0 where none is given
    octave: int = 0  # octaves by which this program's own files sound higher than the line, at the beginning
    has_beat: bool = True  # False for MIDI whose notes have no relation to the beat of their file

    @property
    def meter(self) -> Meter | None:
        """The meter that the piece is read in."""
        return READ_AS.get(self.notated)

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
    """The MIDI, MusicXML and ABC files of a source, itself or (recursively) inside it, sorted.

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
    """Raise BadInput for a file whose name is not that of a MIDI, MusicXML or ABC file."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(path, f"not a MIDI, MusicXML or ABC file: its name must end in {', '.join(SUFFIXES)}")


def chorales() -> list[Path]:
    """The Bach chorales of the installed music21, as MusicXML files.

    Its Bach folder also holds a prelude, BWV 846, and so does the paper's set.
    """
    from music21 import corpus

    paths = (Path(path) for path in corpus.getComposer("bach"))
    return sorted(path for path in paths if path.suffix in musicxml.SUFFIXES)


def folk_tunes() -> list[tuple[Path, Tune]]:
    """The tunes of O'Neill's, Ryan's and Aird's collections in the installed music21, and their files."""
    from music21 import corpus

    folders = (map(Path, corpus.getComposer(name)) for name in FOLK_COLLECTIONS)
    paths = (path for folder in folders for path in sorted(folder) if path.suffix in abc.SUFFIXES)
    return [(path, tune) for path in paths for tune in abc.tunes(path)]


def read(path: Path, tune: Tune | None = None) -> SourcePiece:
    """The piece in a MIDI or MusicXML file, or a tune of an ABC file (default: the first).

    Raises BadInput for one that cannot be used.
    """
    check_suffix(path)
    suffix = path.suffix.lower()
    if suffix in midi.SUFFIXES:
        return _read_midi(path)
    if suffix in musicxml.SUFFIXES:
        return _from_score(path, musicxml.read(path))
    return _from_score(path, abc.read(path, tune or abc.tunes(path)[0]))


def _read_midi(path: Path) -> SourcePiece:
    song = midi.read(path)
    melody = song.melody()
    if not melody.notes:
        raise BadInput(path, "no pitched notes")
    # Until the first time signature a MIDI file is in 4/4.
    notated, spans = _main_meter([(Fraction(0), "4/4"), *song.meters], song.length)
    bar = _quarters_per_bar(notated)
    barlines = [start + bar * number for start, end in spans for number in range(-int((start - end) // bar))]
    key = _midi_key(path, song)
    spans = _merge_adjacent(spans)
    onsets = np.array([float(note.onset) for note in melody.notes])
    late = Fraction(grid.offset(onsets)).limit_denominator(FINEST)
    return SourcePiece(
        path,
        _earlier(melody.notes, late, song.length),
        tuple(barlines),
        notated,
        tuple(spans),
        key,
        song.tempos,
        melody.program,
        octave=melody.octave,
        has_beat=grid.has_beat(onsets),
    )


def _earlier(line: Iterable[TimedNote], by: Fraction, end: Fraction) -> tuple[TimedNote, ...]:
    """Notes moved to earlier times, ``by`` quarter notes, but not out of the piece, which ends at ``end``."""
    return tuple(
        TimedNote(max(Fraction(0), note.onset - by), min(end, note.end - by), note.pitch) for note in line
    )


def _midi_key(path: Path, song: Song) -> Key:
    """The key of a MIDI file: its first key signature where that can be trusted, else as the notes say.

    Many programs write C major where nobody chose a key, and the relative major instead of a minor key. So
    C major alone counts for nothing, and another major key gives way to its relative minor, unless the lowest
    voice ends on the written tonic: of 1,500 folk tunes, 4% in major are then read in minor, instead of 13%.
    """
    written = from_signature(song.keys[0][1]) if song.keys else None
    if written and (song.own or written.mode == "minor"):
        return written
    notes = [note for track in song.tracks for note in track.notes]
    found = _find_key(path, ((note.pitch, note.end - note.onset) for note in notes))
    if written is None:
        return found
    final = min(notes, key=lambda note: (-note.end, note.pitch))
    if found.tonic != written.tonic and final.pitch % 12 == written.tonic:
        return written
    unchosen = [name for _, name in song.keys] == ["C"]
    relative = found.mode == "minor" and (found.tonic + 3) % 12 == written.tonic
    return found if unchosen or relative else written


def _from_score(path: Path, score: Score) -> SourcePiece:
    key = score.key or _find_key(path, score.sounding)
    notated, spans = _main_meter(score.meters, score.length)
    spans = _merge_adjacent(spans)
    barlines = _downbeats(score.bars, notated)
    return SourcePiece(path, score.line, barlines, notated, tuple(spans), key, score.tempos, score.program)


def _find_key(path: Path, sounding: Iterable[tuple[int, Fraction]]) -> Key:
    try:
        return find_key(sounding)
    except EmomelodyError as error:
        raise BadInput(path, str(error)) from error


def _quarters_per_bar(notated: str) -> Fraction:
    """The length of a bar of the meter that a written one is read as; of 4/4 where it is not used."""
    return Fraction(READ_AS.get(notated, Meter.FOUR_FOUR).bar, STEPS_PER_BEAT)


def _downbeats(bars: Sequence[Span], notated: str) -> tuple[Fraction, ...]:
    """Where bars of the meter begin, from the (onset, length) of a score's measures.

    A pickup at the beginning, and the second part of a bar that a repeat sign divides, are not counted. None
    where the meter is not used.
    """
    if notated not in READ_AS:
        return ()
    found, filled, bar = [], Fraction(0), _quarters_per_bar(notated)
    measure = 4 * Fraction(notated)
    in_measure = max(1, measure // bar)  # two bars in one of 4/2
    for number, (onset, length) in enumerate(bars):
        if number == 0 and length < measure:
            continue
        if filled == 0:
            found += [onset + bar * n for n in range(in_measure) if n == 0 or bar * n < length]
        filled = Fraction(0) if length >= bar else (filled + length) % bar
    return tuple(found)


def _main_meter(meters: Sequence[tuple[Fraction, str]], end: Fraction) -> tuple[str, list[Span]]:
    """The written meter that a piece is read in (``SourcePiece``), and its spans.

    ``meters`` are the (onset, meter) of each time signature, ``end`` is the piece's end.
    """
    changes = pairwise([*meters, (end, "")])
    lasting = [(meter, (start, stop)) for (start, meter), (stop, _) in changes if stop > start]
    names = list(dict.fromkeys(meter for meter, _ in lasting))
    totals = {
        name: sum(stop - start for meter, (start, stop) in lasting if meter == name)
        for name in names
        if name in READ_AS
    }
    if not totals:
        return " and ".join(names) or "free meter", []
    notated = "4/4" if totals.get("4/4", 0) >= WINDOW_QUARTERS else max(totals, key=totals.__getitem__)
    return notated, [span for meter, span in lasting if meter == notated]


def _merge_adjacent(spans: Sequence[Span]) -> list[Span]:
    """Spans with those merged that touch: a time signature may be repeated unchanged."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
