"""Fine-tuning emoreg-va: what is different where a run begins with trained weights.

The encoder stays as it is, and with it the plane: valence and arousal keep their meaning and their scale. The
decoder learns the new melodies, and is kept near what it was in the styles that it knew before.

Shapes: B passages in a batch, b in this process's shard of it, T steps, M bars, V classes of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emomelody.data.dataset import Dataset
from emomelody.emotions.distribution import StyleDistribution
from emomelody.errors import BadWeights, EmomelodyError
from emomelody.models.build import to_model
from emomelody.models.emoreg_va import EmoregVA
from emomelody.music.melody import BARS
from emomelody.music.style import Style
from emomelody.music.tokens import Vocabulary
from emomelody.training.passages import PassageExamples
from emomelody.training.processes import SINGLE_PROCESS, ProcessGroup
from emomelody.training.recipes import LossTerms, VARecipe, encode_passages
from emomelody.training.styles import complete
from emomelody.weights.checkpoint import VA, Checkpoint, load_checkpoint
from emomelody.weights.config import VAConfig

DROPOUT = 0.3  # fifty tunes are soon memorised: with emoreg-va's 0.1 the held-out loss falls less


@dataclass(frozen=True, kw_only=True)
class FineTuning(VARecipe):
    """The recipe of a decoder that learns a few tunes in a style and remembers others.

    It remembers by the method of Z. Li and D. Hoiem, "Learning without Forgetting" (2016), which needs none
    of the melodies that it was trained on: given the new melodies as if they were in one of the styles that
    it knew, it is to predict what it predicted before.
    """

    start: Checkpoint
    remembered: tuple[Style, ...]  # known, and not trained on now
    batch_size: int = 16  # windows of four bars
    learning_rate: float = 1e-3
    updates: int = 3000
    passes: int = 30  # most epochs: of fifty tunes of twelve bars 200 updates
    memory: float = 2.0  # weight of what is to be remembered
    decay: float = 0.0  # AdamW's weight decay would shrink what the new melodies do not use

    def build(self, vocabulary: Vocabulary, learned: NDArray[np.int64]) -> EmoregVA:
        """The model of ``start``, of which the encoder is not trained.

        It keeps the fingerprints of what it learned before, and of the new melodies, ``learned`` (L,).
        """
        del vocabulary  # that of ``start``
        known = np.union1d(self.start.tensors["learned"], learned)
        sizes = asdict(self.start.config) | {"learned": len(known), "dropout": DROPOUT}
        tensors = {**self.start.tensors, "learned": known}
        model = _to_model(replace(self.start, config=VAConfig(**sizes), tensors=tensors))
        for parameter in model.encoding_parameters():
            parameter.requires_grad_(False)
        return model

    def terms(
        self,
        model: Any,
        batch: PassageExamples,
        generator: torch.Generator,
        progress: float,
        group: ProcessGroup = SINGLE_PROCESS,
    ) -> LossTerms:
        """The terms of emoreg-va, and how much was forgotten of one of the ``remembered`` styles."""
        terms = super().terms(model, batch, generator, progress, group)
        if not self.remembered:
            return terms
        style = self.remembered[int(torch.randint(len(self.remembered), (1,), generator=generator))]
        with_content = torch.rand(len(batch), generator=generator) >= self.without_content  # (B,)
        forgotten = self._forgotten(model, batch, style, with_content, group)
        return replace(terms, loss=terms.loss + self.memory * forgotten)

    def _forgotten(
        self, model: Any, batch: PassageExamples, style: Style, with_content: Tensor, group: ProcessGroup
    ) -> Tensor:
        """The Kullback-Leibler divergence of the model from ``start``, a scalar, in nats per four bars.

        Of the next tokens of the passages, as if they were in the ``style``, from their latent means, with
        the content where ``with_content`` (B,).
        """
        device, shard = batch.labels.device, batch.shard(group)
        shard = replace(shard, styles=torch.full_like(shard.styles, list(Style).index(style)))
        with torch.no_grad():
            before = self.teacher.to(device)
            mu, _ = encode_passages(before, shard)  # (b, K, Z)
            flags = group.shard(with_content).to(device, mu.dtype)
            given = before.given(mu, shard.attributes, flags)  # (b, K, G)
            known = before.decode(given, shard).log_softmax(2)  # (b, T, V)
        now = model.decode(given, shard).log_softmax(2)  # (b, T, V)
        nats = (known.exp() * (known - now)).sum(2)  # (b, T)
        by_bar = nats.unflatten(1, (-1, batch.meter.bar)).sum(2) * shard.within  # (b, M)
        total = group.gather(by_bar.sum(1, keepdim=True), len(batch)).sum()
        return total * BARS / batch.within.sum()

    @cached_property
    def teacher(self) -> EmoregVA:
        """The model of ``start``, in evaluation mode."""
        return _to_model(self.start)


@dataclass(frozen=True)
class Start:
    """Trained weights of emoreg-va that are fine-tuned."""

    path: Path  # of the weights file, absolute
    checkpoint: Checkpoint

    @classmethod
    def load(cls, path: Path) -> Start:
        """Read a weights file. Raises BadWeights for one that cannot be read, or of the paper's models."""
        checkpoint = load_checkpoint(path)
        if checkpoint.name != VA:
            raise BadWeights(path, f"{checkpoint.name} cannot be fine-tuned: use weights of {VA}")
        return cls(path.resolve(), checkpoint)

    @classmethod
    def again(cls, path: str, checksum: str) -> Start:
        """Read the weights of an interrupted run. Raises BadWeights if they have another checksum."""
        start = cls.load(Path(path))
        if start.checkpoint.checksum != checksum:
            raise BadWeights(start.path, "not the weights that the run fine-tunes, or changed since then")
        return start

    def recipe(self, datasets: Sequence[Dataset]) -> FineTuning:
        """How these weights are fine-tuned. Raises EmomelodyError for data in a meter unknown to them."""
        for dataset in datasets:
            if dataset.meter not in self.checkpoint.meters:
                known = ", ".join(self.checkpoint.meters)
                raise EmomelodyError(f"the weights know melodies in {known}, none in {dataset.meter}")
        new = {dataset.style for dataset in datasets}
        styles = dict.fromkeys(known.style for known in self.checkpoint.styles)
        return FineTuning(start=self.checkpoint, remembered=tuple(s for s in styles if s not in new))

    def with_styles(self, new: Sequence[StyleDistribution]) -> tuple[StyleDistribution, ...]:
        """The ``new`` styles and meters, which are sampled by default, and the others that were known.

        What a new one lacks of an emotion is completed by the first of the others in its meter.
        """
        names = {style.name for style in new}
        known = [style for style in self.checkpoint.styles if style.name not in names]
        return (*(_completed(style, known) for style in new), *known)

    def summary(self) -> dict[str, Any]:
        """What the fine-tuned weights say of their origin."""
        origin = self.checkpoint
        return {"name": origin.name, "checksum": origin.checksum, "training": origin.training}


def _completed(style: StyleDistribution, known: Sequence[StyleDistribution]) -> StyleDistribution:
    """A style, completed by the first known one in its meter whose plans have the same attributes."""
    columns = style.plans.rows.shape[1]  # fewer in weights of earlier versions
    for other in known:
        if other.meter is style.meter and other.plans.rows.shape[1] == columns:
            return complete(style, other)
    return style


def _to_model(checkpoint: Checkpoint) -> EmoregVA:
    model = to_model(checkpoint)
    assert isinstance(model, EmoregVA)
    return model
