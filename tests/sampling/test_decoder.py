"""The decoders against the models in torch, the nucleus, and choosing by uniforms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emomelody.models.build import to_arrays, to_model
from emomelody.models.emoreg_va import EmoregVA
from emomelody.music.emotion import Emotion
from emomelody.music.melody import STEPS_PER_BAR
from emomelody.sampling import decoder as module
from emomelody.sampling.decoder import GRU, Decoder, Floats32, GRUCell, PaperDecoder, choose, nucleus
from emomelody.weights.checkpoint import VA, bundled_weights, load_checkpoint
from emomelody.weights.config import VAConfig

SMALL = VAConfig(
    classes=7, embedding=8, encoder=6, decoder=10, condition=5, content=3, attributes=2, pitch_classes=12
)
PITCHES = (60, 62, 64, 65, 67)
RESTING, HOLDING = 5, 6  # the last two classes
COUNT = 40  # melodies


def build(seed: int) -> EmoregVA:
    torch.manual_seed(seed)
    model = EmoregVA(SMALL).eval()
    model.set_pitches(PITCHES)
    return model


def numpy_decoder(model: EmoregVA, temperature: float = 0.8, top_p: float = 1.0) -> Decoder:
    return Decoder(model.config, to_arrays(model), temperature=temperature, top_p=top_p)


def inputs(steps: int = 64, latent: int = 7, count: int = COUNT) -> tuple[Floats32, Floats32]:
    """Latents and attributes (B, T, G), constant along T, and uniforms (B, T)."""
    rng = np.random.default_rng(0)
    z = np.repeat(rng.standard_normal((count, 1, latent), dtype=np.float32), steps, 1)
    return z, rng.random((count, steps), dtype=np.float32)


def torch_logits(model: EmoregVA, z: Floats32, classes: np.ndarray) -> torch.Tensor:
    """Logits (B, T, V) of every step after the classes (B, T) before it, for latents (B, T, Z).

    By ``torch.nn.GRU`` and the model's own layers, step by step, with a hold forbidden where there is none.
    """
    previous = model.previous_tokens(torch.from_numpy(classes))  # (B, T)
    # Totals begin anew with each block of four bars.
    totals = torch.cat([model.pitch_class_totals(block) for block in previous.split(64, 1)], 1)
    state, logits = torch.zeros(1, len(z), model.config.decoder), []
    for step in range(z.shape[1]):
        bar, position = divmod(step % 64, STEPS_PER_BAR)
        condition = model.bar_conditions(torch.from_numpy(z[:, step]))[:, bar]
        places = model.places(torch.tensor(position)).expand(len(z), -1)
        x = torch.cat([model.tokens(previous[:, step]), places, condition, totals[:, step]], 1)
        _, state = model.decoder(x[None], state)
        logits.append(model.output(torch.cat([state[0], condition], 1)))
        silent = (previous[:, step] >= model.config.classes - 2) & (
            previous[:, step] != model.config.classes - 1
        )
        logits[-1][silent, -1] = -torch.inf
    return torch.stack(logits, 1)


def check_choices(logits: torch.Tensor, uniforms: Floats32, classes: np.ndarray, tolerance: float) -> None:
    """Check that each class is the one that the uniform chooses, but for ties within the tolerance."""
    probabilities, chosen = logits.double().softmax(2), torch.from_numpy(classes)[..., None]
    cumulative = probabilities.cumsum(2).gather(2, chosen)[..., 0].numpy()
    probability = probabilities.gather(2, chosen)[..., 0].numpy()
    assert (probability > 0).all()
    assert (uniforms < cumulative + tolerance).all()
    assert (uniforms >= cumulative - probability - tolerance).all()


@pytest.mark.parametrize("temperature", [0.8, 1.0])
def test_bundled_weights_decode_as_in_torch_along_paths(
    temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = load_checkpoint(bundled_weights()[VA])
    model = to_model(checkpoint)
    assert isinstance(model, EmoregVA)
    recorded: list[Floats32] = []
    monkeypatch.setattr(module, "nucleus", lambda logits, _: recorded.append(logits.copy()) or logits)
    z, uniforms = inputs(96, 18 + model.config.attributes, 16)
    z = z + np.linspace(-1, 1, 96, dtype=np.float32)[None, :, None]  # another latent at every step
    decoder = numpy_decoder(model, temperature)
    classes, state = decoder.sample(z[:, :64], uniforms[:, :64], 0, *decoder.start(16))
    after, _ = decoder.sample(z[:, 64:], uniforms[:, 64:], 64, classes[:, -1], state)
    classes = np.concatenate([classes, after], 1)
    with torch.inference_mode():
        expected = torch_logits(model, z, classes) / temperature
    torch.testing.assert_close(torch.from_numpy(np.stack(recorded, 1)), expected, atol=1e-4, rtol=0)
    check_choices(expected, uniforms, classes, 1e-4)


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


def test_the_recurrence_is_that_of_torch() -> None:
    torch.manual_seed(0)
    layer, x, start = torch.nn.GRU(5, 8), torch.randn(6, 3, 5), torch.randn(3, 8)
    tensors = {f"decoder.{name}": tensor.detach().numpy() for name, tensor in layer.named_parameters()}
    gru = GRU(tensors)
    cell = GRUCell(gru, start.numpy())
    expected = layer(x, start[None])[0].detach().numpy()
    for step in range(6):
        inputs = x[step].numpy() @ gru.of_inputs + gru.bias
        cell.step(inputs[:, :16], inputs[:, 16:])
        np.testing.assert_allclose(cell.state, expected[step], atol=1e-6)


def test_tokens_follow_the_logits_of_training() -> None:
    model, (z, uniforms) = build(0), inputs()
    decoder = numpy_decoder(model)
    classes, _ = decoder.sample(z, uniforms, 0, *decoder.start(COUNT))
    with torch.inference_mode():
        previous = model.previous_tokens(torch.from_numpy(classes))
        logits = model.decode(torch.from_numpy(z[:, 0]), previous) / 0.8
        logits[:, 0, HOLDING] = -torch.inf
        logits[:, 1:, HOLDING][torch.from_numpy(classes[:, :-1] == RESTING)] = -torch.inf
    check_choices(logits, uniforms, classes, 1e-5)


def test_a_piece_sampled_in_parts_is_the_same() -> None:
    decoder, (z, uniforms) = numpy_decoder(build(2)), inputs(80)
    whole, _ = decoder.sample(z, uniforms, 0, *decoder.start(COUNT))
    first, state = decoder.sample(z[:, :64], uniforms[:, :64], 0, *decoder.start(COUNT))
    second, _ = decoder.sample(z[:, 64:], uniforms[:, 64:], 64, first[:, -1], state)
    assert (np.concatenate([first, second], 1) == whole).all()


def test_no_hold_at_the_beginning_or_after_a_rest() -> None:
    model, (z, uniforms) = build(1), inputs()
    with torch.no_grad():
        model.output.bias[HOLDING] = 3  # a model that holds wherever it can
    decoder = numpy_decoder(model)
    classes, _ = decoder.sample(z, uniforms, 0, *decoder.start(COUNT))
    assert (classes[:, 0] != HOLDING).all()
    assert not ((classes[:, :-1] == RESTING) & (classes[:, 1:] == HOLDING)).any()
    assert (classes == HOLDING).mean() > 0.5


def test_choices_have_the_probabilities_of_the_softmax() -> None:
    with np.errstate(divide="ignore"):
        logits = np.repeat(np.log(np.float32([[0.5, 0.2, 0.0, 0.3]])), 40_000, 0)
    chosen = choose(logits, np.random.default_rng(0).random(40_000, dtype=np.float32))
    shares = np.bincount(chosen, minlength=4) / 40_000
    np.testing.assert_allclose(shares, [0.5, 0.2, 0.0, 0.3], atol=0.01)
    greatest = np.full(3, 1 - 2**-24, np.float32)  # the largest float32 below 1
    assert choose(np.float32([[0.1, 0.3, -np.inf]] * 3), greatest).tolist() == [1, 1, 1]


def test_the_nucleus_by_hand() -> None:
    logits = np.log(np.float32([[0.5, 0.1, 0.3, 0.1]]))

    def probabilities(top_p: float) -> list[float]:
        kept = np.exp(nucleus(logits, top_p)[0])
        return (kept / kept.sum()).tolist()

    assert probabilities(0.45) == pytest.approx([1, 0, 0, 0])
    assert probabilities(0.6) == pytest.approx([0.625, 0, 0.375, 0])
    assert nucleus(logits, 1.0) is logits
