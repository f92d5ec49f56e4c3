"""emoreg-va: what the encoder reads, and that decoding can continue."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emomelody.models.emoreg_va import EmoregVA, staff_heights
from emomelody.music.melody import Melody, Note
from emomelody.music.tokens import Vocabulary, to_tokens
from emomelody.weights.config import LEAST_RANGE, VAConfig

SMALL = VAConfig(
    classes=7, embedding=8, encoder=6, decoder=10, condition=5, content=3, attributes=2, pitch_classes=12
)


def test_the_outline_has_neither_mode_nor_density() -> None:
    """The outline of a melody is that of its minor version, and of one with every note struck twice."""
    pitches = tuple(range(55, 80))
    model = EmoregVA(VAConfig(classes=len(pitches) + 2))
    model.heights[:-2] = torch.tensor(staff_heights(pitches))
    vocabulary = Vocabulary(pitches)
    assert staff_heights([83, 84, 75, 76]) == pytest.approx([-0.003, 0.14, -0.574, -0.574], abs=1e-3)
    major = [60, 64, 65, 69, 71, 72, 76, 74] * 2
    minor = [{64: 63, 69: 68, 71: 70, 76: 75}.get(pitch, pitch) for pitch in major]

    def outline(pitches: list[int], strikes: int) -> torch.Tensor:
        length = 4 // strikes
        notes = (Note(4 * i + length * k, length, p) for i, p in enumerate(pitches) for k in range(strikes))
        classes, _ = vocabulary.encode(to_tokens(Melody(tuple(notes)))[None])
        return model.outline(torch.from_numpy(classes))

    expected = outline(major, 1)
    heights = np.array([0, 3, 5.5, 7.5] * 2) / 7  # on the staff, from the middle between C and E
    shape = (heights - heights.mean()) / (heights.std(ddof=1) + LEAST_RANGE)
    assert expected[0, 1:9].tolist() == pytest.approx(shape.tolist(), abs=1e-5)
    assert (expected[0, 9:] == 0).all()  # two notes in each half bar
    assert torch.equal(expected, outline(minor, 1))
    assert torch.equal(expected, outline(major, 2))


def test_the_emotion_depends_on_positions_in_the_bar_but_not_on_the_order_of_bars() -> None:
    torch.manual_seed(0)
    model = EmoregVA(SMALL).eval()
    classes = torch.randint(0, 7, (3, 64))
    with torch.inference_mode():
        mu, _ = model.encode(classes)
        reordered, _ = model.encode(classes.roll(16, 1))
        shifted, _ = model.encode(classes.roll(1, 1))
    torch.testing.assert_close(mu[:, :2], reordered[:, :2])
    assert not torch.allclose(mu[:, :2], shifted[:, :2], atol=1e-4)


def test_the_emotion_by_its_equation() -> None:
    """The mean over all steps and the mean over the onsets, through the perceptron."""
    torch.manual_seed(1)
    model = EmoregVA(SMALL).eval()
    classes = torch.randint(0, 7, (2, 64))
    with torch.inference_mode():
        positions = model.places(torch.arange(64) % 16).expand(2, -1, -1)
        features = model.step(torch.cat([model.tokens(classes), positions], 2))  # (2, 64, 6)
        onset = (classes < 5).float()[..., None]  # 5 is rest, 6 is hold
        inputs = torch.cat([features.mean(1), (features * onset).sum(1) / onset.sum(1)], 1)
        expected = model.emotion(inputs)[:, :2]
        torch.testing.assert_close(model.encode(classes)[0][:, :2], expected)


def test_each_token_is_predicted_from_the_tokens_before_it() -> None:
    torch.manual_seed(2)
    model = EmoregVA(SMALL).eval()
    given, classes = torch.randn(2, 7), torch.randint(0, 7, (2, 64))
    previous = model.previous_tokens(classes)
    assert previous[:, 0].tolist() == [7, 7]  # none
    assert torch.equal(previous[:, 1:], classes[:, :-1])
    other = classes.clone()
    other[:, 40] = (other[:, 40] + 1) % 7
    with torch.inference_mode():
        logits, changed = (model.decode(given, model.previous_tokens(c)) for c in (classes, other))
    assert torch.equal(logits[:, :41], changed[:, :41])
    assert not torch.allclose(logits[:, 41], changed[:, 41])


def test_pitch_class_totals_by_hand() -> None:
    model = EmoregVA(SMALL)
    model.set_pitches((48, 60, 62, 70, 71))  # 5 is rest, 6 is hold
    # Before the four bars sounds a C, which does not count. Then a C, held, a D, a rest, a hold after it.
    previous = torch.tensor([[0, 1, 6, 2, 5, 6, 6, 3]])
    (totals,) = model.pitch_class_totals(previous) * 16
    assert totals[:, 0].tolist() == [0, 1, 2, 2, 2, 2, 2, 2]
    assert totals[:, 2].tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert totals[:, 10].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]
    assert totals.sum() == 7 * 2 - 1 + 5 + 1


def test_withheld_tokens_are_hidden_but_counted() -> None:
    torch.manual_seed(5)
    model = EmoregVA(SMALL).eval()
    model.set_pitches((48, 60, 62, 70, 71))
    given, previous = torch.randn(2, 7), model.previous_tokens(torch.randint(0, 7, (2, 64)))
    everything = torch.ones(2, 64, dtype=torch.bool)
    octave = previous.where(previous != 0, 1)  # another token of the same pitch class
    with torch.inference_mode():
        hidden, same = (model.decode(given, tokens, withheld=everything) for tokens in (previous, octave))
        seen, other = (model.decode(given, tokens) for tokens in (previous, octave))
    assert torch.equal(hidden, same)
    assert not torch.allclose(seen, other)


def test_dropout_is_random_in_training_only() -> None:
    torch.manual_seed(3)
    model = EmoregVA(SMALL)
    x = torch.ones(20_000)
    dropped = model.dropout(x)
    assert set(dropped.unique().tolist()) == {0, 2}  # those that are kept are scaled by 1 / (1 − p)
    assert dropped.mean().item() == pytest.approx(1, abs=0.03)
    assert torch.equal(model.eval().dropout(x), x)
