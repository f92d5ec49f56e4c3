"""The folder that ``sample`` writes: each melody in each format, and samples.json to make them again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emomelody.errors import EmomelodyError
from emomelody.formats.encode import NAME, Format, file_name
from emomelody.models.checkpoint import Checkpoint
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.setting import PLAIN, Setting
from emomelody.sampling.request import Request, Sample
from emomelody.sampling.sampler import samples

ArrangedSample = tuple[Piece, Sample]


@dataclass(frozen=True)
class Recipe:
    """All that makes the files what they are."""

    model: str  # a shipped name or a path, as it was asked for
    request: Request
    setting: Setting = PLAIN
    formats: tuple[Format, ...] = (Format.MIDI,)
    name: str = NAME  # of a file, without suffix; see ``file_name``
    like: str | None = None  # where the request's melody was read from
    soundfont: Path | None = None
    checksum: str | None = None  # of the weights, where it must be these


def arrange_samples(
    checkpoint: Checkpoint, recipe: Recipe, numbers: range | None = None
) -> Iterator[ArrangedSample]:
    """The request's samples, or those ``numbers`` of them, as pieces in the recipe's setting, called by its
    name; one after another.

    Raises EmomelodyError for what cannot be sampled, a name that is none or meets another one, a melody
    beyond MIDI's pitches.
    """
    request, first = recipe.request, numbers.start if numbers else 0
    for index, sample in enumerate(samples(checkpoint, request, numbers), start=first):
        title, after = (
            file_name(
                recipe.name,
                emotion=sample.emotion.title,
                seed=request.seed,
                index=number,
                model=checkpoint.name,
            )
            for number in (index, index + 1)
        )
        if request.n > 1 and title == after:
            raise EmomelodyError(f"name '{recipe.name}' is the same for several melodies: add {{index}}")
        piece = arrange(
            sample.melody,
            title=title,
            emotion=sample.emotion,
            trajectory=sample.trajectory,
            setting=recipe.setting,
        )
        yield piece, sample
