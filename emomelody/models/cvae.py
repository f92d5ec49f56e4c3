"""CVAE-Base and CVAE-EmoReg, the paper's models: one architecture, trained with different losses.

The layers are those of Grekow's published code. Weights are initialised as in Keras: with torch's smaller
initial weights ``emoreg`` collapses to four points, one per label, and leaves the latent space unused.

Shapes: B melodies, T = 64 steps, V classes of the vocabulary, H = 512 units. The latent space has two
dimensions, valence and arousal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from emomelody.models.gru import gru
from emomelody.weights.config import LABELS, LATENT, ModelConfig


class CVAE(nn.Module):
    """A GRU encoder and a GRU decoder, both conditioned on the label. The decoder is not autoregressive."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.label_sequence = nn.Linear(LABELS, config.steps * LABELS)
        self.encoder = nn.GRU(config.classes + LABELS, config.hidden)
        self.bottleneck = nn.Linear(config.hidden, config.bottleneck)
        self.mu = nn.Linear(config.bottleneck, LATENT)
        self.log_variance = nn.Linear(config.bottleneck, LATENT)
        self.decoder = nn.GRU(LATENT + LABELS, config.hidden)
        self.output = nn.Linear(config.hidden, config.classes)
        self.apply(_initialise)

    def encode(self, classes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z | x, label), each (B, 2), from classes (B, T) and labels (B,) 0–3."""
        steps, count = self.config.steps, self.config.classes
        label = _full(functional.one_hot(labels, LABELS))  # (B, 4)
        sequence = self.label_sequence(label).view(-1, steps, LABELS)  # (B, T, 4)
        melody = _full(functional.one_hot(classes, count))  # (B, T, V)
        x = torch.cat([melody, sequence], dim=2).transpose(0, 1)  # (T, B, V + 4)
        last = gru(self.encoder, x, steps)[-1]  # (B, H)
        features = functional.relu(self.bottleneck(last))  # (B, 100)
        return _full(self.mu(features)), _full(self.log_variance(features))

    def decode(self, z: Tensor, labels: Tensor) -> Tensor:
        """Logits (B, T, V) of every step, from latents (B, 2) and labels (B,) 0–3."""
        label = _full(functional.one_hot(labels, LABELS))  # (B, 4)
        x = torch.cat([z, label], dim=1)[None]  # (1, B, 6), the same at every step
        states = gru(self.decoder, x, self.config.steps)  # (T, B, H)
        return _full(self.output(states)).transpose(0, 1)  # (B, T, V)


def sample_posterior(mu: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """z = μ + σ ε, a reparametrised sample of the posterior; all (B, Z), with noise ε ~ N(0, I)."""
    return mu + (0.5 * log_variance).exp() * noise.to(mu.device)


def _full(x: Tensor) -> Tensor:
    """``x`` in torch's default type: one-hot vectors are integers, and autocast returns bfloat16."""
    return x.to(torch.get_default_dtype())


def _initialise(module: nn.Module) -> None:
    """Keras' initial weights: Glorot-uniform matrices, orthogonal recurrent matrices, zero biases."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.GRU):
        weights = dict(module.named_parameters())
        nn.init.orthogonal_(weights["weight_hh_l0"])
        nn.init.xavier_uniform_(weights["weight_ih_l0"])
        nn.init.zeros_(weights["bias_ih_l0"])
        nn.init.zeros_(weights["bias_hh_l0"])
