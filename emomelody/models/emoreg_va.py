"""CVAE-EmoReg-VA: valence and arousal as continuous coordinates, autoregressive decoding, any length.

The latent space has 2 + C dimensions. The first two are the emotion plane, trained by the paper's two cosine
losses with continuous targets. The other C hold the content (what is not emotion), under a standard normal
prior.

The encoder does not see the label. It reads the emotion from the onsets and steps of a melody, whatever their
order, and the content from the melody's outline only: staff heights and note density per half bar. A major
melody and its minor version have the same outline. The decoder is a GRU whose input at each step is the
previous token, the position in the bar, how long each pitch class has sounded in the four bars so far, and a
condition for the bar, computed from the latent and from attributes of the melody (``music.attributes``).

Shapes: B melodies, T = 64 steps, V classes of the vocabulary, E units of each encoding layer, H units of the
decoder, Z = 2 + C latent dimensions, G = Z + D with the attributes, P = 16 positions in a bar.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from emomelody.models.gru import gru
from emomelody.music.melody import BARS, STEPS_PER_BAR, WINDOW_STEPS
from emomelody.weights.config import HALF_BAR, HALVES, LATENT, LEAST_RANGE, OUTLINE, POSITION_UNITS, VAConfig

PITCH_CLASSES = 12
# The degree of each pitch class in C, the same in major and minor.
DEGREES = (0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)


class EmoregVA(nn.Module):
    """Two perceptrons as the encoder, and an autoregressive GRU as the decoder.

    Class V of the token embedding (one more than the vocabulary has) stands for "no previous token".
    """

    def __init__(self, config: VAConfig) -> None:
        super().__init__()
        self.config = config
        size = config.embedding + POSITION_UNITS
        # Modules are created in this order, and named so: seeds and weights files depend on both.
        self.tokens = _embedding(config.classes + 1, config.embedding)
        self.places = _embedding(STEPS_PER_BAR, POSITION_UNITS)  # positions in the bar
        self.step = nn.Sequential(nn.Linear(size, config.encoder), nn.GELU())
        self.emotion = _perceptron(2 * config.encoder, config.encoder, 2 * LATENT)
        self.content = _perceptron(OUTLINE, config.encoder, 2 * config.content)
        given = LATENT + config.content + config.attributes
        self.condition = nn.Linear(given, BARS * config.condition)
        self.decoder = nn.GRU(size + config.condition + config.pitch_classes, config.decoder)
        self.output = nn.Linear(config.decoder + config.condition, config.classes)
        self.dropout = _Dropout(config.dropout)
        # The staff height of each class, in octaves (``staff_heights``); the outline is computed from it.
        self.heights: Tensor
        self.register_buffer("heights", torch.zeros(config.classes))
        # The pitch class of each class, 0 for rest and hold; see ``pitch_class_totals``.
        self.chroma: Tensor
        if config.pitch_classes:
            self.register_buffer("chroma", torch.zeros(config.classes, dtype=torch.int64))
        # ``fingerprints`` of the training melodies, sorted: sampling rejects a melody that is one of them.
        self.learned: Tensor
        self.register_buffer("learned", torch.zeros(config.learned, dtype=torch.int64))

    def set_pitches(self, pitches: Sequence[int]) -> None:
        """Tell the model the MIDI pitch of each class but the last two, rest and hold."""
        self.heights[:-2] = torch.tensor(staff_heights(pitches))
        if self.config.pitch_classes:
            self.chroma[:-2] = torch.tensor(pitches) % PITCH_CLASSES

    def encode(self, classes: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x), each (B, Z), from classes (B, T).

        ``labels`` are ignored: the parameter exists so that every model is called in the same way.
        """
        del labels
        mu, log_variance = self.encode_emotion(classes, self.emotion_features())  # (B, 2) each
        content = self.content(self.outline(classes)).float()  # (B, 2 C)
        content_mu, content_log_variance = content.chunk(2, 1)  # (B, C) each
        log_variances = torch.cat([log_variance, content_log_variance], 1).clamp(-8, 4)  # (B, Z)
        return torch.cat([mu, content_mu], 1), log_variances

    def encode_emotion(self, classes: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of valence and arousal, each (B, 2), from classes (B, T).

        ``features`` is the result of ``emotion_features``, which does not depend on the melody. Their mean
        over all steps and their mean over the onsets are the inputs of the perceptron.
        """
        counts = self._counts(classes)  # (B, P V)
        onsets = counts.unflatten(1, (STEPS_PER_BAR, -1))[..., :-2]  # (B, P, V − 2), pitches only
        onset_features = features.unflatten(0, (STEPS_PER_BAR, -1))[:, :-2].flatten(0, 1)  # (P (V − 2), E)
        onset_mean = onsets.flatten(1) @ onset_features  # (B, E)
        onset_mean = onset_mean / onsets.sum((1, 2)).clamp(min=1)[:, None]
        mean = counts @ features / classes.shape[1]  # (B, E)
        emotion = self.emotion(torch.cat([mean, onset_mean], 1)).float()  # (B, 4)
        mu, log_variance = emotion.chunk(2, 1)
        return mu, log_variance

    def emotion_features(self) -> Tensor:
        """The features of each class at each position of the bar, (P V, E), position by position."""
        every = torch.arange(self.config.classes, device=self.output.weight.device)  # (V,)
        features: Tensor = self.step(self._embed(every[:, None].expand(-1, STEPS_PER_BAR)).flatten(0, 1))
        return features

    def outline(self, classes: Tensor) -> Tensor:
        """What the content is encoded from, (B, 17): the shape and density of classes (B, T).

        - 1 value: the mean height on the staff.
        - 8 values: the height of each half bar above the mean, divided by the standard deviation, so that
          the range of a melody is left to the emotion. A rest has the height of the note before it.
        - 8 values: the share of the onsets in each half bar, relative to an even distribution.

        A melody of fewer than 64 steps is continued with holds.
        """
        missing = WINDOW_STEPS - classes.shape[1]
        classes = functional.pad(classes, (0, missing), value=self.config.classes - 1)  # (B, 64)
        onset = classes < self.config.classes - 2  # (B, 64)
        steps = torch.arange(classes.shape[1], device=classes.device)  # (64,)
        # The step of the last onset so far; before the first onset, that of the first.
        last = steps.where(onset, onset.int().argmax(1, keepdim=True)).cummax(1).values  # (B, 64)
        heights = self.heights[classes.gather(1, last)].unflatten(1, (HALVES, HALF_BAR)).mean(2)  # (B, 8)
        mean = heights.mean(1, keepdim=True)  # (B, 1)
        shape = (heights - mean) / (heights.std(1, keepdim=True) + LEAST_RANGE)  # (B, 8)
        counts = onset.unflatten(1, (HALVES, HALF_BAR)).sum(2).float()  # (B, 8)
        density = counts * HALVES / counts.sum(1, keepdim=True).clamp(min=1) - 1  # (B, 8)
        return torch.cat([mean, shape, density], 1)

    def decode(
        self,
        given: Tensor,
        previous: Tensor,
        state: Tensor | None = None,
        withheld: Tensor | None = None,
    ) -> Tensor:
        """Logits (B, 64, V) of each token, from what is ``given`` (B, G) and the ``previous`` tokens (B, 64).

        ``given`` holds the latent and the attributes. ``state`` (B, H) is the decoder's state at the
        beginning, e.g. after the four bars before; zero without. ``withheld`` (B, 64) says which previous
        tokens are replaced by "none".
        """
        states = self.dropout(self.states(given, previous, state, withheld))  # (64, B, H)
        features = torch.cat([states, self._step_conditions(given)], 2)  # (64, B, H + condition)
        logits: Tensor = self.output(features).float().transpose(0, 1)  # (B, 64, V)
        return logits

    def states(
        self,
        given: Tensor,
        previous: Tensor,
        state: Tensor | None = None,
        withheld: Tensor | None = None,
    ) -> Tensor:
        """The decoder's state after each step, (64, B, H); arguments as in ``decode``."""
        inputs = previous if withheld is None else previous.masked_fill(withheld, self.config.classes)
        parts = [self.dropout(self._embed(inputs)), self._step_conditions(given)]  # (64, B, …)
        if self.config.pitch_classes:
            parts.append(self.pitch_class_totals(previous).transpose(0, 1))
        x = torch.cat(parts, 2)  # (64, B, …)
        return gru(self.decoder, x, len(x), state)

    def pitch_class_totals(self, previous: Tensor) -> Tensor:
        """How many bars each pitch class has sounded before each step, (B, 64, 12).

        ``previous`` (B, 64) are the tokens before each step. The first of them is not part of the four bars.
        """
        steps = torch.arange(previous.shape[1], device=previous.device)  # (64,)
        onset = (previous < self.config.classes - 2) & (steps > 0)  # (B, 64)
        rest = previous == self.config.classes - 2
        # The step of the last onset and of the last rest so far; −1 before the first.
        started, rested = (steps.where(found, -1).cummax(1).values for found in (onset, rest))  # (B, 64)
        sounding = started > rested
        last = previous.gather(1, started.clamp(min=0)).clamp(max=self.config.classes - 1)  # (B, 64)
        one_hot = functional.one_hot(self.chroma[last], PITCH_CLASSES) * sounding[..., None]  # (B, 64, 12)
        return one_hot.cumsum(1) / STEPS_PER_BAR

    def previous_tokens(self, classes: Tensor, first: Tensor | None = None) -> Tensor:
        """The token before each of classes (B, T), (B, T); before the first, ``first`` (B,) or none (V)."""
        if first is None:
            first = self.initial_state(len(classes))[0]
        return torch.cat([first[:, None], classes[:, :-1]], 1)

    def initial_state(self, count: int) -> tuple[Tensor, Tensor]:
        """The previous token (B,), none, and the state (B, H), zero, at the beginning of ``count`` pieces."""
        device = self.output.weight.device
        previous = torch.full((count,), self.config.classes, device=device)
        return previous, torch.zeros(count, self.config.decoder, device=device)

    def bar_conditions(self, given: Tensor) -> Tensor:
        """The condition of each of the four bars, (…, 4, condition), from latents and attributes (…, G)."""
        condition: Tensor = torch.tanh(self.condition(given)).unflatten(-1, (BARS, -1))
        return condition

    def _step_conditions(self, given: Tensor) -> Tensor:
        return (
            self.bar_conditions(given).repeat_interleave(STEPS_PER_BAR, 1).transpose(0, 1)
        )  # (64, B, condition)

    def _counts(self, classes: Tensor) -> Tensor:
        """How often each class occurs at each position of the bar, (B, P V), in classes (B, T)."""
        position = torch.arange(classes.shape[1], device=classes.device) % STEPS_PER_BAR  # (T,)
        pairs = position * self.config.classes + classes  # (B, T)
        counts = torch.zeros(len(classes), STEPS_PER_BAR * self.config.classes, device=classes.device)
        return counts.scatter_add_(1, pairs, torch.ones_like(pairs, dtype=counts.dtype))

    def _embed(self, classes: Tensor) -> Tensor:
        """Embeddings (T, B, embedding + 16) of classes (B, T) and of their positions in the bar."""
        position = torch.arange(classes.shape[1], device=classes.device) % STEPS_PER_BAR  # (T,)
        positions = self.places(position)[:, None].expand(-1, len(classes), -1)  # (T, B, 16)
        return torch.cat([self.tokens(classes.t()), positions], 2)


class _Dropout(nn.Dropout):
    """Dropout from uniform draws: on a CPU a third of the time of torch's Bernoulli draws."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand(x.shape, device=x.device) >= self.p
        return x * (kept.to(x.dtype) / (1 - self.p))


def _embedding(count: int, size: int) -> nn.Embedding:
    """``nn.Embedding`` with its usual weights.

    On the meta device, its own ``normal_`` spends a second on importing torch's decompositions.
    """
    weight = torch.empty(count, size)
    if not weight.is_meta:
        weight.normal_()
    return nn.Embedding(count, size, _weight=weight)


def _perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs))


def staff_heights(pitches: Sequence[int]) -> list[float]:
    """The staff height of each MIDI pitch in C, in octaves from B5, the same in major and minor."""
    return [pitch // 12 + DEGREES[pitch % 12] / 7 - 6.86 for pitch in pitches]
