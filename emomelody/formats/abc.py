"""Reading ABC files tune by tune with music21's parser, within limits on their size.

A tune's text is first reduced to what its melody depends on: fields, notes and barlines of the first voice.
The parser would lose notes at fingerings, the second half of dotted pairs at grace notes and slurs, and
whatever follows a "tie" between two pitches, which in these files is a slur. Repeats are not played twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emomelody.errors import BadInput, EmomelodyError
from emomelody.files import read_limited
from emomelody.formats.musicxml import SLOWEST, Score
from emomelody.music.key import Key, from_music21
from emomelody.music.melody import MAX_PITCH, TimedNote

if TYPE_CHECKING:
    from music21.abcFormat import ABCMetadata, ABCNote, ABCToken

SUFFIXES = (".abc",)
MAX_BYTES = 2_000_000  # some five thousand tunes; the largest known collections are split into smaller files
MAX_TUNE = 50_000  # characters
# Since version 2 of ABC an accidental lasts until the end of the bar; most files mean that without saying so.
_VERSION = "%abc-2.1"
_FIELD = re.compile(r"([A-Za-z+]):(?![|:])(.*)")
_INLINE_FIELD = re.compile(r"\[([A-Za-z]:[^\[\]]*)\]")
_COMMENT = re.compile(r"(?<!\\)%.*")
_OLD_CHORD = re.compile(r"\+((?:[_=^]*[A-Ga-g][,']*[\d/]*)+)\+")  # of version 1
# Texts and chord symbols, grace notes, decorations, spacers, a second line of notes in the same bar.
_NOT_MELODY = re.compile(r'"[^"]*"?|\{[^}]*\}?-?|![^!|\s]*!|\+[a-z().<>]+\+|y\d*|&[^|]*')
_BARLINE = re.compile(r"\[?[:|]*\|[:|\]]*(?:\s*\[?\d[\d,.-]*)?|(?<!\(\d)::+|\[\d[\d,.-]*")
_BROKEN_RHYTHM = re.compile(r"-?([<>]+)-?")  # a "tie" beside it is nearly always a slur, and would hide it
# Slurs, brackets and accidentals that stand alone, and whatever is no note, rest, barline, tie or tuplet.
_UNKNOWN = re.compile(
    r"\((?!\d)|\[(?![^|\[\]]*\])|(?<![_=^])[_=^]++(?![A-Ga-g])|[^A-Ga-gzZ^_=,'/\d<>|\[\](:\-\s]"
)
_BARS_OF_REST = re.compile(r"Z(\d*)")
_TEMPO = re.compile(r"(?P<beats>\d+/\d+(?:\s+\d+/\d+)*)\s*=\s*(?P<rate>\d+)|(?P<quarters>\d+)\s*$")


@dataclass(frozen=True)
class Tune:
    """One tune of a file."""

    number: int  # that of its X: field; its place in the file where these are not numbers, or not unique
    title: str  # its first T: field
    text: str  # from X: on, with what the head of the file says of all tunes

    @property
    def name(self) -> str:
        """For messages: ``tune 12 (The Cuckoo)``."""
        return f"tune {self.number}" + f" ({self.title})" * bool(self.title)


def tunes(path: Path) -> list[Tune]:
    """The tunes of an ABC file (UTF-8, else Latin-1), in order; one lasts from X: to an empty line.

    Raises BadInput for a file that cannot be read, is larger than ``MAX_BYTES``, or holds no tune.
    """
    lines = re.split(r"\r\n?|\n", _decode(read_limited(path, MAX_BYTES)))
    starts = [number for number, line in enumerate(lines) if line.startswith("X:")]
    if not starts:
        raise BadInput(path, "holds no ABC tune: a tune begins with the fields X:, T: and K:")
    for_all = [line for line in lines[: starts[0]] if line.startswith(("L:", "M:"))]
    written = (_without_comment(lines[start][2:]) for start in starts)
    numbers = [int(number) for number in written if re.fullmatch(r"\d{1,9}", number)]
    if len(set(numbers)) < len(starts):
        numbers = list(range(1, len(starts) + 1))
    found = []
    for number, (start, end) in zip(numbers, pairwise([*starts, len(lines)]), strict=True):
        own = list(takewhile(str.strip, lines[start:end]))
        title = next((_without_comment(line[2:]) for line in own if line.startswith("T:")), "")
        title = "".join(filter(str.isprintable, title))
        found.append(Tune(number, title, "\n".join([own[0], *for_all, *own[1:]])))
    return found


def read(path: Path, tune: Tune) -> Score:
    """The melody of a tune of the file ``path``: of several voices the first, of chords the highest notes.

    Raises BadInput for a tune that is damaged, too long, without notes, or with a pitch outside MIDI's.
    """
    from music21.abcFormat import ABCHandler

    handler = ABCHandler()
    try:
        handler.process(_plain(tune.text))
        return _score(handler.tokens)
    except EmomelodyError as error:
        raise BadInput(path, str(error)) from error
    except Exception as error:  # music21 documents no narrower set for damaged files
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise BadInput(path, f"damaged tune ({reason})") from error


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _without_comment(text: str) -> str:
    return _COMMENT.sub("", text).strip()


def _plain(text: str) -> str:
    """The fields that notes depend on, and the first voice in notes, rests, ties, tuplets and plain barlines.

    Raises EmomelodyError for a tune without K:, or with what cannot be read.
    """
    if len(text) > MAX_TUNE:
        raise EmomelodyError(f"longer than {MAX_TUNE:,} characters")
    parts = list(_parts(text))
    header = list(takewhile(lambda part: part[0] != "K", parts))
    if len(header) == len(parts):
        raise EmomelodyError("no K: field, which ends the header of a tune")
    plain = [_VERSION]
    if not any(kind in ("L", "M") for kind, _ in header):
        plain.append("L:1/8")
    plain += [f"{kind}:{content}" for kind, content in header if kind in ("L", "M", "Q")]
    first = voice = None
    for kind, content in parts[len(header) :]:
        if kind == "V":
            voice = content.split(maxsplit=1)[0]
        elif kind == "" and content.strip():
            first = first or voice or "the only one"
            if voice in (first, None):
                plain.append(_plain_notes(content))
        elif kind in ("K", "L", "M", "Q") and voice in (first, None):
            plain.append(f"{kind}:{content}")
    return "\n".join(plain)


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """The fields of a tune as (letter, content), and what is between them as ("", music), in order."""
    for line in text.split("\n"):
        line_field = _FIELD.match(line)
        for number, part in enumerate([line] if line_field else _INLINE_FIELD.split(_COMMENT.sub("", line))):
            # Those with an odd number are what the pattern has found.
            field = line_field or (_FIELD.match(part) if number % 2 else None)
            yield (field[1], _without_comment(field[2])) if field else ("", part)


def _plain_notes(music: str) -> str:
    """Notes, rests, ties, tuplets and barlines of a line; every kind of barline becomes a plain one.

    A rest of whole bars, which the parser does not know, becomes a field R: with the number of bars.
    """
    music = _NOT_MELODY.sub("", _OLD_CHORD.sub(r"[\1]", music))
    music = _BARLINE.sub("|", music).replace("x", "z").replace("X", "Z")
    music = _BROKEN_RHYTHM.sub(r"\1", _UNKNOWN.sub("", music))
    return _BARS_OF_REST.sub(r"\nR:\1\n", music)


def _score(tokens: Iterable[ABCToken]) -> Score:
    """The score of one voice, from music21's tokens."""
    from music21.abcFormat import ABCBar, ABCMetadata, ABCNote

    line: list[TimedNote] = []
    bars: list[tuple[Fraction, Fraction]] = []
    meters: dict[Fraction, str] = {}
    tempos: dict[Fraction, int] = {}
    key: Key | None = None
    now = bar = Fraction(0)
    tied = False
    for token in tokens:
        if isinstance(token, ABCBar) and now > bar:
            bars.append((bar, now - bar))
            bar = now
        elif isinstance(token, ABCMetadata) and token.isMeter():
            meters[now] = _meter(token)
        elif isinstance(token, ABCMetadata) and token.isKey():
            key = key or _key(token)
        elif isinstance(token, ABCMetadata) and token.isTempo():
            tempo = _tempo(token.data)
            if tempo:
                tempos[now] = tempo
        elif isinstance(token, ABCMetadata) and token.tag == "R":
            now += int(token.data or 1) * _quarters_per_bar(list(meters.values()))
        elif isinstance(token, ABCNote):
            start, now = now, now + _duration(token)
            pitch = _pitch(token)
            if pitch is not None and tied and line[-1].pitch == pitch:
                line[-1] = TimedNote(line[-1].onset, now, pitch)
            elif pitch is not None and now > start:
                line.append(TimedNote(start, now, pitch))
            tied = pitch is not None and token.tie in ("start", "continue")
    if now > bar:
        bars.append((bar, now - bar))
    if not line:
        raise EmomelodyError("no notes")
    sounding = tuple((note.pitch, note.end - note.onset) for note in line)
    return Score(tuple(line), tuple(bars), tuple(meters.items()), key, tuple(tempos.items()), sounding)


def _duration(note: ABCNote) -> Fraction:
    """The duration of a note or rest in quarter notes."""
    tuplet: Any = note.activeTuplet
    return Fraction(note.quarterLength) * (Fraction(tuplet.tupletMultiplier()) if tuplet else 1)


def _pitch(token: ABCNote) -> int | None:
    """The MIDI number of a note, or of the highest note of a chord; None for a rest."""
    from music21.abcFormat import ABCChord
    from music21.pitch import Pitch

    notes = token.subTokens if isinstance(token, ABCChord) else [token]
    numbers = [round(Pitch(note.pitchName).ps) for note in notes if note.pitchName]
    if not all(0 <= number <= MAX_PITCH for number in numbers):
        raise EmomelodyError("has a pitch outside MIDI's range")
    return max(numbers, default=None)


def _meter(field: ABCMetadata) -> str:
    """The meter of an M: field, such as 2/2 for C|."""
    parameters = field.getTimeSignatureParameters()
    return "free meter" if parameters is None else f"{parameters[0]}/{parameters[1]}"


def _quarters_per_bar(meters: list[str]) -> Fraction:
    """The length of a bar of the last meter. Raises EmomelodyError for a free one, and without any."""
    if not meters or "/" not in meters[-1]:
        raise EmomelodyError("has a rest of whole bars (Z) without a meter")
    return 4 * Fraction(meters[-1])


def _key(field: ABCMetadata) -> Key | None:
    """The key of a K: field; None for one without a mode."""
    from music21.key import Key as MusicKey

    found = field.getKeySignatureObject()
    return from_music21(found) if isinstance(found, MusicKey) else None


def _tempo(text: str) -> int | None:
    """The microseconds per quarter note of a Q: field, such as 1/4=120 or 3/8=80; None without a number."""
    found = _TEMPO.search(re.sub(r'"[^"]*"', "", text[:100]).strip())
    if not found:
        return None
    beat = sum(map(Fraction, found["beats"].split())) * 4 if found["beats"] else Fraction(1)
    per_minute = beat * int(found["rate"] or found["quarters"])
    tempo = round(60_000_000 / per_minute) if per_minute else 0
    return tempo if 0 < tempo <= SLOWEST else None
