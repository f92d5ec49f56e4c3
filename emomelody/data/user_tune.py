"""A tune of the user's as a whole: its melody in C, and its own key, register, tempo and sound."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import median

from emomelody.data import corpus, skipped
from emomelody.data.corpus import SourcePiece
from emomelody.errors import BadInput
from emomelody.formats import abc
from emomelody.formats.abc import Tune
from emomelody.music.key import Key
from emomelody.music.melody import MAX_PITCH, STEPS_PER_BEAT, TEMPO, Melody, Note, TimedNote, quantise
from emomelody.music.meter import Meter
from emomelody.performance.registers import OCTAVES
from emomelody.performance.setting import EXPRESSIVE, TEMPOS, Setting

ON_GRID = Fraction(1, 10)  # steps from a sixteenth at which a note counts as on it
MIDDLE = 66  # the median pitch that a tune in C is moved nearest to by octaves, as the training melodies have


@dataclass(frozen=True)
class UserTune:
    """A tune in one meter, in C, and what brings it back into its own key and register."""

    melody: Melody  # from its first whole bar to the bar of its last note
    pickup: Melody | None = None  # a bar that ends with the notes before that
    key: Key | None = None
    setting: Setting = EXPRESSIVE  # in which the melody sounds as in the file: key, octave, tempo, program
    path: Path | None = None
    remarks: tuple[str, ...] = ()  # what of the file could not be kept

    @property
    def mode(self) -> str | None:
        """The mode of its key, major or minor, where the key is known."""
        return self.key.mode if self.key else None

    @property
    def own_setting(self) -> Setting:
        """Its setting; a file without a tempo is played at 120 quarter notes per minute, as MIDI's are."""
        known = self.path is None or self.setting.tempo is not None
        return self.setting if known else replace(self.setting, tempo=TEMPO)

    @property
    def from_its_first_note(self) -> Melody:
        """The melody without whole bars of rest before it. Raises BadInput where it has no note."""
        first = self.melody.notes[0].onset if self.melody.notes else 0
        return self.bars(first // self.melody.meter.bar + 1)

    def bars(self, first: int, count: int | None = None) -> Melody:
        """So many of its bars (default: all) from ``first`` on, counted from 1: the notes that begin there.

        Raises BadInput where the tune has no such bar, or no note begins there.
        """
        if first > self.melody.bars:
            raise BadInput(self.path or "the melody", f"has {self.melody.bars} bars: there is no bar {first}")
        start = (first - 1) * self.melody.meter.bar
        rest = self.melody.steps - start
        steps = rest if count is None else min(rest, count * self.melody.meter.bar)
        notes = tuple(
            Note(note.onset - start, min(note.end - start, steps) - (note.onset - start), note.pitch)
            for note in self.melody.notes
            if start <= note.onset < start + steps
        )
        if not notes:
            raise BadInput(self.path or "the melody", f"has no note from bar {first} on")
        return Melody(notes, steps, self.melody.meter)


def read_tune(path: Path, meters: Collection[Meter] = tuple(Meter), tune: Tune | None = None) -> UserTune:
    """The tune of a MIDI or MusicXML file, or one of an ABC file (default: the first).

    Notes off the sixteenth grid are moved onto it. Where the file has several meters, it is the first part in
    the one that ``SourcePiece`` is read in. Raises BadInput for a file without a usable melody or played
    without a beat, or in none of the ``meters``.
    """
    corpus.check_suffix(path)
    if tune is None and path.suffix.lower() in abc.SUFFIXES:
        tune = abc.tunes(path)[0]
    try:
        return _read(path, meters, tune)
    except BadInput as error:
        if tune is None:
            raise
        raise BadInput(path, f"{tune.name}: {error.reason}") from error


def _read(path: Path, meters: Collection[Meter], tune: Tune | None) -> UserTune:
    """The tune of a file. Raises BadInput as ``read_tune``, without the name of the tune."""
    piece = corpus.read(path, tune)
    if piece.meter is None or piece.meter not in meters:
        raise BadInput(path, f"in {piece.meter or piece.notated}: it must be in {' or '.join(meters)}")
    if not piece.has_beat:
        raise BadInput(path, f"{skipped.NO_BEAT}: {skipped.remedy(skipped.NO_BEAT)}")
    start, end = piece.spans[0]
    barlines = [barline for barline in piece.barlines if start <= barline < end]
    if not barlines:
        raise BadInput(path, "shorter than a bar")
    transposition = _transposition(piece)
    # MuseScore writes a pickup as a shorter bar in a meter of its own.
    begin = Fraction(0) if start < Fraction(piece.meter.bar, STEPS_PER_BEAT) else start
    line = [note for note in piece.line if begin <= note.onset < end]
    in_c = [replace(note, pitch=note.pitch + transposition) for note in line]
    melody = _quantised(_on_regular_bars(in_c, barlines, piece.meter), piece.meter)
    if not melody.notes:
        raise BadInput(path, "no note from its first whole bar on")
    pickup, setting = _pickup(in_c, barlines[0], piece.meter), _setting(piece, transposition)
    return UserTune(melody, pickup, piece.key, setting, path, tuple(_remarks(piece, line)))


def _on_regular_bars(line: list[TimedNote], barlines: list[Fraction], meter: Meter) -> Iterator[TimedNote]:
    """Notes as if all bars were full ones from time 0 on; what goes beyond a bar is cut off."""
    length = Fraction(meter.bar, STEPS_PER_BEAT)

    def moved(time: Fraction) -> Fraction:
        bar = max(bisect_right(barlines, time) - 1, 0)
        last = bar == len(barlines) - 1
        return bar * length + (time - barlines[bar] if last else min(time - barlines[bar], length))

    for note in line:
        if note.end > barlines[0]:
            onset, end = moved(max(note.onset, barlines[0])), moved(note.end)
            if end > onset:
                yield TimedNote(onset, end, note.pitch)


def _quantised(line: Iterator[TimedNote], meter: Meter) -> Melody:
    """The melody of whole bars."""
    notes = list(line)
    steps = max((int(note.end * STEPS_PER_BEAT + Fraction(1, 2)) for note in notes), default=0)
    bars = max(-(-steps // meter.bar), 1)
    return replace(quantise(notes, bars * meter.bar), meter=meter)


def _pickup(line: list[TimedNote], first: Fraction, meter: Meter) -> Melody | None:
    """The notes before the first barline, at the end of a bar that is otherwise silent."""
    start = first - Fraction(meter.bar, STEPS_PER_BEAT)
    notes = [
        TimedNote(max(note.onset, start) - start, min(note.end, first) - start, note.pitch)
        for note in line
        if note.onset < first and note.end > start
    ]
    return replace(quantise(notes, meter.bar), meter=meter) if notes else None


def _transposition(piece: SourcePiece) -> int:
    """Semitones to C, to the octave in which the median pitch is nearest to ``MIDDLE``. Raises BadInput."""
    pitches = [note.pitch for note in piece.line]
    allowed = [
        octave * 12 - piece.key.tonic
        for octave in range(OCTAVES[0], OCTAVES[1] + 1)
        if min(pitches) + octave * 12 >= piece.key.tonic
        and max(pitches) + octave * 12 - piece.key.tonic <= MAX_PITCH
    ]
    if not allowed:
        raise BadInput(piece.source, "spans all of MIDI's pitches: it cannot be transposed to C")
    return min(allowed, key=lambda semitones: abs(median(pitches) + semitones - MIDDLE))


def _setting(piece: SourcePiece, transposition: int) -> Setting:
    """The setting in which the melody in C sounds as in the file, whose tempo is that of its first note."""
    tonic = piece.key.name.split()[0]
    setting = Setting(tonic=tonic, program=piece.program, note_length=1, time_signature=piece.notated)
    octave = (-transposition - setting.semitones) // 12 + piece.octave
    before = [tempo for onset, tempo in piece.tempos if onset <= piece.line[0].onset]
    return replace(
        setting,
        octave=min(max(octave, OCTAVES[0]), OCTAVES[1]),
        tempo=min(max(60_000_000 / before[-1], TEMPOS[0]), TEMPOS[1]) if before else None,
    )


def _remarks(piece: SourcePiece, line: list[TimedNote]) -> Iterator[str]:
    """What of a piece is not as in its file, given the notes that are used."""
    last = piece.line[-1].end
    if piece.spans[0][1] < last or len(line) < len(piece.line):
        yield f"only its first part in {piece.notated} is used"
    positions = [note.onset * STEPS_PER_BEAT for note in line]
    moved = sum(abs(position - round(position)) > ON_GRID for position in positions)
    if moved:
        yield f"{moved} of its notes are moved to the sixteenth grid"
