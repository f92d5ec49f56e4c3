"""The terms of the paper's loss, one function each.

Shapes: B examples in the batch, T steps, V classes, 2 latent dimensions. Every function returns a scalar,
except for ``reconstruction``, which returns a value per example.

The scale of each term follows the paper's published code, since the text does not state it: reconstruction is
summed over the batch, divergence is averaged over it, and the emotion terms have weights (``LossWeights``).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

VALENCE, AROUSAL = 0, 1  # the plane's axes in the latent space: z(0) horizontal, z(1) vertical


@dataclass(frozen=True)
class LossWeights:
    """The weights of L_EmoA and L_EmoV in equation (8). Both are 0 for CVAE-Base."""

    arousal: float
    valence: float


def reconstruction(logits: Tensor, classes: Tensor) -> Tensor:
    """L_R of equation (1) per example, (B,), in nats: cross-entropy summed over the steps.

    From logits (B, T, V) and target classes (B, T).
    """
    return functional.cross_entropy(logits.transpose(1, 2), classes, reduction="none").sum(1)


def divergence(mu: Tensor, log_variance: Tensor) -> Tensor:
    """L_KLD of equation (1): KL(N(μ, σ²) ‖ N(0, I)), averaged over the batch, 0 for none; both (B, Z)."""
    per_example = -0.5 * (1 + log_variance - mu.square() - log_variance.exp()).sum(1)  # (B,)
    return per_example.mean() if len(per_example) else per_example.sum()


def arousal(target: Tensor, mu: Tensor) -> Tensor:
    """L_EmoA, equation (4): −cos(A, z(1)) over the batch, from targets (B,) and latent means (B, Z)."""
    return -functional.cosine_similarity(target, mu[:, AROUSAL], dim=0)


def valence(target: Tensor, mu: Tensor) -> Tensor:
    """L_EmoV, equation (6): −cos(V, z(0)) over the batch, from targets (B,) and latent means (B, Z)."""
    return -functional.cosine_similarity(target, mu[:, VALENCE], dim=0)
