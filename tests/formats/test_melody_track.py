"""The melody is found among the tracks of a MIDI file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import mido
from conftest import Run
from songs import G_MAJOR, manifest_rows, read_row

from emomelody.formats.melody_track import Track, find_melody
from emomelody.music.melody import TimedNote

TICKS = 8  # per quarter note


def track(name: str, *pitches: int, program: int = 0, beats: float = 1) -> Track:
    """Consecutive notes of ``beats`` quarter notes."""
    length = Fraction(beats)
    notes = (TimedNote(n * length, (n + 1) * length, pitch) for n, pitch in enumerate(pitches))
    return Track(name, tuple(notes), program)


def chords(name: str, *roots: int, program: int) -> Track:
    notes = (TimedNote(Fraction(n), Fraction(n + 1), r + i) for n, r in enumerate(roots) for i in (0, 4, 7))
    return Track(name, tuple(notes), program)


SONG = track("", *G_MAJOR * 4, program=73)
BASS = track("", *[43] * 32, program=33)
GUITAR = chords("", *[72] * 32, program=25)
BELL = track("", 84, 86, program=14)
EVERY_BEAT = tuple(map(Fraction, range(32)))


def test_a_track_named_like_a_melody_is_taken() -> None:
    tracks = [
        track("Lead Guitar", 80, 81),
        track("Voice Oohs", 82),
        track("Lead vocals", 60, 62),
        SONG,
        track("Melody", 64),
    ]
    assert find_melody(tracks, EVERY_BEAT).name == "Lead vocals"


def test_the_title_of_a_file_of_one_track_names_none_of_its_channels() -> None:
    top = find_melody([track("Melody in F", 60, 62), track("Melody in F", 72, 50)], ())
    assert [note.pitch for note in top.notes] == [72, 62]


def test_the_track_that_is_sung_is_taken() -> None:
    sung = track("", *[50, 52, 53, 55] * 8, program=52)  # too low for a melody that is not sung
    slow = track("", *[74] * 8, program=73, beats=4)
    fast = track("", *[76, 77] * 64, program=11, beats=0.25)
    tracks = [slow, fast, GUITAR, sung]
    late = [time + Fraction(1, 20) for time in EVERY_BEAT]
    assert find_melody([slow, fast, sung], late) == sung
    assert find_melody(tracks, EVERY_BEAT[:3]).program != 52  # three texts are no lyrics
    assert find_melody(tracks, [time + Fraction(1, 2) for time in EVERY_BEAT]).program != 52


def test_without_names_and_lyrics_the_highest_melodic_track_is_taken() -> None:
    second = track("", *[pitch - 5 for pitch in G_MAJOR * 4], program=71)
    for tracks in ([BASS, GUITAR, second, SONG, BELL], [BELL, SONG, second, GUITAR, BASS]):
        assert find_melody(tracks, ()) == SONG


def test_where_no_track_is_melodic_it_is_the_top_line_of_all() -> None:
    top = find_melody([BASS, GUITAR], ())
    assert {note.pitch for note in top.notes} == {79}
    assert top.program == GUITAR.program


def test_the_hands_of_a_pianist_and_the_voices_of_a_choir_have_one_top_line() -> None:
    right, left = track("right", 72, 74, 60), track("left", 48, 50, 64)
    assert [note.pitch for note in find_melody([left, right], ()).notes] == [72, 74, 64]


def test_a_file_without_notes_has_an_empty_melody() -> None:
    assert find_melody([], ()) == Track("", ())
    assert find_melody([Track("", ()), SONG], ()) == SONG


def test_karaoke_files_are_read_by_their_lyrics(tmp_path: Path, run: Run) -> None:
    """Their texts are on a track of their own."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS)
    words = [mido.MetaMessage("text", text="@TMy Song")]
    words += [mido.MetaMessage("text", text="la", time=TICKS if n else 0) for n in range(32)]
    file.tracks.append(mido.MidiTrack(words))
    for channel, voice in enumerate([GUITAR, track("", *[p + 5 for p in G_MAJOR * 2], beats=2), SONG]):
        file.tracks.append(mido.MidiTrack([mido.Message("program_change", program=channel)]))
        now = 0
        changes = [(n.onset, "note_on", n.pitch) for n in voice.notes]
        changes += [(n.end, "note_off", n.pitch) for n in voice.notes]
        for time, kind, pitch in sorted(changes):
            tick = int(time * TICKS)
            file.tracks[-1].append(mido.Message(kind, note=pitch, channel=channel, time=tick - now))
            now = tick
    (tmp_path / "songs").mkdir()
    file.save(tmp_path / "songs" / "a.kar")
    run("preprocess", "songs")
    first, second = manifest_rows(tmp_path / "data")
    semitones = int(first["transposition"])
    assert [n.pitch - semitones for n in read_row(tmp_path / "data", second).notes] == G_MAJOR * 2
