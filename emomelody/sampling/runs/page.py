"""One page of all melodies that are written at once: its name and what stands on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody.formats.encode import Format, file_name
from emomelody.formats.page.player import player_page
from emomelody.performance.piece import Piece
from emomelody.sampling.runs.generation import GenerationConfig

if TYPE_CHECKING:
    from emomelody.sampling.runs.folder import Written


@dataclass
class RunsPage:
    """The page of those of some runs that have HTML among their formats."""

    configs: Sequence[GenerationConfig]
    command: str | None = None  # that writes the melodies again
    pieces: list[Piece] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.configs = [config for config in self.configs if Format.HTML in config.formats]

    @property
    def name(self) -> str | None:
        """Its file name, such as ``happy-sad-s3.html``; None where no run has a page."""
        if not self.configs:
            return None
        words, seed = Path("-".join(self._words)), self.configs[0].request.seed
        title = file_name("{source}-s{seed}", emotion="", seed=seed, index=0, model="", source=words)
        return f"{title}.{Format.HTML}"

    def adding(self, melodies: Iterable[Written]) -> Iterator[Written]:
        """The melodies, each of which is added to the page; they keep their pieces."""
        for written in melodies:
            if written.arranged:
                self.pieces.append(written.arranged[0])
            yield written

    def encode(self) -> bytes:
        """The page of all pieces that were added. There is at least one."""
        number = f"{len(self.pieces)} melodies" if len(self.pieces) > 1 else "1 melody"
        made = dict.fromkeys(f"{config.model}, seed {config.request.seed}" for config in self.configs)
        size = self.configs[0].request.grid
        words = f"{size} × {size} points" if size else ", ".join(self._words)
        heading = f"{number}: {words}"
        return player_page(self.pieces, heading=heading, about="; ".join(made), command=self.command)

    @property
    def _words(self) -> list[str]:
        """What the melodies of each run are, in a word, each once."""
        return [*dict.fromkeys(map(_word, self.configs))]


def _word(config: GenerationConfig) -> str:
    request = config.request
    if config.file:
        return Path(config.file).stem
    if request.path:
        return "-".join(waypoint.description for waypoint in request.path.waypoints)
    return f"grid-{request.grid}" if request.grid else request.description or "melodies"
