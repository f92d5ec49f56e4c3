"""Pieces: melodies set in a key, register, tempo and loudness, along a path or not."""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import replace
from pathlib import Path

import mido
import pytest

from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.formats import midi
from emomelody.formats.score import to_musicxml
from emomelody.formats.text_roll import to_text
from emomelody.music.features import metrics
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.expression import tempo_at
from emomelody.performance.piece import arrange
from emomelody.performance.registers import RANGES
from emomelody.performance.setting import PLAIN, Setting

HORN = 60  # music21 counts its pedal notes


def markers(data: bytes) -> list[tuple[int, str]]:
    """Return the markers of a MIDI file as (step, text)."""
    now, found = 0, []
    for message in mido.MidiFile(file=io.BytesIO(data)).tracks[0]:
        now += message.time
        found += [(now // 120, message.text)] if message.type == "marker" else []
    return found


def test_a_melody_moves_to_its_key_by_the_smaller_interval() -> None:
    melody = Melody((Note(0, 4, 60), Note(4, 4, 64)))
    for tonic, octave, pitches in (
        ("F#", 0, [66, 70]),
        ("G", 0, [55, 59]),
        ("A", 1, [69, 73]),
        ("Bb", -2, [34, 38]),
    ):
        piece = arrange(
            melody, title="a", emotion=Emotion.E1, setting=replace(PLAIN, tonic=tonic, octave=octave)
        )
        assert [n.pitch for n in piece.melody.notes] == pitches
    with pytest.raises(EmomelodyError, match="outside MIDI's range"):
        arrange(
            melody.transposed(24), title="a", emotion=Emotion.E1, setting=replace(PLAIN, tonic="F#", octave=4)
        )


def test_every_key_has_a_signature(tmp_path: Path) -> None:
    for letter in "CDEFGAB":
        for sign in ("", "#", "b"):
            for emotion in Emotion:
                setting = Setting(letter + sign)
                piece = arrange(Melody((Note(0, 4, 60),)), title="a", emotion=emotion, setting=setting)
                midi.write(piece, tmp_path / "a.mid")
                ((_, key),) = midi.read(tmp_path / "a.mid").keys
                assert key.endswith("m") == (emotion.mode == "minor")


def test_a_path_changes_tempo_key_and_register() -> None:
    melody = Melody(tuple(Note(4 * i, 4, 60 + 2 * (i % 2)) for i in range(32)), 128)
    trajectory = [(-0.4, -0.3)] * 2 + [(-0.2, 0.02)] + [(0.4, 0.3)] * 5
    piece = arrange(melody, title="a", emotion=Emotion.E3, trajectory=trajectory)
    assert piece.keys == ((0, "Cm"), (48, "C"))
    # Arousal becomes positive one bar before valence does.
    assert piece.sections == ((0, "sad"), (32, "angry"), (48, "happy"))
    assert markers(midi.to_bytes(piece)) == [(0, "sad"), (32, "angry"), (48, "happy")]
    roll = to_text(piece, metrics(melody)).splitlines()
    assert roll[0] == "a: sad, C minor, then C major"
    assert "C4–D5 (14 semitones)" in roll[1]
    xml = to_musicxml(piece).decode()
    # The tempo grows from bar to bar around the one in which arousal becomes positive.
    steps, tempos = zip(*piece.tempos, strict=True)
    assert steps == (0, 16, 32, 48, 64, 80)
    assert list(tempos) == sorted(tempos)
    assert max(b / a for a, b in itertools.pairwise(tempos)) < 1.5
    assert tempos[-1] == round(tempo_at(trajectory[-1], 1.0))
    # The last change is by less than a tenth: played, not printed.
    assert re.findall(r"<per-minute>(\d+)<", xml) == [str(round(tempo)) for tempo in tempos[:-1]]
    assert piece.octaves == ((0, 0), (64, 1))  # the register changes at the next phrase only
    assert [n.pitch for n in piece.melody.notes] == [60, 62] * 8 + [72, 74] * 8
    assert piece.velocities[-1] > piece.velocities[0]
    assert piece.note_lengths[-1] < piece.note_lengths[0]
    assert re.findall(r"<(pp|p|mp|mf|f) />", xml) == ["pp", "mp", "mf"]
    assert len(re.findall(r'<slur [^>]*type="start"', xml)) == 2  # in the sad bars
    assert xml.count("<staccato") == 16  # in the last four bars
    by_bar = [tempo for step, tempo in piece.tempos for _ in range(1 if step < 80 else 3)]
    assert piece.seconds == pytest.approx(sum(240 / tempo for tempo in by_bar))
    setting = replace(PLAIN, octave=None)
    fixed = arrange(melody, title="a", emotion=Emotion.E3, trajectory=trajectory, setting=setting)
    assert fixed.tempos == ((0, 120),)
    assert set(fixed.velocities) == {90}
    assert set(fixed.note_lengths) == {1}
    assert fixed.octaves == piece.octaves
    assert not re.search(r"<(slur|staccato|dynamics)\b", to_musicxml(fixed).decode())


def test_a_melody_is_played_where_its_instrument_can() -> None:
    melody = Melody((Note(0, 4, 60), Note(4, 4, 79)))
    for program, emotion, lowest in (
        ("piano", Emotion.E2, 48),
        ("flute", Emotion.E2, 60),  # an octave lower it would go below the flute
        ("cello", Emotion.E1, 48),  # at this octave it would go above what a cello plays
        ("piccolo", Emotion.E3, 84),
        ("synth bass 1", Emotion.E1, 48),
    ):
        piece = arrange(melody, title="a", emotion=emotion, setting=Setting(program=program))
        assert piece.melody.notes[0].pitch == lowest
    piece = arrange(melody, title="a", emotion=Emotion.E2, setting=Setting(program="flute", octave=-1))
    assert piece.melody.notes[0].pitch == 48  # as requested


def test_the_lowest_notes_are_those_of_music21() -> None:
    from music21 import instrument

    for program, (lowest, highest) in RANGES.items():
        theirs = instrument.instrumentFromMidiProgram(program)
        written = getattr(theirs, "lowestNote", None)
        if written is None or program == HORN:
            continue
        sounding = written.ps + (theirs.transposition.semitones if theirs.transposition else 0)
        assert sounding == lowest, theirs
        assert highest - lowest >= 29


def test_files_describe_a_point_on_an_axis_by_its_neighbours() -> None:
    melody = Melody(tuple(Note(4 * i, 4, 60) for i in range(16)))
    for point, words in {(0.0, 0.0): "neutral", (0.0, 0.5): "happy-angry"}.items():
        piece = arrange(melody, title="a", emotion=Emotion.E1, trajectory=[point] * 4)
        assert piece.description == words
        markers = [
            m.text
            for m in mido.MidiFile(file=io.BytesIO(midi.to_bytes(piece))).tracks[0]
            if m.type == "marker"
        ]
        assert markers == [words]
        xml = to_musicxml(piece).decode()
        assert f'<miscellaneous-field name="emotion">{words}<' in xml
        assert f"<words>{words}</words>" in xml
        assert to_text(piece, metrics(melody)).startswith(f"a: {words}, C major")


@pytest.mark.parametrize("meter", [Meter.THREE_FOUR, Meter.SIX_EIGHT])
def test_a_path_changes_at_the_bars_of_its_meter(meter: Meter) -> None:
    melody = Melody(tuple(Note(4 * i, 4, 60 + 2 * (i % 2)) for i in range(24)), 96, meter)
    trajectory = [(-0.4, -0.3)] * 2 + [(-0.2, 0.02)] + [(0.4, 0.3)] * 5
    piece = arrange(melody, title="a", emotion=Emotion.E3, trajectory=trajectory)
    assert piece.melody.meter is meter
    assert piece.keys == ((0, "Cm"), (36, "C"))
    assert piece.octaves == ((0, 0), (48, 1))  # the register changes at the next phrase only
    assert piece.sections == ((0, "sad"), (24, "angry"), (36, "happy"))
    assert markers(midi.to_bytes(piece)) == [(0, "sad"), (24, "angry"), (36, "happy")]
    assert [step for step, _ in piece.tempos] == [0, 12, 24, 36, 48, 60]
    assert piece.tempos[-1][1] == pytest.approx(tempo_at(trajectory[-1], 1.0), abs=0.75)


@pytest.mark.parametrize("meter", Meter)
def test_the_last_two_bars_slow_down_beat_by_beat(meter: Meter) -> None:
    notes = (*(Note(meter.bar * bar, 6, 62) for bar in range(7)), Note(7 * meter.bar, meter.bar, 60))
    end = 8 * meter.bar
    piece = arrange(Melody(notes, end, meter), title="a", emotion=Emotion.E3)
    assert piece.ritardando == 6 * meter.bar
    steps, tempos = zip(*piece.tempos, strict=True)
    # The first beat of these bars has the tempo of those before.
    assert steps == (0, *range(6 * meter.bar + meter.beat, end, meter.beat))
    assert list(tempos) == sorted(tempos, reverse=True)
    assert "<words>rit.</words>" in to_musicxml(piece).decode()
    assert arrange(Melody(notes[:-1], end, meter), title="a", emotion=Emotion.E3).ritardando is None
