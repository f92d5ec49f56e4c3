"""The reference: real melodies that a system is compared with, and where they come from by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emomelody import __version__
from emomelody.data import manifest
from emomelody.data.dataset import Dataset, Split
from emomelody.errors import EmomelodyError
from emomelody.evaluation import statistics
from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.melody import WINDOW_STEPS
from emomelody.music.plane import Floats
from emomelody.music.tokens import Tokens, from_tokens
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
        if checkpoint is not None and checkpoint.training["data"] == dataset.fingerprint:
            held_out = dataset.split(Split(checkpoint.training["split"]), checkpoint.training["seed"])
            return cls(True, ~held_out, held_out)
        everything = np.ones(len(dataset), dtype=bool)
        try:
            return cls(False, everything, dataset.split(Split.TUNE, 0))
        except EmomelodyError:  # too few melodies to split
            return cls(False, everything, ~everything)


class ReferenceSet:
    """Real melodies with their metrics, their split, and the training melodies' split-half distances."""

    def __init__(self, dataset: Dataset, split: DataSplit) -> None:
        self.dataset = dataset
        self.known, self.seen, self.held_out = split.known, split.seen, split.held_out
        self.melodies = [from_tokens(tokens) for tokens in dataset.tokens]  # N
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


@dataclass(frozen=True)
class MelodySet:
    """N melodies of one length."""

    tokens: Tokens  # (N, T)
    labels: NDArray[np.int64]  # (N,), 0–3 for e1–e4
    tunes: NDArray[np.int64]  # (N,), the same number for the same tune; all different of generated ones

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> MelodySet:
        return MelodySet(self.tokens[chosen], self.labels[chosen], self.tunes[chosen])

    @classmethod
    def generated(cls, tokens: Mapping[Emotion, Tokens]) -> MelodySet:
        """Generated melodies (n, T) by requested emotion."""
        labels = np.concatenate([np.full(len(rows), e.index) for e, rows in tokens.items()])
        return cls(np.concatenate([*tokens.values()]), labels, np.arange(len(labels)))

    @classmethod
    def successive(cls, dataset: Dataset, count: int) -> MelodySet:
        """All runs of ``count`` successive windows of one piece and one mode, labelled as their first one."""
        minor = np.array([emotion.mode == "minor" for emotion in Emotion])[dataset.labels]  # (N,)
        runs = np.arange(len(dataset))[:, None]  # (n, windows so far), from the last window back
        for _ in range(count - 1):
            before = dataset.previous[runs[:, 0]]  # (n,)
            usable = (before >= 0) & (minor[before] == minor[runs[:, 0]])
            runs = np.concatenate([before[usable, None], runs[usable]], 1)
        tokens = dataset.tokens[runs].reshape(len(runs), count * WINDOW_STEPS)
        return cls(tokens, dataset.labels[runs[:, 0]], dataset.tunes[runs[:, 0]])

    def by_emotion(self) -> dict[Emotion, Tokens]:
        """The tokens (n, T) of each emotion that has melodies."""
        rows = {e: self.tokens[self.labels == e.index] for e in Emotion}
        return {e: some for e, some in rows.items() if len(some)}


def matched(generated: MelodySet, real: MelodySet) -> tuple[MelodySet, MelodySet]:
    """Both sets with the same shares of the emotions, so that these do not tell them apart.

    Emotions that either set lacks are left out; of the generated melodies the first of each emotion are
    taken. An empty set changes nothing.
    """
    if not (len(generated) and len(real)):
        return generated, real
    ours, theirs = (np.bincount(side.labels, minlength=len(Emotion)) for side in (generated, real))  # (4,)
    both = np.flatnonzero((ours > 0) & (theirs > 0))
    counts = np.zeros(len(Emotion), dtype=np.int64)
    if len(both):
        scarcest = both[np.argmin(ours[both] / theirs[both])]
        counts[both] = theirs[both] * ours[scarcest] // theirs[scarcest]
    chosen = [np.flatnonzero(generated.labels == e.index)[: counts[e.index]] for e in Emotion]
    return generated[np.concatenate(chosen)], real[np.isin(real.labels, both)]


def default_windows(model_names: list[str]) -> str:
    """The windows of the chorales that models of these names were trained on: ``first`` or ``all``."""
    return "all" if VA in model_names else "first"


def default_data(
    windows: str,
    *,
    on_build: Callable[[Path, int], None] = lambda _folder, _pieces: None,
    on_piece: Callable[[], None] = lambda: None,
) -> Path:
    """The data folder to use where none is given: ``data``, else the chorales in the user's cache.

    The chorales are built into the cache where they are missing, with ``windows`` as ``preprocess`` takes
    them. ``on_build`` is then called once with the folder and the number of pieces, ``on_piece`` after each
    piece. Raises BadInput where the cache cannot be written to.
    """
    if DATA.is_dir():
        return DATA
    from platformdirs import user_cache_path

    folder = user_cache_path("emomelody") / f"chorales-{windows}-{__version__}"
    if not (folder / manifest.NAME).exists():  # the manifest is written last
        from emomelody.data.preprocess import preprocess
        from emomelody.data.sources import chorale_sources
        from emomelody.data.windows import Windows

        sources = chorale_sources()
        on_build(folder, len(sources))
        preprocess(sources, folder, windows=Windows(windows), seed=0, jobs=None, on_piece=on_piece)
    return folder
