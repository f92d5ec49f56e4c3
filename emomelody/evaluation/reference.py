"""The reference: real melodies that a system is compared with, and where they come from by default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody import __version__
from emomelody.data import manifest
from emomelody.data.dataset import Dataset, Split, styles_in
from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.evaluation import statistics
from emomelody.music import features
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import Floats, from_tokens
from emomelody.weights.checkpoint import VA, Checkpoint

DATA = Path("data")  # where ``preprocess`` writes by default


@dataclass(frozen=True)
class DataSplit:
    """Which melodies of the data a system was trained on, boolean arrays (N,)."""

    known: bool  # whether the system is known to be trained on this data
    seen: NDArray[np.bool_]  # the training melodies; all melodies where they are not known
    held_out: NDArray[np.bool_]  # the held-out melodies; a fifth by tune where they are not known

    @classmethod
    def of(cls, dataset: Dataset, checkpoint: Checkpoint | None) -> DataSplit:
        """The split of a model, or of a system of which only melodies are known (None)."""
        run = None if checkpoint is None else _run_on(dataset, checkpoint.training)
        if run is not None:
            held_out = dataset.split(Split(run["split"]), run["seed"])
            return cls(True, ~held_out, held_out)
        everything = np.ones(len(dataset), dtype=bool)
        try:
            return cls(False, everything, dataset.split(Split.TUNE, 0))
        except EmomelodyError:  # too few melodies to split
            return cls(False, everything, ~everything)


def _run_on(dataset: Dataset, run: dict[str, Any]) -> dict[str, Any] | None:
    """The description of the run that was on these data: the given one, or one that it fine-tuned.

    None if there is none. Until version 0.4 a run was on one style and meter.
    """
    fingerprints = run["data"]
    if isinstance(fingerprints, dict):
        fingerprints = fingerprints.get(dataset.name)
    if fingerprints == dataset.fingerprint:
        return run
    return _run_on(dataset, run["from"]["training"]) if "from" in run else None


class ReferenceSet:
    """Real melodies with their metrics, their split, and the training melodies' split-half distances."""

    def __init__(self, dataset: Dataset, split: DataSplit) -> None:
        self.dataset = dataset
        self.known, self.seen, self.held_out = split.known, split.seen, split.held_out
        self.melodies = [from_tokens(tokens, dataset.meter) for tokens in dataset.tokens]  # N
        self.table = features.metrics_table(self.melodies)  # (N, 7)
        self.split_half = {e: self._split_half_distances(e) for e in Emotion}

    def of(self, emotion: Emotion) -> NDArray[np.int64]:
        """The indices of the training melodies with that label, (n,)."""
        return np.flatnonzero(self.seen & (self.dataset.labels == emotion.index))

    def histogram(self, emotion: Emotion, name: str) -> Floats:
        """The counts (n, bins) of a histogram of the training melodies with that label."""
        return features.counts([self.melodies[i] for i in self.of(emotion)], name)

    def _split_half_distances(self, emotion: Emotion) -> dict[str, float]:
        """The split-half distance of every metric and histogram of an emotion, by name."""
        metrics, seed = self.table[self.of(emotion)], emotion.index
        of_metrics = {
            name: statistics.split_half_distance(metrics[:, column], statistics.wasserstein, seed)
            for column, name in enumerate(features.METRIC_NAMES)
        }
        of_histograms = {
            name: statistics.split_half_distance(
                self.histogram(emotion, name), statistics.histogram_distance, seed
            )
            for name in features.HISTOGRAMS
        }
        return of_metrics | of_histograms


def learned_style(checkpoint: Checkpoint, style: Style | None, meter: Meter) -> StyleDistribution | None:
    """A style and meter as emoreg-va has learned it, or its first style in that meter; None for other models.

    Raises EmomelodyError for a model that makes no melodies in the meter.
    """
    if checkpoint.name != VA and meter is not Meter.FOUR_FOUR:
        raise EmomelodyError(f"{checkpoint.name} makes melodies in 4/4 alone, none in {meter}: use {VA}")
    known = {learned.style for learned in checkpoint.styles if learned.meter is meter}
    return checkpoint.distribution(style if style in known else None, meter)


def default_windows(model_names: list[str]) -> str:
    """The windows of the chorales that models of these names were trained on: ``first`` or ``all``."""
    return "all" if VA in model_names else "first"


def default_data(
    windows: str,
    style: Style | None = None,
    meter: Meter = Meter.FOUR_FOUR,
    *,
    on_build: Callable[[str, Path, int], None] = lambda _what, _folder, _pieces: None,
    on_piece: Callable[[], None] = lambda: None,
) -> Path:
    """The data folder to use where none is given: ``data``, else one in the user's cache.

    ``data`` is used if it has melodies of the style in the meter. The cache holds the chorales, with
    ``windows`` as ``preprocess`` takes them, and for folk tunes a folder with all windows of both: it has the
    tune numbers of data for training on both. What is missing is built: ``on_build`` is then called once with
    what is built, the folder and the number of pieces, and ``on_piece`` after each piece. Raises BadInput
    where a folder cannot be read or written to, and EmomelodyError for melodies that no corpus has.
    """
    if DATA.is_dir() and any(style in (None, kind) for kind, own in styles_in(DATA) if own is meter):
        return DATA
    if style is Style.OWN:
        raise EmomelodyError(
            f"there are no melodies of your own in {meter} here: name a folder that has some"
        )
    from platformdirs import user_cache_path

    folk = style is Style.FOLK or (style is None and meter is Meter.SIX_EIGHT)
    name = "chorales-and-folk" if folk else f"chorales-{windows}"
    folder = user_cache_path("emomelody") / f"{name}-{__version__}"
    if not (folder / manifest.NAME).exists():  # the manifest is written last
        from emomelody.data.preprocess import preprocess
        from emomelody.data.sources import chorale_sources, folk_sources
        from emomelody.data.windows import Windows

        sources = [*chorale_sources(), *(folk_sources() if folk else [])]
        on_build("the chorales and folk tunes" if folk else "the chorales", folder, len(sources))
        cut = Windows.ALL if folk else Windows(windows)
        preprocess(sources, folder, windows=cut, seed=0, jobs=None, on_piece=on_piece)
    return folder
