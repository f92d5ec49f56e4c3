"""emoreg-va with a few units, and its decoder once more in plain loops."""

from __future__ import annotations

import numpy as np
import torch

from emomelody.emotions.attributes import NAMES
from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import Plane, Region
from emomelody.emotions.plans import Plans
from emomelody.models.build import to_arrays
from emomelody.models.emoreg_va import EmoregVA
from emomelody.models.passages import Passages
from emomelody.music.form import Form
from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import Vocabulary
from emomelody.weights.checkpoint import VA, Checkpoint
from emomelody.weights.config import ELAPSED, REMAINING, VAConfig, first_place

PITCHES = (48, 60, 62, 70, 71, 72)
REST, HOLD, NONE = 6, 7, 8  # classes: the last two, and "no token"
CONFIG = VAConfig(
    classes=8, embedding=5, encoder=6, decoder=10, condition=4, content=3, repeated=3, learned=2
)
CLOSING = (0.9, 0.8, 0.7, 0.6)
GIVEN = 2 + 3 + 1 + len(NAMES)  # numbers that a block is decoded from


def tiny_model(seed: int) -> EmoregVA:
    """A model in which every tensor has random values, in evaluation mode."""
    torch.manual_seed(seed)
    model = EmoregVA(CONFIG).eval()
    model.set_pitches(PITCHES)
    with torch.no_grad():
        model.copy.normal_()
    return model


def tiny_checkpoint(seed: int = 0) -> Checkpoint:
    """An untrained model of folk in 4/4 and 6/8 and of the user's own music in 3/4."""
    rng = np.random.default_rng(seed)
    regions = tuple(
        Region(np.ones(1), np.array([[e.valence / 2, e.arousal / 2]]), 0.01 * np.eye(2)[None])
        for e in Emotion
    )
    plane = Plane((1.5, 0.5), regions)
    plans = tiny_plans(rng)
    model = tiny_model(seed)
    model.learned[:] = torch.tensor([1, 2])
    styles = tuple(
        StyleDistribution(style, meter, plane, plans, CLOSING)
        for style, meter in (
            (Style.FOLK, Meter.FOUR_FOUR),
            (Style.OWN, Meter.THREE_FOUR),
            (Style.FOLK, Meter.SIX_EIGHT),
        )
    )
    return Checkpoint(VA, CONFIG, to_arrays(model), Vocabulary(PITCHES), plane, {}, styles)


def tiny_plans(rng: np.random.Generator) -> Plans:
    """Of twenty tunes of sixteen bars, five of each emotion.

    From the fifth bar on, most bars repeat that four or two bars before.
    """
    number = np.arange(16)
    lags = np.where(number % 4 == 3, 2, np.where(number >= 4, 4, 0))
    states = Form(lags, np.where(lags > 0, 1 + number % 3, 0)).states.reshape(4, BARS)
    signs = np.array([(e.valence, e.arousal) for e in Emotion])[np.arange(80) // 20]  # (80, 2)
    window = np.arange(80) % 4
    return Plans.of(
        signs * rng.uniform(0.1, 0.9, (80, 2)),
        rng.normal(size=(80, len(NAMES))),
        np.tile(states, (20, 1)),
        window == 0,
        window == 3,
    )


def random_passages(meter: Meter, count: int, windows: int, seed: int = 0) -> Passages:
    """Passages of random tokens and forms, in which bars agree with the repeated ones for a while."""
    rng = np.random.default_rng(seed)
    bars = BARS * windows
    classes = rng.integers(0, NONE, (count, bars, meter.bar))
    repeated = rng.integers(0, NONE, (count, bars, meter.bar))
    common = np.arange(meter.bar) < rng.integers(0, meter.bar + 1, (count, bars, 1))
    repeated = np.where(common, classes, repeated)
    kinds = rng.integers(0, 4, (count, bars))
    repeated[kinds == 0] = NONE
    arrays = (
        classes.reshape(count, -1),
        rng.integers(0, NONE + 1, count),
        repeated.reshape(count, -1),
        kinds,
        rng.integers(0, len(Style), count),
        rng.integers(0, ELAPSED + 1, (count, bars)),
        rng.integers(0, REMAINING + 2, (count, bars)),
    )
    return Passages(meter, *map(torch.from_numpy, arrays))


def logits_by_hand(model: EmoregVA, given: torch.Tensor, passages: Passages) -> torch.Tensor:
    """Logits (B, T, V) of passages from what is given of each step (B, T, G), one step at a time."""
    with torch.inference_mode():
        return torch.stack([_logits_of_one(model, given, passages, row) for row in range(len(given))])


def _logits_of_one(model: EmoregVA, given: torch.Tensor, passages: Passages, row: int) -> torch.Tensor:
    bar, state, rows = passages.meter.bar, torch.zeros(1, 1, model.config.decoder), []
    agreed = True
    classes, repeated = passages.classes[row].tolist(), passages.repeated[row].tolist()
    none = model.config.classes
    rest = none - 2
    pitches = model.pitches.tolist()
    previous = int(passages.first[row])
    last = previous if previous < rest else none
    for step, token in enumerate(classes):
        number, position = divmod(step, bar)
        if step % (BARS * bar) == 0:
            totals, sounding = torch.zeros(12), None
        agreed = position == 0 or (agreed and previous == repeated[step - 1])
        part = slice(number % BARS * model.config.condition, (number % BARS + 1) * model.config.condition)
        condition = torch.tanh(
            model.condition(given[row, step])[part]
            + model.styles.weight[passages.styles[row]]
            + model.meters.weight[list(Meter).index(passages.meter)]
            + model.elapsed.weight[passages.elapsed[row, number]]
            + model.remaining.weight[passages.remaining[row, number]]
        )
        kind = int(passages.kinds[row, number])
        inputs = [
            model.tokens.weight[previous],
            model.tokens.weight[last],
            model.places.weight[first_place(passages.meter) + position],
            condition,
            totals / 16,
            model.repeated.weight[repeated[step]],
            model.kinds.weight[kind],
            torch.tensor([float(agreed)]),
        ]
        _, state = model.decoder(torch.cat(inputs)[None, None], state)
        features = torch.cat([state[0, 0], condition])
        logits = model.output(features) + model.copy[kind, int(agreed), repeated[step]]
        if last < rest:
            for other, pitch in enumerate(pitches):
                interval = max(-16, min(16, pitch - pitches[last]))
                logits[other] += model.intervals.weight[interval + 16] @ features
        rows.append(logits)
        previous = token
        if token < rest:
            last, sounding = token, pitches[token] % 12
        elif token == rest:
            sounding = None
        if sounding is not None:
            totals[sounding] += 1
    return torch.stack(rows)
