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

import torch
from torch import Tensor

from emomelody.models.emoreg_va import POSITION_UNITS, EmoregVA
from emomelody.models.gru import GRUCell
from emomelody.music.melody import STEPS_PER_BAR, WINDOW_STEPS


class Decoder:
    """A model ready to draw melodies: what every step needs, made once."""

    def __init__(self, model: EmoregVA, *, temperature: float, top_p: float) -> None:
        self.model, self._top_p = model, top_p
        config, weights = model.config, dict(model.decoder.named_parameters())
        sizes = [config.embedding, POSITION_UNITS, config.condition]
        with torch.inference_mode():
            of_token, of_place, self._of_condition = weights["weight_ih_l0"].t().split(sizes)
            # What the gates are told by each token before at each place of the bar, with their biases but
            # the recurrent one of n, (16, V + 1, 3H).
            bias = weights["bias_hh_l0"].clone()
            bias[2 * config.decoder :] = 0
            by_place = model.places.weight @ of_place + bias + weights["bias_ih_l0"]  # (16, 3H)
            self._told = model.tokens.weight @ of_token + by_place[:, None]
            scaled = model.output.weight / temperature
            of_state, of_bar = scaled.split([config.decoder, config.condition], 1)
            self._of_state, self._of_bar = of_state.t().contiguous(), of_bar.t()
            self._bias = model.output.bias / temperature
            # −∞ after nothing and after a rest, where there is nothing to hold, else 0, (V + 1,).
            self._no_hold = torch.zeros(config.classes + 1, device=bias.device)
            self._no_hold[[config.classes, config.classes - 2]] = -torch.inf
            self.emotion_features = model.emotion_features()

    def draw(
        self, z: Tensor, uniforms: Tensor, first: int, previous: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Draw T tokens, from step ``first`` of a piece on; returns classes (B, T) and the state after them.

        Latents (B, T, Z), one for each step; ``uniforms`` (B, T) in [0, 1), the only randomness; the token
        before (B,) and the state (B, H), at a piece's beginning those of ``start``.
        """
        moving = [True, *(z[:, 1:] != z[:, :-1]).any(2).any(0).tolist()]
        steps, drawn = GRUCell(self.model.decoder, state), []
        for step in range(z.shape[1]):
            bar, place = divmod((first + step) % WINDOW_STEPS, STEPS_PER_BAR)
            if moving[step] or place == 0:
                condition = self.model.bar_conditions(z[:, step])[:, bar]  # (B, condition)
                inputs = condition @ self._of_condition  # (B, 3H)
                offset = torch.addmm(self._bias, condition, self._of_bar)  # (B, V)
            steps.step(self._told[place], previous, inputs)
            logits = torch.addmm(offset, steps.state, self._of_state)  # (B, V)
            logits[:, -1].add_(self._no_hold.index_select(0, previous))
            previous = choose(nucleus(logits, self._top_p), uniforms[:, step])
            drawn.append(previous)
        return torch.stack(drawn, 1), steps.state


def nucleus(logits: Tensor, top_p: float) -> Tensor:
    """Of logits (…, V) only those of the likeliest tokens that together reach a probability of ``top_p``."""
    if top_p >= 1:
        return logits
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    beyond = ordered.cumsum(-1) - ordered >= top_p
    beyond[..., 0] = False
    return logits.masked_fill(beyond.gather(-1, order.argsort(-1)), -torch.inf)


def choose(logits: Tensor, uniforms: Tensor) -> Tensor:
    """A draw from the softmax of logits (…, V) for each of ``uniforms`` (…) in [0, 1), by its distribution
    function."""
    reached = logits.softmax(-1).cumsum(-1)  # (…, V)
    wanted = uniforms[..., None] * reached[..., -1:]
    return torch.searchsorted(reached, wanted, right=True).squeeze(-1)
