"""emoreg-va's encoder: what it reads of four bars, in each meter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny import PITCHES, REST, tiny_model

from emomelody.models.emoreg_va import EmoregVA
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.music.tokens import Vocabulary, to_tokens
from emomelody.weights.config import LEAST_RANGE, VAConfig, first_place, staff_heights


def test_staff_heights_by_hand() -> None:
    heights = staff_heights(np.array([83, 84, 75, 76]))  # B5 is just below 0
    assert heights == pytest.approx([-0.003, 0.14, -0.574, -0.574], abs=1e-3)


@pytest.mark.parametrize("meter", Meter)
def test_the_outline_has_neither_mode_nor_density(meter: Meter) -> None:
    """The outline of a melody is that of its minor version, and of one with every note struck twice."""
    pitches, beat = tuple(range(55, 80)), meter.bar // 4
    model = EmoregVA(VAConfig(classes=len(pitches) + 2))
    model.set_pitches(pitches)
    vocabulary = Vocabulary(pitches)
    major = [60, 64, 65, 69, 71, 72, 76, 74] * 2
    minor = [{64: 63, 69: 68, 71: 70, 76: 75}.get(pitch, pitch) for pitch in major]

    def outline(pitches: list[int], strikes: list[int]) -> torch.Tensor:
        """Of quarters of a bar, struck at these steps."""
        lengths = np.diff([*strikes, beat]).tolist()
        notes = tuple(
            Note(beat * number + strike, length, pitch)
            for number, pitch in enumerate(pitches)
            for strike, length in zip(strikes, lengths, strict=True)
        )
        classes, _ = vocabulary.encode(to_tokens(Melody(notes, 4 * meter.bar, meter))[None])
        return model.outline(torch.from_numpy(classes), meter)

    expected = outline(major, [0])
    heights = np.array([0, 3, 5.5, 7.5] * 2) / 7  # on the staff, from the middle between C and E
    shape = (heights - heights.mean()) / (heights.std(ddof=1) + LEAST_RANGE)
    middle = 60 // 12 - 6.86 + 1 / 7  # between C and E
    assert expected[0, 0].item() == pytest.approx(middle + heights.mean(), abs=1e-5)
    assert expected[0, 1:9].tolist() == pytest.approx(shape.tolist(), abs=1e-5)
    assert (expected[0, 9:] == 0).all()  # two notes in each half bar
    assert torch.equal(expected, outline(minor, [0]))
    assert torch.equal(expected, outline(major, [0, 1]))


def test_the_outline_of_rests_and_of_few_bars() -> None:
    model = tiny_model(0)
    few = torch.tensor([[REST, 1, 7, 2] + [REST] * 12])  # C, held, D; four steps of it at the first half bar
    (outline,) = model.outline(few, Meter.THREE_FOUR)
    low, high = staff_heights(np.array([60, 62]))
    # Before the first onset the height is that of the first, and a rest has that of the note before it.
    heights = np.array([(3 * low + 3 * high) / 6] + [high] * 7)
    shape = (heights - heights.mean()) / (heights.std(ddof=1) + LEAST_RANGE)
    assert outline[0].item() == pytest.approx(heights.mean(), abs=1e-5)
    assert outline[1:9].tolist() == pytest.approx(shape.tolist(), abs=1e-4)
    assert outline[9:].tolist() == [7] + [-1] * 7
    (silent,) = model.outline(torch.full((1, 48), REST), Meter.SIX_EIGHT)
    assert silent.tolist() == [0] * 9 + [-1] * 8


@pytest.mark.parametrize("meter", Meter)
def test_the_emotion_by_its_equation(meter: Meter) -> None:
    """The mean over all steps and the mean over the onsets, through the perceptron."""
    model, classes = tiny_model(1), torch.randint(0, 8, (2, 4 * meter.bar))
    with torch.inference_mode():
        places = model.places.weight[first_place(meter) : first_place(meter) + meter.bar].tile(4, 1)
        features = model.step(torch.cat([model.tokens(classes), places.expand(2, -1, -1)], 2))
        onset = (classes < REST).float()[..., None]
        inputs = torch.cat([features.mean(1), (features * onset).sum(1) / onset.sum(1)], 1)
        expected_mu, expected_log_variance = model.emotion(inputs).chunk(2, 1)
        mu, log_variance = model.encode(classes, meter)
        content = model.content(model.outline(classes, meter)).chunk(2, 1)
    torch.testing.assert_close(mu, torch.cat([expected_mu, content[0]], 1))
    torch.testing.assert_close(log_variance, torch.cat([expected_log_variance, content[1]], 1))
    assert len(PITCHES) == REST


def test_the_emotion_depends_on_positions_in_the_bar_but_not_on_the_order_of_bars() -> None:
    model, classes = tiny_model(0), torch.randint(0, 8, (3, 48))
    with torch.inference_mode():
        mu, reordered, shifted = (
            model.encode(some, Meter.SIX_EIGHT)[0][:, :2]
            for some in (classes, classes.roll(12, 1), classes.roll(1, 1))
        )
    torch.testing.assert_close(mu, reordered)
    assert not torch.allclose(mu, shifted, atol=1e-4)
