"""CVAE-EmoReg-VA: valence and arousal as continuous coordinates, new melodies, of any length.

The paper's two cosine losses with continuous targets, on the first two of 2 + C latent dimensions; the others
hold what is not emotion, under a standard normal prior. The encoder does not see the label. The decoder is
autoregressive: each token is drawn knowing the tokens before it, its place in the bar, and the latent.

B examples, T steps, V classes, H units of the decoder, Z = 2 + C.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emomelody.gru import gru
from emomelody.melody import STEPS_PER_BAR, WINDOW_STEPS
from emomelody.model import LATENT

PLACES = 16  # units that the place in the bar becomes


@dataclass(frozen=True)
class VAConfig:
    """The sizes of a model."""

    classes: int  # V: the pitches in use, rest and hold
    steps: int = WINDOW_STEPS  # of a training window
    embedding: int = 64  # units of a token
    encoder: int = 192  # units of each of the two encoding GRUs
    decoder: int = 320  # units of the decoding GRU
    condition: int = 64  # units that the latent becomes
    content: int = 24  # C
    dropout: float = 0.3
    learned: int = 0  # number of training melodies


class EmoregVA(nn.Module):
    """A bidirectional GRU encoder and an autoregressive GRU decoder."""

    def __init__(self, config: VAConfig) -> None:
        super().__init__()
        self.config = config
        size, latent = config.embedding + PLACES, LATENT + config.content
        self.tokens = nn.Embedding(config.classes + 1, config.embedding)  # the last: nothing, or not told
        self.places = nn.Embedding(STEPS_PER_BAR, PLACES)
        self.forwards = nn.GRU(size, config.encoder)
        self.backwards = nn.GRU(size, config.encoder)
        self.mu = nn.Linear(4 * config.encoder, latent)
        self.log_variance = nn.Linear(4 * config.encoder, latent)
        self.condition = nn.Linear(latent, config.condition)
        self.decoder = nn.GRU(size + config.condition, config.decoder)
        self.output = nn.Linear(config.decoder + config.condition, config.classes)
        self.dropout = nn.Dropout(config.dropout)
        # The fingerprints of the training melodies (``novelty.fingerprints``), so that none is made again.
        self.learned: Tensor
        self.register_buffer("learned", torch.zeros(config.learned, dtype=torch.int64))

    def encode(self, classes: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x), each (B, Z), plane first; classes (B, T), labels not needed."""
        del labels
        x = self.dropout(self._embed(classes))  # (T, B, E)
        there = gru(self.forwards, x, len(x))  # (T, B, encoder)
        back = gru(self.backwards, x.flip(0), len(x))
        h = torch.cat([there[-1], back[-1], there.mean(0), back.mean(0)], 1)  # (B, 4 encoder)
        h = self.dropout(h)
        return self.mu(h).float(), self.log_variance(h).float().clamp(-8, 4)

    def decode(self, z: Tensor, classes: Tensor) -> Tensor:
        """Logits (B, T, V) of each token, for latents (B, Z) and the tokens ``before`` each, (B, T)."""
        condition = self._condition(z).expand(classes.shape[1], -1, -1)  # (T, B, condition)
        x = torch.cat([self.dropout(self._embed(classes)), condition], 2)
        states = self.dropout(gru(self.decoder, x, len(x)))  # (T, B, H)
        logits: Tensor = self.output(torch.cat([states, condition], 2)).float().transpose(0, 1)
        return logits

    def before(self, classes: Tensor) -> Tensor:
        """What the decoder is told at each step (B, T): the token before, at the beginning nothing."""
        nothing = classes.new_full((len(classes), 1), self.config.classes)
        return torch.cat([nothing, classes[:, :-1]], 1)

    def draw(
        self,
        z: Tensor,
        noise: Tensor,
        first: int,
        previous: Tensor,
        state: Tensor,
        *,
        temperature: float,
        top_p: float,
    ) -> tuple[Tensor, Tensor]:
        """Draw T tokens, from step ``first`` of a piece on; returns classes (B, T) and the state after them.

        Latents (B, T, Z), one for each step; Gumbel ``noise`` (B, T, V), the only randomness; the token
        before (B,) and the state (B, H), at a piece's beginning those of ``start``.
        """
        weights = dict(self.decoder.named_parameters())
        condition = self._condition(z)  # (B, T, condition)
        drawn = []
        for step in range(z.shape[1]):
            place = torch.full_like(previous, (first + step) % STEPS_PER_BAR)
            x = torch.cat([self.tokens(previous), self.places(place), condition[:, step]], 1)
            state = torch.gru_cell(
                x,
                state,
                weights["weight_ih_l0"],
                weights["weight_hh_l0"],
                weights["bias_ih_l0"],
                weights["bias_hh_l0"],
            )  # (B, H)
            logits = self.output(torch.cat([state, condition[:, step]], 1)).double() / temperature  # (B, V)
            logits = _without_empty_holds(logits, previous, self.config.classes)
            previous = (nucleus(logits, top_p) + noise[:, step]).argmax(1)  # (B,)
            drawn.append(previous)
        return torch.stack(drawn, 1), state

    def start(self, count: int) -> tuple[Tensor, Tensor]:
        """The token before (B,) and the state (B, H) at the beginning of ``count`` pieces."""
        device = self.output.weight.device
        previous = torch.full((count,), self.config.classes, device=device)
        return previous, torch.zeros(count, self.config.decoder, device=device)

    def _embed(self, classes: Tensor) -> Tensor:
        place = torch.arange(classes.shape[1], device=classes.device) % STEPS_PER_BAR  # (T,)
        places = self.places(place)[:, None].expand(-1, len(classes), -1)  # (T, B, PLACES)
        return torch.cat([self.tokens(classes.t()), places], 2)

    def _condition(self, z: Tensor) -> Tensor:
        return torch.tanh(self.condition(z))


def _without_empty_holds(logits: Tensor, previous: Tensor, classes: int) -> Tensor:
    """No hold at the beginning or after a rest, where there is nothing to hold; classes end in rest, hold."""
    rest, hold = classes - 2, classes - 1
    nothing = (previous == rest) | (previous == classes)  # (B,)
    logits[nothing, hold] = -torch.inf
    return logits


def nucleus(logits: Tensor, top_p: float) -> Tensor:
    """Of logits (…, V) only those of the likeliest tokens that together reach a probability of ``top_p``."""
    if top_p >= 1:
        return logits
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    beyond = ordered.cumsum(-1) - ordered >= top_p
    return logits.masked_fill(beyond.gather(-1, order.argsort(-1)), -torch.inf)
