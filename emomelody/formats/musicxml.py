"""Reading MusicXML files with music21, within limits on their size.

A ``Score`` holds what the rest of the package needs of a file: the top line of its first part, its bars,
meters and key. Writing is in ``formats.score``.
"""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from emomelody.errors import BadInput, EmomelodyError
from emomelody.files import read_limited
from emomelody.music.key import Key, from_music21
from emomelody.music.melody import MAX_PITCH, TimedNote, skyline

if TYPE_CHECKING:
    from music21 import stream

SUFFIXES = (".xml", ".musicxml", ".mxl")
MAX_BYTES = 4_000_000  # of MusicXML, unpacked: takes music21 some seconds
MAX_ARCHIVE_ENTRIES = 100
_FINEST = 10_080  # parts of a quarter note to which music21's floats are rounded


@dataclass(frozen=True)
class Score:
    """The first part of a score; all times in quarter notes from its beginning."""

    line: tuple[TimedNote, ...]  # the top line, ties joined
    bars: tuple[tuple[Fraction, Fraction], ...]  # (onset, length) of each measure
    meters: tuple[tuple[Fraction, str], ...]  # (onset, "4/4") of each time signature
    key: Key | None  # the first written key with a mode
    sounding: tuple[tuple[int, Fraction], ...]  # (pitch, duration) of every note of every part

    @property
    def length(self) -> Fraction:
        """The end of the last bar, or of the last note where no bars are written."""
        return sum(self.bars[-1], Fraction(0)) if self.bars else self.line[-1].end


def read(path: Path) -> Score:
    """The score in a MusicXML file (.xml, .musicxml, .mxl).

    Raises BadInput for a file that is damaged, too large, without notes, or with a pitch outside MIDI's.
    """
    _check_contents(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about notation that the melody does not depend on
            return _read_parsed(path, _parse(path))
    except EmomelodyError:
        raise
    except Exception as error:  # music21 documents no narrower set for damaged files
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise BadInput(path, f"damaged MusicXML file ({reason})") from error


def _read_parsed(path: Path, score: stream.Score) -> Score:
    from music21 import chord, note, stream
    from music21.key import Key as MusicKey
    from music21.key import KeySignature
    from music21.meter import TimeSignature

    if not score.parts:
        raise BadInput(path, "a score without parts")
    part = score.parts[0]
    for sounding in part.recurse().notes:
        for pitch in sounding.pitches:
            if pitch.alter == 0:  # to stripTies a natural with its sign is another pitch than one without
                pitch.accidental = None
    line = skyline(
        TimedNote(_quarters(n.offset), _quarters(n.offset + n.quarterLength), _midi_pitch(path, pitch.ps))
        for n in part.stripTies().flatten().getElementsByClass((note.Note, chord.Chord))
        for pitch in n.pitches
    )
    if not line:
        raise BadInput(path, "no pitched notes in its first part")
    bars = [
        (_quarters(b.offset), _quarters(b.quarterLength)) for b in part.getElementsByClass(stream.Measure)
    ]
    meters = [
        (_quarters(meter.getOffsetInHierarchy(part)), meter.ratioString)
        for meter in part.recurse().getElementsByClass(TimeSignature)
    ]
    written = part.recurse().getElementsByClass(KeySignature).first()
    key = from_music21(written) if isinstance(written, MusicKey) else None  # none, or one without a mode
    notes = score.recurse().getElementsByClass((note.Note, chord.Chord))
    return Score(tuple(line), tuple(bars), tuple(meters), key, tuple(_pitches_and_durations(notes)))


def _pitches_and_durations(notes: Iterable[Any]) -> Iterable[tuple[int, Fraction]]:
    return ((pitch.midi, _quarters(n.quarterLength)) for n in notes for pitch in n.pitches)


def _parse(path: Path) -> stream.Score:
    """music21's reading of a file, without its cache of pickles."""
    from music21 import converter, stream

    score = converter.parse(str(path), forceSource=True, storePickle=False)
    if not isinstance(score, stream.Score):
        raise BadInput(path, "holds several works: split it into one file per piece")
    return score


def _check_contents(path: Path) -> None:
    """Raise BadInput for what would not fit into memory once unpacked, or would expand while parsed."""
    data = read_limited(path, MAX_BYTES)
    contents = [data]
    if path.suffix.lower() == ".mxl":
        try:
            with ZipFile(io.BytesIO(data)) as archive:
                entries = archive.infolist()
                size = sum(entry.file_size for entry in entries)
                if size > MAX_BYTES or len(entries) > MAX_ARCHIVE_ENTRIES:
                    raise BadInput(path, f"larger than {MAX_BYTES // 1_000_000} MB unpacked")
                contents = [archive.read(entry) for entry in entries]
        # An encrypted archive raises RuntimeError.
        except (BadZipFile, RuntimeError, ValueError, EOFError, zlib.error) as error:
            raise BadInput(path, f"damaged MusicXML file (no readable zip archive: {error})") from error
    # No score needs entities of its own; in UTF-16 every other byte is zero.
    if any(b"<!ENTITY" in content.replace(b"\0", b"") for content in contents):
        raise BadInput(path, "declares XML entities, which no score needs and which can exhaust memory")


def _midi_pitch(path: Path, semitones: float) -> int:
    """The MIDI number of a pitch; music21's own folds one outside 0–127 back into it."""
    number = round(semitones)
    if not 0 <= number <= MAX_PITCH:
        raise BadInput(path, "has a pitch outside MIDI's range")
    return number


def _quarters(value: float | Fraction) -> Fraction:
    return Fraction(value).limit_denominator(_FINEST)
