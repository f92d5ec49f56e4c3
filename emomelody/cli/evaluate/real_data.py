"""The options of ``evaluate`` that choose real melodies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody.cli.inputs import evaluation_data, load_data
from emomelody.music.meter import Meter
from emomelody.music.style import Style

if TYPE_CHECKING:
    from emomelody.data.dataset import Dataset


@dataclass(frozen=True)
class RealData:
    """The options that choose the real melodies."""

    folder: Path | None
    style: Style | None
    meter: Meter
    judges: Path | None

    def load(self, windows: str = "first") -> Dataset:
        """The melodies to compare with; ``windows`` as of ``evaluation_data``."""
        return evaluation_data(self.folder, windows, self.style, self.meter)

    def load_judges(self) -> Dataset | None:
        """Melodies of the same style, or of the first that their folder has in the meter."""
        from emomelody.data.dataset import styles_in

        if self.judges is None:
            return None
        known = (self.style, self.meter) in styles_in(self.judges)
        return load_data(self.judges, meter=self.meter, style=self.style if known else None)
