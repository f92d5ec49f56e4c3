"""Whole tunes as examples: passages of up to sixteen bars, with the form of the tune that they are from.

N windows of a dataset, B passages of K windows of four bars, M = 4 K bars of P steps, D attributes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emomelody.data.dataset import Dataset, tunes_of
from emomelody.emotions.attributes import measure
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import AMBIGUOUS_VALENCE, valence_and_arousal
from emomelody.models.passages import Passages
from emomelody.music.fingerprints import fingerprints, passages
from emomelody.music.form import Form
from emomelody.music.melody import BARS
from emomelody.music.notes import Notes
from emomelody.music.style import Style
from emomelody.music.tokens import Tokens, Vocabulary, from_tokens, stacked
from emomelody.training.processes import ProcessGroup
from emomelody.weights.config import ELAPSED, REMAINING

LONGEST = 4  # windows of a passage: sixteen bars
_Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class PassageExamples(Passages):
    """Passages with what the losses of emoreg-va need."""

    within: Tensor  # (B, M), whether each bar is one of the tune: the last window may be incomplete
    labels: Tensor  # (B, K), 0–3
    targets: Tensor  # (B, K, 2), of valence and arousal
    attributes: Tensor  # (B, K, D); 0 for an incomplete window

    def __getitem__(self, chosen: Tensor) -> PassageExamples:
        """The passages at these indices."""
        return self._map(lambda tensor: tensor[chosen])

    def __len__(self) -> int:
        return len(self.classes)

    def shard(self, group: ProcessGroup) -> PassageExamples:
        """This process's part of a batch."""
        return self._map(group.shard)

    def batches(self, size: int) -> Iterator[PassageExamples]:
        """All in batches of about ``size`` windows, in order."""
        for chosen in torch.arange(len(self), device=self.labels.device).split(
            max(1, size // self.labels.shape[1])
        ):
            yield self[chosen]

    def shuffled(self, size: int, generator: torch.Generator) -> list[Tensor]:
        """The indices of batches of about ``size`` windows, in random order."""
        order = torch.randperm(len(self), generator=generator).to(self.labels.device)
        return list(order.split(max(1, size // self.labels.shape[1])))

    @property
    def whole(self) -> Tensor:
        """Whether each window is complete, (B, K)."""
        whole: Tensor = self.within.unflatten(1, (-1, BARS)).all(2)
        return whole

    def _map(self, function: Callable[[Tensor], Tensor]) -> PassageExamples:
        tensors = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "meter"}
        return PassageExamples(self.meter, **{name: function(tensor) for name, tensor in tensors.items()})


def make_passages(
    dataset: Dataset, chosen: NDArray[np.bool_], vocabulary: Vocabulary, device: torch.device
) -> list[PassageExamples]:
    """The passages of the tunes in a dataset, of its ``chosen`` windows (N,), one part per length.

    A longer tune is divided; a repetition may refer to a bar before the passage. Windows that are not chosen
    end a tune: held-out melodies are no context.
    """
    tunes = tunes_of(dataset, chosen)  # (k,) each, indices of windows
    windows = _measure(dataset, vocabulary, *_places(dataset, tunes))
    parts: dict[int, list[_Columns]] = defaultdict(list)
    for tune in tunes:
        form = Form.of(dataset.tokens[tune].ravel(), dataset.meter.bar)
        for first in range(0, len(tune), LONGEST):
            passage = slice(first, first + LONGEST)
            parts[len(tune[passage])].append(_passage(dataset, windows, tune, form, passage, len(vocabulary)))
    return [
        PassageExamples(dataset.meter, **{name: _to_tensor(rows, name, device) for name in rows[0]})
        for _, rows in sorted(parts.items())
    ]


def _places(dataset: Dataset, tunes: Sequence[Tokens]) -> tuple[Tokens, Tokens]:
    """The bars before each window in its run of windows, and the bars of its tune from there on, (N,) each.

    A slow version is a passage of a tune, and is sampled as if it began there. Where it is not known how long
    a tune is, the run is taken for the whole.
    """
    elapsed, remaining = np.zeros((2, len(dataset)), dtype=np.int64)
    for tune in tunes:
        elapsed[tune] = BARS * np.arange(len(tune))
        remaining[tune] = BARS * np.arange(len(tune), 0, -1)
    return elapsed, remaining if dataset.remaining is None else dataset.remaining


def fingerprints_of(dataset: Dataset, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The fingerprints of the ``chosen`` windows (N,) and of all passages of their tunes, (F,)."""
    tunes = stacked([dataset.tokens[tune].ravel() for tune in tunes_of(dataset, chosen)])
    return np.append(fingerprints(dataset.tokens[chosen]), passages(Notes.of(tunes))[1])


def _measure(dataset: Dataset, vocabulary: Vocabulary, elapsed: Tokens, remaining: Tokens) -> _Columns:
    """What is measured in each window: arrays (N, …) by the names of ``PassageExamples``.

    ``elapsed`` and ``remaining`` (N,) are those of ``_places``.

    The targets are the points of the dataset and, for melodies without one, what the rule measures in the
    notes. Points need no scale of their own: both cosine losses stay the same when all targets of an axis are
    multiplied by a number. Only beside measured targets does it matter: a melody labelled 0.8 is drawn four
    times as far from the middle as one measured to be 0.2.
    """
    signs = np.array([(e.valence, e.arousal) for e in Emotion])[dataset.labels]  # (N, 2), ±1
    melodies = [from_tokens(tokens, dataset.meter) for tokens in dataset.tokens]
    measured = valence_and_arousal(melodies)  # (N, 2)
    targets = np.where(measured == 0, AMBIGUOUS_VALENCE * signs, measured)
    if dataset.points is not None:
        targets = np.where(np.isnan(dataset.points), targets, dataset.points)
    minor = np.array([emotion.mode == "minor" for emotion in Emotion])[dataset.labels]  # (N,)
    bars = np.arange(BARS)
    within = bars < remaining[:, None]  # (N, 4)
    attributes = measure(dataset.tokens, minor, dataset.meter)  # (N, D)
    return {
        "classes": vocabulary.encode(dataset.tokens)[0],
        "elapsed": np.minimum(elapsed[:, None] + bars, ELAPSED),
        "remaining": np.clip(remaining[:, None] - bars, 0, REMAINING + 1),
        "within": within,
        "labels": dataset.labels,
        "targets": targets.astype(np.float32),
        "attributes": np.where(within.all(1, keepdims=True), attributes, 0).astype(np.float32),
    }


def _passage(
    dataset: Dataset, windows: _Columns, tune: Tokens, form: Form, passage: slice, none: int
) -> _Columns:
    """The row of a passage of a tune by the names of ``PassageExamples``; ``none`` is "no token"'s class."""
    bar, classes = dataset.meter.bar, windows["classes"][tune].ravel()  # (whole tune,)
    bars = slice(passage.start * BARS, passage.stop * BARS)
    chosen = form[bars]
    number = np.arange(len(form.lags))[bars]  # (M,)
    repeated = classes.reshape(-1, bar)[number - chosen.lags]  # (M, P)
    columns = {name: array[tune[passage]] for name, array in windows.items()}
    by_bar = {name: columns[name].ravel() for name in ("classes", "elapsed", "remaining", "within")}
    return {
        **columns,
        **by_bar,
        "first": np.array(classes[bars.start * bar - 1] if passage.start else none),
        "repeated": np.where(chosen.lags[:, None] > 0, repeated, none).ravel(),
        "kinds": chosen.kinds,
        "styles": np.array(list(Style).index(dataset.style)),
    }


def _to_tensor(rows: list[_Columns], name: str, device: torch.device) -> Tensor:
    return torch.from_numpy(np.stack([row[name] for row in rows])).to(device)
