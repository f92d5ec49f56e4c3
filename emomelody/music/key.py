"""Keys: their names and signatures, how they spell pitches, and finding one in notes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from emomelody.errors import EmomelodyError

_KEY = re.compile(r"(?P<letter>[A-G])(?P<sign>#|♯|b|♭|)\s*(?P<mode>m|min|minor|maj|major|)", re.IGNORECASE)
_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_LINE_OF_FIFTHS = "FCGDAEB"  # C is 0, G 1, F −1 …
# The tonics that have a key signature, from seven flats to seven sharps.
_SIGNATURES = {
    "major": ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"),
    "minor": ("Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#"),
}


@dataclass(frozen=True)
class Key:
    """A key: ``tonic`` as a pitch class (C is 0), ``mode`` major or minor."""

    name: str  # "G minor"
    tonic: int
    mode: str


def parse_key(text: str) -> tuple[str, str | None]:
    """The tonic and the mode (major, minor, or None where none is given) of ``A minor``, ``F#m`` or ``Bb``.

    Raises EmomelodyError for anything else.
    """
    found = _KEY.fullmatch(text.strip())
    if not found:
        raise EmomelodyError(f"unknown key '{text}': write e.g. 'A minor', F#m or Bb")
    tonic = found["letter"].upper() + found["sign"].replace("♯", "#").replace("♭", "b").lower()
    mode = found["mode"]
    if not mode:
        return tonic, None
    return tonic, "major" if mode.lower().startswith("ma") else "minor"


def pitch_class(tonic: str) -> int:
    """The pitch class 0 … 11 of a letter with # or b."""
    return (_PITCH_CLASSES[tonic[0]] + tonic.count("#") - tonic.count("b")) % 12


def signature(tonic: str, mode: str) -> str:
    """The key signature of a tonic in a mode, major or minor, as MIDI files name it: ``F#``, ``Am``.

    A tonic without a signature in the mode is respelled: D flat minor becomes C sharp minor.
    """
    tonics = _SIGNATURES[mode]
    enharmonic = next(name for name in tonics if pitch_class(name) == pitch_class(tonic))
    return (tonic if tonic in tonics else enharmonic) + ("m" if mode == "minor" else "")


def from_signature(name: str) -> Key:
    """The key of a signature as MIDI files name it: ``F#``, ``Am``."""
    tonic, mode = name.removesuffix("m"), "minor" if name.endswith("m") else "major"
    return Key(f"{tonic} {mode}", pitch_class(tonic), mode)


def signature_name(name: str) -> str:
    """A signature as people write it: ``F♯ major``, ``A minor``."""
    return from_signature(name).name.replace("#", "♯").replace("b ", "♭ ")


def from_music21(key: Any) -> Key:
    """The key of a ``music21.key.Key``; a church mode counts as major or minor by its third."""
    minor = (key.pitchFromDegree(3).pitchClass - key.tonic.pitchClass) % 12 == 3
    mode = "minor" if minor else "major"
    return Key(f"{key.tonic.name.replace('-', 'b')} {mode}", key.tonic.pitchClass, mode)


def find_key(sounding: Iterable[tuple[int, Fraction]]) -> Key:
    """The key of (pitch, duration) pairs, by music21's default key profiles (Krumhansl's method).

    The profiles compare the total durations of pitch classes, so music21 gets twelve notes instead of all.
    Raises EmomelodyError where nothing sounds.
    """
    from music21 import note, stream

    totals = [Fraction(0)] * 12
    for pitch, duration in sounding:
        totals[pitch % 12] += duration
    summary = stream.Stream()
    for number, total in enumerate(totals):
        if total:
            summary.append(note.Note(60 + number, quarterLength=float(total)))
    if not summary:
        raise EmomelodyError("no note long enough to find a key")
    return from_music21(summary.analyze("key"))


def spell(pitch: int, key: str) -> tuple[str, int, int]:
    """How a key signature spells a MIDI pitch: letter, alteration (+1 sharp, −1 flat), octave (60 is C4).

    The twelve notes are neighbours on the line of fifths: from the lowered third to the raised fifth of a
    major key, from the lowered second to the raised fourth of a minor one.
    """
    tonic = key.removesuffix("m")
    position = _LINE_OF_FIFTHS.index(tonic[0]) - 1 + 7 * (tonic.count("#") - tonic.count("b"))
    lowest = position - (5 if key.endswith("m") else 3)
    fifths = lowest + (pitch * 7 - lowest) % 12  # seven semitones a fifth: its inverse modulo 12 is itself
    letter = _LINE_OF_FIFTHS[(fifths + 1) % 7]
    alteration = (fifths + 1) // 7
    return letter, alteration, (pitch - alteration) // 12 - 1


def note_name(pitch: int, key: str) -> str:
    """A MIDI pitch as people write it in a key signature, e.g. ``E♭4``."""
    letter, alteration, octave = spell(pitch, key)
    return letter + ("♭" * -alteration or "♯" * alteration) + str(octave)
