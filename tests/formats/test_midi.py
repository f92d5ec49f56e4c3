"""MIDI files: written, read by two other readers, and read with limits."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import NamedTemporaryFile

import mido
import numpy as np
import pretty_midi
import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st
from pieces import hundred_pieces, pieces_in_other_meters

from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput
from emomelody.formats import midi
from emomelody.music.melody import Melody, Note, quantise
from emomelody.music.meter import Meter
from emomelody.music.tokens import from_tokens
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN, Setting


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 129), min_size=64, max_size=64))
def test_a_melody_of_any_tokens_survives_a_midi_file(tokens: list[int]) -> None:
    """A model may emit a hold after a rest, a rest at the very end, or a single pitch."""
    melody = from_tokens(np.array(tokens))
    piece = arrange(melody, title="any", emotion=Emotion.E1, setting=PLAIN)
    with NamedTemporaryFile(suffix=".mid") as file:
        midi.write(piece, Path(file.name))
        song = midi.read(Path(file.name))
    assert song.length == 16
    assert quantise(song.melody().notes, 64) == melody


@pytest.mark.slow
def test_two_other_readers_read_a_hundred_midi_files_back_unchanged() -> None:
    for piece in hundred_pieces():
        data = midi.to_bytes(piece)
        theirs = pretty_midi.PrettyMIDI(io.BytesIO(data))
        (instrument,) = theirs.instruments
        assert (instrument.program, instrument.name) == (piece.program, piece.title)
        assert [n.velocity for n in instrument.notes] == list(piece.velocities)
        _, tempos = theirs.get_tempo_changes()
        assert tempos == pytest.approx([tempo for _, tempo in piece.tempos], rel=1e-5)
        assert theirs.get_end_time() <= piece.seconds + 1e-3
        assert len(theirs.key_signature_changes) == len(piece.keys)

        other = symusic.Score.from_midi(data)
        (track,) = other.tracks
        ticks = other.ticks_per_quarter // 4
        played = list(zip(piece.melody.notes, piece.note_lengths, strict=True))
        assert [(n.time, n.pitch) for n in track.notes] == [(n.onset * ticks, n.pitch) for n, _ in played]
        assert [n.duration for n in track.notes] == [round(n.duration * ticks * share) for n, share in played]
        assert (track.program, track.name) == (piece.program, piece.title)
        assert [(t.time // ticks, t.qpm) for t in other.tempos] == [
            (step, pytest.approx(tempo, rel=1e-5)) for step, tempo in piece.tempos
        ]
        (meter,) = other.time_signatures
        assert (meter.numerator, meter.denominator) == (4, 4)


def test_files_in_other_meters_are_read_back_by_three_readers(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    for piece in pieces_in_other_meters():
        melody = piece.melody
        midi.write(piece, path)
        read = midi.read_melody(path, melody.steps)
        assert read.meter is melody.meter
        down = 12 * (piece.octaves[0][1] if min(piece.note_lengths) < 1 else 0)
        assert read == melody.transposed(-down)
        signature = (melody.meter.numerator, melody.meter.denominator)
        (theirs,) = pretty_midi.PrettyMIDI(str(path)).time_signature_changes
        assert (theirs.numerator, theirs.denominator) == signature
        other = symusic.Score.from_midi(path.read_bytes())
        (other_meter,) = other.time_signatures
        assert (other_meter.numerator, other_meter.denominator) == signature
        assert [(n.time, n.pitch) for n in other.tracks[0].notes] == [
            (120 * n.onset, n.pitch) for n in melody.notes
        ]


def test_a_metronome_clicks_on_the_beats() -> None:
    for meter, clocks in {Meter.FOUR_FOUR: 24, Meter.THREE_FOUR: 24, Meter.SIX_EIGHT: 36}.items():
        piece = arrange(Melody((Note(0, 4, 60),), 48, meter), title="a", emotion=Emotion.E1, setting=PLAIN)
        first, *_ = mido.MidiFile(file=io.BytesIO(midi.to_bytes(piece))).tracks[0]
        assert (first.type, first.clocks_per_click) == ("time_signature", clocks)


@pytest.mark.parametrize(
    ("meters", "found"),
    [
        ([], Meter.FOUR_FOUR),
        ([(3, 4)], Meter.THREE_FOUR),
        ([(6, 8), (6, 8)], Meter.SIX_EIGHT),
        ([(5, 4)], Meter.FOUR_FOUR),
        ([(3, 4), (4, 4)], Meter.FOUR_FOUR),
    ],
)
def test_a_melody_has_the_one_meter_of_its_file(
    tmp_path: Path, meters: list[tuple[int, int]], found: Meter
) -> None:
    signatures = [mido.MetaMessage("time_signature", numerator=n, denominator=d, time=8) for n, d in meters]
    assert midi.read_melody(song(tmp_path, [*notes(60, 62), *signatures])).meter is found


def test_of_several_signatures_at_one_time_the_last_in_the_file_counts(tmp_path: Path) -> None:
    times = [mido.MetaMessage("time_signature", numerator=n, denominator=4) for n in (4, 3)]
    keys = [mido.MetaMessage("key_signature", key=key) for key in ("G", "A")]
    for order in (1, -1):
        read = midi.read(song(tmp_path, [*times[::order], *keys[::order]], notes(60, 62)))
        assert read.meters == ((0, "3/4" if order == 1 else "4/4"),)
        assert read.keys == ((0, "A" if order == 1 else "G"),)


@pytest.mark.parametrize("data", [b"\x09\x00", b"\x00\x07", b"\x00", b""])
def test_a_key_signature_that_does_not_exist_is_ignored(tmp_path: Path, data: bytes) -> None:
    unknown = mido.UnknownMetaMessage(0x59, data)
    path = song(tmp_path, [unknown], [mido.MetaMessage("key_signature", key="G"), *notes(60, 62)])
    read = midi.read(path)
    assert read.keys == ((0, "G"),)
    assert [note.pitch for note in read.melody().notes] == [60, 62]
    with pytest.raises((mido.KeySignatureError, IndexError)):
        mido.MidiFile(path)  # mido itself is as strict as before


def test_notes_played_short_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    melody = Melody((Note(0, 4, 60), Note(4, 2, 62), Note(8, 8, 64), Note(16, 300, 60)), 320)
    piece = arrange(melody, title="a", emotion=Emotion.E1, setting=Setting())
    assert max(piece.note_lengths[:3]) < 0.8
    assert piece.octaves == ((0, 1),)
    midi.write(piece, path)
    assert midi.read_melody(path, 320) == melody
    # After an edit of the notes, the durations are no longer theirs.
    file = mido.MidiFile(path)
    notes = file.tracks[1]
    notes[:] = [m for m in notes if not (m.type.startswith("note_") and m.note == 74)]
    file.save(path)
    assert midi.read_melody(path, 320).notes[0].duration == 2
    midi.write(arrange(melody, title="a", emotion=Emotion.E1, setting=PLAIN), path)
    (written,) = [m for m in mido.MidiFile(path).tracks[1] if m.type == "sequencer_specific"]
    assert bytes(written.data) == b"\x7demomelody"  # who wrote it, and no durations


def test_a_midi_file_has_the_title_tempo_and_meter(tmp_path: Path) -> None:
    piece = arrange(Melody((Note(0, 4, 60),)), title="sad-s1-000", emotion=Emotion.E3, setting=PLAIN)
    midi.write(piece, tmp_path / "a.mid")
    assert piece.seconds == 8.0
    file = mido.MidiFile(tmp_path / "a.mid")
    messages = [message for track in file.tracks for message in track]
    assert file.length == 8.0
    assert [m.name for m in messages if m.type == "track_name"] == ["sad-s1-000"]
    assert [mido.tempo2bpm(m.tempo) for m in messages if m.type == "set_tempo"] == [120]
    assert [(m.numerator, m.denominator) for m in messages if m.type == "time_signature"] == [(4, 4)]


def song(tmp_path: Path, *tracks: list[mido.Message], kind: int = 1, ticks: int = 4) -> Path:
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    file.save(tmp_path / "song.mid")
    return tmp_path / "song.mid"


def notes(*pitches: int, channel: int = 0) -> list[mido.Message]:
    return [
        message
        for pitch in pitches
        for message in (
            mido.Message("note_on", note=pitch, channel=channel),
            mido.Message("note_off", note=pitch, channel=channel, time=4),
        )
    ]


def test_a_track_named_as_the_melody_wins_over_the_top_line(tmp_path: Path) -> None:
    named = [mido.MetaMessage("track_name", name="Lead Vocal"), *notes(60, 62)]
    path = song(tmp_path, notes(80, 81), named)
    assert [n.pitch for n in midi.read_melody(path).notes] == [60, 62]
    path = song(tmp_path, notes(50, 81), notes(60, 62), notes(100, 100, channel=9))
    assert [n.pitch for n in midi.read_melody(path).notes] == [60, 81]


def test_a_track_has_the_program_that_its_first_note_is_played_with(tmp_path: Path) -> None:
    def program(number: int, channel: int = 0) -> mido.Message:
        return mido.Message("program_change", program=number, channel=channel)

    flute = [program(0), program(73), *notes(60, 62), program(40), *notes(64)]
    horn = [program(60, channel=1), *notes(50, channel=1), *notes(40, channel=2)]
    read = midi.read(song(tmp_path, flute, horn))
    assert [track.program for track in read.tracks] == [73, 60, 0]
    assert read.melody().program == 73  # most notes of the top line are its


def test_a_note_without_its_note_off_lasts_to_the_end(tmp_path: Path) -> None:
    track = [mido.Message("note_on", note=60), mido.MetaMessage("end_of_track", time=12)]
    assert midi.read_melody(song(tmp_path, track)).notes == (Note(0, 12, 60),)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a MIDI file"),
        (b"these are the notes of my song", "not a MIDI file"),
        (b"MThd\0\0\0\6\0\2\0\1\0\4MTrk\0\0\0\4\0\xff\x2f\0", "format 2"),
        (b"MThd\0\0\0\6\0\1\0\1\0\0MTrk\0\0\0\4\0\xff\x2f\0", "ticks per quarter"),
        (b"MThd\0\0\0\6\0\1\0\1\xe7\x28MTrk\0\0\0\4\0\xff\x2f\0", "ticks per quarter"),
        (b"MThd\0\0\0\6\0\1\0\1\0\4MTrk\0\0\0\x40\0\x90", "ends too early"),
        (b"MThd\0\0\0\6\0\1\0\1\0\4MTrk\0\0\0\4\0\xff\x2f\0", "no pitched notes"),
        (b"MThd\0\0\0\6\0\1\0\1\0\1MTrk\0\0\0\7\xff\xff\xff\x7f\xff\x2f\0", "quarter notes"),
    ],
)
def test_damaged_files_are_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.mid"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=reason):
        midi.read_melody(path)
