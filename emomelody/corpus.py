"""The sources: MIDI and MusicXML files, and the Bach chorales of the installed music21.

Every source becomes a ``Piece``: its top line in quarter notes, its barlines, where it is in 4/4, its key.
"""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from emomelody import midi
from emomelody.errors import BadInput, EmomelodyError
from emomelody.files import read_limited
from emomelody.melody import BEATS_PER_BAR, MAX_PITCH, TimedNote, skyline

if TYPE_CHECKING:
    from music21.stream import Score

METER = "4/4"
SCORE_SUFFIXES = (".xml", ".musicxml", ".mxl")
MAX_SCORE_BYTES = 4_000_000  # of MusicXML, unpacked: some seconds' work
MAX_ARCHIVE_ENTRIES = 100
_FINEST = 10_080  # parts of a quarter note that music21's floats are rounded to


@dataclass(frozen=True)
class Key:
    """A key: ``tonic`` as a pitch class (C is 0), ``mode`` major or minor."""

    name: str  # "G minor"
    tonic: int
    mode: str


@dataclass(frozen=True)
class Piece:
    """What ``preprocess`` needs of a source; all times in quarter notes from its beginning."""

    source: Path
    line: tuple[TimedNote, ...]  # the top voice, ties joined
    barlines: tuple[Fraction, ...]  # where bars begin; a pickup is none
    common_time: tuple[tuple[Fraction, Fraction], ...]  # the stretches in 4/4
    key: Key


def find_files(source: Path) -> list[Path]:
    """The MIDI and MusicXML files of a source, itself or (recursively) inside it, sorted.

    Raises BadInput for a source that does not exist, is of another kind, or holds none.
    """
    suffixes = midi.SUFFIXES + SCORE_SUFFIXES
    if source.is_file():
        if source.suffix.lower() in suffixes:
            return [source]
        raise BadInput(source, f"neither a folder nor one of {', '.join(suffixes)}")
    if not source.is_dir():
        raise BadInput(source, "is not a file" if source.exists() else "no such file or folder")
    # Links that lead nowhere are among them: whoever put them there wants to hear of it.
    files = sorted(p for p in source.rglob("*") if p.suffix.lower() in suffixes and not p.is_dir())
    if not files:
        raise BadInput(source, f"holds no {', '.join(suffixes)} files")
    return files


def chorales() -> list[Path]:
    """The Bach chorales of the installed music21, as MusicXML files.

    Its Bach folder also holds a prelude, BWV 846, and so does the paper's set.
    """
    from music21 import corpus

    paths = (Path(path) for path in corpus.getComposer("bach"))
    return sorted(path for path in paths if path.suffix in SCORE_SUFFIXES)


def read(path: Path) -> Piece:
    """The piece in a MIDI or MusicXML file. Raises BadInput for one that cannot be used."""
    if path.suffix.lower() in midi.SUFFIXES:
        return _read_midi(path)
    _check_score(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about notation that no melody depends on
            return _read_score(path)
    except EmomelodyError:
        raise
    except Exception as error:  # music21 documents no narrower set for damaged files
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise BadInput(path, f"damaged MusicXML file ({reason})") from error


def _read_midi(path: Path) -> Piece:
    song = midi.read(path)
    line = song.melody_line()
    if not line:
        raise BadInput(path, "no pitched notes")
    # What a file does not name is 4/4, from its beginning.
    stretches = _stretches([(Fraction(0), METER), *song.meters], song.length)
    barlines = [
        start + BEATS_PER_BAR * bar
        for start, end in stretches
        for bar in range(-int((start - end) // BEATS_PER_BAR))
    ]
    if song.keys:
        from music21.key import Key as MusicKey

        written = song.keys[0][1]
        tonic, mode = written.removesuffix("m"), "minor" if written.endswith("m") else "major"
        key = _key(MusicKey(tonic.replace("b", "-"), mode))
    else:
        notes = (note for track in song.tracks for note in track.notes)
        key = find_key(path, ((n.pitch, n.end - n.onset) for n in notes))
    return Piece(path, tuple(line), tuple(barlines), tuple(_joined(stretches)), key)


def _read_score(path: Path) -> Piece:
    from music21 import chord, stream
    from music21 import key as music_key
    from music21 import meter as music_meter
    from music21 import note as music_note

    score = _parse(path)
    if not score.parts:
        raise BadInput(path, "a score without parts")
    for note in score.parts[0].recurse().notes:
        for pitch in note.pitches:
            if pitch.alter == 0:  # to stripTies a natural with its sign is another pitch than one without
                pitch.accidental = None
    part = score.parts[0].stripTies()
    line = skyline(
        TimedNote(_time(note.offset), _time(note.offset + note.quarterLength), _pitch(path, pitch.ps))
        for note in part.flatten().getElementsByClass((music_note.Note, chord.Chord))
        for pitch in note.pitches
    )
    if not line:
        raise BadInput(path, "no pitched notes in its first part")
    bars = [
        (_time(bar.offset), _time(bar.quarterLength))
        for bar in score.parts[0].getElementsByClass(stream.Measure)
    ]
    length = bars[-1][0] + bars[-1][1] if bars else line[-1].end
    found = score.parts[0].recurse().getElementsByClass(music_meter.TimeSignature)
    meters = [(_time(m.getOffsetInHierarchy(score.parts[0])), m.ratioString) for m in found]
    written = score.parts[0].recurse().getElementsByClass(music_key.KeySignature).first()
    if isinstance(written, music_key.Key):
        key = _key(written)
    else:  # none, or a bare signature without its mode
        notes = score.recurse().getElementsByClass((music_note.Note, chord.Chord))
        key = find_key(path, ((p.midi, _time(n.quarterLength)) for n in notes for p in n.pitches))
    return Piece(path, tuple(line), _downbeats(bars), tuple(_joined(_stretches(meters, length))), key)


def find_key(path: Path, sounding: Iterable[tuple[int, Fraction]]) -> Key:
    """The key of (pitch, duration) pairs by music21's default key profiles (Krumhansl's method).

    The profiles compare summed durations of pitch classes only, so music21 gets twelve notes, not all.
    """
    from music21 import note, stream

    totals = [Fraction(0)] * 12
    for pitch, duration in sounding:
        totals[pitch % 12] += duration
    summary = stream.Stream()
    for pitch_class, total in enumerate(totals):
        if total:
            summary.append(note.Note(60 + pitch_class, quarterLength=float(total)))
    if not summary:
        raise BadInput(path, "no note long enough to find a key")
    return _key(summary.analyze("key"))


def _parse(path: Path) -> Score:
    """music21's reading of a MusicXML file, past its cache of pickles."""
    from music21 import converter, stream

    score = converter.parse(str(path), forceSource=True, storePickle=False)
    if not isinstance(score, stream.Score):
        raise BadInput(path, "holds several works; split it into one file per piece")
    return score


def _check_score(path: Path) -> None:
    """Refuse what would not fit into memory once unpacked, or would unpack itself while it is parsed."""
    data = read_limited(path, MAX_SCORE_BYTES)
    contents = [data]
    if path.suffix.lower() == ".mxl":
        try:
            with ZipFile(io.BytesIO(data)) as archive:
                entries = archive.infolist()
                size = sum(entry.file_size for entry in entries)
                if size > MAX_SCORE_BYTES or len(entries) > MAX_ARCHIVE_ENTRIES:
                    raise BadInput(path, f"larger than {MAX_SCORE_BYTES // 1_000_000} MB unpacked")
                contents = [archive.read(entry) for entry in entries]
        except (BadZipFile, RuntimeError, ValueError, EOFError, zlib.error) as error:  # an encrypted one too
            raise BadInput(path, f"damaged MusicXML file (no readable zip archive: {error})") from error
    # No score needs entities of its own; in UTF-16 every other byte is zero.
    if any(b"<!ENTITY" in content.replace(b"\0", b"") for content in contents):
        raise BadInput(path, "declares entities, which no score needs and which may be a trap")


def _downbeats(bars: list[tuple[Fraction, Fraction]]) -> tuple[Fraction, ...]:
    """Where bars begin, from the (offset, length) of a score's measures.

    A pickup at the beginning, and the second part of a bar that a repeat sign divides, begin none.
    """
    found, filled = [], Fraction(0)
    for number, (offset, length) in enumerate(bars):
        if number == 0 and length < BEATS_PER_BAR:
            continue
        if filled == 0:
            found.append(offset)
        filled = Fraction(0) if length >= BEATS_PER_BAR else (filled + length) % BEATS_PER_BAR
    return tuple(found)


def _stretches(meters: list[tuple[Fraction, str]], end: Fraction) -> list[tuple[Fraction, Fraction]]:
    """The stretches in 4/4, by the (time, meter) of each change, up to the piece's end."""
    changes = [*meters, (end, "")]
    return [
        (start, stop) for (start, meter), (stop, _) in pairwise(changes) if meter == METER and stop > start
    ]


def _joined(stretches: list[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, Fraction]]:
    """Stretches with those made one that touch: a meter may be written again unchanged."""
    joined: list[tuple[Fraction, Fraction]] = []
    for start, end in stretches:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _key(key: Any) -> Key:
    """Ours of a music21 key; a church mode counts as major or minor by its third."""
    minor = (key.pitchFromDegree(3).pitchClass - key.tonic.pitchClass) % 12 == 3
    mode = "minor" if minor else "major"
    return Key(f"{key.tonic.name.replace('-', 'b')} {mode}", key.tonic.pitchClass, mode)


def _pitch(path: Path, semitones: float) -> int:
    """MIDI's number of a pitch. music21's own would fold one beyond the keyboard back into it."""
    number = round(semitones)
    if not 0 <= number <= MAX_PITCH:
        raise BadInput(path, "has a pitch beyond the keyboard")
    return number


def _time(quarters: float | Fraction) -> Fraction:
    return Fraction(quarters).limit_denominator(_FINEST)
