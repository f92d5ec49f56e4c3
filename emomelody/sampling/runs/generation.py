"""A generation run: its configuration, and its melodies arranged for their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody import __version__
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
        whole = with_pickup(sample, config.pickup)
        modes = config.request.modes(sample.trajectory)
        piece = arrange(
            whole.melody,
            title=config.title(number, sample.description, checkpoint.name),
            emotion=sample.emotion,
            trajectory=whole.trajectory,
            modes=modes if config.pickup is None else modes[:1] + modes,
            setting=config.setting,
            chords=whole.chords,
        )
        yield piece, sample


def with_pickup(sample: Sample, pickup: Melody | None) -> Sample:
    """The sample after the bar of a ``pickup``, which has the point of the first bar and no chord."""
    if pickup is None:
        return sample
    return replace(
        sample,
        melody=pickup.followed_by(sample.melody),
        trajectory=(sample.trajectory[0], *sample.trajectory),
        chords=tuple(chord.moved(pickup.meter.bar) for chord in sample.chords),
    )
