"""The figures of a listening test: of simulated listeners whose probabilities are known, and by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation.listening.simulated import CONFUSION, HUMAN, MUSICAL, write_test

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.listening.analysis import (
    evaluate_answers,
    evaluate_emotion,
    evaluate_plane,
    evaluate_prediction,
    evaluate_told_from_real,
    interval_over_listeners,
)
from emomelody.evaluation.listening.answers import read_answers
from emomelody.evaluation.listening.arrays import AnswerArrays
from emomelody.evaluation.listening.tables import summary
from emomelody.evaluation.statistics import wilson_interval

LISTENERS = 50
SIGNS = np.array([(e.valence, e.arousal) for e in Emotion])


def simulated(folder: Path, seed: int) -> AnswerArrays:
    return AnswerArrays.of(read_answers(write_test(folder, LISTENERS, seed)).files)


def arrays(count: int, **columns: Any) -> AnswerArrays:
    """So many answers, of one listener each to one melody unless ``columns`` say otherwise."""
    zeros = np.zeros(count, dtype=int)
    values: dict[str, Any] = {
        "listeners": np.arange(count),
        "systems": np.full(count, "some"),
        "points": np.zeros((count, 2)),
        "placed": np.zeros((count, 2)),
        "human": zeros > 0,
    }
    rest = ("melodies", "requested", "predicted", "emotions", "musical")
    return AnswerArrays(**(dict.fromkeys(rest, zeros) | values | columns))


def test_every_cell_of_known_confusion_matrices_is_in_its_interval_19_times_of_20(tmp_path: Path) -> None:
    inside = []
    for seed in range(5):
        answers = simulated(tmp_path / str(seed), seed)
        for system, confusion in CONFUSION.items():
            chosen = answers[answers.systems == system]
            figures = evaluate_emotion(chosen)
            for requested, row in zip(Emotion, confusion, strict=True):
                assert figures["answers"][requested.code] == 5 * LISTENERS
                for heard, probability in zip(Emotion, row, strict=True):
                    hits = chosen.emotions[chosen.requested == requested.index] == heard.index
                    assert figures["confusion"][requested.code][heard.code] == hits.mean()
                    low, high = wilson_interval(hits) or (1, 0)
                    inside.append(low <= probability <= high)
    assert len(inside) == 240
    assert 218 <= sum(inside) < 240  # 228 expected, with a standard deviation of 3.4


def test_known_probabilities_are_recovered(tmp_path: Path) -> None:
    files = read_answers(write_test(tmp_path, LISTENERS, seed=0)).files
    figures = evaluate_answers(files)
    assert [system["name"] for system in figures["systems"]] == ["emoreg", "emoreg-va", "real"]
    for system in figures["systems"]:
        confusion, emotion = CONFUSION[system["name"]], system["emotion"]
        same_side = (SIGNS[:, None] == SIGNS).transpose(2, 0, 1)  # (axis, requested, answered)
        valence, arousal = (confusion * same_side).sum(2).mean(1)
        expected = {"all": np.trace(confusion) / 4, "valence": valence, "arousal": arousal}
        expected |= {e.code: confusion[e.index, e.index] for e in Emotion}
        for key, probability in expected.items():
            low, high = emotion["interval"][key]
            assert low < emotion[key] < high
            # Twice as far as the interval reaches, which one in twenty figures would be outside of.
            assert abs(emotion[key] - probability) < high - low
        assert emotion["over_listeners"] == pytest.approx(emotion["interval"]["all"], abs=0.02)
        human = system["human"]
        assert abs(human["share"] - HUMAN[system["name"]]) < human["interval"][1] - human["interval"][0]
        assert system["musical"]["mean"] == pytest.approx(MUSICAL[system["name"]], abs=0.1)
        assert system["musical"]["deviation"] == pytest.approx(np.sqrt(2 / 3), abs=0.05)
        as_predicted = confusion[range(4), [0, 1, 2, 2]].mean()
        assert system["prediction"]["answers"] == pytest.approx(as_predicted, abs=0.06)
        assert system["prediction"]["requested"] == 0.75
    emoreg, va, real = figures["systems"]
    assert va["plane"]["valence"] > 0.95 and va["plane"]["melodies"] == 20
    assert real["plane"] == {"valence": None, "arousal": None, "melodies": 0}
    assert real["told_from_real"] is None
    for system, accuracy in ((emoreg, 0.7), (va, 0.575), (figures["all"], 0.6375)):
        low, high = system["told_from_real"]["over_listeners"]
        assert low - 0.02 < accuracy < high + 0.02 and high - low < 0.1
        assert system["told_from_real"]["p"] < 1e-6
    assert figures["all"]["answers"] == 60 * LISTENERS
    assert va["agreement"]["emotion"] > figures["all"]["agreement"]["emotion"] > 0.2
    assert abs(real["agreement"]["valence"]) < 0.05 < 0.7 < va["agreement"]["valence"]


def test_telling_generated_from_real_by_hand() -> None:
    real, generated = arrays(4, human=np.arange(4) < 3), arrays(4, human=np.arange(4) < 1)
    figures = evaluate_told_from_real(generated, real)
    assert figures is not None
    assert figures["accuracy"] == 0.75
    assert figures["p"] == pytest.approx(2 * (16 + 1) / 70)  # of the 70 ways to choose four of eight
    credulous = evaluate_told_from_real(
        arrays(90, human=np.full(90, True)), arrays(9, human=np.full(9, True))
    )
    assert credulous is not None and (credulous["accuracy"], credulous["p"]) == (0.5, 1)
    assert evaluate_told_from_real(generated, real[real.human & ~real.human]) is None


def test_the_bootstrap_allows_for_listeners_who_differ() -> None:
    listeners = np.repeat(np.arange(50), 20)
    low, high = interval_over_listeners((listeners, listeners % 2 == 0)) or (0, 0)
    reach = 1.96 * 0.5 / np.sqrt(50)  # of fifty listeners, each always right or always wrong
    assert (low, high) == pytest.approx((0.5 - reach, 0.5 + reach), abs=0.025)
    alike = np.arange(1000) % 2 == 0
    assert interval_over_listeners((listeners, alike)) == [0.5, 0.5]
    assert interval_over_listeners((listeners[:20], alike[:20])) is None


def test_melodies_with_two_most_frequent_answers_count_half() -> None:
    melodies = np.array([0, 0, 0, 1, 1, 2])
    emotions = np.array([2, 2, 1, 0, 3, 1])  # most frequent: sad; happy and relaxed; angry
    requested = np.array([2, 2, 2, 0, 0, 0])
    predicted = np.array([1, 1, 1, 0, 0, 0])
    some = arrays(6, melodies=melodies, emotions=emotions, requested=requested, predicted=predicted)
    figures = evaluate_prediction(some)
    assert figures == pytest.approx({"answers": 2 / 6, "requested": 2 / 3, "most_frequent": 1.5 / 3})


def test_the_plane_is_judged_by_the_mean_of_each_melody() -> None:
    points = np.array([[-1, 0.5], [-1, 0.5], [0.5, 0], [1, -1], [np.nan, np.nan]])
    placed = np.array([[-1, 0], [0.4, 0.4], [-0.1, 0.3], [-0.2, 0.9], [0, 0]])
    some = arrays(5, melodies=np.array([0, 0, 1, 2, 3]), points=points, placed=placed)
    figures = evaluate_plane(some)  # means: (−0.3, 0.2), (−0.1, 0.3), (−0.2, 0.9)
    assert figures == {"valence": pytest.approx(0.5), "arousal": pytest.approx(-1), "melodies": 3}


def test_one_listener_and_no_real_melodies(tmp_path: Path) -> None:
    """What is undefined then is None, without a warning, and has no row in the table."""
    figures = evaluate_answers(read_answers(write_test(tmp_path, 1, 0, ("emoreg-va",))).files)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    (system,) = figures["systems"]
    assert set(figures["all"]["agreement"].values()) == {None}
    assert system["told_from_real"] is system["emotion"]["over_listeners"] is None
    sheet = summary(figures)
    assert sheet.title == "Listening test: 1 listener, 20 answers"
    titles = [row[1] for row in sheet.rows]
    assert "all" in titles and "human" not in titles and "p" not in titles
