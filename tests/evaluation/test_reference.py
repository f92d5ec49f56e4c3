"""Sets of melodies: runs of windows, and sets with the same shares of the emotions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from evaluation.labelled import dataset, two_of_each

from emomelody.evaluation.reference import MelodySet, matched
from emomelody.music.emotion import Emotion


def melody_set(*labels: int) -> MelodySet:
    """Empty bars with these labels; the tunes number them."""
    return MelodySet(np.full((len(labels), 64), 128), np.array(labels, dtype=int), np.arange(len(labels)))


def test_successive_windows_of_one_mode_are_joined() -> None:
    windows = dataset(two_of_each())  # the labels e1, e1, e2, e2 … of eight windows
    previous = np.array([-1, 0, 1, 2, 3, 4, -1, 6])
    joined = MelodySet.successive(replace(windows, previous=previous), 2)
    # 0-1 is major, 2-3 and 3-4 and 4-5 are minor, 6-7 is major; 1-2 changes its mode.
    assert joined.tunes.tolist() == [0, 2, 3, 4, 6]
    assert {emotion: len(tokens) for emotion, tokens in joined.by_emotion().items()} == {
        Emotion.E1: 1,
        Emotion.E2: 2,
        Emotion.E3: 1,
        Emotion.E4: 1,
    }
    assert (joined.tokens[0] == windows.tokens[:2].ravel()).all()
    assert len(MelodySet.successive(windows, 2)) == 0  # from a folder without a manifest


def test_matched_sets_have_the_same_shares_of_the_emotions() -> None:
    generated, real = melody_set(*[0] * 5, *[1] * 5, *[2] * 5), melody_set(*[0] * 40, *[2] * 10, *[3] * 7)
    ours, theirs = matched(generated, real)
    assert ours.labels.tolist() == [0] * 5 + [2]
    assert ours.tunes.tolist() == [0, 1, 2, 3, 4, 10]
    assert theirs.labels.tolist() == [0] * 40 + [2] * 10
    assert matched(generated, melody_set())[0] is generated
