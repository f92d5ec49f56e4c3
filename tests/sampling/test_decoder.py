"""The autoregressive decoder against the model that was trained, the nucleus, and choosing by uniforms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emomelody.models.emoreg_va import EmoregVA, VAConfig
from emomelody.sampling.decoder import Decoder, choose, nucleus

SMALL = VAConfig(classes=7, embedding=8, encoder=6, decoder=10, condition=5, content=3)
RESTING, HOLDING = 5, 6  # the last two classes
COUNT = 40  # melodies
TEMPERATURE = 0.8


def build(seed: int) -> EmoregVA:
    torch.manual_seed(seed)
    return EmoregVA(SMALL).eval()


def inputs(steps: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents (B, T, Z), constant along T, and uniforms (B, T)."""
    rng = np.random.default_rng(0)
    z = torch.from_numpy(rng.standard_normal((COUNT, 1, 5))).float().expand(-1, steps, -1)
    return z, torch.from_numpy(rng.random((COUNT, steps), dtype=np.float32))


def sample(
    model: EmoregVA, z: torch.Tensor, uniforms: torch.Tensor, first: int = 0, *context: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Classes (B, T) and the state after them; ``context`` is the previous token and state."""
    decoder = Decoder(model, temperature=TEMPERATURE, top_p=1.0)
    previous, state = context or model.initial_state(len(z))
    return decoder.sample(z, uniforms, first, previous, state)


def forbid_holds(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Logits (B, T, V) without a hold at the beginning and after a rest."""
    logits = logits.clone()
    logits[:, 0, HOLDING] = -torch.inf
    logits[:, 1:, HOLDING][classes[:, :-1] == RESTING] = -torch.inf
    return logits


def test_tokens_follow_the_logits_of_training() -> None:
    model, (z, uniforms) = build(0), inputs()
    with torch.inference_mode():
        classes, _ = sample(model, z, uniforms)
        logits = model.decode(z[:, 0], model.previous_tokens(classes)).double() / TEMPERATURE
    probabilities = forbid_holds(logits, classes).softmax(2)
    # The uniform lies between the cumulative probabilities before and after the sampled class.
    cumulative = probabilities.cumsum(2).gather(2, classes[..., None])[..., 0]
    probability = probabilities.gather(2, classes[..., None])[..., 0]
    assert (probability > 0).all()
    assert (uniforms < cumulative + 1e-5).all()
    assert (uniforms >= cumulative - probability - 1e-5).all()


def test_the_state_is_that_of_training_over_two_windows() -> None:
    model, (z, uniforms) = build(3), inputs(128)
    with torch.inference_mode():
        classes, after = sample(model, z, uniforms)
        first, second = classes.split(64, 1)
        state = model.states(z[:, 0], model.previous_tokens(first))[-1]
        last = model.states(z[:, 0], model.previous_tokens(second, first[:, -1]), state)[-1]
    torch.testing.assert_close(last, after)


def test_a_piece_sampled_in_parts_is_the_same() -> None:
    model, (z, uniforms) = build(2), inputs(80)
    with torch.inference_mode():
        whole, _ = sample(model, z, uniforms)
        first, state = sample(model, z[:, :64], uniforms[:, :64])
        second, _ = sample(model, z[:, 64:], uniforms[:, 64:], 64, first[:, -1], state)
    assert (torch.cat([first, second], 1) == whole).all()


def test_each_step_uses_its_own_latent() -> None:
    model, (z, uniforms) = build(5), inputs()
    with torch.inference_mode():
        constant, _ = sample(model, z, uniforms)
        turning = torch.cat([z[:, :24], -z[:, 24:]], 1)
        moved, _ = sample(model, turning, uniforms)
        assert (moved[:, :24] == constant[:, :24]).all()
        assert (moved != constant).any()
        # The turn is inside a bar: step 24 alone, after the steps before it, ends in the same state.
        state = model.states(z[:, 0], model.previous_tokens(moved))[23]
        _, after = sample(model, -z[:, 24:25], uniforms[:, 24:25], 24, moved[:, 23], state)
        _, expected = sample(model, turning[:, :25], uniforms[:, :25])
    torch.testing.assert_close(after, expected)


def test_no_hold_at_the_beginning_or_after_a_rest() -> None:
    model, (z, uniforms) = build(1), inputs()
    with torch.no_grad():
        model.output.bias[HOLDING] = 3  # a model that holds wherever it can
        classes, _ = sample(model, z, uniforms)
    assert (classes[:, 0] != HOLDING).all()
    assert not ((classes[:, :-1] == RESTING) & (classes[:, 1:] == HOLDING)).any()
    assert (classes == HOLDING).float().mean() > 0.5


def test_choices_have_the_probabilities_of_the_softmax() -> None:
    logits = torch.tensor([0.5, 0.2, 0.0, 0.3]).log().expand(40_000, -1)
    chosen = choose(logits, torch.rand(40_000, generator=torch.Generator().manual_seed(0)))
    shares = torch.bincount(chosen, minlength=4) / 40_000
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.2, 0.0, 0.3]), atol=0.01, rtol=0)
    greatest = torch.full((3,), 1 - 2**-24)  # the largest float32 below 1
    assert choose(torch.tensor([[0.1, 0.3, -torch.inf]] * 3), greatest).tolist() == [1, 1, 1]


def test_the_nucleus_by_hand() -> None:
    logits = torch.tensor([[0.5, 0.1, 0.3, 0.1]]).log()
    assert nucleus(logits, 0.5).softmax(1)[0].tolist() == pytest.approx([1, 0, 0, 0])
    assert nucleus(logits, 0.6).softmax(1)[0].tolist() == pytest.approx([0.625, 0, 0.375, 0])
    assert nucleus(logits, 1.0) is logits
