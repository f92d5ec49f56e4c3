"""Small MIDI files to preprocess, and what was written for them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import mido

from emomelody.formats import midi
from emomelody.music.melody import Melody, TimedNote

G_MAJOR = [67, 69, 71, 72, 74, 72, 71, 69]  # two bars of quarter notes


def write_song(
    path: Path,
    pitches: list[int],
    *,
    key: str | None = "G",
    beats: int = 4,
    length: int = 4,
    tempos: dict[int, float] | None = None,
) -> Path:
    """Write a MIDI file of equal notes, ``length`` sixteenths each, in ``beats``/4.

    ``tempos`` are quarter notes per minute by the number of the note at which they begin.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    track = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=beats, denominator=4)])
    if key:
        track.append(mido.MetaMessage("key_signature", key=key))
    for number, pitch in enumerate(pitches):
        if tempos and number in tempos:
            track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempos[number])))
        track.append(mido.Message("note_on", note=pitch))
        track.append(mido.Message("note_off", note=pitch, time=length))
    file = mido.MidiFile(type=0, ticks_per_beat=4)
    file.tracks.append(track)
    file.save(path)
    return path


def write_notes(path: Path, notes: Sequence[TimedNote]) -> Path:
    """Write a MIDI file of these notes in 4/4, at 960 ticks per quarter note, without a key signature."""
    switches = [(round(n.onset * 960), "note_on", n.pitch) for n in notes]
    switches += [(round(n.end * 960), "note_off", n.pitch) for n in notes]
    file, now = mido.MidiFile(type=0, ticks_per_beat=960), 0
    file.tracks.append(mido.MidiTrack())
    for tick, kind, pitch in sorted(switches):
        file.tracks[0].append(mido.Message(kind, note=pitch, time=tick - now))
        now = tick
    file.save(path)
    return path


def write_score(path: Path) -> Path:
    """Write MusicXML in D minor: a pickup, a tie over the barline into bar 5, a second part below."""
    from music21 import key, meter, note, stream, tie

    top = stream.Part()
    pickup = stream.Measure(number=0)
    pickup.append([meter.TimeSignature("4/4"), key.Key("d"), note.Note(69, quarterLength=1)])
    pickup.paddingLeft = 3
    top.append(pickup)
    for number in range(1, 9):
        bar = stream.Measure(number=number)
        for beat in range(4):
            bar.append(note.Note([74, 72, 70, 69][beat], quarterLength=1))
        top.append(bar)
    measures = list(top.getElementsByClass(stream.Measure))
    first, second = measures[4].notes[-1], measures[5].notes[0]
    first.pitch.midi = second.pitch.midi = 77
    first.tie, second.tie = tie.Tie("start"), tie.Tie("stop")
    below = stream.Part([note.Note(50, quarterLength=4) for _ in range(8)])
    stream.Score([top, below]).write("musicxml", path)
    return path


def manifest_rows(folder: Path) -> list[dict[str, str]]:
    """The rows of a data folder's manifest."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_row(folder: Path, row: dict[str, str]) -> Melody:
    """The melody that a manifest's row describes."""
    return midi.read_melody(folder / row["file"])
