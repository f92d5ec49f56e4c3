"""emoreg-va's decoder in torch, against the same in plain loops."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import GIVEN, HOLD, NONE, REST, logits_by_hand, random_passages, tiny_model

from emomelody.emotions.attributes import NAMES
from emomelody.music.meter import Meter


@pytest.mark.parametrize("meter", Meter)
def test_logits_are_those_of_plain_loops(meter: Meter) -> None:
    model, passages, given = tiny_model(0), random_passages(meter, 3, 2), torch.randn(3, 2, GIVEN)
    with torch.inference_mode():
        logits = model.decode(given, passages)
    expected = logits_by_hand(model, given.repeat_interleave(4 * meter.bar, 1), passages)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-4)


def test_the_content_is_withheld_where_the_flag_is_0() -> None:
    latents, attributes = torch.randn(2, 3, 5), torch.randn(2, 3, len(NAMES))
    given = tiny_model(0).given(latents, attributes, torch.tensor([1.0, 0.0]))  # (2, 3, G)
    for row, flag in enumerate((1.0, 0.0)):
        for window in range(3):
            plane, content = latents[row, window].split([2, 3])
            attribute = attributes[row, window].clone()
            if flag:  # the content says what the outline is like
                attribute[[NAMES.index("register"), NAMES.index("rise")]] = 0
            expected = torch.cat([plane, flag * content, torch.tensor([flag]), attribute])
            assert torch.equal(given[row, window], expected)


def test_each_token_is_predicted_from_the_tokens_before_it() -> None:
    model, passages, given = tiny_model(2), random_passages(Meter.FOUR_FOUR, 2, 1), torch.randn(2, 1, GIVEN)
    other = passages.classes.clone()
    other[:, 40] = (other[:, 40] + 1) % NONE
    with torch.inference_mode():
        logits, changed = (
            model.decode(given, replace(passages, classes=classes)) for classes in (passages.classes, other)
        )
    assert torch.equal(logits[:, :41], changed[:, :41])
    assert not torch.allclose(logits[:, 41], changed[:, 41])


def test_last_pitches_by_hand() -> None:
    previous = torch.tensor([[NONE, REST, 3, HOLD, REST, HOLD, 0, 2], [5, HOLD, REST, 1, 1, REST, REST, 4]])
    expected = [[NONE, NONE, 3, 3, 3, 3, 0, 2], [5, 5, 5, 1, 1, 1, 1, 4]]
    assert tiny_model(0).last_pitches(previous).tolist() == expected


def test_pitch_class_totals_by_hand() -> None:
    """In two blocks of eight steps; what sounds before a block does not count in it."""
    previous = torch.tensor([[0, 1, HOLD, 2, REST, HOLD, HOLD, 3, 3, HOLD, 4, HOLD, HOLD, 0, REST, 5]])
    (totals,) = tiny_model(0).pitch_class_totals(previous, 8) * 16
    # A C before the block; then C, held, D, a rest, and a hold after it that holds nothing.
    assert totals[:8, 0].tolist() == [0, 1, 2, 2, 2, 2, 2, 2]
    assert totals[:8, 2].tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert totals[:8, 10].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]
    # The B flat, and its hold, are of the first block; then a B, a C, a rest, a C.
    assert totals[8:, 10].tolist() == [0] * 8
    assert totals[8:, 11].tolist() == [0, 0, 1, 2, 3, 3, 3, 3]
    assert totals[8:, 0].tolist() == [0, 0, 0, 0, 0, 1, 1, 2]
    assert totals.sum() == totals[:, [0, 2, 10, 11]].sum()


def test_withheld_tokens_are_hidden_but_counted() -> None:
    model, passages, given = tiny_model(5), random_passages(Meter.SIX_EIGHT, 2, 1), torch.randn(2, 1, GIVEN)
    passages = replace(passages, repeated=torch.full_like(passages.repeated, NONE))
    octave = replace(passages, classes=passages.classes.where(passages.classes != 0, 1))  # same pitch class
    everything = torch.ones(2, 48, dtype=torch.bool)
    with torch.no_grad():
        model.intervals.weight.zero_()  # intervals are from the last pitch, withheld or not
    with torch.inference_mode():
        hidden, same = (model.decode(given, some, everything) for some in (passages, octave))
        seen, other = (model.decode(given, some) for some in (passages, octave))
        half = everything.clone()
        half[:, 24:] = False
        partly = model.decode(given, passages, half)
    assert torch.equal(hidden, same)
    assert not torch.allclose(seen, other)
    torch.testing.assert_close(partly[:, :24], hidden[:, :24])
    assert not torch.allclose(partly[:, 24:], hidden[:, 24:])


def test_intervals_and_copies_are_added_to_the_logits() -> None:
    model, passages, given = tiny_model(6), random_passages(Meter.THREE_FOUR, 2, 1), torch.randn(2, 1, GIVEN)
    with torch.inference_mode():
        before = model.decode(given, passages)
        model.copy[3, 1] += 2.0  # of an exact repetition that agrees so far
        difference = model.decode(given, passages) - before
    exact = (passages.kinds == 3).repeat_interleave(12, 1) & passages.agreed(passages.previous())
    assert 0 < exact.float().mean() < 1
    torch.testing.assert_close(difference, 2.0 * exact[..., None].expand(-1, -1, NONE), atol=1e-5, rtol=0)


def test_dropout_is_random_in_training_only() -> None:
    dropout, x = tiny_model(3).dropout.train(), torch.ones(20_000)
    dropped = dropout(x)
    kept = dropped.unique()
    assert kept.tolist() == [0, pytest.approx(1 / (1 - dropout.p))]
    assert dropped.mean().item() == pytest.approx(1, abs=0.03)
    assert torch.equal(dropout.eval()(x), x)
