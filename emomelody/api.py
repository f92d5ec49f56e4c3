"""The Python interface: a model to sample from, and melodies to write, show, play and measure.

model = emomelody.load("emoreg-va")
for number, melody in enumerate(model.sample("sad", n=20, seed=1)):
    melody.write(f"sad-{number}.mid")
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody.data.windows import first_window
from emomelody.emotions.emotion import Emotion, describe
from emomelody.emotions.path import EmotionPath
from emomelody.emotions.rule import label_by_rule
from emomelody.emotions.words import parse_emotion
from emomelody.errors import EmomelodyError
from emomelody.files import write_whole
from emomelody.formats import text_roll
from emomelody.formats.encode import Format, encode
from emomelody.music import features
from emomelody.music.features import Metrics
from emomelody.music.melody import BARS, Melody, Note
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.setting import EXPRESSIVE, Setting
from emomelody.sampling.own import encode_melodies
from emomelody.sampling.request import SPREAD, DecodingConfig, Request
from emomelody.sampling.sampler import sample
from emomelody.sampling.targets import default_bars
from emomelody.weights.checkpoint import Checkpoint, find_weights, load_checkpoint

if TYPE_CHECKING:
    from emomelody.evaluation.evaluate import Evaluation

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

    def arrange(self, setting: Setting = EXPRESSIVE, *, title: str | None = None) -> Piece:
        """The melody in the key, octave, tempo and sound of a setting, ready to be written.

        Raises EmomelodyError where a note would leave MIDI's pitches.
        """
        title = title or self.description
        return arrange(
            self.melody, title=title, emotion=self.emotion, trajectory=self.trajectory, setting=setting
        )

    def write(
        self, path: str | Path, setting: Setting = EXPRESSIVE, *, soundfont: str | Path | None = None
    ) -> None:
        """Write a file in the format of its suffix: .mid, .musicxml, .svg (score), .png (piano roll), .wav.

        Replaces an existing file. Raises EmomelodyError for another suffix, for a setting that leaves MIDI's
        pitches, for a library that is not installed, and for a file that cannot be written.
        """
        path = Path(path)
        file_format, piece = Format.of(path), self.arrange(setting, title=path.stem)
        write_whole(path, encode(piece, file_format, Path(soundfont) if soundfont else None))

    def audio(self, setting: Setting = EXPRESSIVE, *, rate: int = 44_100) -> bytes:
        """The sound as a mono WAV file of ``rate`` samples per second, by the built-in synthesiser."""
        from emomelody.formats.audio import to_wav

        return to_wav(self.arrange(setting), rate=rate)

    def roll(self, setting: Setting = EXPRESSIVE) -> str:
        """A small piano roll of text, with the metrics. Raises as ``arrange`` does."""
        return text_roll.to_text(self.arrange(setting), self.measure())

    def measure(self) -> Metrics:
        """Its metrics: the paper's four, onsets, pitch-class entropy and grooving similarity."""
        return features.metrics(self.melody)

    def judge(self) -> Emotion:
        """The emotion by the labelling rule (``emotions.rule.label_by_rule``)."""
        return label_by_rule(self.melody)


@dataclass(frozen=True, repr=False)
class Model:
    """Trained weights to sample from, to place melodies with and to evaluate."""

    checkpoint: Checkpoint

    def __repr__(self) -> str:
        size = f"{self.checkpoint.parameter_count / 1e6:.1f} million parameters"
        details = ", ".join([*self.styles, size, f"SHA-256 {self.checkpoint.checksum[:12]}"])
        return f"<{self.checkpoint.name}: {details}>"

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles and meters that it has learned, such as ``folk 6/8``; none by base and emoreg."""
        return tuple(known.name for known in self.checkpoint.styles)

    def sample(
        self,
        emotion: str | Emotion | None = None,
        *,
        point: tuple[float, float] | None = None,
        path: str | None = None,
        like: str | Path | GeneratedMelody | Melody | None = None,
        spread: float = SPREAD,
        n: int = 1,
        seed: int = 0,
        bars: int | None = None,
        style: str | None = None,
        meter: str | None = None,
        form: str | None = None,
        temperature: float | None = None,
        top_p: float = 1.0,
    ) -> list[GeneratedMelody]:
        """``n`` melodies of an emotion, at a point (valence, arousal) in [−1, 1]², or along a path.

        - ``emotion``: any name of one of the four, or a word of ``emotions.words``, such as ``gloomy``.
        - ``path``: written as ``sad@0 happy@8``, emotions or points V,A at bars counted from 0.
        - ``like``: a MIDI, MusicXML or ABC file, or a melody in C, whose first four bars are varied, more
          with a larger ``spread`` (0 … 1), near its own emotion or moved to the emotion, point or path.
        - ``seed``: 0 … 2³² − 1. The same seed gives the same melodies, and a larger ``n`` leaves the first
          ones unchanged. Unlike the command's, it is fixed where it is not given.
        - ``bars``: 1 … 64, by default 8, but 4 with ``like`` and by base and emoreg.
        - ``style``: chorale, folk or own, by default the first that the model has learned in the meter.
        - ``meter``: 4/4, 3/4 or 6/8, by default 4/4, with ``like`` that of the melody.
        - ``form``: a letter for each section, such as ``AABA``, all of them equally long.
        - ``temperature`` (above 0, at most 10) and ``top_p`` (0 … 1) are those of token sampling.

        Base and emoreg make four bars in 4/4 of an emotion or at a point. Raises EmomelodyError for a request
        that cannot be met.
        """
        melody = _first_bars(like) if like is not None else None
        request = Request(
            n,
            emotion=parse_emotion(emotion) if isinstance(emotion, str) else emotion,
            point=point,
            path=_parse_path(path) if path is not None else None,
            like=melody,
            spread=spread,
            bars=default_bars(self.checkpoint, melody) if bars is None else bars,
            style=None if style is None else Style.parse(style),
            meter=_parse_meter(meter, melody),
            form=form,
            seed=seed,
            decoding=DecodingConfig(temperature, top_p),
        )
        samples = sample(self.checkpoint, request)
        return [GeneratedMelody(s.melody, s.emotion, s.description, s.trajectory) for s in samples]

    def place(self, piece: str | Path | GeneratedMelody | Melody) -> Point:
        """Where the first four bars of a music file, or of a melody in C, lie on the plane.

        Needs ``emoreg-va``, whose encoder does not need a label. Raises EmomelodyError for other models and
        for a meter that the model has not learned, and BadInput for a file that cannot be read.
        """
        (latent,) = encode_melodies(self.checkpoint, [_first_bars(piece)])  # (Z,)
        return Point(*self.checkpoint.plane.to_point(latent[:2]))

    def evaluate(
        self,
        data: str | Path | None = None,
        *,
        style: str | None = None,
        meter: str = Meter.FOUR_FOUR,
        n: int = 250,
        seed: int = 0,
        seeds: int = 1,
    ) -> Evaluation:
        """All figures of ``emomelody evaluate``: ``figures`` is a dictionary, ``to_frame()`` a data frame.

        ``data`` is a folder of real melodies as ``preprocess`` writes it, of which those of a ``style``
        (chorale, folk or own; default: the first that it has) in a ``meter`` (4/4, 3/4 or 6/8) are used.
        Without it, the folder ``data`` is used, else the chorales or folk tunes in the user's cache, which
        are built there once. For each of ``seeds`` seeds from ``seed`` on, ``n`` melodies of each emotion are
        sampled. Raises EmomelodyError where the data cannot be used, for a meter that the model does not
        make, and for a number or seed out of range.
        """
        from emomelody.data.dataset import load as load_data
        from emomelody.evaluation.evaluate import evaluate_models
        from emomelody.evaluation.reference import default_data, default_windows

        name, kind = self.checkpoint.name, None if style is None else Style.parse(style)
        in_meter = Meter.parse(meter)
        folder = default_data(default_windows([name]), kind, in_meter) if data is None else Path(data)
        dataset = load_data(folder, meter=in_meter, style=kind)
        (evaluation,) = evaluate_models(
            {name: self.checkpoint}, dataset, per_emotion=n, seeds=range(seed, seed + seeds)
        )
        return evaluation


def _parse_path(path: str) -> EmotionPath:
    if not isinstance(path, str):
        raise EmomelodyError(f"path {path!r} is not a text such as 'sad@0 happy@8'")
    return EmotionPath.parse(path)


def _parse_meter(meter: str | None, like: Melody | None) -> Meter:
    """The meter, or where none is given that of the melody to vary, or 4/4."""
    if meter is not None:
        return Meter.parse(meter)
    return Meter.FOUR_FOUR if like is None else like.meter


def _first_bars(piece: str | Path | GeneratedMelody | Melody) -> Melody:
    """The first four bars of a file or melody, in C."""
    if isinstance(piece, str | Path):
        return first_window(Path(piece), tuple(Meter))
    if isinstance(piece, GeneratedMelody):
        piece = piece.melody
    if isinstance(piece, Melody):
        return piece.beginning(BARS)
    raise EmomelodyError(f"{piece!r} is neither a file nor a melody")


def load(name: str | Path = "emoreg-va") -> Model:
    """The model of that name (base, emoreg, emoreg-va), of a weights file or of a run folder.

    Raises BadWeights, an EmomelodyError, for one that is missing or damaged.
    """
    return Model(load_checkpoint(find_weights(str(name))))
