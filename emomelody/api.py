"""The Python interface: a model to sample from, and melodies to write, show and measure.

model = emomelody.load("emoreg-va")
for number, melody in enumerate(model.sample("sad", n=20, seed=1)):
    melody.write(f"sad-{number}.mid")
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emomelody import features, midi, plots
from emomelody.checkpoint import Checkpoint, find_weights, load_checkpoint
from emomelody.compose import Drawing
from emomelody.emotion import Emotion
from emomelody.features import Metrics
from emomelody.judges import label_by_rule
from emomelody.melody import BARS, Melody, Note
from emomelody.preprocess import beginning
from emomelody.sample import sample
from emomelody.setting import AS_MADE, Setting
from emomelody.trajectory import Trajectory


@dataclass(frozen=True)
class GeneratedMelody:
    """A melody and what it was asked for."""

    melody: Melody
    emotion: Emotion
    point: tuple[float, float]  # (valence, arousal), where it was drawn from

    @property
    def notes(self) -> tuple[Note, ...]:
        """Its notes: onset and duration in sixteenth steps, pitch as a MIDI number."""
        return self.melody.notes

    def write(self, path: str | Path, setting: Setting = AS_MADE) -> None:
        """Write it as a MIDI file, in the key, octave, tempo and sound of the setting.

        Raises EmomelodyError where that leaves MIDI's pitches, OSError where the file cannot be written.
        """
        title, mode = self.emotion.title, self.emotion.mode
        midi.write(self.melody, Path(path), name=title, mode=mode, setting=setting)

    def show(self, path: str | Path) -> None:
        """Draw it as a piano roll, a PNG file. Raises OSError where that cannot be."""
        plots.piano_rolls({self.emotion: [self.melody]}, Path(path), title="")

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
        n: int = 1,
        seed: int = 0,
        bars: int = BARS,
        temperature: float | None = None,
        top_p: float = 1.0,
    ) -> list[GeneratedMelody]:
        """``n`` melodies of an emotion (any of its names), a point (valence, arousal) in [−1, 1]², or a path.

        The same seed makes the same melodies, and more of them leave the first ones unchanged. ``path`` is
        written as ``sad@0 happy@8``. ``like`` is the file (MIDI, MusicXML) of a piece whose first four bars
        are varied, or taken to the emotion, point or path. Paths, ``like`` and other lengths than four bars
        need ``emoreg-va``. Raises EmomelodyError for what cannot be.
        """
        asked = Emotion.parse(emotion) if isinstance(emotion, str) else emotion
        found = sample(
            self.checkpoint,
            n,
            emotion=asked,
            point=point,
            path=Trajectory.parse(path) if path is not None else None,
            like=beginning(Path(like)) if like is not None else None,
            bars=bars,
            seed=seed,
            drawing=Drawing(temperature, top_p),
        )
        return [GeneratedMelody(s.melody, s.emotion, s.point) for s in found]


def load(name: str) -> Model:
    """The model of that name (base, emoreg, emoreg-va), of a weights file or of a run's folder.

    Raises BadWeights, an EmomelodyError, for one that is missing or damaged.
    """
    return Model(load_checkpoint(find_weights(name)))
