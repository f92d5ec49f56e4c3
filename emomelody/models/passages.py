"""Passages of tunes as tensors: what emoreg-va's decoder reads besides the latent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from emomelody.music.meter import Meter


@dataclass(frozen=True)
class Passages:
    """B passages of T steps in one meter: M bars of P steps, in whole blocks of four bars."""

    meter: Meter
    classes: Tensor  # (B, T)
    first: Tensor  # (B,), the class before the first step, V where there is none
    repeated: Tensor  # (B, T), the class at the same place of the bar that is repeated, V where none is
    kinds: Tensor  # (B, M), see ``music.form.Repetition``
    styles: Tensor  # (B,), numbers of ``music.style.Style``
    elapsed: Tensor  # (B, M), bars of the tune before each bar, up to ``ELAPSED``
    remaining: Tensor  # (B, M), bars from each bar on, itself included, up to ``REMAINING`` + 1

    def previous(self) -> Tensor:
        """The token before each step, (B, T)."""
        return torch.cat([self.first[:, None], self.classes[:, :-1]], 1)

    def agreed(self, previous: Tensor) -> Tensor:
        """Whether each bar equals the repeated one up to each step, from the previous tokens, (B, T)."""
        equal = previous == self.repeated.roll(1, 1)  # (B, T), whether the steps before are equal
        bars = equal.unflatten(1, (-1, self.meter.bar))  # (B, M, P)
        bars[:, :, 0] = True  # a bar begins in agreement
        agreed: Tensor = bars.cummin(2).values.flatten(1)
        return agreed
