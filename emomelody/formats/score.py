"""A piece as a score: MusicXML by music21, engraved by Verovio."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from statistics import mean
from typing import TYPE_CHECKING, Any

from emomelody.music.key import spell
from emomelody.music.melody import STEPS_PER_BAR, STEPS_PER_BEAT
from emomelody.performance.piece import Piece

if TYPE_CHECKING:
    from music21 import stream

# The values that a single note may have, longest first, and the steps of a bar where it may begin so that the
# bar's middle and its beats can be seen: (steps, where).
_NOTES = (
    (16, (0,)),
    (12, (0, 4)),
    (8, (0, 4, 8)),
    (6, (0, 2, 8, 10)),
    (4, (0, 2, 4, 6, 8, 10, 12)),
    (3, (0, 1, 4, 5, 8, 9, 12, 13)),
    (2, (0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14)),
    (1, range(STEPS_PER_BAR)),
)
_BASS = 57  # the A below middle C: melodies that lie lower on the whole have the bass clef
_TEMPO_SHOWN = 0.1  # change of tempo, as a share of the last one that is written, from which on it is written
# Rests have no dots and lie where their own length divides the bar.
_RESTS = tuple((steps, range(0, STEPS_PER_BAR, steps)) for steps in (16, 8, 4, 2, 1))


def split_values(onset: int, duration: int, *, rest: bool = False) -> Iterator[tuple[int, int]]:
    """A note or rest as (onset, duration) in steps of the signs that write it, none across a barline."""
    end = onset + duration
    while onset < end:
        place = onset % STEPS_PER_BAR
        room = min(end - onset, STEPS_PER_BAR - place)
        value = next(v for v, places in (_RESTS if rest else _NOTES) if v <= room and place in places)
        yield onset, value
        onset += value


def to_musicxml(piece: Piece) -> bytes:
    """A piece as a MusicXML 4.0 score, by music21; its emotion and points stand among its metadata.

    Equal pieces are equal bytes.
    """
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    xml: bytes = GeneralObjectExporter(_to_music21(piece)).parse()
    return re.sub(rb" *<encoding-date>.*?</encoding-date>\n", b"", xml)  # the only thing that changes


def to_svg(piece: Piece) -> bytes:
    """A piece as an engraved score, an SVG picture of one page, by Verovio. Equal pieces are equal bytes.

    Raises ImportError where Verovio is not installed.
    """
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    options = {
        "adjustPageHeight": True,
        "adjustPageWidth": False,
        "breaks": "auto",
        "footer": "none",
        "header": "auto",
        "minLastJustification": 0.5,  # a short melody fills its line too
        "pageWidth": 2100,
        "pageHeight": 60_000,  # one page, whatever the length; cut to what is used
        "scale": 40,
        "svgViewBox": True,
    }
    toolkit.setOptions(options)
    toolkit.resetXmlIdSeed(1)
    toolkit.loadData(to_musicxml(piece).decode("utf-8"))
    svg: str = toolkit.renderToSVG(1)
    # On a dark page black notes would not be seen.
    return svg.replace(
        "<defs>", '<rect width="100%" height="100%" fill="white" style="stroke: none" />\n   <defs>', 1
    ).encode("utf-8")


def _to_music21(piece: Piece) -> stream.Score:
    from music21 import instrument, metadata, stream

    score, part = stream.Score(id="score"), stream.Part(id="P1")
    score.metadata = metadata.Metadata(title=piece.title, composer="emomelody")
    for name, fact in _facts(piece):
        score.metadata.addCustom(name, fact)
    # A plain instrument: music21's own ones would transpose what a clarinet or a horn is written as.
    sound = instrument.Instrument(_program_name(piece.program))
    sound.midiProgram, sound.midiChannel = piece.program, 0
    sound.partId, sound.instrumentId = "P1", "I1"
    part.insert(0, sound)
    bars = -(-piece.melody.steps // STEPS_PER_BAR)
    measures = [stream.Measure(number=bar + 1) for bar in range(bars)]
    _add_signs(piece, measures)
    for onset, value, sign in _notes_and_rests(piece):
        bar, place = divmod(onset, STEPS_PER_BAR)
        sign.quarterLength = value / STEPS_PER_BEAT
        measures[bar].insert(place / STEPS_PER_BEAT, sign)
    measures[-1].rightBarline = "final"
    part.append(measures)
    score.insert(0, part)
    return score


def _facts(piece: Piece) -> Iterator[tuple[str, str]]:
    yield "emotion", piece.description
    if piece.trajectory:
        valence, arousal = piece.trajectory[0]
        yield "valence", f"{valence:.4f}"
        yield "arousal", f"{arousal:.4f}"


def _add_signs(piece: Piece, measures: list[stream.Measure]) -> None:
    """Clefs, meter, keys, tempos, and in words the emotion where it changes."""
    from music21 import clef, expressions, key, meter, tempo

    for step, low in _registers(piece):
        measures[step // STEPS_PER_BAR].insert(0, clef.BassClef() if low else clef.TrebleClef())
    measures[0].insert(0, meter.TimeSignature("4/4"))
    for step, name in piece.keys:
        tonic = name.removesuffix("m").replace("b", "-")
        measures[step // STEPS_PER_BAR].insert(0, key.Key(tonic, "minor" if name.endswith("m") else "major"))
    shown = 0.0
    for step, beats in piece.tempos:
        mark = tempo.MetronomeMark(numberSounding=beats)
        if abs(beats - shown) >= _TEMPO_SHOWN * shown:  # smaller steps are only played
            mark.number = round(beats) if beats == round(beats) else beats
            shown = beats
        mark.placement = "above"
        measures[step // STEPS_PER_BAR].insert(0, mark)
    for step, description in piece.sections:
        words = expressions.TextExpression(description)
        words.placement = "above"
        measures[step // STEPS_PER_BAR].insert(0, words)


def _registers(piece: Piece) -> Iterator[tuple[int, bool]]:
    """The steps where the octave changes, and whether what follows lies in the bass; only changes."""
    starts, before = [step for step, _ in piece.octaves], None
    for start, end in pairwise([*starts, piece.melody.steps]):
        pitches = [note.pitch for note in piece.melody.notes if start <= note.onset < end]
        low = bool(pitches) and mean(pitches) < _BASS
        if low is not before:
            yield start, low
        before = low


def _notes_and_rests(piece: Piece) -> Iterator[tuple[int, int, Any]]:
    """What fills every bar: onset and duration in steps, music21's note or rest; a split note is tied."""
    from music21 import note, pitch, tie

    now = 0
    for sounding, velocity in zip(piece.melody.notes, piece.velocities, strict=True):
        for onset, value in split_values(now, sounding.onset - now, rest=True):
            yield onset, value, note.Rest()
        values = list(split_values(sounding.onset, sounding.duration))
        letter, alteration, octave = spell(sounding.pitch, piece.key_at(sounding.onset))
        for number, (onset, value) in enumerate(values):
            sign = note.Note(pitch.Pitch(step=letter, accidental=alteration or None, octave=octave))
            sign.volume.velocity = velocity
            if len(values) > 1:
                last = number == len(values) - 1
                sign.tie = tie.Tie("start" if number == 0 else "stop" if last else "continue")
            yield onset, value, sign
        now = sounding.end
    for onset, value in split_values(now, piece.melody.steps - now, rest=True):
        yield onset, value, note.Rest()


def _program_name(program: int) -> str:
    import pretty_midi

    return str(pretty_midi.program_to_instrument_name(program))
