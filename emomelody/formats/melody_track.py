"""Finding the melody among the tracks of a MIDI file."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median

from emomelody.music.melody import TimedNote, skyline

_MELODY_NAME = re.compile(r"melod|soprano|vocal|voice|lead|sing|cantus|treble", re.IGNORECASE)
# General MIDI's "Voice Oohs", a "Lead Guitar", "Backing Vocals".
_OTHER_NAME = re.compile(r"ooh|aah|guitar|gtr|back|harmon", re.IGNORECASE)
_CHORDS_NAME = re.compile(r"chords?|accompaniment", re.IGNORECASE)  # the whole name
TOGETHER = Fraction(1, 16)  # quarter notes between a note and its syllable: 31 ms at 120 BPM
MIN_SYLLABLES = 8  # fewer texts are a title and comments
SUNG = 0.5  # share of syllables with a note, and of notes with a syllable: some last for several notes
MONOPHONIC = 0.9  # share of a melody's notes in its top line: singers' ornaments and late note-offs are left
LOWEST, HIGHEST = 55, 84  # the median pitch of a melody, G3 to C6: between basses and bells
ENOUGH = 0.5  # of the notes that tracks have in the median: effects and fills have fewer


@dataclass(frozen=True)
class Track:
    """The notes of one track and channel, ordered by onset."""

    name: str
    notes: tuple[TimedNote, ...]
    program: int = 0  # General MIDI 0 … 127, when the first note begins
    octave: int = 0  # octaves by which the notes of this program's own files sound higher, at the beginning
    own: bool = False  # the melody of a file that this program has written


def find_melody(tracks: Sequence[Track], syllables: Sequence[Fraction]) -> Track:
    """The melody of a file, without overlap, as a track.

    It is the top line of the track that is named like a melody; else of the one that is sung, by the times of
    the lyrics' ``syllables`` (in order); else of the highest that is played like a melody; else of all tracks
    together, with the name and the program of the one that most of its notes come from. Tracks named as
    chords count only where there are no others.
    """
    tracks = [track for track in tracks if track.notes]
    tracks = [track for track in tracks if not _CHORDS_NAME.fullmatch(track.name.strip())] or tracks
    if len(tracks) > 1:
        chosen = _named(tracks) or _sung(tracks, syllables) or _melodic(tracks)
        tracks = [chosen] if chosen else tracks
    line = tuple(skyline(note for track in tracks for note in track.notes))
    onsets = {(note.onset, note.pitch) for note in line}  # the end may be cut
    main = max(
        tracks,
        key=lambda track: sum((note.onset, note.pitch) in onsets for note in track.notes),
        default=Track("", ()),
    )
    return replace(main, notes=line)


def _named(tracks: Sequence[Track]) -> Track | None:
    """The first track named like a melody, unless all have that name: then it is the title of the piece."""
    if len({track.name for track in tracks}) == 1:
        return None
    return next((t for t in tracks if _MELODY_NAME.search(t.name) and not _OTHER_NAME.search(t.name)), None)


def _sung(tracks: Sequence[Track], syllables: Sequence[Fraction]) -> Track | None:
    """The track whose onsets coincide best with the syllables; None where none is sung for the most part."""
    if len(syllables) < MIN_SYLLABLES:
        return None

    def coincidence(track: Track) -> float:
        onsets = sorted(note.onset for note in track.notes)
        return sum(_is_near(onsets, time) for time in syllables) / max(len(syllables), len(onsets))

    best = max(tracks, key=coincidence)
    return best if coincidence(best) >= SUNG else None


def _melodic(tracks: Sequence[Track]) -> Track | None:
    """The highest track that is monophonic, in the range of melodies, and no effect; None without one.

    None as well where all tracks are played by one instrument: they are the hands of a pianist, or a choir,
    whose top line is the melody.
    """
    if len({track.program for track in tracks}) == 1:
        return None
    enough = ENOUGH * median(len(track.notes) for track in tracks)
    heights = [
        (height, track)
        for track in tracks
        if LOWEST <= (height := median(note.pitch for note in track.notes)) <= HIGHEST
        and len(track.notes) >= enough
        and len(skyline(track.notes)) >= MONOPHONIC * len(track.notes)
    ]
    return max(heights, key=lambda pair: pair[0])[1] if heights else None


def _is_near(times: Sequence[Fraction], time: Fraction) -> bool:
    """Whether one of the times, in order, is within ``TOGETHER`` of another."""
    first = bisect_left(times, time - TOGETHER)
    return first < len(times) and times[first] <= time + TOGETHER
