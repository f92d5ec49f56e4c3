"""A generation run: its configuration, and its melodies arranged for their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody import __version__
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import Point
from emomelody.errors import EmomelodyError
from emomelody.formats.encode import NAME, Format, file_name
from emomelody.music.melody import Melody
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.setting import EXPRESSIVE, Setting
from emomelody.sampling.request import Request, Sample

if TYPE_CHECKING:
    from emomelody.weights.checkpoint import Checkpoint

ArrangedSample = tuple[Piece, Sample]


@dataclass(frozen=True)
class GenerationConfig:
    """Everything that determines the files of a run.

    Raises EmomelodyError for a name that is no file name or is the same for several melodies.
    """

    model: str  # a bundled model, a weights file or a run folder
    request: Request
    setting: Setting = EXPRESSIVE
    formats: tuple[Format, ...] = (Format.MIDI,)
    name: str = NAME  # of a file, without suffix; see ``file_name``
    file: str | None = None  # the user's, that the request's ``like`` or ``draft`` was read from
    pickup: Melody | None = None  # a bar before the melody
    soundfont: Path | None = None
    checksum: str | None = None  # of the weights, where only these reproduce the run
    version: str = __version__  # of the program that made the run

    def __post_init__(self) -> None:
        first, second = (self.title(number, "sad", "model") for number in (0, 1))
        if self.request.n > 1 and first == second:
            raise EmomelodyError(f"name '{self.name}' is the same for several melodies: add {{index}}")

    def title(self, number: int, description: str, model: str) -> str:
        """The file name of a melody without suffix; ``model`` is the name in its weights."""
        return file_name(
            self.name,
            emotion=description,
            seed=self.request.seed,
            index=number,
            model=model,
            source=Path(self.file) if self.file else None,
        )


def arrange_samples(
    checkpoint: Checkpoint, config: GenerationConfig, numbers: range | None = None
) -> Iterator[ArrangedSample]:
    """The samples of a run, or those ``numbers`` of them, each with its piece in the run's setting.

    Raises EmomelodyError for a request that the model cannot meet, and for a melody beyond MIDI's pitches.
    """
    from emomelody.sampling.sampler import samples

    first = numbers.start if numbers else 0
    for number, sample in enumerate(samples(checkpoint, config.request, numbers), start=first):
        melody, trajectory, modes = with_pickup(config.request, sample, config.pickup)
        piece = arrange(
            melody,
            title=config.title(number, sample.description, checkpoint.name),
            emotion=sample.emotion,
            trajectory=trajectory,
            modes=modes,
            setting=config.setting,
        )
        yield piece, sample


def with_pickup(
    request: Request, sample: Sample, pickup: Melody | None
) -> tuple[Melody, tuple[Point, ...], tuple[str, ...]]:
    """The melody of a sample, after the bar of a ``pickup`` if there is one; the point and mode of each bar.

    The modes are empty where the points decide.
    """
    modes = _modes(request, sample.trajectory)
    if pickup is None:
        return sample.melody, sample.trajectory, modes
    return (
        pickup.followed_by(sample.melody),
        (sample.trajectory[0], *sample.trajectory),
        modes[:1] + modes,
    )


def _modes(request: Request, trajectory: Sequence[Point]) -> tuple[str, ...]:
    """The mode of each bar where it is the user's own: everywhere, or where another emotion is not asked for.

    Empty where the emotion decides.
    """
    if request.mode is None or request.grid or (request.waypoints and request.draft is None):
        return ()
    own = request.draft.kept if request.draft and request.waypoints else (True,) * len(trajectory)
    asked = (Emotion.at(*point).mode for point in trajectory)
    return tuple(request.mode if kept else mode for kept, mode in zip(own, asked, strict=True))
