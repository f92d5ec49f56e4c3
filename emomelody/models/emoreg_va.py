"""CVAE-EmoReg-VA: valence and arousal as continuous coordinates, autoregressive decoding of whole tunes.

The latent space has 2 + C dimensions. The first two are the emotion plane, trained by the paper's two cosine
losses with continuous targets. The other C hold the content (what is not emotion), under a standard normal
prior; they are withheld from the decoder half of the time, so that it composes without any as well.

The decoder is a GRU. Its inputs at each step are the previous token, the pitch that sounded last, the
position in the bar, how long each pitch class has sounded in the four bars so far, and what the *form*
(``music.form``) says of the bar: the token at this place of the bar that it repeats, the kind of the
repetition, and whether the bar agrees with it so far. A condition for each bar is computed from the latent of
its block of four bars, from attributes of the block (``emotions.attributes``), from style and meter, and from
the number of bars before and behind it. Two layers read the state: one for each token, and one for each
interval from the last pitch.

Shapes: B passages, T steps, M bars of P steps, K blocks of four bars, V classes of the vocabulary, H units of
the decoder, Z = 2 + C latent dimensions, D attributes, G = Z + 1 + D.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from emomelody.emotions.attributes import NAMES, OUTLINE
from emomelody.models.encoder import Encoder, embedding
from emomelody.models.gru import gru
from emomelody.models.passages import Passages
from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.weights.config import (
    BAR_SCALE,
    LATENT,
    PITCH_CLASSES,
    WIDEST,
    VAConfig,
    interval_columns,
)

# Deviation of the initial weights of what is added up in a condition, which tanh would otherwise saturate.
SMALL = 0.1


class EmoregVA(Encoder):
    """The encoder's perceptrons, and an autoregressive GRU as the decoder.

    Class V of the embeddings of tokens (one more than the vocabulary has) stands for "no token".
    """

    def __init__(self, config: VAConfig) -> None:
        super().__init__(config)
        # Modules are created in this order, and named so: seeds and weights files depend on both.
        shapes = config.shapes()
        self.condition = nn.Linear(LATENT + config.content + 1 + len(NAMES), BARS * config.condition)
        self.styles = embedding(shapes["styles.weight"], deviation=SMALL)
        self.meters = embedding(shapes["meters.weight"], deviation=SMALL)
        self.elapsed = embedding(shapes["elapsed.weight"], deviation=SMALL)
        self.remaining = embedding(shapes["remaining.weight"], deviation=SMALL)
        self.repeated = embedding(shapes["repeated.weight"])
        self.kinds = embedding(shapes["kinds.weight"])
        self.decoder = nn.GRU(shapes["decoder.weight_ih_l0"][1], config.decoder)
        features = config.decoder + config.condition
        self.output = nn.Linear(features, config.classes)
        self.intervals = nn.Linear(features, 2 * WIDEST + 1, bias=False)
        self.copy = nn.Parameter(torch.zeros(shapes["copy"]))
        self.dropout = _Dropout(config.dropout)
        # Fingerprints of the training melodies and their passages, sorted: sampling rejects copies.
        self.learned: Tensor
        self.register_buffer("learned", torch.zeros(config.learned, dtype=torch.int64))

    def given(self, latents: Tensor, attributes: Tensor, with_content: Tensor) -> Tensor:
        """What a block is decoded from, (B, K, G): latents (B, K, Z) and attributes (B, K, D).

        ``with_content`` (B,), 0 or 1, says whether the content is an input. If so, the attributes that it
        has as well are none.
        """
        flag = with_content[:, None, None].expand(-1, latents.shape[1], -1)  # (B, K, 1)
        plane, content = latents.split([LATENT, self.config.content], 2)
        known = torch.from_numpy(OUTLINE).to(flag) * flag  # (B, K, D)
        return torch.cat([plane, content * flag, flag, attributes * (1 - known)], 2)

    def decode(self, given: Tensor, passages: Passages, withheld: Tensor | None = None) -> Tensor:
        """Logits (B, T, V) of each token of passages, from what is ``given`` (B, K, G).

        ``withheld`` (B, T) says which previous tokens, and last pitches, are replaced by "none" in the GRU's
        inputs. Intervals, agreement and how long pitch classes have sounded are those of all tokens.
        """
        bar, classes = passages.meter.bar, passages.classes
        previous = passages.previous()  # (B, T)
        last = self.last_pitches(previous)  # (B, T)
        hidden = torch.zeros_like(previous, dtype=torch.bool) if withheld is None else withheld
        conditions = self.conditions(given, passages).repeat_interleave(bar, 1)  # (B, T, condition)
        kinds = passages.kinds.repeat_interleave(bar, 1)  # (B, T)
        agreed = passages.agreed(previous)  # (B, T)
        places = self._places(passages.meter, classes.shape[1]).expand(len(classes), -1, -1)  # (B, T, 16)
        read = [self.tokens(tokens.masked_fill(hidden, self.config.classes)) for tokens in (previous, last)]
        x = torch.cat(
            [
                self.dropout(torch.cat([*read, places], 2)),
                conditions,
                self.pitch_class_totals(previous, BARS * bar),
                self.repeated(passages.repeated),
                self.kinds(kinds),
                agreed[..., None].to(conditions.dtype),
            ],
            2,
        )  # (B, T, inputs)
        states = gru(self.decoder, x.transpose(0, 1).contiguous(), x.shape[1])  # (T, B, H)
        features = torch.cat([self.dropout(states.transpose(0, 1)), conditions], 2)  # (B, T, H + condition)
        by_interval = functional.pad(self.intervals(features).float(), (0, 1))  # (B, T, 2 WIDEST + 2)
        logits: Tensor = self.output(features).float()  # (B, T, V)
        logits = logits + by_interval.gather(2, self.columns[last])
        return logits + self.copy[kinds, agreed.long(), passages.repeated]

    def conditions(self, given: Tensor, passages: Passages) -> Tensor:
        """The condition of each bar, (B, M, condition), from what is given of each block, (B, K, G)."""
        of_blocks = self.condition(given).unflatten(-1, (BARS, -1)).flatten(1, 2)  # (B, M, condition)
        meter = self.meters.weight[list(Meter).index(passages.meter)]  # (condition,)
        of_passages = self.styles(passages.styles)[:, None] + meter  # (B, 1, condition)
        of_bars = self.elapsed(passages.elapsed) + self.remaining(passages.remaining)  # (B, M, condition)
        return torch.tanh(of_blocks + of_passages + of_bars)

    def last_pitches(self, previous: Tensor) -> Tensor:
        """The class of the last onset before each step, V for none, from previous tokens (B, T)."""
        steps = torch.arange(previous.shape[1], device=previous.device)  # (T,)
        started = steps.where(previous < self.config.classes - 2, -1).cummax(1).values  # (B, T)
        pitches = previous.gather(1, started.clamp(min=0))
        return pitches.masked_fill(started < 0, self.config.classes)

    def pitch_class_totals(self, previous: Tensor, block: int) -> Tensor:
        """How long each pitch class has sounded before each step, in ``BAR_SCALE`` steps, (B, T, 12).

        ``previous`` (B, T) are the tokens before each step; the totals begin anew with each ``block`` steps.
        """
        blocks = previous.unflatten(1, (-1, block)).flatten(0, 1)  # (B K, block)
        steps = torch.arange(block, device=previous.device)
        onset = (blocks < self.config.classes - 2) & (steps > 0)
        rest = blocks == self.config.classes - 2
        # The step of the last onset and of the last rest so far; −1 before the first.
        started, rested = (steps.where(found, -1).cummax(1).values for found in (onset, rest))
        last = blocks.gather(1, started.clamp(min=0)).clamp(max=self.config.classes - 1)
        chroma = functional.pad(self.pitches % PITCH_CLASSES, (0, 2))  # (V,)
        one_hot = functional.one_hot(chroma[last], PITCH_CLASSES) * (started > rested)[..., None]
        return (one_hot.cumsum(1) / BAR_SCALE).reshape(*previous.shape, PITCH_CLASSES)

    def set_pitches(self, pitches: Sequence[int]) -> None:
        """Tell the model the MIDI pitch of each class but the last two, rest and hold."""
        self.pitches[:] = torch.tensor(pitches)

    @property
    def columns(self) -> Tensor:
        """The column of the interval layer for each token after each last pitch, (V + 1, V)."""
        return torch.from_numpy(interval_columns(self.pitches.cpu().numpy())).to(self.pitches.device)


class _Dropout(nn.Dropout):
    """Dropout from uniform draws: on a CPU a third of the time of torch's Bernoulli draws."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand(x.shape, device=x.device) >= self.p
        return x * (kept.to(x.dtype) / (1 - self.p))
