"""The terms of the paper's loss, one function each.

Conventions: B examples in the batch, T steps, V classes, 2 latent dimensions; results are scalars but for the
reconstruction, which is each example's.
The scale of each term is that of the paper's published code, which its text leaves out: reconstruction is
summed over the batch, the divergence averaged over it, the emotion terms weighted (``LossWeights``).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

VALENCE, AROUSAL = 0, 1  # the plane's axes in the latent space: z(0) horizontal, z(1) vertical


@dataclass(frozen=True)
class LossWeights:
    """Weights of L_EmoA and L_EmoV in equation (8); both 0 is CVAE-Base."""

    arousal: float
    valence: float


def reconstruction(logits: Tensor, classes: Tensor) -> Tensor:
    """L_R of equation (1) of each example, (B,): cross-entropy summed over the steps; (B, T, V) against
    (B, T). The loss has its sum over the batch.
    """
    return functional.cross_entropy(logits.transpose(1, 2), classes, reduction="none").sum(1)


def divergence(mu: Tensor, log_variance: Tensor) -> Tensor:
    """L_KLD of equation (1): KL(N(μ, σ²) ‖ N(0, I)), averaged over the batch; both (B, 2)."""
    per_example = -0.5 * (1 + log_variance - mu.square() - log_variance.exp()).sum(1)  # (B,)
    return per_example.mean()


def arousal(target: Tensor, mu: Tensor) -> Tensor:
    """L_EmoA, equation (4): −cos(A, z(1)), both over the batch; (B,) of ±1 and the means (B, 2)."""
    return -functional.cosine_similarity(target, mu[:, AROUSAL], dim=0)


def valence(target: Tensor, mu: Tensor) -> Tensor:
    """L_EmoV, equation (6): −cos(V, z(0)), both over the batch; (B,) of ±1 and the means (B, 2)."""
    return -functional.cosine_similarity(target, mu[:, VALENCE], dim=0)
