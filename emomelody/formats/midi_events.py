"""Collecting what the tracks of a MIDI file hold: notes, names, programs, meters, keys, tempos, lyrics."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager

import mido
from mido.midifiles import meta

DRUMS = 9  # General MIDI's drum channel, counted from 0
Span = tuple[int, int, int]  # (onset, end, pitch) of a note, in ticks
# A sequencer-specific event that begins so (0x7D: of no manufacturer) holds for each note of a track its
# written duration in steps, and how many octaves higher than sampled it is played. Without it, notes played
# short could not be told from notes before rests. Without notes, it says who wrote the file. Other programs
# ignore it.
WRITTEN, WRITTEN_NOTE = b"\x7demomelody", struct.Struct(">Hb")


class EventCollector:
    """Collects the notes, names, programs, meters, keys, tempos and lyrics of tracks; times in ticks."""

    def __init__(self) -> None:
        self.notes: dict[tuple[int, int], list[Span]] = defaultdict(list)  # by (track, channel)
        self.names: dict[int, str] = {}  # by track
        self.programs: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)  # (tick, program)
        self.written: dict[int, tuple[tuple[int, int], ...]] = {}  # by track, see ``WRITTEN``
        self.meters: list[tuple[int, str]] = []
        self.keys: list[tuple[int, str]] = []
        self.tempos: list[tuple[int, int]] = []
        self.syllables: set[int] = set()
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
            elif message.type == "program_change":
                self.programs[number, message.channel].append((tick, message.program))
            elif message.type == "track_name":
                self.names[number] = message.name
            elif message.type == "sequencer_specific" and bytes(message.data).startswith(WRITTEN):
                data = bytes(message.data)[len(WRITTEN) :]
                whole = len(data) - len(data) % WRITTEN_NOTE.size
                self.written[number] = tuple(WRITTEN_NOTE.iter_unpack(data[:whole]))
            elif message.type == "time_signature":
                self.meters.append((tick, f"{message.numerator}/{message.denominator}"))
            elif message.type == "key_signature" and message.key:
                self.keys.append((tick, message.key))
            elif message.type == "set_tempo" and message.tempo > 0:  # 0 is damage
                self.tempos.append((tick, message.tempo))
            elif message.type in ("lyrics", "text") and _is_sung(message.text):
                self.syllables.add(tick)
            elif message.type == "end_of_track":
                break
        for (channel, pitch), events in switches.items():
            spans = _pair(events, [*onsets[channel], tick])
            self.notes[number, channel] += [(onset, end, pitch) for onset, end in spans if end > onset]
            self.note_count += len(spans)
        self.last_tick = max(self.last_tick, tick)

    def program(self, number: int, channel: int) -> int:
        """The General MIDI program 0 … 127 that a track and channel begin with; 0 without one."""
        changes = self.programs.get((number, channel), [])
        first = min((onset for onset, _, _ in self.notes[number, channel]), default=0)
        return next((program for tick, program in reversed(changes) if tick <= first), 0)


def _is_sung(text: str) -> bool:
    """Whether a text may be a syllable. In karaoke files an @ begins what is said of the piece."""
    return bool(text.strip()) and not text.startswith("@")


@contextmanager
def unknown_keys_allowed() -> Iterator[None]:
    """Let mido read a key signature that does not exist, e.g. of 9 sharps, as one whose key is empty.

    By itself it gives up the whole file for it.
    """
    meta.add_meta_spec(_AnyKeySignature)
    try:
        yield
    finally:
        meta.add_meta_spec(meta.MetaSpec_key_signature)


class _AnyKeySignature(meta.MetaSpec_key_signature):  # type: ignore[misc]  # mido has no types
    type = "key_signature"

    def decode(self, message: mido.MetaMessage, data: list[int]) -> None:
        try:
            super().decode(message, data)
        except (mido.KeySignatureError, IndexError):  # the second for one without its data
            vars(message)["key"] = ""  # past mido's check of the value


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
