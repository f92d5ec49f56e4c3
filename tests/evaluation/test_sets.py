"""Sets of melodies: windows, the ends of pieces, parts of longer melodies, and weights of the emotions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evaluation.labelled import dataset, two_of_each

from emomelody.data.dataset import Dataset
from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.sets import MelodySet, RealMelodies, emotion_weights
from emomelody.music.meter import Meter

LABELS = np.array([0, 0, 1, 1, 2, 2, 3, 3])


def pieces(*previous: int, remaining: tuple[int, ...] | None = None) -> Dataset:
    """Eight windows with the labels e1, e1, e2, e2 …, of pieces that ``previous`` joins."""
    some = replace(dataset(two_of_each()), previous=np.array(previous))
    return some if remaining is None else replace(some, remaining=np.array(remaining))


def test_the_ends_of_pieces_are_their_last_windows() -> None:
    windows = pieces(-1, 0, 1, -1, 3, 4, -1, 6)  # of three, three and two windows
    joined = MelodySet.endings(windows, 2)
    assert joined.tunes.tolist() == [1, 4, 6]
    assert (joined.tokens[0] == windows.tokens[1:3].ravel()).all()
    assert MelodySet.endings(windows, 3).tunes.tolist() == [0, 3]
    assert len(MelodySet.endings(windows, 4)) == 0
    assert len(MelodySet.endings(pieces(*[-1] * 8), 2)) == 0  # as from a folder without a manifest
    some = MelodySet.endings(windows, 2, np.arange(8) >= 4)
    assert some.tunes.tolist() == [4, 6]


def test_windows_in_which_a_piece_ends_early_are_left_out() -> None:
    # The first piece has ten bars; of the second, which is slowed down, only the beginning is used.
    windows = pieces(-1, 0, 1, -1, 3, -1, -1, -1, remaining=(10, 6, 2, 20, 16, 4, 5, 3))
    assert MelodySet.windows(windows).tunes.tolist() == [0, 1, 3, 4, 5, 6]
    (end,) = (ends := MelodySet.endings(windows, 2)).tokens
    assert (end == windows.tokens[:3].ravel()[2 * 16 : 10 * 16]).all()  # the last eight of its ten bars
    assert ends.tunes.tolist() == [0]


def test_runs_have_the_emotion_of_most_of_their_windows() -> None:
    # Three of e1, e2, e2; of e2, e3, e3; and e4, e4.
    assert MelodySet.endings(pieces(-1, -1, 1, 2, -1, -1, -1, 6), 2).labels.tolist() == [1, 3]
    divided = MelodySet.endings(pieces(-1, -1, -1, -1, 3, -1, -1, -1), 2)  # e2, e3
    assert divided.labels.tolist() == [1]
    three = MelodySet.endings(pieces(-1, -1, -1, -1, 3, 4, -1, -1), 3)  # e2, e3, e3
    assert three.labels.tolist() == [2]


def test_melodies_are_cut_into_parts() -> None:
    tunes = MelodySet(np.arange(2 * 96).reshape(2, 96), np.array([3, 1]), np.array([7, 8]), Meter.SIX_EIGHT)
    parts = tunes.cut(4)
    assert (parts.tokens == np.arange(4 * 48).reshape(4, 48)).all()
    assert (parts.labels.tolist(), parts.tunes.tolist()) == ([3, 3, 1, 1], [7, 7, 8, 8])
    assert parts.meter is Meter.SIX_EIGHT
    assert len(tunes[np.zeros(2, dtype=bool)].cut(4)) == 0
    assert {e: len(rows) for e, rows in parts.by_emotion().items()} == {Emotion.E2: 2, Emotion.E4: 2}


def test_common_emotions_weigh_the_same() -> None:
    first, second = np.repeat([0, 1, 2], 5), np.repeat([0, 2, 3], [40, 10, 7])
    ours, theirs = emotion_weights(first, second)
    assert ours[first == 0].sum() == theirs[second == 0].sum() == pytest.approx(0.5)
    assert ours[first == 2].sum() == theirs[second == 2].sum() == pytest.approx(0.5)
    assert ours[first == 1].sum() == theirs[second == 3].sum() == 0
    nothing_in_common, none = emotion_weights(first, np.zeros(0, dtype=int))
    assert len(none) == 0
    assert nothing_in_common == pytest.approx(1 / 15)


def test_held_out_melodies_are_tested_once() -> None:
    some = {e: two_of_each()[e] * 5 for e in Emotion}
    held_out = np.arange(40) % 5 == 0
    real = RealMelodies(replace(dataset(some), held_out=held_out), (4, 16))
    calls = []
    for _ in range(2):
        found = real.held_out_test(4, lambda *sides: calls.append(sides) or {"auc": 0.5})
        assert found == {"auc": 0.5}
    ((ours, theirs),) = calls
    assert (len(ours), len(theirs), len(real.sets[16])) == (8, 32, 0)
