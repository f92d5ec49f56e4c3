"""CVAE-EmoReg-VA: valence and arousal as continuous coordinates, new melodies, of any length.

The paper's two cosine losses with continuous targets, on the first two of 2 + C latent dimensions; the others
hold what is not emotion, under a standard normal prior. The encoder does not see the label: emotion it hears
in the steps of a melody, whatever their order; content in the *outline* alone, where the melody goes on the
staff from half bar to half bar and where its notes are dense, which is much the same in major and minor and
at any density. The decoder is autoregressive: each token is drawn knowing the tokens before it, its place in
the bar, and what the latent says of the bar.

B examples, T steps, V classes, H units of the decoder, Z = 2 + C.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from emomelody.models.cvae import LATENT
from emomelody.models.gru import gru
from emomelody.music.melody import BARS, STEPS_PER_BAR, WINDOW_STEPS

PLACES = 16  # units that the place in the bar becomes
HALF_BAR = STEPS_PER_BAR // 2
HALVES = WINDOW_STEPS // HALF_BAR
LEAST_RANGE = 0.05  # octaves of deviation, added: almost level heights have almost no shape
# The place on the staff of each pitch class in C, major or minor alike.
DEGREES = (0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)


@dataclass(frozen=True)
class VAConfig:
    """The sizes of a model."""

    classes: int  # V: the pitches in use, rest and hold
    embedding: int = 64  # units of a token
    encoder: int = 128  # units of each encoding layer
    decoder: int = 320  # units of the decoding GRU
    condition: int = 64  # units that the latent becomes in each bar
    content: int = 16  # C
    dropout: float = 0.5
    learned: int = 0  # number of training melodies


class EmoregVA(nn.Module):
    """An encoder of two perceptrons and an autoregressive GRU decoder."""

    def __init__(self, config: VAConfig) -> None:
        super().__init__()
        self.config = config
        size = config.embedding + PLACES
        self.tokens = _embedding(config.classes + 1, config.embedding)  # the last: nothing, or not told
        self.places = _embedding(STEPS_PER_BAR, PLACES)
        self.step = nn.Sequential(nn.Linear(size, config.encoder), nn.GELU())
        self.emotion = _perceptron(2 * config.encoder, config.encoder, 2 * LATENT)
        self.content = _perceptron(2 * HALVES + 1, config.encoder, 2 * config.content)
        self.condition = nn.Linear(LATENT + config.content, BARS * config.condition)
        self.decoder = nn.GRU(size + config.condition, config.decoder)
        self.output = nn.Linear(config.decoder + config.condition, config.classes)
        self.dropout = _Dropout(config.dropout)
        # The height of each class on the staff, in octaves: what the outline is made of.
        self.heights: Tensor
        self.register_buffer("heights", torch.zeros(config.classes))
        # The fingerprints of the training melodies (``novelty.fingerprints``), so that none is made again.
        self.learned: Tensor
        self.register_buffer("learned", torch.zeros(config.learned, dtype=torch.int64))

    def encode(self, classes: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x), each (B, Z), plane first; classes (B, T), labels not needed."""
        del labels
        mu, log_variance = self.place(classes, self.said())  # (B, 2)
        content = self.content(self.outline(classes)).float()
        content_mu, content_log_variance = content.chunk(2, 1)  # (B, C)
        log_variances = torch.cat([log_variance, content_log_variance], 1).clamp(-8, 4)
        return torch.cat([mu, content_mu], 1), log_variances

    def place(self, classes: Tensor, said: Tensor) -> tuple[Tensor, Tensor]:
        """The part of ``encode`` that is the plane's, each (B, 2), by what ``said`` says of each pair."""
        counts = self._counts(classes)  # (B, 16 V)
        onsets = counts.unflatten(1, (STEPS_PER_BAR, -1))[..., :-2]  # (B, 16, V − 2)
        of_onsets = onsets.flatten(1) @ said.unflatten(0, (STEPS_PER_BAR, -1))[:, :-2].flatten(0, 1)
        of_onsets = of_onsets / onsets.sum((1, 2)).clamp(min=1)[:, None]  # (B, encoder)
        emotion = self.emotion(torch.cat([counts @ said / classes.shape[1], of_onsets], 1)).float()
        mu, log_variance = emotion.chunk(2, 1)
        return mu, log_variance

    def said(self) -> Tensor:
        """What each class at each place of the bar says of emotion, (16 V, encoder)."""
        every = torch.arange(self.config.classes, device=self.output.weight.device)
        said: Tensor = self.step(self._embed(every[:, None].expand(-1, STEPS_PER_BAR)).flatten(0, 1))
        return said

    def outline(self, classes: Tensor) -> Tensor:
        """What the content is heard in, (B, 17), of classes (B, T); a shorter melody holds its last note.

        The mean height on the staff; that of each half bar (of the note that sounds, or sounded last) above
        it, in deviations, so that their range is left to the emotion; and how many of the notes begin in each
        half bar, beside an eighth of them.
        """
        missing = WINDOW_STEPS - classes.shape[1]
        classes = functional.pad(classes, (0, missing), value=self.config.classes - 1)
        onset = classes < self.config.classes - 2  # (B, 64)
        steps = torch.arange(classes.shape[1], device=classes.device)
        last = steps.where(onset, onset.int().argmax(1, keepdim=True)).cummax(1).values  # (B, 64)
        heights = self.heights[classes.gather(1, last)].unflatten(1, (HALVES, HALF_BAR)).mean(2)  # (B, 8)
        mean = heights.mean(1, keepdim=True)  # (B, 1)
        shape = (heights - mean) / (heights.std(1, keepdim=True) + LEAST_RANGE)
        counts = onset.unflatten(1, (HALVES, HALF_BAR)).sum(2).float()  # (B, 8)
        shares = counts * HALVES / counts.sum(1, keepdim=True).clamp(min=1) - 1
        return torch.cat([mean, shape, shares], 1)

    def decode(self, z: Tensor, before: Tensor, start: Tensor | None = None) -> Tensor:
        """Logits (B, 64, V) of each token, for latents (B, Z) and the tokens ``before`` each, (B, 64).

        ``start`` (B, H) is the state at the beginning: what ``states`` ended in for the four bars before.
        """
        states = self.dropout(self.states(z, before, start))  # (64, B, H)
        logits: Tensor = self.output(torch.cat([states, self._by_step(z)], 2)).float().transpose(0, 1)
        return logits

    def states(self, z: Tensor, before: Tensor, start: Tensor | None = None) -> Tensor:
        """The decoder's states (64, B, H), arguments as ``decode`` has them."""
        x = torch.cat([self.dropout(self._embed(before)), self._by_step(z)], 2)
        return gru(self.decoder, x, len(x), start)

    def before(self, classes: Tensor, last: Tensor | None = None) -> Tensor:
        """What the decoder is told at each step (B, T): the token before; at the beginning ``last`` (B,), or
        nothing."""
        first = self.start(len(classes))[0] if last is None else last
        return torch.cat([first[:, None], classes[:, :-1]], 1)

    def start(self, count: int) -> tuple[Tensor, Tensor]:
        """The token before (B,) and the state (B, H) at the beginning of ``count`` pieces."""
        device = self.output.weight.device
        previous = torch.full((count,), self.config.classes, device=device)
        return previous, torch.zeros(count, self.config.decoder, device=device)

    def _counts(self, classes: Tensor) -> Tensor:
        """How often each class stands at each place of the bar, (B, 16 V), of classes (B, T)."""
        place = torch.arange(classes.shape[1], device=classes.device) % STEPS_PER_BAR  # (T,)
        pairs = place * self.config.classes + classes  # (B, T)
        counts = torch.zeros(len(classes), STEPS_PER_BAR * self.config.classes, device=classes.device)
        return counts.scatter_add_(1, pairs, torch.ones_like(pairs, dtype=counts.dtype))

    def _embed(self, classes: Tensor) -> Tensor:
        place = torch.arange(classes.shape[1], device=classes.device) % STEPS_PER_BAR  # (T,)
        places = self.places(place)[:, None].expand(-1, len(classes), -1)  # (T, B, PLACES)
        return torch.cat([self.tokens(classes.t()), places], 2)

    def by_bar(self, z: Tensor) -> Tensor:
        """What a latent (…, Z) says of each of the four bars, (…, BARS, condition)."""
        condition: Tensor = torch.tanh(self.condition(z)).unflatten(-1, (BARS, -1))
        return condition

    def _by_step(self, z: Tensor) -> Tensor:
        return self.by_bar(z).repeat_interleave(STEPS_PER_BAR, 1).transpose(0, 1)  # (64, B, condition)


class _Dropout(nn.Dropout):
    """The same by uniform draws, which on a CPU take a third of the time of torch's Bernoulli's."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand(x.shape, device=x.device) >= self.p
        return x * (kept.to(x.dtype) / (1 - self.p))


def _embedding(count: int, size: int) -> nn.Embedding:
    """As ``nn.Embedding`` makes it, without what ``normal_`` imports for a second on the meta device."""
    weight = torch.empty(count, size)
    if not weight.is_meta:
        weight.normal_()
    return nn.Embedding(count, size, _weight=weight)


def _perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs))


def staff_heights(pitches: Sequence[int]) -> list[float]:
    """The height on the staff of each pitch in C, major or minor alike, in octaves from B5."""
    return [pitch // 12 + DEGREES[pitch % 12] / 7 - 6.86 for pitch in pitches]
