"""Reading MIDI files within limits, finding the melody in them, and writing pieces as MIDI files."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, lru_cache
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

import mido

from emomelody.errors import BadInput
from emomelody.files import read_limited
from emomelody.formats.melody_track import Track, find_melody
from emomelody.formats.midi_events import (
    WRITTEN,
    WRITTEN_NOTE,
    EventCollector,
    Span,
    unknown_keys_allowed,
)
from emomelody.music.melody import (
    MAX_PITCH,
    STEPS_PER_BEAT,
    WINDOW_STEPS,
    Melody,
    Note,
    TimedNote,
    quantise,
)
from emomelody.music.meter import Meter, TimeSignature
from emomelody.performance.piece import Piece

SUFFIXES = (".mid", ".midi", ".kar")  # .kar: with lyrics, for karaoke
MAX_BYTES = 1_000_000  # far more than a melody needs
MAX_QUARTERS = 10_000  # time of the last event; 83 minutes at 120 BPM
MAX_NOTES = 50_000
TICKS_PER_BEAT = 480
CHORDS, CHORDS_CHANNEL = "chords", 1  # the name and the channel of the track of the chords under a melody
_TICKS_PER_STEP = TICKS_PER_BEAT // STEPS_PER_BEAT
_Event = tuple[int, mido.messages.BaseMessage]  # (tick, message)
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Song:
    """The contents of a MIDI file; times in quarter notes."""

    tracks: tuple[Track, ...]  # without drums
    meters: tuple[tuple[Fraction, str], ...]  # (onset, e.g. ``4/4``)
    keys: tuple[tuple[Fraction, str], ...]  # (onset, key signature such as ``F#`` or ``Am``)
    tempos: tuple[tuple[Fraction, int], ...]  # (onset, microseconds per quarter note)
    syllables: tuple[Fraction, ...]  # onsets of the lyrics, in order
    length: Fraction  # time of the last event
    own: bool  # written by this program

    @property
    def meter(self) -> Meter:
        """The one meter of the whole file; 4/4 where it has several, none, or one that is not a ``Meter``."""
        names = {name for _, name in self.meters}
        return Meter(names.pop()) if len(names) == 1 and names <= set(Meter) else Meter.FOUR_FOUR

    def melody(self) -> Track:
        """The melody, as ``melody_track.find_melody`` finds it; in a file by this program its own track."""
        return find_melody([track for track in self.tracks if track.own] or self.tracks, self.syllables)


def read(path: Path) -> Song:
    """Read a MIDI file of format 0 or 1.

    Raises BadInput for a file that is damaged, not MIDI, or beyond the limits above.
    """
    midi = _parse(path)
    per_beat = midi.ticks_per_beat
    events = EventCollector()
    for number, track in enumerate(midi.tracks):
        events.add_track(number, track)
    if events.last_tick > MAX_QUARTERS * per_beat:
        raise BadInput(path, f"longer than {MAX_QUARTERS:,} quarter notes")
    if events.note_count > MAX_NOTES:
        raise BadInput(path, f"more than {MAX_NOTES:,} notes")
    tracks = []
    for (number, channel), spans in sorted(events.notes.items()):
        sounding = _timed_notes(spans, per_beat)
        notes = _as_written(sounding, events.written.get(number, ()))
        octave = (sounding[0].pitch - notes[0].pitch) // 12 if notes else 0
        name, program = events.names.get(number, ""), events.program(number, channel)
        tracks.append(Track(name, notes, program, octave, own=number in events.written))
    return Song(
        tuple(tracks),
        _changes(events.meters, per_beat),
        _changes(events.keys, per_beat),
        _changes(events.tempos, per_beat),
        tuple(Fraction(tick, per_beat) for tick in sorted(events.syllables)),
        Fraction(events.last_tick, per_beat),
        own=bool(events.written),
    )


def read_melody(path: Path, steps: int = WINDOW_STEPS) -> Melody:
    """Read the melody of a file, in ``Song.meter``, without transposing it; cut or padded to ``steps`` steps.

    Raises BadInput as ``read`` does, and where no note is left.
    """
    song = read(path)
    melody = replace(quantise(song.melody().notes, steps), meter=song.meter)
    if not melody.notes:
        raise BadInput(path, "no pitched notes")
    return melody


def to_bytes(piece: Piece) -> bytes:
    """Encode a piece as a MIDI file of format 1. Equal pieces give equal bytes.

    The first track holds meter, keys, tempos, and a marker where the description of the emotion changes; the
    second, named after the title, the notes; a third, ``CHORDS``, those of the chords, if there are any. All
    end with the melody, so that final rests survive a round trip.
    """
    end = piece.melody.steps * _TICKS_PER_STEP
    # Readers today expect UTF-8 in names; ASCII names have the same bytes.
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    conductor = _conductor_track(piece.time_signature, piece.keys, piece.tempos, piece.sections, end)
    midi.tracks.extend([conductor, _track(_note_events(piece), end)])
    if piece.accompaniment:
        midi.tracks.append(_track(_chord_events(piece), end))
    buffer = io.BytesIO()
    midi.save(file=buffer)
    return buffer.getvalue()


def write(piece: Piece, path: Path) -> None:
    """Write a piece to a MIDI file. Raises OSError where that is impossible."""
    path.write_bytes(to_bytes(piece))


@lru_cache(maxsize=64)  # the melodies of a run often share it
def _conductor_track(
    meter: TimeSignature,
    keys: tuple[tuple[int, str], ...],
    tempos: tuple[tuple[int, float], ...],
    sections: tuple[tuple[int, str], ...],
    end: int,
) -> mido.MidiTrack:
    clocks = 24 * meter.beat // STEPS_PER_BEAT  # per click of a metronome; MIDI has 24 in a quarter note
    signature = {"numerator": meter.numerator, "denominator": meter.denominator, "clocks_per_click": clocks}
    events = [(0, mido.MetaMessage("time_signature", **signature))]
    changes = [(step, mido.MetaMessage("key_signature", key=key)) for step, key in keys]
    changes += [(step, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo))) for step, tempo in tempos]
    changes += [(step, mido.MetaMessage("marker", text=description)) for step, description in sections]
    return _track(events + [(step * _TICKS_PER_STEP, message) for step, message in changes], end)


def _note_events(piece: Piece) -> list[_Event]:
    events = [
        (0, mido.MetaMessage("track_name", name=piece.title)),
        (0, mido.Message("program_change", program=piece.program)),
    ]
    short = any(length < 1 for length in piece.note_lengths)
    notes = piece.melody.notes if short else ()
    written = [WRITTEN_NOTE.pack(note.duration, piece.octave_at(note.onset)) for note in notes]
    events.append((0, mido.MetaMessage("sequencer_specific", data=b"".join([WRITTEN, *written]))))
    for note, velocity, length in zip(piece.melody.notes, piece.velocities, piece.note_lengths, strict=True):
        events += _on_and_off(note, velocity, length)
    return events


def _chord_events(piece: Piece) -> list[_Event]:
    program = _message("program_change", program=piece.accompaniment_program, channel=CHORDS_CHANNEL)
    events = [(0, mido.MetaMessage("track_name", name=CHORDS)), (0, program.copy(skip_checks=True))]
    played = [_on_and_off(p.note, p.velocity, p.length, CHORDS_CHANNEL) for p in piece.accompaniment]
    # A pitch may end and begin again on one tick: its end comes first.
    return [*events, *(off for _, off in played), *(on for on, _ in played)]


def _on_and_off(note: Note, velocity: int, length: float, channel: int = 0) -> tuple[_Event, _Event]:
    """The events of a note that sounds for a share of its duration."""
    on = _message("note_on", note=note.pitch, velocity=velocity, channel=channel)
    off = _message("note_off", note=note.pitch, channel=channel)
    onset, ticks = note.onset * _TICKS_PER_STEP, round(note.duration * _TICKS_PER_STEP * length)
    # Copies, because each gets a time of its own.
    return (onset, on.copy(skip_checks=True)), (onset + ticks, off.copy(skip_checks=True))


@cache
def _message(kind: str, **values: int) -> mido.Message:
    """Return a message, validated once: mido's validation would take most of the time of writing a file."""
    return mido.Message(kind, **values)


def _track(events: list[_Event], end: int) -> mido.MidiTrack:
    """Return a track of events, those of one tick in their order; ``end`` is its length in ticks."""
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        message.time = tick - now
        track.append(message)
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=end - now))
    return track


def _as_written(notes: tuple[TimedNote, ...], written: Sequence[tuple[int, int]]) -> tuple[TimedNote, ...]:
    """Notes as they were written: with these durations in steps, so many octaves lower.

    They stay as they are where what is written is not theirs, as after an edit.
    """
    if len(written) != len(notes):
        return notes
    restored = tuple(
        TimedNote(note.onset, note.onset + Fraction(duration, STEPS_PER_BEAT), note.pitch - 12 * octave)
        for note, (duration, octave) in zip(notes, written, strict=True)
    )
    fits = all(a.end <= b.onset for a, b in pairwise(restored)) and all(
        played.end <= note.end and 0 <= note.pitch <= MAX_PITCH
        for played, note in zip(notes, restored, strict=True)
    )
    return restored if fits else notes


def _timed_notes(spans: list[Span], per_beat: int) -> tuple[TimedNote, ...]:
    notes = (TimedNote(Fraction(on, per_beat), Fraction(off, per_beat), pitch) for on, off, pitch in spans)
    return tuple(sorted(notes))


def _changes(events: Iterable[tuple[int, _Value]], per_beat: int) -> tuple[tuple[Fraction, _Value], ...]:
    """(onset in quarter notes, value) of each tick's last event in the file, in order of time."""
    last = dict(sorted(events, key=itemgetter(0)))
    return tuple((Fraction(tick, per_beat), value) for tick, value in last.items())


def _parse(path: Path) -> mido.MidiFile:
    data = _read_bytes(path)
    try:
        # clip: a data byte above 127 is common damage that costs no note.
        with unknown_keys_allowed():
            return mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (EOFError, OSError, IndexError, ValueError, KeyError) as error:
        reason = "an event lacks its data" if isinstance(error, IndexError) else str(error)
        raise BadInput(path, f"damaged MIDI file ({reason or 'it ends too early'})") from error


def _read_bytes(path: Path) -> bytes:
    """Read a file after checking that its size and header are harmless."""
    data = read_limited(path, MAX_BYTES)
    if len(data) < 14 or data[:4] != b"MThd":
        raise BadInput(path, "not a MIDI file")
    kind, _tracks, division = struct.unpack(">HHH", data[8:14])
    if kind not in (0, 1):
        raise BadInput(path, f"MIDI format {kind} is not supported: use 0 or 1")
    if not 1 <= division <= 32767:
        raise BadInput(path, "its times are not in ticks per quarter note")
    return data
