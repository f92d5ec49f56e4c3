"""Reading MIDI files within limits, finding the melody in them, and writing pieces as MIDI files."""

from __future__ import annotations

import io
import re
import struct
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

import mido

from emomelody.errors import BadInput
from emomelody.files import read_limited
from emomelody.music.melody import (
    BEATS_PER_BAR,
    MAX_PITCH,
    STEPS_PER_BEAT,
    WINDOW_STEPS,
    Melody,
    TimedNote,
    quantise,
    skyline,
)
from emomelody.performance.piece import Piece

SUFFIXES = (".mid", ".midi")
MAX_BYTES = 1_000_000  # far more than a melody needs
MAX_QUARTERS = 10_000  # time of the last event; 83 minutes at 120 BPM
MAX_NOTES = 50_000
DRUMS = 9  # General MIDI's drum channel, counted from 0
TICKS_PER_BEAT = 480
_TICKS_PER_STEP = TICKS_PER_BEAT // STEPS_PER_BEAT
_Event = tuple[int, mido.messages.BaseMessage]  # (tick, message)
_Span = tuple[int, int, int]  # (onset, end, pitch) of a note, in ticks
# A sequencer-specific event that begins so (0x7D: of no manufacturer) holds for each note of a track its
# written duration in steps, and how many octaves higher than sampled it is played. Without it, notes played
# short could not be told from notes before rests. Other programs ignore it.
_WRITTEN, _WRITTEN_NOTE = b"\x7demomelody", struct.Struct(">Hb")
_MELODY_NAME = re.compile(r"melod|soprano|vocal|voice|lead|sing|cantus|treble", re.IGNORECASE)


@dataclass(frozen=True)
class Track:
    """The notes of one track and channel, ordered by onset."""

    name: str
    notes: tuple[TimedNote, ...]


@dataclass(frozen=True)
class Song:
    """The contents of a MIDI file; times in quarter notes."""

    tracks: tuple[Track, ...]  # without drums
    meters: tuple[tuple[Fraction, str], ...]  # (onset, e.g. ``4/4``)
    keys: tuple[tuple[Fraction, str], ...]  # (onset, key signature such as ``F#`` or ``Am``)
    tempos: tuple[tuple[Fraction, int], ...]  # (onset, microseconds per quarter note)
    length: Fraction  # time of the last event

    def melody_line(self) -> list[TimedNote]:
        """Return the top line of the first track named like a melody, or else of all tracks."""
        named = [t for t in self.tracks if _MELODY_NAME.search(t.name)]
        return skyline(note for track in (named[:1] or self.tracks) for note in track.notes)


def read(path: Path) -> Song:
    """Read a MIDI file of format 0 or 1.

    Raises BadInput for a file that is damaged, not MIDI, or beyond the limits above.
    """
    midi = _parse(path)
    per_beat = midi.ticks_per_beat
    events = _EventCollector()
    for number, track in enumerate(midi.tracks):
        events.add_track(number, track)
    if events.last_tick > MAX_QUARTERS * per_beat:
        raise BadInput(path, f"longer than {MAX_QUARTERS:,} quarter notes")
    if events.note_count > MAX_NOTES:
        raise BadInput(path, f"more than {MAX_NOTES:,} notes")
    tracks = (
        Track(
            events.names.get(number, ""),
            _as_written(_timed_notes(spans, per_beat), events.written.get(number, ())),
        )
        for (number, _channel), spans in sorted(events.notes.items())
    )
    return Song(
        tuple(tracks),
        tuple((Fraction(tick, per_beat), meter) for tick, meter in sorted(events.meters)),
        tuple((Fraction(tick, per_beat), key) for tick, key in sorted(events.keys)),
        tuple((Fraction(tick, per_beat), tempo) for tick, tempo in sorted(events.tempos, key=itemgetter(0))),
        Fraction(events.last_tick, per_beat),
    )


def read_melody(path: Path, steps: int = WINDOW_STEPS) -> Melody:
    """Read the melody of a file without transposing it, cut or padded to ``steps`` steps.

    Raises BadInput as ``read`` does, and where no note is left.
    """
    melody = quantise(read(path).melody_line(), steps)
    if not melody.notes:
        raise BadInput(path, "no pitched notes")
    return melody


def to_bytes(piece: Piece) -> bytes:
    """Encode a piece as a MIDI file of format 1, in 4/4. Equal pieces give equal bytes.

    The first track holds meter, keys, tempos, and a marker where the description of the emotion changes; the
    second, named after the title, the notes. Both end with the melody, so that final rests survive a round
    trip.
    """
    end = piece.melody.steps * _TICKS_PER_STEP
    # Readers today expect UTF-8 in names; ASCII names have the same bytes.
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    conductor = _conductor_track(piece.keys, piece.tempos, piece.sections, end)
    midi.tracks.extend([conductor, _track(_note_events(piece), end)])
    buffer = io.BytesIO()
    midi.save(file=buffer)
    return buffer.getvalue()


def write(piece: Piece, path: Path) -> None:
    """Write a piece to a MIDI file. Raises OSError where that is impossible."""
    path.write_bytes(to_bytes(piece))


@lru_cache(maxsize=64)  # the melodies of a run often share it
def _conductor_track(
    keys: tuple[tuple[int, str], ...],
    tempos: tuple[tuple[int, float], ...],
    sections: tuple[tuple[int, str], ...],
    end: int,
) -> mido.MidiTrack:
    events = [(0, mido.MetaMessage("time_signature", numerator=BEATS_PER_BAR, denominator=4))]
    changes = [(step, mido.MetaMessage("key_signature", key=key)) for step, key in keys]
    changes += [(step, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo))) for step, tempo in tempos]
    changes += [(step, mido.MetaMessage("marker", text=description)) for step, description in sections]
    return _track(events + [(step * _TICKS_PER_STEP, message) for step, message in changes], end)


def _note_events(piece: Piece) -> list[_Event]:
    events = [
        (0, mido.MetaMessage("track_name", name=piece.title)),
        (0, mido.Message("program_change", program=piece.program)),
    ]
    if any(length < 1 for length in piece.note_lengths):
        written = [_WRITTEN_NOTE.pack(n.duration, piece.octave_at(n.onset)) for n in piece.melody.notes]
        events.append((0, mido.MetaMessage("sequencer_specific", data=b"".join([_WRITTEN, *written]))))
    for note, velocity, length in zip(piece.melody.notes, piece.velocities, piece.note_lengths, strict=True):
        on = _message("note_on", note=note.pitch, velocity=velocity)
        off = _message("note_off", note=note.pitch)
        onset, ticks = note.onset * _TICKS_PER_STEP, round(note.duration * _TICKS_PER_STEP * length)
        # Copies, because each gets a time of its own.
        events += [(onset, on.copy(skip_checks=True)), (onset + ticks, off.copy(skip_checks=True))]
    return events


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


class _EventCollector:
    """Collects the notes, names, meters, keys and tempos of tracks; times in ticks."""

    def __init__(self) -> None:
        self.notes: dict[tuple[int, int], list[_Span]] = defaultdict(list)  # by (track, channel)
        self.names: dict[int, str] = {}  # by track
        self.written: dict[int, tuple[tuple[int, int], ...]] = {}  # by track, see ``_WRITTEN``
        self.meters: list[tuple[int, str]] = []
        self.keys: list[tuple[int, str]] = []
        self.tempos: list[tuple[int, int]] = []
        self.last_tick = 0
        self.note_count = 0

    def add_track(self, number: int, track: mido.MidiTrack) -> None:
        """Add the events of one track, up to its end of track."""
        tick = 0
        switches: dict[tuple[int, int], list[tuple[int, bool]]] = defaultdict(
            list
        )  # (tick, on?) by (channel, pitch)
        onsets: dict[int, list[int]] = defaultdict(list)  # by channel
        for message in track:
            tick += message.time
            if message.type in ("note_on", "note_off") and message.channel != DRUMS:
                on = message.type == "note_on" and message.velocity > 0
                switches[message.channel, message.note].append((tick, on))
                if on:
                    onsets[message.channel].append(tick)
            elif message.type == "track_name":
                self.names[number] = message.name
            elif message.type == "sequencer_specific" and bytes(message.data).startswith(_WRITTEN):
                data = bytes(message.data)[len(_WRITTEN) :]
                whole = len(data) - len(data) % _WRITTEN_NOTE.size
                self.written[number] = tuple(_WRITTEN_NOTE.iter_unpack(data[:whole]))
            elif message.type == "time_signature":
                self.meters.append((tick, f"{message.numerator}/{message.denominator}"))
            elif message.type == "key_signature":
                self.keys.append((tick, message.key))
            elif message.type == "set_tempo" and message.tempo > 0:  # 0 is damage
                self.tempos.append((tick, message.tempo))
            elif message.type == "end_of_track":
                break
        for (channel, pitch), events in switches.items():
            spans = _pair(events, [*onsets[channel], tick])
            self.notes[number, channel] += [(onset, end, pitch) for onset, end in spans if end > onset]
            self.note_count += len(spans)
        self.last_tick = max(self.last_tick, tick)


def _pair(events: list[tuple[int, bool]], onsets: list[int]) -> list[tuple[int, int]]:
    """Pair the note-ons and note-offs of one pitch, (tick, on?) in order, to notes (onset, end).

    The first note-on belongs to the first note-off; surplus note-offs are ignored. Where note-offs are
    missing, a note ends at the next event of its pitch if that is a note-off, and otherwise at the next of
    the ``onsets`` of its channel, which end with the end of the track.
    """
    sounding: deque[int] = deque()
    spans = []
    for tick, on in events:
        if on:
            sounding.append(tick)
        elif sounding:
            spans.append((sounding.popleft(), tick))
    if not sounding:
        return spans
    following = [*events[1:], (0, True)]
    return [
        (tick, onsets[min(bisect_right(onsets, tick), len(onsets) - 1)] if next_on else end)
        for (tick, on), (end, next_on) in zip(events, following, strict=True)
        if on
    ]


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


def _timed_notes(spans: list[_Span], per_beat: int) -> tuple[TimedNote, ...]:
    notes = (TimedNote(Fraction(on, per_beat), Fraction(off, per_beat), pitch) for on, off, pitch in spans)
    return tuple(sorted(notes))


def _parse(path: Path) -> mido.MidiFile:
    data = _read_bytes(path)
    try:
        # clip: a data byte above 127 is common damage that costs no note.
        return mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (EOFError, OSError, IndexError, ValueError, KeyError, mido.KeySignatureError) as error:
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
