"""Files with every kind of damage, each with what must come of it: python tests/damage.py FOLDER

The files are made of one melody of four bars. ``SAME`` says that this very melody must come out, ``OTHER``
that the damage cannot be told from music; a text, that the file must be refused, or its window skipped, for a
reason that holds it.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from emomelody.emotions.emotion import Emotion
from emomelody.formats.score import to_musicxml
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN

SAME, OTHER = "the melody", "another melody"
TICKS = 480
# Four bars in C major, with a rest, a dotted quarter and an eighth in them.
PITCHES = (60, 62, 64, 65, 67, 67, 65, 64, 62, 64, 60)
DURATIONS = (4, 4, 4, 4, 6, 2, 8, 4, 4, 8, 12)
MELODY = Melody(
    tuple(Note(sum(DURATIONS[:i]), d, p) for i, (d, p) in enumerate(zip(DURATIONS, PITCHES, strict=True)))
)

Event = tuple[int, bytes]  # ticks after the one before, and the message


def number(value: int) -> bytes:
    """A variable-length quantity."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))


def meta(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind]) + number(len(data)) + data


END = meta(0x2F, b"")
KEY = (0, meta(0x59, b"\x00\x00"))  # C major


def notes(melody: Melody = MELODY, ticks: int = TICKS, channel: int = 0) -> list[Event]:
    """Note on, note off, note on …"""
    events, now, step = [], 0, ticks // 4
    for note in melody.notes:
        events.append(((note.onset - now) * step, bytes([0x90 | channel, note.pitch, 90])))
        events.append((note.duration * step, bytes([0x80 | channel, note.pitch, 0])))
        now = note.end
    return events


def track(events: Iterable[Event], *, end: bytes = b"\0" + END) -> bytes:
    body = b"".join(number(delta) + message for delta, message in events) + end
    return b"MTrk" + struct.pack(">I", len(body)) + body


def header(kind: int = 1, tracks: int = 1, division: int = TICKS) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, kind, tracks, division)


def song(*before: Event, events: list[Event] | None = None, **options: int) -> bytes:
    return header(**options) + track([KEY, *before, *(notes() if events is None else events)])


def moved(data: bytes, at: int, change: bytes) -> bytes:
    return data[:at] + change + data[at + len(change) :]


def midi_files() -> dict[str, tuple[bytes, str]]:
    """By name: the bytes of a MIDI file, and what comes of it."""
    good, plain = song(), notes()
    pairs = list(zip(plain[::2], plain[1::2], strict=True))
    doubled = [event for on, off in pairs for event in (on, off, (0, off[1]))]
    velocity_0 = [(delta, bytes([0x90, *m[1:2], 0]) if m[0] == 0x80 else m) for delta, m in plain]
    running = [plain[0], *((delta, m[1:] if m[0] == 0x90 else bytes([m[1], 0])) for delta, m in plain[1:])]
    no_offs = [((i > 0) * pairs[i - 1][1][0], on[1]) for i, (on, _) in enumerate(pairs)]
    no_offs.append((pairs[-1][1][0], meta(1, b"end")))
    one_hangs = [*plain[:5], (plain[5][0], meta(1, b"no note off")), *plain[6:]]
    zero = [(0 if m[0] == 0x80 else delta, m) for delta, m in plain]
    chord = [(0, bytes([0x90, 20 + i % 100, 90])) for i in range(10_000)]
    triplet = [(160, bytes([0x90 if i % 2 else 0x80, 60 + i // 2 % 7, 90 * (i % 2)])) for i in range(1, 97)]
    drums = notes(channel=9)
    five = (0, meta(0x58, bytes([5, 2, 24, 8])))
    to_five = [*plain[:10], (0, five[1]), *plain[10:]]
    long_text = (0, meta(0x01, b"x" * 1_000_001))
    many = [(1, bytes([0x90 if i % 2 else 0x80, 60, 90])) for i in range(1, 100_004)]
    other = song(events=plain[:4])
    return {
        "good": (good, SAME),
        "empty": (b"", "not a MIDI file"),
        "text": (b"la la la la la la", "not a MIDI file"),
        "cut-in-header": (good[:13], "not a MIDI file"),
        "cut-after-header": (good[:14], "damaged MIDI file"),
        "cut-in-track-name": (good[:16], "damaged MIDI file"),
        "cut-in-track-length": (good[:20], "damaged MIDI file"),
        "cut-after-track-header": (good[:22], "damaged MIDI file"),
        "cut-in-events": (good[: len(good) // 2], "damaged MIDI file"),
        "cut-last-byte": (good[:-1], "damaged MIDI file"),
        "no-tracks": (header(tracks=0), "no pitched notes"),
        "more-tracks-than-said": (header(tracks=1) + track([KEY, *plain]) + track([]), SAME),
        "fewer-tracks-than-said": (header(tracks=3) + track([KEY, *plain]), "damaged MIDI file"),
        "track-length-too-long": (moved(good, 18, struct.pack(">I", 10_000)), "damaged MIDI file"),
        "track-length-huge": (moved(good, 18, b"\xff\xff\xff\xff"), "damaged MIDI file"),
        "header-length-10": (
            good[:4] + struct.pack(">I", 10) + good[8:14] + b"\0\0\0\0" + good[14:],
            SAME,
        ),
        "other-chunk-first": (good[:14] + b"XTRA\0\0\0\3abc" + good[14:], "damaged MIDI"),
        "garbage-before": (b"\0" * 128 + good, "not a MIDI file"),
        "riff": (b"RIFF" + struct.pack("<I", len(good) + 12) + b"RMIDdata" + good, "not a MIDI file"),
        "garbage-after": (good + b"\0" * 100, SAME),
        "division-0": (song(division=0), "not in ticks per quarter"),
        "division-smpte": (song(division=0xE728), "not in ticks per quarter"),
        "division-4": (song(events=notes(ticks=4), division=4), SAME),
        "division-32764": (song(events=notes(ticks=32764), division=32764), SAME),
        "format-0": (song(kind=0), SAME),
        "format-2": (song(kind=2), "MIDI format 2"),
        "format-7": (song(kind=7), "MIDI format 7"),
        "huge-delta": (song((0x0FFFFFFF, meta(1, b"late"))), "longer than 10,000 quarter notes"),
        "overlong-delta": (good[:22] + b"\xff\xff\xff\xff\xff\xff\xff\x7f" + good[23:], "MIDI"),
        "running-status": (song(events=[*running]), SAME),
        "running-status-from-nowhere": (header() + track([(0, b"\x3c\x5a"), *plain]), "damaged MIDI file"),
        "meta-unknown": (song((0, meta(0x7E, b"abc"))), SAME),
        "meta-tempo-short": (song((0, meta(0x51, b"\x07"))), "damaged MIDI file"),
        "meta-key-wrong": (song((0, meta(0x59, b"\x20\x05"))), SAME),
        "meta-meter-short": (song((0, meta(0x58, b"\x04"))), "damaged MIDI file"),
        "meter-of-power-255": (song((0, meta(0x58, bytes([4, 255, 24, 8])))), "piece in 4/"),
        "meter-0": (song((0, meta(0x58, bytes([0, 2, 24, 8])))), "piece in 0/4"),
        "tempo-0": (song((0, meta(0x51, b"\0\0\0"))), SAME),
        "no-notes": (song(events=[]), "no pitched notes"),
        "drums-only": (song(events=drums), "no pitched notes"),
        "drums-too": (header(tracks=2) + track([KEY, *plain]) + track(drums), SAME),
        "ten-thousand-at-once": (song(events=chord), "no pitched notes"),
        "no-note-offs": (song(events=no_offs), SAME),
        "one-note-hangs": (song(events=one_hangs), SAME),
        "doubled-note-offs": (song(events=doubled), SAME),
        "velocity-0-as-off": (song(events=velocity_0), SAME),
        "zero-lengths": (song(events=zero), "no pitched notes"),
        "no-end-of-track": (header() + track([KEY, *plain], end=b""), SAME),
        "events-after-the-end": (header() + track([KEY, *plain, (0, END), *plain]), SAME),
        "five-four": (song(five), "piece in 5/4"),
        "five-four-from-bar-3": (song(events=to_five), "window"),
        "triplets": (song(events=triplet), "off the sixteenth grid"),
        "fifty-thousand-and-one": (song(events=many), "more than 50,000 notes"),
        "over-a-megabyte": (song(long_text), "larger than 1 MB"),
        "title-in-greek": (song((0, meta(3, "Μελωδία".encode()))), SAME),
        "title-in-latin-1": (song((0, meta(3, b"M\xe9lodie"))), SAME),
        "data-byte-over-127": (song((0, bytes([0xB0, 7, 200]))), SAME),
        "sysex-without-end": (
            song((0, b"\xf0\x05\x01\x02")),
            OTHER,
        ),  # swallows two notes; the others are late
        "pitch-bends": (song((0, b"\xe0\x00\x40"), (0, b"\xe0\x7f\x7f")), SAME),
        "one-bar": (other, "window"),
        "brackets a [b] {c}": (good, SAME),
        "-dash": (good, SAME),
        "новая песня 曲": (good, SAME),
        "n" * 240: (good, SAME),
    }


def score_files() -> dict[str, tuple[bytes, str]]:
    """By name with suffix: the bytes of a MusicXML file, and what comes of it."""
    piece = arrange(MELODY, title="good", emotion=Emotion.E1, trajectory=[(0.5, 0.5)], setting=PLAIN)
    good = to_musicxml(piece)
    text = good.decode()
    declaration, body = text.split("\n", 1)
    start = text.index("<score-partwise")
    entities = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    laughs = entities + text[start:].replace(">good<", ">&b;<", 1)
    system = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    outside = system + text[start:].replace(">good<", ">&a;<", 1)
    headless = text[: text.index("<part-list>")].encode() + b"</score-partwise>"
    return {
        "good.musicxml": (good, SAME),
        "good.xml": (good, SAME),
        "good.mxl": (packed(good), SAME),
        "utf-16.xml": (f'<?xml version="1.0" encoding="UTF-16"?>\n{body}'.encode("utf-16"), SAME),
        "empty.xml": (b"", "damaged MusicXML"),
        "text.xml": (b"la la la", "damaged MusicXML"),
        "cut.musicxml": (good[: len(good) // 2], "damaged MusicXML"),
        "html.xml": (b"<html><body>404</body></html>", "MusicXML"),
        "no-parts.xml": (headless, "a score without parts"),
        "no-notes.xml": (rest_only(text).encode(), "no pitched notes"),
        "divisions-0.xml": (text.replace("<divisions>10080<", "<divisions>0<").encode(), "MusicXML"),
        "step-z.xml": (text.replace("<step>C</step>", "<step>Z</step>", 1).encode(), "damaged MusicXML"),
        "octave-99.xml": (text.replace("<octave>4<", "<octave>99<", 1).encode(), "outside MIDI's range"),
        "entities.xml": (f"{declaration}\n{laughs}".encode(), "declares XML entities"),
        "outside.xml": (f"{declaration}\n{outside}".encode(), "declares XML entities"),
        "entities-in-utf-16.xml": (
            f'<?xml version="1.0" encoding="UTF-16"?>\n{laughs}'.encode("utf-16"),
            "declares XML entities",
        ),
        "five-four.xml": (text.replace("<beats>4<", "<beats>5<").encode(), "piece in 5/4"),
        "four-megabytes.xml": (good + b" " * 4_000_000, "larger than 4 MB"),
        "no-zip.mxl": (b"la la la", "no readable zip"),
        "cut.mxl": (packed(good)[:-50], "no readable zip"),
        "bomb.mxl": (packed(good + b" " * 50_000_000), "larger than 4 MB unpacked"),
        "many-entries.mxl": (packed(good, extra=200), "larger than 4 MB unpacked"),
        "no-score-inside.mxl": (packed(b"la la la"), "damaged MusicXML"),
    }


def tune_files() -> dict[str, tuple[bytes, str]]:
    """By name with suffix: the bytes of an ABC file, and what comes of it."""
    head, music = "X:1\nT:Good\nM:4/4\nL:1/4\nK:C\n", "CDEF|G>GF2|EDE2|C3z|]\n"
    good = head + music
    return {
        "good.abc": (good.encode(), SAME),
        "windows.abc": (good.replace("\n", "\r\n").encode("utf-8-sig"), SAME),
        "latin-1.abc": (good.replace("Good", "Très bon").encode("latin-1"), SAME),
        "text-around.abc": (f"Some tunes\n\n{good}\nThe end\n".encode(), SAME),
        "no-end.abc": (good[:-2].encode(), SAME),
        "decorated.abc": (good.replace("CDEF", '{d}.C "Dm"~D (!trill!E F)').encode(), SAME),
        "unknown-signs.abc": (good.replace("CDEF", "C $ D; E#F").encode(), SAME),
        "empty.abc": (b"", "holds no ABC tune"),
        "zeros.abc": (b"\0" * 500, "holds no ABC tune"),
        "music-only.abc": (music.encode(), "holds no ABC tune"),
        "utf-16.abc": (good.encode("utf-16"), "holds no ABC tune"),
        "head-only.abc": (head.encode(), "no notes"),
        "cut-in-head.abc": (head[:-4].encode(), "no K: field"),
        "one-bar.abc": (good[: good.index("|")].encode(), "window"),
        "five-four.abc": (good.replace("4/4", "5/4").encode(), "piece in 5/4"),
        "meter-0.abc": (good.replace("4/4", "4/0").encode(), "damaged tune"),
        "unit-0.abc": (good.replace("L:1/4", "L:1/0").encode(), "damaged tune"),
        "high.abc": (good.replace("C3", "C''''''''3").encode(), "outside MIDI's range"),
        "endless.abc": ((head + music * 3000).encode(), "longer than 50,000 characters"),
        "three-megabytes.abc": ((good + "\n").encode() * 50_000, "larger than 2 MB"),
    }


def rest_only(text: str) -> str:
    """The score with every note made a rest."""
    start, parts = 0, []
    while (at := text.find("<pitch>", start)) >= 0:
        end = text.index("</pitch>", at) + len("</pitch>")
        parts += [text[start:at], "<rest/>"]
        start = end
    return "".join([*parts, text[start:]])


def packed(score: bytes, extra: int = 0) -> bytes:
    """A compressed MusicXML file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        root = '<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>'
        archive.writestr("META-INF/container.xml", f'<?xml version="1.0"?>{root}')
        archive.writestr("score.xml", score)
        for i in range(extra):
            archive.writestr(f"extra-{i}.txt", "")
    return buffer.getvalue()


def mutants(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Copies of a file with some bytes changed, removed, doubled, or filled in."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(int(rng.integers(1, 6))):
            at = int(rng.integers(len(changed)))
            match rng.integers(5):
                case 0:
                    changed[at] ^= 1 << int(rng.integers(8))
                case 1:
                    changed[at] = int(rng.choice([0, 1, 0x7F, 0x80, 0xFF, 0x90, ord("<"), ord('"')]))
                case 2:
                    del changed[at : at + int(rng.integers(1, 20))]
                case 3:
                    changed[at:at] = changed[at : at + int(rng.integers(1, 40))]
                case 4:
                    changed[at:at] = rng.bytes(int(rng.integers(1, 8)))
            changed = changed or bytearray(b"\0")
        yield bytes(changed)


def write(folder: Path) -> dict[str, str]:
    """Write all files; returns what must come of each, by its name."""
    folder.mkdir(parents=True)
    expected = {}
    named = {f"{stem}.mid": found for stem, found in midi_files().items()} | score_files() | tune_files()
    for name, (data, outcome) in named.items():
        (folder / name).write_bytes(data)
        expected[name] = outcome
    (folder / "nowhere.mid").symlink_to(folder / "missing.mid")
    (folder / "circle.mid").symlink_to(folder / "circle.mid")
    (folder / "folder.mid").mkdir()  # a folder is no file, and holds none
    (folder / "circle").symlink_to(folder)
    os.mkfifo(folder / "pipe.mid")
    expected |= {"nowhere.mid": "No such file", "circle.mid": "symbolic links", "pipe.mid": "is not a file"}
    if os.geteuid() != 0:  # root may read everything
        (folder / "closed.mid").write_bytes(song())
        (folder / "closed.mid").chmod(0)
        expected["closed.mid"] = "Permission denied"
    return expected


if __name__ == "__main__":
    print(f"{len(write(Path(sys.argv[1])))} files")
