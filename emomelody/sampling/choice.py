"""From logits and uniforms to tokens.

V classes; a *class* is the number of a token in the model's vocabulary. Everything is float32.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from emomelody.music.tokens import Tokens
from emomelody.sampling.gru import Floats32

LEAST_TEMPERATURE = 1e-3  # lower ones sample the same tokens, and would overflow the logits


def nucleus(logits: Floats32, top_p: float) -> Floats32:
    """Logits (…, V) with −∞ for all but the likeliest tokens that together reach probability ``top_p``.

    At least one token is kept. Nucleus sampling: Holtzman et al., ICLR 2020.
    """
    if top_p >= 1:
        return logits
    order = np.argsort(-logits, -1, kind="stable")  # (…, V), the likeliest first
    ordered = np.take_along_axis(_exponentials(logits), order, -1)
    ordered /= ordered.sum(-1, keepdims=True)
    excluded = ordered.cumsum(-1) - ordered >= top_p
    excluded[..., 0] = False
    kept = np.empty_like(excluded)
    np.put_along_axis(kept, order, ~excluded, -1)
    return np.where(kept, logits, np.float32(-np.inf))


def choose(logits: Floats32, uniforms: Floats32) -> Tokens:
    """A sample from the softmax of logits (…, V) for each of ``uniforms`` (…) in [0, 1).

    Inverts the cumulative distribution, so that the same uniforms give the same classes (…).
    """
    exponentials = _exponentials(logits)  # (…, V), in proportion to the probabilities
    cumulative = exponentials @ _upper_triangle(logits.shape[-1])  # faster than numpy's cumsum
    threshold = uniforms[..., None] * cumulative[..., -1:]  # (…, 1)
    chosen: Tokens = (cumulative <= threshold).sum(-1)
    return chosen


@lru_cache(maxsize=8)
def _upper_triangle(size: int) -> Floats32:
    """Ones on and above the diagonal: rows times this matrix are their cumulative sums."""
    return np.triu(np.ones((size, size), np.float32))


def _exponentials(logits: Floats32) -> Floats32:
    """The numerators of the softmax."""
    exponentials: Floats32 = logits - logits.max(-1, keepdims=True)
    np.exp(exponentials, out=exponentials)
    return exponentials
