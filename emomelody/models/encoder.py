"""emoreg-va's encoder: the emotion and the content of four bars.

The encoder does not see the label. It reads the emotion from the onsets and steps of a melody, whatever their
order, and the content from the melody's outline only: staff heights and note density per half bar. A major
melody and its minor version have the same outline.

Shapes: B melodies of T = 4 P steps, P steps of a bar, V classes of the vocabulary, E units of each encoding
layer, Z = 2 + C latent dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional

from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.weights.config import (
    HALVES,
    LATENT,
    LEAST_RANGE,
    OUTLINE,
    PLACES,
    POSITION_UNITS,
    VAConfig,
    first_place,
    staff_heights,
)


class Encoder(nn.Module):
    """Two perceptrons, and the embeddings of tokens and of positions in the bar, which the decoder shares."""

    def __init__(self, config: VAConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = embedding((config.classes + 1, config.embedding))
        self.places = embedding((PLACES, POSITION_UNITS))
        self.step = nn.Sequential(nn.Linear(config.embedding + POSITION_UNITS, config.encoder), nn.GELU())
        self.emotion = _perceptron(2 * config.encoder, config.encoder, 2 * LATENT)
        self.content = _perceptron(OUTLINE, config.encoder, 2 * config.content)
        # The MIDI pitch of each class but the last two, rest and hold.
        self.pitches: Tensor
        self.register_buffer("pitches", torch.zeros(config.classes - 2, dtype=torch.int64))

    def encode(self, classes: Tensor, meter: Meter = Meter.FOUR_FOUR) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x), each (B, Z), from classes (B, T) in a meter."""
        mu, log_variance = self.encode_emotion(classes, meter)  # (B, 2) each
        content = self.content(self.outline(classes, meter)).float()  # (B, 2 C)
        content_mu, content_log_variance = content.chunk(2, 1)  # (B, C) each
        log_variances = torch.cat([log_variance, content_log_variance], 1).clamp(-8, 4)  # (B, Z)
        return torch.cat([mu, content_mu], 1), log_variances

    def encoding_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that latents depend on; a decoder may read the embeddings among them."""
        parts = (self.tokens, self.places, self.step, self.emotion, self.content)
        return chain.from_iterable(part.parameters() for part in parts)

    def encode_emotion(self, classes: Tensor, meter: Meter = Meter.FOUR_FOUR) -> tuple[Tensor, Tensor]:
        """Mean and log variance of valence and arousal, each (B, 2), from classes (B, T).

        The mean of the features over all steps and their mean over the onsets are the inputs of the
        perceptron.
        """
        features, size = self._features(meter), meter.bar * self.config.classes  # (P V, E)
        position = torch.arange(classes.shape[1], device=classes.device) % meter.bar  # (T,)
        pairs = position * self.config.classes + classes  # (B, T)
        counts = torch.zeros(len(classes), size, device=classes.device)
        counts = counts.scatter_add_(1, pairs, torch.ones_like(pairs, dtype=counts.dtype))  # (B, P V)
        onsets = counts.unflatten(1, (meter.bar, -1)).clone()  # (B, P, V)
        onsets[..., -2:] = 0  # neither rests nor holds
        onset_mean = onsets.flatten(1) @ features / onsets.sum((1, 2)).clamp(min=1)[:, None]  # (B, E)
        mean = counts @ features / classes.shape[1]  # (B, E)
        emotion = self.emotion(torch.cat([mean, onset_mean], 1)).float()  # (B, 4)
        mu, log_variance = emotion.chunk(2, 1)
        return mu, log_variance

    def outline(self, classes: Tensor, meter: Meter = Meter.FOUR_FOUR) -> Tensor:
        """What the content is encoded from, (B, 17): the shape and density of classes (B, T).

        - 1 value: the mean height on the staff.
        - 8 values: the height of each half bar above the mean, divided by the standard deviation, so that
          the range of a melody is left to the emotion. A rest has the height of the note before it.
        - 8 values: the share of the onsets in each half bar, relative to an even distribution.

        A melody of fewer than four bars is continued with holds.
        """
        missing, half = BARS * meter.bar - classes.shape[1], meter.bar // 2
        classes = functional.pad(classes, (0, missing), value=self.config.classes - 1)  # (B, 4 P)
        onset = classes < self.config.classes - 2  # (B, 4 P)
        steps = torch.arange(classes.shape[1], device=classes.device)  # (4 P,)
        # The step of the last onset so far; before the first onset, that of the first.
        last = steps.where(onset, onset.int().argmax(1, keepdim=True)).cummax(1).values  # (B, 4 P)
        heights = torch.zeros(self.config.classes, device=classes.device)  # (V,)
        heights[:-2] = torch.from_numpy(staff_heights(self.pitches.cpu().numpy()))
        heights = heights[classes.gather(1, last)].unflatten(1, (HALVES, half)).mean(2)  # (B, 8)
        mean = heights.mean(1, keepdim=True)  # (B, 1)
        shape = (heights - mean) / (heights.std(1, keepdim=True) + LEAST_RANGE)  # (B, 8)
        counts = onset.unflatten(1, (HALVES, half)).sum(2).float()  # (B, 8)
        density = counts * HALVES / counts.sum(1, keepdim=True).clamp(min=1) - 1  # (B, 8)
        return torch.cat([mean, shape, density], 1)

    def _features(self, meter: Meter) -> Tensor:
        """The features of each class at each position of the bar, (P V, E), position by position."""
        tokens = self.tokens.weight[:-1].expand(meter.bar, -1, -1)  # (P, V, embedding)
        places = self._places(meter, meter.bar)[:, None].expand(-1, self.config.classes, -1)  # (P, V, 16)
        features: Tensor = self.step(torch.cat([tokens, places], 2)).flatten(0, 1)
        return features

    def _places(self, meter: Meter, steps: int) -> Tensor:
        """The embedding of the position in the bar of each of a number of steps, (steps, 16)."""
        position = torch.arange(steps, device=self.places.weight.device) % meter.bar
        places: Tensor = self.places(first_place(meter) + position)
        return places


def embedding(shape: tuple[int, ...], deviation: float = 1.0) -> nn.Embedding:
    """``nn.Embedding`` of a weight of this shape, with normal initial values.

    On the meta device, its own ``normal_`` spends a second on importing torch's decompositions.
    """
    weight = torch.empty(shape)
    if not weight.is_meta:
        weight.normal_(std=deviation)
    return nn.Embedding(shape[0], shape[1], _weight=weight)


def _perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs))
