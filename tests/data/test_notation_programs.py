"""MIDI files of other programs, MuseScore and music21, are read in their meter, key and tempo."""

from __future__ import annotations

import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from emomelody.data import corpus
from emomelody.data.corpus import SourcePiece
from emomelody.music.meter import Meter

MUSESCORE = shutil.which("musescore3") or shutil.which("mscore3")
# The written meter, the quarter notes of its bar and of a note, and what it is read in.
METERS = [
    ("4/4", 4, 1, Meter.FOUR_FOUR),
    ("2/2", 4, 2, Meter.FOUR_FOUR),
    ("4/2", 8, 2, Meter.FOUR_FOUR),
    ("2/4", 2, 1, Meter.FOUR_FOUR),
    ("1/4", 1, 1, Meter.FOUR_FOUR),
    ("3/4", 3, 1, Meter.THREE_FOUR),
    ("6/8", 3, 0.5, Meter.SIX_EIGHT),
]
KEYS = {"C": "C major", "a": "A minor", "D": "D major", "e": "E minor", "B-": "Bb major", "g": "G minor"}
DEGREES = (1, 3, 5, 4, 2, 5, 7, 1)


def write_tune(
    path: Path, meter_name: str, bar: float, length: float, key_name: str, pickup: float = 0
) -> Path:
    """Write 16 bars of equal notes at 96 BPM as MusicXML or MIDI; the last note is the tonic."""
    from music21 import instrument, key, meter, note, stream, tempo

    in_key = key.Key(key_name)
    pitches = [in_key.pitchFromDegree(degree) for degree in DEGREES]
    part, number = stream.Part([instrument.Flute()], id="P1"), 0
    for bar_number in range(0 if pickup else 1, 17):
        measure = stream.Measure(number=bar_number)
        if not list(part.getElementsByClass(stream.Measure)):
            measure.append([meter.TimeSignature(meter_name), in_key, tempo.MetronomeMark(number=96)])
        filled = pickup if bar_number == 0 else bar
        measure.paddingLeft = bar - filled
        for _ in range(round(filled / length)):
            measure.append(note.Note(pitches[number % 8], quarterLength=length))
            number += 1
        part.append(measure)
    part.recurse().notes.last().pitch = pitches[0]
    stream.Score([part]).write("midi" if path.suffix == ".mid" else "musicxml", path)
    return path


def by_musescore(score: Path) -> SourcePiece:
    """The piece in the MIDI file that MuseScore makes of a score."""
    if MUSESCORE is None:
        pytest.skip("MuseScore 3 is not installed")
    path = score.with_suffix(".mid")
    subprocess.run(
        [MUSESCORE, "-o", path, score],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return corpus.read(path)


def check(piece: SourcePiece, name: str, meter: Meter, key_name: str) -> None:
    bar = Fraction(meter.bar, 4)
    assert (piece.notated, piece.meter) == (name, meter)
    assert piece.barlines[:3] == (0, bar, 2 * bar)
    assert piece.key.name == KEYS[key_name]
    assert piece.seconds(Fraction(0), Fraction(8)) == 5
    assert piece.program == 73  # flute
    assert piece.has_beat


@pytest.mark.parametrize(("name", "bar", "length", "meter"), METERS)
def test_scores_and_midi_files_of_music21(
    tmp_path: Path, name: str, bar: float, length: float, meter: Meter
) -> None:
    for key_name in ("C", "e"):
        for suffix in (".mid", ".musicxml"):
            path = write_tune(tmp_path / f"a{suffix}", name, bar, length, key_name)
            check(corpus.read(path), name, meter, key_name)


@pytest.mark.parametrize(("name", "bar", "length", "meter"), METERS)
def test_midi_files_of_musescore(tmp_path: Path, name: str, bar: float, length: float, meter: Meter) -> None:
    score = write_tune(tmp_path / "a.musicxml", name, bar, length, "D")
    check(by_musescore(score), name, meter, "D")


@pytest.mark.parametrize("key_name", KEYS)
def test_keys_of_musescore_which_writes_all_as_major(tmp_path: Path, key_name: str) -> None:
    score = write_tune(tmp_path / "a.musicxml", "4/4", 4, 1, key_name)
    check(by_musescore(score), "4/4", Meter.FOUR_FOUR, key_name)


@pytest.mark.parametrize(("name", "bar", "length", "meter"), [m for m in METERS if m[0] != "1/4"])
def test_a_pickup_which_musescore_writes_as_a_bar_of_its_own_meter(
    tmp_path: Path, name: str, bar: float, length: float, meter: Meter
) -> None:
    score = write_tune(tmp_path / "a.musicxml", name, bar, length, "D", pickup=length)
    piece = by_musescore(score)
    assert (piece.notated, piece.meter) == (name, meter)
    pickup = Fraction(length)
    assert piece.barlines[:2] == (pickup, pickup + Fraction(meter.bar, 4))
    assert piece.barlines == corpus.read(score).barlines
