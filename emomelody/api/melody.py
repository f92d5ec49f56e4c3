"""Melodies that a model has sampled, to be written, shown, played and measured, and points of the plane."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from pathlib import Path

from emomelody.emotions.emotion import Emotion, describe
from emomelody.emotions.rule import label_by_rule
from emomelody.files import write_whole
from emomelody.formats import text_roll
from emomelody.formats.encode import Format, encode
from emomelody.music import features
from emomelody.music.chords import TimedChord
from emomelody.music.features import Metrics
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.setting import EXPRESSIVE, Setting

NOTEBOOK_RATE = 16_000  # samples per second of a notebook's player: keeps the notebook small


@dataclass(frozen=True)
class Point:
    """A point on Russell's plane: ``valence`` and ``arousal``, −1 … 1 for what lies on the plane."""

    valence: float
    arousal: float

    @property
    def emotion(self) -> Emotion:
        """The emotion of the point's quadrant."""
        return Emotion.at(self.valence, self.arousal)

    def __repr__(self) -> str:
        description = describe(self.valence, self.arousal)
        return f"Point(valence={self.valence:+.2f}, arousal={self.arousal:+.2f}, {description})"


@dataclass(frozen=True, repr=False)
class GeneratedMelody:
    """A melody and the request that it answers. In a notebook it shows a piano roll and a player."""

    melody: Melody
    emotion: Emotion
    description: str  # of the request, at its beginning: an emotion, a word, or ``happy-angry`` on an axis
    trajectory: tuple[tuple[float, float], ...]  # the requested (valence, arousal) in each bar
    modes: tuple[str, ...] = ()  # major or minor in each bar; empty where the trajectory decides
    setting: Setting = EXPRESSIVE  # that of the file that it was made from
    chords: tuple[TimedChord, ...] = ()  # under the melody, in C

    def __repr__(self) -> str:
        meter = "" if self.melody.meter is Meter.FOUR_FOUR else f" in {self.melody.meter}"
        size = f"{self.melody.bars} bars{meter}, {len(self.notes)} notes"
        return f"<{self.description} melody: {size}, {self.point!r}>"

    def _repr_html_(self) -> str:
        picture = base64.b64encode(encode(self.arrange(), Format.PNG)).decode("ascii")
        sound = base64.b64encode(self.audio(rate=NOTEBOOK_RATE)).decode("ascii")
        return (
            f"<figure><figcaption>{escape(repr(self))}</figcaption>"
            f'<img alt="piano roll" style="max-width: 100%" src="data:image/png;base64,{picture}"><br>'
            f'<audio controls src="data:audio/wav;base64,{sound}"></audio></figure>'
        )

    @property
    def notes(self) -> tuple[Note, ...]:
        """Its notes: onset and duration in sixteenth steps, pitch as a MIDI number."""
        return self.melody.notes

    @property
    def point(self) -> Point:
        """The requested point; on a path, the point of the first bar."""
        return Point(*self.trajectory[0])

    def arrange(self, setting: Setting | None = None, *, title: str | None = None) -> Piece:
        """The melody in the key, octave, tempo and sound of a setting, or of its own, ready to be written.

        Raises EmomelodyError where a note would leave MIDI's pitches.
        """
        return arrange(
            self.melody,
            title=title or self.description,
            emotion=self.emotion,
            trajectory=self.trajectory,
            modes=self.modes,
            setting=setting or self.setting,
            chords=self.chords,
        )

    def write(
        self, path: str | Path, setting: Setting | None = None, *, soundfont: str | Path | None = None
    ) -> None:
        """Write a file in the format of its suffix: .mid, .musicxml, .svg (score), .png (piano roll), .wav.

        Replaces an existing file. Raises EmomelodyError for another suffix, for a setting that leaves MIDI's
        pitches, for a library that is not installed, and for a file that cannot be written.
        """
        path = Path(path)
        file_format, piece = Format.of(path), self.arrange(setting, title=path.stem)
        write_whole(path, encode(piece, file_format, Path(soundfont) if soundfont else None))

    def audio(self, setting: Setting | None = None, *, rate: int = 44_100) -> bytes:
        """The sound as a mono WAV file of ``rate`` samples per second, by the built-in synthesiser."""
        from emomelody.formats.audio import to_wav

        return to_wav(self.arrange(setting), rate=rate)

    def roll(self, setting: Setting | None = None) -> str:
        """A small piano roll of text, with the metrics. Raises as ``arrange`` does."""
        return text_roll.to_text(self.arrange(setting), self.measure())

    def measure(self) -> Metrics:
        """Its metrics: the paper's four, onsets, pitch-class entropy and grooving similarity."""
        return features.metrics(self.melody)

    def judge(self) -> Emotion:
        """The emotion by the labelling rule (``emotions.rule.label_by_rule``)."""
        return label_by_rule(self.melody)
