"""The player: melodies on the plane of valence and arousal, to choose, see and hear."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from html import escape
from importlib.util import find_spec
from typing import Any

from emomelody import __version__
from emomelody.emotions.path import Point
from emomelody.formats import midi
from emomelody.formats.page.document import Part, document, static
from emomelody.music.chords import TimedChord
from emomelody.music.key import parse_key, pitch_class
from emomelody.performance.accompaniment import PlayedNote
from emomelody.performance.piece import Piece

# A page of more melodies, or with larger scores, has none, so that 100 melodies take at most 1 MB.
MOST_SCORES, LARGEST_SCORES = 100, 750_000  # melodies, bytes
_SCRIPTS = ("clock.js", "audio.js", "files.js", "drawing.js", "names.js", "player.js", "start.js")
# By the number of General MIDI's family: percussion, guitar and bass are plucked, brass is as a reed.
_SOUNDS = {1: "plucked", 2: "organ", 3: "plucked", 4: "plucked", 5: "strings", 6: "strings", 7: "clarinet"}
_SOUNDS |= {8: "clarinet", 9: "flute"}


def player_page(
    pieces: Sequence[Piece], *, heading: str, about: str = "", command: str | None = None
) -> bytes:
    """A page with a player of at least one piece.

    ``about`` says how they were made, and ``command`` makes them again.
    """
    made = [f'<p class="made">{escape(about)}</p>'] if about else []
    made += [f'<p class="made"><code>{escape(command)}</code></p>'] if command else []
    head = Part(f"<h1>{escape(heading)}</h1>\n" + "\n".join(made), (static("page.css"),))
    foot = Part(f'<p class="made">emomelody {__version__}</p>')
    return document(heading, head + player(pieces) + foot).encode("utf-8")


def player(pieces: Sequence[Piece], about: Sequence[str] = (), points: Sequence[Point] = ()) -> Part:
    """The player as a part of a page.

    ``about`` says something of each piece instead of its emotion; ``points`` are theirs instead of targets.
    """
    melodies = list(map(_to_data, pieces, about or map(_description, pieces)))
    for melody, point in zip(melodies, points, strict=False):
        melody |= {"point": _rounded(point), "path": None}
    data: dict[str, Any] = {"melodies": melodies}
    if len(pieces) <= MOST_SCORES and find_spec("verovio"):
        from emomelody.formats.page.scores import engrave

        scores = base64.b64encode(gzip.compress(json.dumps(engrave(pieces)).encode("utf-8"), mtime=0))
        if len(scores) <= LARGEST_SCORES:
            data["packed"] = scores.decode("ascii")
    return Part(
        static("player.html"), (static("player.css"),), tuple(map(static, _SCRIPTS)), {"player-data": data}
    )


def _to_data(piece: Piece, about: str) -> dict[str, Any]:
    """What the player knows of a piece."""
    points = [*map(_rounded, piece.trajectory)]
    start = points[0] if points else [float(piece.emotion.valence), float(piece.emotion.arousal)]
    return {
        "title": piece.title,
        "about": about,
        "emotion": piece.emotion.title,
        "point": start,
        "path": points if any(point != start for point in points) else None,
        "keys": [_to_key(name) for _, name in piece.keys],
        "sound": _sound(piece.program),
        "meter": str(piece.time_signature),
        "bar": piece.melody.meter.bar,
        "beat": piece.melody.meter.beat,
        **sound_data(piece),
        "midi": base64.b64encode(midi.to_bytes(piece)).decode("ascii"),
    }


def _to_key(name: str) -> tuple[int, str, str]:
    """The pitch class, the mode and the name of a key signature such as ``F#m``."""
    tonic, mode = parse_key(name)
    return pitch_class(tonic), mode or "major", f"{_printed(tonic)} {mode or 'major'}"


def _printed(letter: str) -> str:
    """A letter with # or b as it is printed."""
    return letter.replace("#", "♯").replace("b", "♭")


def _sound(program: int) -> str:
    """The sound of the player that is nearest to a General MIDI program, by its family."""
    return _SOUNDS.get(program // 8, "soft")


def sound_data(piece: Piece) -> dict[str, Any]:
    """How a piece sounds: notes as onset and duration in steps, pitch, velocity, share that sounds.

    A piece with chords has their notes and sound, and of each chord the step, the root and both parts of its
    name.
    """
    melody = piece.melody
    played = map(PlayedNote, melody.notes, piece.velocities, piece.note_lengths)
    data = {"steps": melody.steps, "tempos": piece.tempos, "notes": [*map(_note_data, played)]}
    if not piece.chords:
        return data
    return data | {
        "accompaniment": [*map(_note_data, piece.accompaniment)],
        "accompanimentSound": _sound(piece.accompaniment_program),
        "chords": [_chord_data(piece, timed) for timed in piece.chords],
    }


def _note_data(played: PlayedNote) -> list[float]:
    note = played.note
    return [note.onset, note.duration, note.pitch, played.velocity, round(played.length, 3)]


def _chord_data(piece: Piece, timed: TimedChord) -> list[Any]:
    """The step of a chord, its root as a pitch class and as it is written, and its quality."""
    name, quality = timed.chord.printed_name(piece.key_at(timed.onset)), str(timed.chord.quality)
    return [timed.onset, timed.chord.root, name.removesuffix(quality), quality]


def _description(piece: Piece) -> str:
    words = [description for _, description in piece.sections] or [piece.description]
    return " → ".join(words)


def _rounded(point: Point) -> list[float]:
    return [round(value, 3) for value in point]
