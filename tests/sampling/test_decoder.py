"""The decoders in numpy against the models in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import GIVEN, HOLD, NONE, REST, logits_by_hand, tiny_model

from emomelody.emotions.attributes import NAMES
from emomelody.emotions.emotion import Emotion
from emomelody.models.build import to_arrays, to_model
from emomelody.models.emoreg_va import EmoregVA
from emomelody.models.passages import Passages
from emomelody.music.draft import NO_HOLD, OPEN
from emomelody.music.form import Form, Repetition
from emomelody.music.meter import Meter
from emomelody.sampling import decoder as module
from emomelody.sampling.decoder import Decoder, Melodies, PaperDecoder
from emomelody.sampling.gru import Floats32
from emomelody.weights.checkpoint import VA, bundled_weights, load_checkpoint
from emomelody.weights.config import ELAPSED, REMAINING

STYLE = 1
TEMPERATURE = 0.8


def numpy_decoder(model: EmoregVA, meter: Meter, temperature: float = TEMPERATURE) -> Decoder:
    return Decoder(model.config, to_arrays(model), STYLE, meter, temperature=temperature, top_p=1.0)


def random_form(count: int, bars: int) -> Form:
    """Every bar repeats one of those before it, at any lag, or none."""
    rng = np.random.default_rng(3)
    lags = rng.integers(0, np.arange(bars) + 1, (count, bars))
    return Form(lags, np.where(lags > 0, rng.integers(1, 4, lags.shape), 0))


def inputs(meter: Meter, bars: int, count: int, size: int = GIVEN) -> tuple[Floats32, Floats32]:
    """What blocks of four bars are decoded from, step by step (B, T, G), and uniforms (B, T)."""
    rng = np.random.default_rng(0)
    blocks = rng.standard_normal((count, -(-bars // 4), size), dtype=np.float32)
    steps = bars * meter.bar
    return blocks.repeat(4 * meter.bar, 1)[:, :steps], rng.random((count, steps), dtype=np.float32)


def sampled(decoder: Decoder, given: Floats32, uniforms: Floats32, form: Form) -> Melodies:
    """Melodies (B) that are sampled block by block."""
    size, bars = 4 * decoder.meter.bar, given.shape[1] // decoder.meter.bar
    melodies = decoder.start(len(given))
    for first in range(0, given.shape[1], size):
        block = slice(first, first + size)
        melodies = decoder.sample(melodies, given[:, block], uniforms[:, block], form, bars)
    return melodies


def passages_of(classes: np.ndarray, form: Form, meter: Meter, none: int) -> Passages:
    """The melodies as passages, by the definition of each field."""
    count, bars = form.lags.shape
    by_bar = classes.reshape(count, bars, meter.bar)
    repeated = np.full_like(by_bar, none)
    for row in range(count):
        for bar, lag in enumerate(form.lags[row].tolist()):
            if lag:
                repeated[row, bar] = by_bar[row, bar - lag]
    number = np.arange(bars)
    arrays = (
        classes,
        np.full(count, none),
        repeated.reshape(count, -1),
        form.kinds,
        np.full(count, STYLE),
        np.tile(np.minimum(number, ELAPSED), (count, 1)),
        np.tile(np.minimum(bars - number, REMAINING + 1), (count, 1)),
    )
    return Passages(meter, *map(torch.from_numpy, arrays))


def forbid_holds(logits: torch.Tensor, classes: np.ndarray, rest: int) -> torch.Tensor:
    """Logits (B, T, V) without a hold at the beginning and after a rest."""
    logits[:, 0, -1] = -torch.inf
    logits[:, 1:, -1][torch.from_numpy(classes[:, :-1] == rest)] = -torch.inf
    return logits


def check_choices(logits: torch.Tensor, uniforms: Floats32, classes: np.ndarray, tolerance: float) -> None:
    """Check that each class is the one that the uniform chooses, but for ties within the tolerance."""
    probabilities, chosen = logits.double().softmax(2), torch.from_numpy(classes)[..., None]
    cumulative = probabilities.cumsum(2).gather(2, chosen)[..., 0].numpy()
    probability = probabilities.gather(2, chosen)[..., 0].numpy()
    assert (probability > 0).all()
    assert (uniforms < cumulative + tolerance).all()
    assert (uniforms >= cumulative - probability - tolerance).all()


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Floats32]:
    """The logits (B, V) of every step that is sampled."""
    logits: list[Floats32] = []
    monkeypatch.setattr(module, "nucleus", lambda some, _: logits.append(some.copy()) or some)
    return logits


@pytest.mark.parametrize("meter", Meter)
def test_logits_and_choices_are_those_of_plain_loops(meter: Meter, recorded: list[Floats32]) -> None:
    """Of 22 bars: more than are counted before and after a bar, and the last block is shorter than four."""
    model, form = tiny_model(0), random_form(2, 22)
    given, uniforms = inputs(meter, 22, 2)
    given[:, 5:] += 0.1  # another latent within a bar, as along a path
    melodies = sampled(numpy_decoder(model, meter), given, uniforms, form)
    expected = logits_by_hand(
        model, torch.from_numpy(given), passages_of(melodies.classes, form, meter, NONE)
    )
    expected = forbid_holds(expected / TEMPERATURE, melodies.classes, REST)
    torch.testing.assert_close(torch.from_numpy(np.stack(recorded, 1)), expected, atol=1e-4, rtol=1e-4)
    check_choices(expected, uniforms, melodies.classes, 1e-5)


def test_kept_steps_are_given_and_their_likelihood_is_that_of_plain_loops(recorded: list[Floats32]) -> None:
    model, meter, form = tiny_model(0), Meter.SIX_EIGHT, random_form(2, 4)
    given, uniforms = inputs(meter, 4, 2)
    free = sampled(numpy_decoder(model, meter), given, uniforms, form)
    assert (free.fit == 0).all()
    recorded.clear()
    kept = np.full((2, 48), OPEN)
    kept[:, 12:24] = 2
    kept[1, 30] = NO_HOLD
    decoder = numpy_decoder(model, meter)
    melodies = decoder.sample(decoder.start(2), given, uniforms, form, 4, kept)
    assert (melodies.classes[:, 12:24] == 2).all()
    assert (melodies.classes[:, :12] == free.classes[:, :12]).all()
    assert melodies.classes[1, 30] != HOLD
    logits = torch.from_numpy(np.stack(recorded, 1)).double()  # (B, T, V)
    expected = logits.log_softmax(2)[:, 12:24, 2].sum(1)
    assert melodies.fit == pytest.approx(expected.numpy(), abs=1e-4)


def test_bundled_weights_decode_as_in_torch(recorded: list[Floats32]) -> None:
    checkpoint = load_checkpoint(bundled_weights()[VA])
    model, meter = to_model(checkpoint), checkpoint.styles[-1].meter
    assert isinstance(model, EmoregVA)
    form, (given, uniforms) = (
        random_form(16, 8),
        inputs(meter, 8, 16, 2 + model.config.content + 1 + len(NAMES)),
    )
    melodies = sampled(numpy_decoder(model, meter, 1.0), given, uniforms, form)
    passages = passages_of(melodies.classes, form, meter, model.config.classes)
    with torch.inference_mode():
        expected = model.decode(torch.from_numpy(given[:, :: 4 * meter.bar]), passages)
    expected = forbid_holds(expected.clone(), melodies.classes, model.config.classes - 2)
    torch.testing.assert_close(torch.from_numpy(np.stack(recorded, 1)), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["base", "emoreg"])
def test_the_papers_models_decode_as_in_torch(name: str) -> None:
    checkpoint = load_checkpoint(bundled_weights()[name])
    rng = np.random.default_rng(0)
    z, labels = rng.normal(0, 2, (20, 2)).astype(np.float32), rng.integers(0, 4, 20)
    logits = PaperDecoder(checkpoint.tensors).logits(z, labels)  # (B, T, V)
    with torch.inference_mode():
        expected = to_model(checkpoint).decode(torch.from_numpy(z), torch.from_numpy(labels))
    torch.testing.assert_close(torch.from_numpy(logits), expected, atol=1e-4, rtol=0)
    assert (logits.argmax(2) == expected.argmax(2).numpy()).mean() > 0.999
    assert set(labels) == {emotion.index for emotion in Emotion}


def test_bars_are_repeated_where_the_copy_table_says_so() -> None:
    model, meter = tiny_model(1), Meter.SIX_EIGHT
    with torch.no_grad():
        model.copy.zero_()
        for token in range(NONE):
            model.copy[Repetition.EXACT, 1, token, token] = 100
            model.copy[Repetition.RHYTHM, :, token, token] = -100
    lags = np.tile([0, 0, 2, 2, 0, 4, 6, 1], (5, 1))
    kinds = np.tile([0, 0, 3, 3, 0, 3, 3, 1], (5, 1))
    melodies = sampled(numpy_decoder(model, meter), *inputs(meter, 8, 5), Form(lags, kinds))
    bars = melodies.classes.reshape(5, 8, 12)
    for bar, lag in ((2, 2), (3, 2), (5, 4), (6, 6)):
        # A bar cannot begin with a hold after a rest, and one that differs at first is not copied.
        equal = (bars[:, bar] == bars[:, bar - lag]).all(1)
        forbidden = (bars[:, bar - lag, 0] == HOLD) & (bars[:, bar - 1, -1] == REST)
        assert (equal | forbidden).all()
        assert equal.any()
    assert (bars[:, 7] != bars[:, 6]).mean() > 0.9
    assert not (bars[:, 4] == bars[:, 0]).all(1).any()  # which it does not repeat


def test_chosen_melodies_go_on_as_they_would_alone() -> None:
    """Candidates are copies of one melody; each goes on by its own uniforms and form."""
    model, meter, form = tiny_model(2), Meter.THREE_FOUR, random_form(4, 8)
    decoder, (given, uniforms) = numpy_decoder(model, meter), inputs(meter, 8, 4)
    whole = sampled(decoder, given, uniforms, form)
    start = decoder.sample(decoder.start(4), given[:, :48], uniforms[:, :48], form, 8)
    rows = np.array([2, 0, 2])
    rest = decoder.sample(start[rows], given[rows, 48:], uniforms[rows, 48:], form[rows], 8)
    assert (rest.classes == whole.classes[rows]).all()
    other = decoder.sample(start[rows], given[rows, 48:], 1 - uniforms[rows, 48:], form[rows], 8)
    assert (other.classes[:, :48] == whole.classes[rows, :48]).all()
    assert (other.classes[:, 48:] != whole.classes[rows, 48:]).any(1).all()


def test_no_hold_at_the_beginning_or_after_a_rest() -> None:
    model, meter = tiny_model(1), Meter.FOUR_FOUR
    with torch.no_grad():
        model.output.bias[HOLD] = 3  # a model that holds wherever it can
    classes = sampled(numpy_decoder(model, meter), *inputs(meter, 4, 40), random_form(40, 4)).classes
    assert (classes[:, 0] != HOLD).all()
    assert not ((classes[:, :-1] == REST) & (classes[:, 1:] == HOLD)).any()
    assert (classes == HOLD).mean() > 0.5
