"""MIDI files ↔ notes: reading with limits, the melody of a file, writing."""

from __future__ import annotations

import io
import re
import struct
from bisect import bisect_right
from collections import defaultdict, deque
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import mido

from emomelody.errors import BadInput
from emomelody.files import read_limited
from emomelody.music.melody import (
    BEATS_PER_BAR,
    STEPS_PER_BEAT,
    WINDOW_STEPS,
    Melody,
    TimedNote,
    quantise,
    skyline,
)
from emomelody.performance.piece import Piece

SUFFIXES = (".mid", ".midi")
MAX_BYTES = 1_000_000  # no melody needs more; a larger file is something else
MAX_QUARTERS = 10_000  # the last event: an hour and a half at 120 BPM
MAX_NOTES = 50_000
DRUMS = 9  # General MIDI's drum channel, counted from 0
TICKS_PER_BEAT = 480
_MELODY_NAME = re.compile(r"melod|soprano|vocal|voice|lead|sing|cantus|treble", re.IGNORECASE)


@dataclass(frozen=True)
class Track:
    """The notes of one track and channel, by onset."""

    name: str
    notes: tuple[TimedNote, ...]


@dataclass(frozen=True)
class Song:
    """What a MIDI file says: its pitched tracks, and its meters and keys with their time in quarters."""

    tracks: tuple[Track, ...]
    meters: tuple[tuple[Fraction, str], ...]
    keys: tuple[tuple[Fraction, str], ...]
    length: Fraction

    def melody_line(self) -> list[TimedNote]:
        """The top line of the track named as the melody where there is one, else of all tracks."""
        named = [t for t in self.tracks if _MELODY_NAME.search(t.name)]
        return skyline(note for track in (named[:1] or self.tracks) for note in track.notes)


def read(path: Path) -> Song:
    """The song in a MIDI file of format 0 or 1.

    Raises BadInput for a file that is no MIDI, damaged, or over the limits above.
    """
    data = _read_bytes(path)
    try:
        # clip: a data byte over 127 is common damage that costs no note.
        midi = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except (EOFError, OSError, IndexError, ValueError, KeyError, mido.KeySignatureError) as error:
        reason = "an event lacks its data" if isinstance(error, IndexError) else str(error)
        raise BadInput(path, f"damaged MIDI file ({reason or 'it ends too early'})") from error
    per_beat = midi.ticks_per_beat
    events = _Events()
    for number, track in enumerate(midi.tracks):
        events.add_track(number, track)
    if events.last_tick > MAX_QUARTERS * per_beat:
        raise BadInput(path, f"longer than {MAX_QUARTERS:,} quarter notes")
    if events.note_count > MAX_NOTES:
        raise BadInput(path, f"more than {MAX_NOTES:,} notes")
    tracks = tuple(
        Track(
            events.names.get(number, ""),
            tuple(
                sorted(
                    TimedNote(Fraction(on, per_beat), Fraction(off, per_beat), pitch)
                    for on, off, pitch in notes
                )
            ),
        )
        for (number, _channel), notes in sorted(events.notes.items())
    )
    return Song(
        tracks,
        tuple((Fraction(tick, per_beat), meter) for tick, meter in sorted(events.meters)),
        tuple((Fraction(tick, per_beat), key) for tick, key in sorted(events.keys)),
        Fraction(events.last_tick, per_beat),
    )


def read_melody(path: Path, steps: int = WINDOW_STEPS) -> Melody:
    """The melody of a file as it stands, from its beginning, cut or filled up to ``steps`` steps.

    Raises BadInput as ``read`` does, and where no note is left.
    """
    melody = quantise(read(path).melody_line(), steps)
    if not melody.notes:
        raise BadInput(path, "no pitched notes")
    return melody


def to_bytes(piece: Piece) -> bytes:
    """A piece as a MIDI file of format 1, in 4/4: a track of tempos, keys and markers where an emotion
    begins, and one of notes called by its title.

    The file's end is the melody's, so that rests at the end survive a round trip. Equal pieces are equal
    bytes.
    """
    ticks = TICKS_PER_BEAT // STEPS_PER_BEAT
    end = piece.melody.steps * ticks
    conductor = [(0, mido.MetaMessage("time_signature", numerator=BEATS_PER_BAR, denominator=4))]
    conductor += [(step * ticks, mido.MetaMessage("key_signature", key=key)) for step, key in piece.keys]
    conductor += [
        (step * ticks, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
        for step, tempo in piece.tempos
    ]
    conductor += [
        (step * ticks, mido.MetaMessage("marker", text=description)) for step, description in piece.sections
    ]
    sounding = [
        (0, mido.MetaMessage("track_name", name=piece.title)),
        (0, mido.Message("program_change", program=piece.program)),
    ]
    for note, velocity in zip(piece.melody.notes, piece.velocities, strict=True):
        on = _message("note_on", note=note.pitch, velocity=velocity)
        off = _message("note_off", note=note.pitch)
        # Copies, for each has a time of its own.
        sounding += [(note.onset * ticks, on.copy(skip_checks=True))]
        sounding += [(note.end * ticks, off.copy(skip_checks=True))]
    # UTF-8 is what today's programs take a name to be; ASCII is the same in it.
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    midi.tracks.extend([_track(conductor, end), _track(sounding, end)])
    buffer = io.BytesIO()
    midi.save(file=buffer)
    return buffer.getvalue()


def write(piece: Piece, path: Path) -> None:
    """Write a piece as a MIDI file. Raises OSError where that cannot be."""
    path.write_bytes(to_bytes(piece))


@cache
def _message(kind: str, **values: int) -> mido.Message:
    """A message that mido has checked, which takes it longer than all the rest."""
    return mido.Message(kind, **values)


def _track(events: list[tuple[int, mido.messages.BaseMessage]], end: int) -> mido.MidiTrack:
    """A track of messages at their ticks, in their order where they share one."""
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        message.time = tick - now
        track.append(message)
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=end - now))
    return track


class _Events:
    """Collects what matters of each track: notes by (track, channel), names, meters and keys."""

    def __init__(self) -> None:
        self.notes: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
        self.names: dict[int, str] = {}
        self.meters: list[tuple[int, str]] = []
        self.keys: list[tuple[int, str]] = []
        self.last_tick = 0
        self.note_count = 0

    def add_track(self, number: int, track: mido.MidiTrack) -> None:
        tick = 0
        voices: dict[tuple[int, int], list[tuple[int, bool]]] = defaultdict(list)  # by (channel, pitch)
        onsets: dict[int, list[int]] = defaultdict(list)  # by channel
        for message in track:
            tick += message.time
            if message.type in ("note_on", "note_off") and message.channel != DRUMS:
                on = message.type == "note_on" and message.velocity > 0
                voices[message.channel, message.note].append((tick, on))
                if on:
                    onsets[message.channel].append(tick)
            elif message.type == "track_name":
                self.names[number] = message.name
            elif message.type == "time_signature":
                self.meters.append((tick, f"{message.numerator}/{message.denominator}"))
            elif message.type == "key_signature":
                self.keys.append((tick, message.key))
            elif message.type == "end_of_track":
                break
        for (channel, pitch), events in voices.items():
            spans = _pair(events, [*onsets[channel], tick])
            self.notes[number, channel] += [(on, off, pitch) for on, off in spans if off > on]
            self.note_count += len(spans)
        self.last_tick = max(self.last_tick, tick)


def _pair(events: list[tuple[int, bool]], onsets: list[int]) -> list[tuple[int, int]]:
    """The notes (onset, end) of one pitch, of its (tick, whether on) in order; a surplus off is none's.

    Where some are never switched off, so are those whose next event is an on: they end at the next of all
    ``onsets`` of the channel, which ends with the track's end.
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
    ends = [*events[1:], (0, True)]
    return [
        (tick, onsets[min(bisect_right(onsets, tick), len(onsets) - 1)] if again else end)
        for (tick, on), (end, again) in zip(events, ends, strict=True)
        if on
    ]


def _read_bytes(path: Path) -> bytes:
    """The file's bytes, once its size and its header are known to be harmless."""
    data = read_limited(path, MAX_BYTES)
    if len(data) < 14 or data[:4] != b"MThd":
        raise BadInput(path, "not a MIDI file")
    kind, _tracks, division = struct.unpack(">HHH", data[8:14])
    if kind not in (0, 1):
        raise BadInput(path, f"MIDI format {kind}; only 0 and 1 hold one piece")
    if not 1 <= division <= 32767:
        raise BadInput(path, "times not in ticks per quarter note")
    return data
