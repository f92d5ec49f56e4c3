"""The Python interface: a model to sample from, and melodies to write, show and measure.

model = emomelody.load("emoreg-va")
for number, melody in enumerate(model.sample("sad", n=20, seed=1)):
    melody.write(f"sad-{number}.mid")
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emomelody.data.windows import beginning
from emomelody.files import write_whole
from emomelody.formats import text_roll
from emomelody.formats.encode import Format, encode
from emomelody.models.checkpoint import Checkpoint, find_weights, load_checkpoint
from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.features import Metrics
from emomelody.music.melody import BARS, Melody, Note
from emomelody.music.path import EmotionPath
from emomelody.music.rule import label_by_rule
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.setting import PLAIN, Setting
from emomelody.sampling.request import SPREAD, DecodingConfig, Request
from emomelody.sampling.sampler import sample


@dataclass(frozen=True)
class GeneratedMelody:
    """A melody and what it was asked for."""

    melody: Melody
    emotion: Emotion
    trajectory: tuple[tuple[float, float], ...]  # (valence, arousal) that it was drawn from, in each bar

    @property
    def notes(self) -> tuple[Note, ...]:
        """Its notes: onset and duration in sixteenth steps, pitch as a MIDI number."""
        return self.melody.notes

    def arrange(self, setting: Setting = PLAIN, *, title: str | None = None) -> Piece:
        """It in the key, octave, tempo and sound of the setting, ready to be written.

        Raises EmomelodyError where that leaves MIDI's pitches.
        """
        title = title or self.emotion.title
        return arrange(
            self.melody, title=title, emotion=self.emotion, trajectory=self.trajectory, setting=setting
        )

    def write(
        self, path: str | Path, setting: Setting = PLAIN, *, soundfont: str | Path | None = None
    ) -> None:
        """Write it as the file's suffix says: .mid, .musicxml, .svg (the score), .png (a piano roll) or .wav.

        A file that is there is replaced. Raises EmomelodyError for another suffix, a setting that leaves
        MIDI's pitches, what is not installed, or a file that cannot be written.
        """
        path = Path(path)
        form, piece = Format.of(path), self.arrange(setting, title=path.stem)
        write_whole(path, encode(piece, form, Path(soundfont) if soundfont else None))

    def roll(self, setting: Setting = PLAIN) -> str:
        """It as a small piano roll of characters, with its metrics. Raises as ``arrange`` does."""
        return text_roll.draw(self.arrange(setting), self.measure())

    def measure(self) -> Metrics:
        """Its metrics."""
        return features.metrics(self.melody)

    def judge(self) -> Emotion:
        """The emotion that the labelling rule hears in it."""
        return label_by_rule(self.melody)


@dataclass(frozen=True)
class Model:
    """Trained weights to sample from."""

    checkpoint: Checkpoint

    def sample(
        self,
        emotion: str | Emotion | None = None,
        *,
        point: tuple[float, float] | None = None,
        path: str | None = None,
        like: str | Path | None = None,
        spread: float = SPREAD,
        n: int = 1,
        seed: int = 0,
        bars: int = BARS,
        temperature: float | None = None,
        top_p: float = 1.0,
    ) -> list[GeneratedMelody]:
        """``n`` melodies of an emotion (any of its names), a point (valence, arousal) in [−1, 1]², or a path.

        The same seed makes the same melodies, and more of them leave the first ones unchanged. ``path`` is
        written as ``sad@0 happy@8``. ``like`` is the file (MIDI, MusicXML) of a piece whose first four bars
        are varied, farther with a larger ``spread`` (0 … 1), or taken to the emotion, point or path. Paths,
        ``like`` and other lengths than four bars need ``emoreg-va``. Raises EmomelodyError for what cannot
        be.
        """
        request = Request(
            n,
            emotion=Emotion.parse(emotion) if isinstance(emotion, str) else emotion,
            point=point,
            path=EmotionPath.parse(path) if path is not None else None,
            like=beginning(Path(like)) if like is not None else None,
            spread=spread,
            bars=bars,
            seed=seed,
            drawing=DecodingConfig(temperature, top_p),
        )
        return [GeneratedMelody(s.melody, s.emotion, s.trajectory) for s in sample(self.checkpoint, request)]


def load(name: str) -> Model:
    """The model of that name (base, emoreg, emoreg-va), of a weights file or of a run's folder.

    Raises BadWeights, an EmomelodyError, for one that is missing or damaged.
    """
    return Model(load_checkpoint(find_weights(name)))
