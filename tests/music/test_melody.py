"""Notes, tokens, vocabulary and MIDI files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from tempfile import NamedTemporaryFile

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emomelody.errors import BadInput
from emomelody.formats import midi
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody, Note, TimedNote, quantise, skyline
from emomelody.music.tokens import HOLD, REST, Vocabulary, from_tokens, to_tokens
from emomelody.performance.piece import arrange


@st.composite
def melodies(draw: st.DrawFn) -> Melody:
    """Any melody of 64 steps: repeated notes, rests and notes without a rest between them."""
    notes, now = [], 0
    while now < 64:
        now += draw(st.integers(0, 6))
        duration = draw(st.integers(1, 10))
        if now + duration > 64:
            break
        notes.append(Note(now, duration, draw(st.integers(0, 127))))
        now += duration
    return Melody(tuple(notes))


@settings(deadline=None)
@given(melodies())
def test_tokens_give_the_melody_back(melody: Melody) -> None:
    assert from_tokens(to_tokens(melody)) == melody


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 129), min_size=64, max_size=64))
def test_any_tokens_make_a_melody_that_midi_keeps(tokens: list[int]) -> None:
    """What a model may draw: a hold after a rest, a rest at the very end, a single pitch."""
    melody = from_tokens(np.array(tokens))
    piece = arrange(melody, title="any", emotion=Emotion.E1)
    with NamedTemporaryFile(suffix=".mid") as file:
        midi.write(piece, Path(file.name))
        assert quantise(midi.read(Path(file.name)).melody_line(), 64) == melody


@given(melodies(), st.integers(-24, 24))
def test_transposing_there_and_back_is_nothing(melody: Melody, semitones: int) -> None:
    inside = all(0 <= note.pitch + semitones <= 127 for note in melody.notes)
    if inside:
        assert melody.transposed(semitones).transposed(-semitones) == melody
    else:
        with pytest.raises(ValueError, match="outside MIDI's pitches"):
            melody.transposed(semitones)


@settings(max_examples=50, deadline=None)
@given(melodies())
def test_midi_gives_the_tokens_back(tmp_path_factory: pytest.TempPathFactory, melody: Melody) -> None:
    path = tmp_path_factory.mktemp("midi") / "melody.mid"
    midi.write(arrange(melody, title="melody", emotion=Emotion.E3), path)
    song = midi.read(path)
    assert song.length == 16
    assert quantise(song.melody_line(), 64) == melody


@settings(deadline=None)  # the first example imports muspy
@given(melodies())
def test_tokens_agree_with_muspy(melody: Melody) -> None:
    import muspy

    if not melody.notes:
        return
    notes = [muspy.Note(n.onset, n.pitch, n.duration) for n in melody.notes]
    theirs = muspy.to_pitch_representation(
        muspy.Music(resolution=4, tracks=[muspy.Track(notes=notes)]), use_hold_state=True
    )[:, 0]
    assert to_tokens(melody)[: len(theirs)].tolist() == theirs.tolist()


def test_tokens_of_the_papers_example() -> None:
    """Its figure 2: a quarter note E4 is its pitch and three holds."""
    tokens = to_tokens(Melody((Note(0, 4, 64),), 6))
    assert tokens.tolist() == [64, HOLD, HOLD, HOLD, REST, REST]


def test_a_hold_without_a_note_is_a_rest() -> None:
    tokens = np.array([HOLD, 60, HOLD, REST, HOLD, 60, 60])
    assert from_tokens(tokens).notes == (Note(1, 2, 60), Note(5, 1, 60), Note(6, 1, 60))
    assert from_tokens(np.full(64, HOLD)) == Melody(())


def test_a_melody_cannot_overlap_or_leave_its_steps() -> None:
    for notes in (
        (Note(0, 5, 60), Note(4, 1, 62)),
        (Note(63, 2, 60),),
        (Note(0, 1, 128),),
        (Note(0, 0, 60),),
    ):
        with pytest.raises(ValueError, match="Note"):
            Melody(notes)


def test_unknown_pitches_move_by_octaves() -> None:
    vocabulary = Vocabulary((60, 62, 64, 72))
    classes, moved = vocabulary.encode(np.array([60, 48, 84, 61, REST, HOLD]))
    assert vocabulary.decode(classes).tolist() == [60, 60, 72, 60, REST, HOLD]
    assert moved == 3
    assert len(vocabulary) == 6


def test_quantising_keeps_the_later_of_two_notes_on_a_step() -> None:
    line = [TimedNote(Fraction(0), Fraction(1, 16), 60), TimedNote(Fraction(1, 16), Fraction(1), 62)]
    assert quantise(line, 64).notes == (Note(0, 4, 62),)
    slow = quantise([TimedNote(Fraction(0), Fraction(1), 60)], 64, speed=Fraction(1, 2))
    assert slow.notes == (Note(0, 8, 60),)


def test_skyline_is_what_sounds_on_top() -> None:
    def note(onset: int, end: int, pitch: int) -> TimedNote:
        return TimedNote(Fraction(onset), Fraction(end), pitch)

    played = [TimedNote(Fraction(i), Fraction(i) + Fraction(17, 16), 72 - i) for i in range(4)]
    assert [n.pitch for n in skyline(played)] == [72, 71, 70, 69]  # legato, overlapping a little
    chord_then_step = [note(0, 2, 60), note(0, 2, 67), note(1, 2, 62), note(1, 3, 72), note(3, 3, 90)]
    assert skyline(chord_then_step) == [note(0, 1, 67), note(1, 3, 72)]


def test_the_file_is_named_and_timed(tmp_path: Path) -> None:
    piece = arrange(Melody((Note(0, 4, 60),)), title="sad-s1-000", emotion=Emotion.E3)
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


def test_the_named_melody_wins_over_the_skyline(tmp_path: Path) -> None:
    named = [mido.MetaMessage("track_name", name="Lead Vocal"), *notes(60, 62)]
    path = song(tmp_path, notes(80, 81), named)
    assert [n.pitch for n in midi.read_melody(path).notes] == [60, 62]
    path = song(tmp_path, notes(50, 81), notes(60, 62), notes(100, 100, channel=9))
    assert [n.pitch for n in midi.read_melody(path).notes] == [60, 81]


def test_a_missing_note_off_lasts_to_the_end(tmp_path: Path) -> None:
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
def test_damaged_files_have_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.mid"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=reason):
        midi.read_melody(path)
