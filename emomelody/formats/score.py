"""Writing a piece as a score: MusicXML with music21, and SVG engraved by Verovio. Reading: ``musicxml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby, pairwise
from statistics import mean
from typing import TYPE_CHECKING, Any

from emomelody.formats.notation.chord_symbols import chord_symbol
from emomelody.formats.notation.values import split_values
from emomelody.music.key import spell
from emomelody.music.melody import STEPS_PER_BEAT
from emomelody.performance.piece import Piece

if TYPE_CHECKING:
    from music21 import stream

_BASS = 57  # A3: a section whose mean pitch is lower gets the bass clef
_TEMPO_SHOWN = 0.1  # relative change of tempo, from the last one printed, that is printed
# How long notes sound, as shares of their durations. A note that sounds for all of it has no mark.
_STACCATO = 0.6  # shorter ones have a dot
_LEGATO = 0.7  # notes of a bar that sound as long, or longer, are slurred
_DYNAMICS_SHOWN = 16  # change of a bar's mean velocity, from that at the last mark, that is marked
# The MIDI velocities of dynamic marks, as notation programs play them.
_DYNAMICS = {"ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 126}
# Black notes need a white page even where the surroundings are dark. The inline style wins over Verovio's
# style sheet, which gives every rectangle a black outline.
_BACKGROUND = '<rect width="100%" height="100%" fill="white" style="stroke: none" />'


def to_musicxml(piece: Piece) -> bytes:
    """Encode a piece as MusicXML 4.0, with its emotion and first point in the metadata.

    Equal pieces give equal bytes.
    """
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    xml: bytes = GeneralObjectExporter(_to_music21(piece)).parse()
    # MuseScore prints the number of a tempo that has no words, as those of a ritardando.
    xml = xml.replace(b"<words />", b"<words> </words>")
    # The date differs between runs; a chord's root would be printed with a natural.
    return re.sub(rb" *<(encoding-date>.*?</encoding-date|root-alter>0</root-alter)>\n", b"", xml)


def to_svg(piece: Piece) -> bytes:
    """Engrave a piece as an SVG picture of one page. Equal pieces give equal bytes.

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
        "minLastJustification": 0.5,  # a short melody fills its line, too
        "pageWidth": 2100,
        "pageHeight": 60_000,  # everything fits on one page, which is then cut to its contents
        "scale": 40,
        "svgViewBox": True,
    }
    toolkit.setOptions(options)
    toolkit.resetXmlIdSeed(1)
    toolkit.loadData(to_musicxml(piece).decode("utf-8"))
    svg: str = toolkit.renderToSVG(1)
    return svg.replace("<defs>", f"{_BACKGROUND}\n   <defs>", 1).encode("utf-8")


def _to_music21(piece: Piece) -> stream.Score:
    from music21 import instrument, metadata, spanner, stream

    score, part = stream.Score(id="score"), stream.Part(id="P1")
    score.metadata = metadata.Metadata(title=piece.title, composer="emomelody")
    for name, value in _custom_metadata(piece):
        score.metadata.addCustom(name, value)
    # A plain instrument: music21's own clarinet or horn would transpose the part.
    player = instrument.Instrument(_program_name(piece.program))
    player.midiProgram, player.midiChannel = piece.program, 0
    player.partId, player.instrumentId = "P1", "I1"
    part.insert(0, player)
    bars = -(-piece.melody.steps // piece.time_signature.bar)
    measures = [stream.Measure(number=bar + 1) for bar in range(bars)]
    for step, element in (*_marks(piece), *_notes_and_rests(piece)):
        number, in_bar = divmod(step, piece.time_signature.bar)
        measures[number].insert(in_bar / STEPS_PER_BEAT, element)
    measures[-1].rightBarline = "final"
    part.append(measures)
    for first, last in _slurs(piece, measures):
        part.insert(0, spanner.Slur(first, last))
    if piece.chords:
        part.makeAccidentals(inPlace=True)  # now, because to music21 chord symbols are notes of the bar, too
    for timed in piece.chords:
        number, in_bar = divmod(timed.onset, piece.time_signature.bar)
        symbol = chord_symbol(timed.chord, piece.key_at(timed.onset))
        measures[number].insert(in_bar / STEPS_PER_BEAT, symbol)
    score.insert(0, part)
    return score


def _custom_metadata(piece: Piece) -> Iterator[tuple[str, str]]:
    yield "emotion", piece.description
    if piece.trajectory:
        valence, arousal = piece.trajectory[0]
        yield "valence", f"{valence:.4f}"
        yield "arousal", f"{arousal:.4f}"


def _marks(piece: Piece) -> Iterator[tuple[int, Any]]:
    """Yield clefs, meter, keys, tempos, dynamics, and the description of the emotion where it changes."""
    from music21 import clef, dynamics, expressions, key, meter

    for step, low in _clef_changes(piece):
        yield step, clef.BassClef() if low else clef.TrebleClef()
    yield 0, meter.TimeSignature(str(piece.time_signature))
    for step, name in piece.keys:
        tonic = name.removesuffix("m").replace("b", "-")
        yield step, key.Key(tonic, "minor" if name.endswith("m") else "major")
    yield from _tempo_marks(piece)
    slowing = [] if piece.ritardando is None else [(piece.ritardando, "rit.")]
    for step, text in [*piece.sections, *slowing]:
        words = expressions.TextExpression(text)
        words.placement = "above"
        yield step, words
    for step, name in _dynamic_changes(piece):
        yield step, dynamics.Dynamic(name)


def _tempo_marks(piece: Piece) -> Iterator[tuple[int, Any]]:
    """Yield a metronome mark for each tempo. Small changes and a ritardando are played but not printed.

    Marks count beats, and are printed as whole numbers or, of quarters, with up to two decimals.
    """
    from music21 import tempo

    shown, beat = 0.0, piece.time_signature.beat / STEPS_PER_BEAT  # quarter notes
    for step, quarters in piece.tempos:
        beats = quarters / beat  # per minute
        mark = tempo.MetronomeMark(numberSounding=beats, referent=beat)
        in_ritardando = piece.ritardando is not None and step > piece.ritardando
        if abs(beats - shown) >= _TEMPO_SHOWN * shown and not in_ritardando:
            rounded = round(beats, 2 if beat == 1 else 0)
            mark.number = int(rounded) if rounded.is_integer() else rounded
            shown = beats
        mark.placement = "above"
        yield step, mark


def _dynamic_changes(piece: Piece) -> Iterator[tuple[int, str]]:
    """Yield a dynamic mark for the first bar, and for bars that are clearly louder or softer than that.

    Without a change of velocity there are no marks.
    """
    if len(set(piece.velocities)) < 2:
        return
    played = zip(piece.melody.notes, piece.velocities, strict=True)
    shown: float | None = None
    steps = piece.time_signature.bar
    for bar, notes in groupby(played, key=lambda note: note[0].onset // steps):
        level = mean(velocity for _, velocity in notes)
        if shown is None or abs(level - shown) >= _DYNAMICS_SHOWN:
            yield bar * steps, min(_DYNAMICS, key=lambda name: abs(_DYNAMICS[name] - level))
            shown = level


def _slurs(piece: Piece, measures: list[stream.Measure]) -> Iterator[tuple[Any, Any]]:
    """Yield the first and the last note, music21's, of each slur: over the legato notes of a bar."""
    written = [note for measure in measures for note in measure.notes if not _continues(note)]
    legato = [_LEGATO <= length < 1 for length in piece.note_lengths]
    notes = piece.melody.notes
    start = 0
    for at in range(1, len(notes) + 1):
        joined = (
            at < len(notes)
            and legato[at - 1]
            and legato[at]
            and notes[at].onset == notes[at - 1].end
            and notes[at].pitch != notes[at - 1].pitch  # it would look like a tie
            and notes[at].onset % piece.time_signature.bar != 0
        )
        if not joined:
            if at - 1 > start:
                yield written[start], written[at - 1]
            start = at


def _continues(note: Any) -> bool:
    """Whether a note, music21's, is the continuation of a tied one."""
    return note.tie is not None and note.tie.type != "start"


def _clef_changes(piece: Piece) -> Iterator[tuple[int, bool]]:
    """Yield the steps at which the clef changes, and whether the new one is the bass clef."""
    starts, before = [step for step, _ in piece.octaves], None
    for start, end in pairwise([*starts, piece.melody.steps]):
        pitches = [note.pitch for note in piece.melody.notes if start <= note.onset < end]
        low = bool(pitches) and mean(pitches) < _BASS
        if low is not before:
            yield start, low
        before = low


def _notes_and_rests(piece: Piece) -> Iterator[tuple[int, Any]]:
    """Yield the contents of all bars: onset in steps, music21 note (tied where split) or rest."""
    from music21 import articulations, note, pitch, tie

    now, meter = 0, piece.time_signature
    played = zip(piece.melody.notes, piece.velocities, piece.note_lengths, strict=True)
    for sounding, velocity, length in played:
        for onset, value in split_values(now, sounding.onset - now, meter, rest=True):
            yield onset, note.Rest(quarterLength=value / STEPS_PER_BEAT)
        values = list(split_values(sounding.onset, sounding.duration, meter))
        letter, alteration, octave = spell(sounding.pitch, piece.key_at(sounding.onset))
        for number, (onset, value) in enumerate(values):
            element = note.Note(pitch.Pitch(step=letter, accidental=alteration or None, octave=octave))
            element.volume.velocity = velocity
            if length < _STACCATO and len(values) == 1:
                element.articulations.append(articulations.Staccato())
            if len(values) > 1:
                last = number == len(values) - 1
                element.tie = tie.Tie("start" if number == 0 else "stop" if last else "continue")
            element.quarterLength = value / STEPS_PER_BEAT
            yield onset, element
        now = sounding.end
    end = -(-piece.melody.steps // meter.bar) * meter.bar
    for onset, value in split_values(now, end - now, meter, rest=True):
        yield onset, note.Rest(quarterLength=value / STEPS_PER_BEAT)


def _program_name(program: int) -> str:
    import pretty_midi

    return str(pretty_midi.program_to_instrument_name(program))
