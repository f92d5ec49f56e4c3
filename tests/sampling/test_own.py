"""A melody of the user's as the model sees it: blocks of a tune, of a draft, and of one between two."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import tiny_checkpoint

from emomelody.emotions.attributes import measure
from emomelody.music.draft import Draft
from emomelody.music.melody import Melody, Note
from emomelody.music.tokens import to_tokens
from emomelody.sampling.own import OwnTune, encode_melodies


def quarters(*pitches: int, bars: int) -> Melody:
    return Melody(tuple(Note(4 * n, 4, pitches[n % len(pitches)]) for n in range(4 * bars)), 16 * bars)


FIRST, SECOND = quarters(60, 62, 70, 71, bars=4), quarters(72, 48, 48, bars=4)


def test_each_block_is_what_it_is_alone() -> None:
    checkpoint, tune = tiny_checkpoint(), FIRST.followed_by(SECOND)
    own = OwnTune.of(checkpoint, tune, "minor")
    assert own.latents == pytest.approx(encode_melodies(checkpoint, [FIRST, SECOND]))
    blocks = np.stack([to_tokens(FIRST), to_tokens(SECOND)])
    assert (own.attributes == measure(blocks, np.array([True, True]))).all()
    assert own.form.kinds.tolist()[1:4] == [3, 3, 3]  # each bar repeats the first exactly
    assert own.centre == pytest.approx(own.latents[:, :2].mean(0))


def test_a_silent_block_is_as_the_one_before_and_a_short_one_is_filled_with_rests() -> None:
    checkpoint = tiny_checkpoint()
    (alone,) = encode_melodies(checkpoint, [FIRST])
    own = OwnTune.of(checkpoint, FIRST.beginning(9), None)
    assert len(own.latents) == 3
    assert own.latents == pytest.approx(np.tile(alone, (3, 1)))
    assert len(own.form.lags) == 9
    short = OwnTune.of(checkpoint, FIRST.beginning(2), None)
    assert short.latents == pytest.approx(encode_melodies(checkpoint, [FIRST.beginning(2).beginning(4)]))


def test_open_blocks_are_like_the_others() -> None:
    checkpoint = tiny_checkpoint()
    draft = Draft.continued(FIRST.followed_by(SECOND), 6)
    own = OwnTune.of_draft(checkpoint, draft, "major")
    known = encode_melodies(checkpoint, [FIRST, SECOND])
    assert own.latents[:2] == pytest.approx(known)
    assert own.latents[2:] == pytest.approx(np.tile(known.mean(0), (2, 1)))
    assert len(own.form.lags) == 14
    # Bars that are no whole block are repeated to fill one.
    two = OwnTune.of_draft(checkpoint, Draft.continued(FIRST.beginning(2), 2), "major")
    assert two.latents == pytest.approx(encode_melodies(checkpoint, [FIRST]))


def test_between_two_melodies() -> None:
    checkpoint = tiny_checkpoint()
    first = OwnTune.of(checkpoint, FIRST.followed_by(SECOND), "major")
    second = OwnTune.of(checkpoint, SECOND, "major")
    for share in (0, 0.25, 1):
        between = first.between(second, share)
        expected = (1 - share) * first.latents[:1] + share * second.latents
        assert between.latents == pytest.approx(expected)
        assert between.form is (first if share < 0.5 else second).form
