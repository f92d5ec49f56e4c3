"""Sampling tokens from the decoders.

``Decoder`` is emoreg-va's autoregressive decoder, one GRU step per sixteenth; ``decode_paper_model`` is the
single pass of the paper's models. ``nucleus`` and ``choose`` turn logits and uniforms into tokens.

B melodies, T steps, V classes, H units of the decoder's GRU, Z = 2 + C latent dimensions. A *class* is the
number of a token in the model's vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from emomelody.models.checkpoint import Checkpoint
from emomelody.models.emoreg_va import POSITION_UNITS, EmoregVA
from emomelody.models.gru import GRUCell
from emomelody.music.melody import STEPS_PER_BAR, WINDOW_STEPS
from emomelody.music.plane import Floats
from emomelody.music.tokens import Tokens
from emomelody.sampling.request import DecodingConfig

LEAST_TEMPERATURE = 1e-3  # lower ones sample the same tokens, and would overflow the logits


class Decoder:
    """An ``EmoregVA`` ready to sample, with the inputs of every step precomputed."""

    def __init__(self, model: EmoregVA, *, temperature: float, top_p: float) -> None:
        self.model, self._top_p = model, top_p
        config, weights = model.config, dict(model.decoder.named_parameters())
        temperature = max(temperature, LEAST_TEMPERATURE)
        with torch.inference_mode():
            # The GRU's input is [previous token, position in the bar, condition], so its input matrix
            # (I, 3H) splits into three.
            sizes = [config.embedding, POSITION_UNITS, config.condition]
            of_token, of_position, self._of_condition = weights["weight_ih_l0"].t().split(sizes)
            # All biases but the recurrent one of gate n, which the reset gate multiplies.
            bias = weights["bias_hh_l0"].clone()
            bias[2 * config.decoder :] = 0
            by_position = model.places.weight @ of_position + bias + weights["bias_ih_l0"]  # (16, 3H)
            # What each previous token adds to the gates at each position of the bar, (16, V + 1, 3H).
            self._inputs = model.tokens.weight @ of_token + by_position[:, None]
            scaled = model.output.weight / temperature  # (V, H + condition)
            of_state, of_bar = scaled.split([config.decoder, config.condition], 1)
            self._of_state, self._of_bar = of_state.t().contiguous(), of_bar.t()
            self._bias = model.output.bias / temperature
            # Added to the logit of a hold, by the previous token, (V + 1,): −∞ at the beginning and after a
            # rest, where there is no note to hold.
            self._no_hold = torch.zeros(config.classes + 1, device=bias.device)
            self._no_hold[[config.classes, config.classes - 2]] = -torch.inf
            self.emotion_features = model.emotion_features()  # for encoding the candidates, see candidates.py

    def sample(
        self, z: Tensor, uniforms: Tensor, first: int, previous: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Sample T tokens from step ``first`` of a piece on.

        ``z`` (B, T, Z) are the latents of each step, ``uniforms`` (B, T) in [0, 1) the only randomness,
        ``previous`` (B,) and ``state`` (B, H) the token and the state before step ``first`` (``start`` of
        the model at a piece's beginning). Returns classes (B, T) and the state after them (B, H).
        """
        changes = [True, *(z[:, 1:] != z[:, :-1]).any(2).any(0).tolist()]  # (T,), does z change here?
        cell, sampled = GRUCell(self.model.decoder, state), []
        for step in range(z.shape[1]):
            bar, position = divmod((first + step) % WINDOW_STEPS, STEPS_PER_BAR)
            if changes[step] or position == 0:
                condition = self.model.bar_conditions(z[:, step])[:, bar]  # (B, condition)
                inputs = condition @ self._of_condition  # (B, 3H)
                offset = torch.addmm(self._bias, condition, self._of_bar)  # (B, V)
            cell.step(self._inputs[position], previous, inputs)
            logits = torch.addmm(offset, cell.state, self._of_state)  # (B, V)
            logits[:, -1].add_(self._no_hold.index_select(0, previous))  # the last class is the hold
            previous = choose(nucleus(logits, self._top_p), uniforms[:, step])  # (B,)
            sampled.append(previous)
        return torch.stack(sampled, 1), cell.state


def decode_paper_model(
    checkpoint: Checkpoint,
    latents: Floats,
    labels: Tokens,
    rngs: Sequence[np.random.Generator],
    decoding: DecodingConfig,
) -> Tokens:
    """Tokens (B, T) of base or emoreg, for latents (B, 2) and labels (B,): all steps in one pass.

    The likeliest token of each step without a temperature, else sampled.
    """
    model, vocabulary = checkpoint.model, checkpoint.vocabulary
    z = torch.from_numpy(latents).float().to(checkpoint.device)  # (B, 2)
    with torch.inference_mode():
        logits = model.decode(z, torch.from_numpy(labels).to(checkpoint.device))  # (B, T, V)
        if decoding.temperature is None:
            return vocabulary.decode(logits.argmax(2).cpu().numpy())
        uniforms = np.stack([rng.random(logits.shape[1], dtype=np.float32) for rng in rngs])  # (B, T)
        logits = nucleus(logits / max(decoding.temperature, LEAST_TEMPERATURE), decoding.top_p)
        classes = choose(logits, torch.from_numpy(uniforms).to(checkpoint.device))  # (B, T)
    return vocabulary.decode(classes.cpu().numpy())


def nucleus(logits: Tensor, top_p: float) -> Tensor:
    """Logits (…, V) with −∞ for all but the likeliest tokens that together reach probability ``top_p``.

    At least one token is kept. Nucleus sampling: Holtzman et al., ICLR 2020.
    """
    if top_p >= 1:
        return logits
    ordered, order = logits.softmax(-1).sort(-1, descending=True)  # (…, V)
    excluded = ordered.cumsum(-1) - ordered >= top_p
    excluded[..., 0] = False
    return logits.masked_fill(excluded.gather(-1, order.argsort(-1)), -torch.inf)


def choose(logits: Tensor, uniforms: Tensor) -> Tensor:
    """A sample from the softmax of logits (…, V) for each of ``uniforms`` (…) in [0, 1).

    Inverts the cumulative distribution, so that the same uniforms give the same classes (…).
    """
    cumulative = logits.softmax(-1).cumsum(-1)  # (…, V)
    threshold = uniforms[..., None] * cumulative[..., -1:]  # the last is 1 but for rounding
    return torch.searchsorted(cumulative, threshold, right=True).squeeze(-1)
