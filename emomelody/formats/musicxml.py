"""Reading MusicXML files with music21, within limits on their size.

A ``Score`` holds what the rest of the package needs of a file: the top line of its first part, its bars,
meters, key and tempos. Writing is in ``formats.score``.
"""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
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
SLOWEST = 0xFFFFFF  # microseconds per quarter note that a MIDI file can express: four beats a minute
_FINEST = 10_080  # parts of a quarter note to which music21's floats are rounded


@dataclass(frozen=True)
class Score:
    """The first part of a score; all times in quarter notes from its beginning."""

    line: tuple[TimedNote, ...]  # the top line, ties joined
    bars: tuple[tuple[Fraction, Fraction], ...]  # (onset, length) of each measure
    meters: tuple[tuple[Fraction, str], ...]  # (onset, "4/4" or "free meter") of each time signature
    key: Key | None  # the first written key with a mode
    tempos: tuple[tuple[Fraction, int], ...]  # (onset, microseconds per quarter note)
    # (pitch, duration) of every note: of every part if ``key`` is None, else of the first alone.
    sounding: tuple[tuple[int, Fraction], ...]
    program: int = 0  # General MIDI 0 … 127 of the first instrument; 0 where none is known

    @property
    def length(self) -> Fraction:
        """The end of the last bar, or of the last note where no bars are written."""
        return sum(self.bars[-1], Fraction(0)) if self.bars else self.line[-1].end


def read(path: Path) -> Score:
    """The score in a MusicXML file (.xml, .musicxml, .mxl).

    Raises BadInput for a file that is damaged, too large, without notes, or with a pitch outside MIDI's.
    """
    contents = _read_contents(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about notation that the melody does not depend on
            return _read_parsed(path, _parse(path, contents))
    except EmomelodyError:
        raise
    except Exception as error:  # music21 documents no narrower set for damaged files
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise BadInput(path, f"damaged MusicXML file ({reason})") from error


def read_voices(path: Path) -> list[list[TimedNote]]:
    """The notes of each part of a MusicXML file, ties joined. Raises BadInput as ``read`` does."""
    from music21 import chord, converter, note, stream

    _read_contents(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            score = converter.parse(str(path), forceSource=True, storePickle=False)
            parts = [part.stripTies() for part in score.getElementsByClass(stream.Part)]
            return [
                [
                    TimedNote(_quarters(n.offset), _quarters(n.offset + n.quarterLength), round(pitch.ps))
                    for n in part.flatten().getElementsByClass((note.Note, chord.Chord))
                    for pitch in n.pitches
                ]
                for part in parts
            ]
    except Exception as error:  # as in ``read``
        raise BadInput(path, f"damaged MusicXML file ({type(error).__name__})") from error


def _read_parsed(path: Path, score: stream.Score) -> Score:
    from music21 import chord, note, stream
    from music21.harmony import Harmony
    from music21.instrument import Instrument
    from music21.key import Key as MusicKey
    from music21.key import KeySignature
    from music21.meter.base import TimeSignatureBase
    from music21.tempo import MetronomeMark

    if not score.parts:
        raise BadInput(path, "a score without parts")
    # Chord symbols do not sound, but to music21 they are chords, and would come between tied notes.
    score.remove([*score.recurse().getElementsByClass(Harmony)], recurse=True)
    part = score.parts[0]
    for n in part.recurse().notes:
        for pitch in n.pitches:
            if pitch.alter == 0:  # to stripTies a natural with its sign is another pitch than one without
                pitch.accidental = None
    bars = [
        (_quarters(b.offset), _quarters(b.quarterLength)) for b in part.getElementsByClass(stream.Measure)
    ]
    meters = [
        (_quarters(meter.getOffsetInHierarchy(part)), _meter(meter))
        for meter in part.recurse().getElementsByClass(TimeSignatureBase)
    ]
    meters = meters or [(Fraction(0), "4/4")]  # like a MIDI file without a time signature
    marks = part.recurse().getElementsByClass(MetronomeMark)
    tempos = [
        (max(Fraction(0), _quarters(mark.getOffsetInHierarchy(part))), tempo)
        for mark in marks
        if (tempo := _tempo(mark))
    ]
    tempos.sort(key=itemgetter(0))  # voices are read one after the other
    program = next((i.midiProgram for i in part[Instrument] if i.midiProgram is not None), 0)
    written = part.recurse().getElementsByClass(KeySignature).first()
    key = from_music21(written) if isinstance(written, MusicKey) else None  # none, or one without a mode
    sounding = tuple(_pitches_and_durations(score.recurse().getElementsByClass((note.Note, chord.Chord))))
    part.stripTies(inPlace=True)  # last, as it changes the notes; a copy would take as long as the parsing
    line = skyline(
        TimedNote(_quarters(n.offset), _quarters(n.offset + n.quarterLength), _midi_pitch(path, pitch.ps))
        for n in part.flatten().getElementsByClass((note.Note, chord.Chord))
        for pitch in n.pitches
    )
    if not line:
        raise BadInput(path, "no pitched notes in its first part")
    return Score(tuple(line), tuple(bars), tuple(meters), key, tuple(tempos), sounding, program)


def _meter(written: Any) -> str:
    """The meter of a time signature; of a senza misura, which has no numbers, ``free meter``."""
    return getattr(written, "ratioString", "free meter")


def _tempo(mark: Any) -> int | None:
    """The microseconds per quarter note of a metronome mark; None for one without a possible number."""
    per_minute = mark.getQuarterBPM() or 0
    tempo = round(60_000_000 / per_minute) if per_minute > 0 else 0
    return tempo if 0 < tempo <= SLOWEST else None


def _pitches_and_durations(notes: Iterable[Any]) -> Iterable[tuple[int, Fraction]]:
    return ((pitch.midi, _quarters(n.quarterLength)) for n in notes for pitch in n.pitches)


def _parse(path: Path, contents: Iterable[bytes]) -> stream.Score:
    """music21's reading of a file with these contents, without its cache of pickles."""
    from music21 import converter, stream

    first_part = _first_part(contents)
    if first_part:
        score = converter.parse(first_part, format="musicxml")
    else:
        score = converter.parse(str(path), forceSource=True, storePickle=False)
    if not isinstance(score, stream.Score):
        raise BadInput(path, "holds several works: split it into one file per piece")
    return score


def _first_part(contents: Iterable[bytes]) -> str | None:
    """The document without all but its first part, which saves most of the time of parsing a choir.

    None where that part writes no major or minor key: then the key has to be found in the notes of all parts.
    """
    for content in contents:
        try:
            root = ElementTree.fromstring(content)
        except ElementTree.ParseError:  # another file in the archive, or damage that music21 will report
            continue
        part_list, first, parts = (
            root.find("part-list"),
            root.find("part-list/score-part"),
            root.findall("part"),
        )
        if root.tag != "score-partwise" or part_list is None or first is None or not parts:
            continue
        key = parts[0].find(".//key")
        mode = None if key is None else key.findtext("mode")
        if first.get("id") != parts[0].get("id") or mode not in ("major", "minor"):
            return None
        part_list[:] = [first]
        for part in parts[1:]:
            root.remove(part)
        return ElementTree.tostring(root, encoding="unicode")
    return None


def _read_contents(path: Path) -> list[bytes]:
    """The bytes of a file, or of all files in an archive.

    Raises BadInput for what would not fit into memory once unpacked, or would expand while parsed.
    """
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
    return contents


def _midi_pitch(path: Path, semitones: float) -> int:
    """The MIDI number of a pitch; music21's own folds one outside 0–127 back into it."""
    number = round(semitones)
    if not 0 <= number <= MAX_PITCH:
        raise BadInput(path, "has a pitch outside MIDI's range")
    return number


def _quarters(value: float | Fraction) -> Fraction:
    return Fraction(value).limit_denominator(_FINEST)
