"""The predicted ratings by hand, and against those of the study's listeners."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT

from emomelody.emotions.emotion import Emotion
from emomelody.music.melody import Melody, Note
from emomelody.performance.listeners import COEFFICIENTS, DEVIATIONS, MEANS, rate, valence_and_arousal
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN

STUDY = ROOT.parent / "shared" / "data" / "listeners"


def test_ratings_by_hand() -> None:
    """Sixteen quarter notes in eight seconds, half of them an octave above MIDI 68, loud and short."""
    melody = Melody(tuple(Note(4 * i, 4, 68 + 12 * (i % 2)) for i in range(16)))
    piece = arrange(
        melody, title="", emotion=Emotion.E1, setting=replace(PLAIN, velocity=80, note_length=0.5)
    )
    calm_levels = (0.0, -5.0)
    for calm_level, (ratings,) in zip(calm_levels, rate([piece], np.array([True]), calm_levels), strict=True):
        # Sad and relaxed are played at −13.4 and −8.5 dB from velocity 64; 80 is 3.9 dB louder than that.
        level = (40 * np.log10(80 / 64) + (13.4 + 8.5) / 2 + calm_level) / 10
        happy = 1.52 + 0.46 * 0.5 + 1.80 + 0.56 * np.log2(2) - 0.02 * level - 0.75 * 0.5
        scary = 2.42 - 0.55 * 0.5 - 0.77 + 0.11 * np.log2(2) + 0.48 * level + 0.24 * 0.5
        assert ratings[:2] == pytest.approx([(happy - 2.67) / 1.28, (scary - 2.36) / 1.30])
    ((major, minor),) = rate([piece, piece], np.array([True, False]), [0.0])
    assert (major - minor) * DEVIATIONS == pytest.approx([1.80, -0.77, -1.68, 0.39])
    points = valence_and_arousal(np.array([[2.0, 1.0, -3.0, 0.5], [-1.0, -0.5, 3.0, 0.0]]))
    assert points.tolist() == [[2 - 1, 2 - 0.5], [0 - 3, -0.5 - 3]]


def test_ratings_of_the_study() -> None:
    """How much of the variance of the listeners' mean ratings the model explains."""
    if not STUDY.is_dir():
        pytest.skip("the listeners' ratings are not here")
    design, ratings = (
        np.loadtxt(STUDY / name, delimiter=",", skiprows=1)
        for name in ("design_matrix.csv", "mean_emotion_ratings.csv")
    )
    cues = np.array(
        [
            [
                1,
                (53 + 6 * (register - 1) - 68) / 12,
                mode == 1,
                np.log2((1.2, 2, 2.8, 4.4, 6)[int(tempo) - 1]),
                (level - 3) / 2,
                1.25 - articulation / 4,
            ]
            for _, register, mode, tempo, level, articulation, *_ in design
        ]
    )  # (200, 6)
    rated = ratings[:, [2, 1, 3, 4]]  # happy, scary, sad, peaceful, (200, 4)
    predicted = cues @ COEFFICIENTS.T
    explained = 1 - ((rated - predicted) ** 2).sum(0) / ((rated - rated.mean(0)) ** 2).sum(0)
    assert explained == pytest.approx([0.78, 0.30, 0.83, 0.41], abs=0.01)
    assert rated.mean(0) == pytest.approx(MEANS, abs=0.01)
    assert rated.std(0) == pytest.approx(DEVIATIONS, abs=0.01)
    standardised = [(values - MEANS) / DEVIATIONS for values in (predicted, rated)]
    same = standardised[0].argmax(1) == standardised[1].argmax(1)
    assert same.mean() > 0.6
