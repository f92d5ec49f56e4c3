"""Two-sample tests of equal and of different sets, and their AUC beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import random_melody
from evaluation.labelled import dataset
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from emomelody.errors import EmomelodyError
from emomelody.evaluation.evaluate import evaluate_generated
from emomelody.evaluation.presentation.comparison import two_sample
from emomelody.evaluation.reference import MelodySet
from emomelody.evaluation.two_sample.classifiers import auc_in_folds, classifier_test, cross_validated_scores
from emomelody.evaluation.two_sample.discrepancy import _squared, discrepancy_test
from emomelody.evaluation.two_sample.figures import CLASSIFIERS, evaluate_two_sample, held_out_test
from emomelody.evaluation.two_sample.network import network_scores
from emomelody.music.emotion import Emotion
from emomelody.music.meter import Meter
from emomelody.music.tokens import HOLD, REST, Tokens, to_tokens


def melodies(count: int, seed: int, emotions: tuple[Emotion, ...] = (*Emotion,)) -> Tokens:
    """Random melodies, (count, 64)."""
    rng = np.random.default_rng(seed)
    return np.stack([to_tokens(random_melody(rng, emotions[n % len(emotions)])) for n in range(count)])


def noise(count: int, steps: int = 64) -> Tokens:
    """Random tokens, (count, steps)."""
    rng = np.random.default_rng(7)
    return rng.choice([*range(60, 73), REST, HOLD, HOLD, HOLD], (count, steps))


@pytest.fixture(scope="module")
def real() -> Tokens:
    return melodies(200, 0)


def scored() -> tuple[NDArray[np.float64], NDArray[np.bool_], Tokens, Tokens]:
    """Scores with ties, labels, folds and groups of 400 melodies; those of a group are alike."""
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 60, 400)
    labels = groups < 20
    scores = np.round(labels * 0.5 + rng.normal(size=60)[groups] + rng.normal(size=400), 1)
    return scores, labels, groups % 5, groups


def test_auc_is_that_of_scikit_learn() -> None:
    scores, labels, folds, groups = scored()
    found = auc_in_folds(scores, labels, folds, groups)
    expected = [roc_auc_score(labels[folds == f], scores[folds == f]) for f in range(5)]
    assert found["auc"] == pytest.approx(np.mean(expected))
    assert found["low"] < found["auc"] < found["high"]
    one_fold = auc_in_folds(scores, labels, np.zeros(400, dtype=int), groups)
    assert one_fold["auc"] == pytest.approx(roc_auc_score(labels, scores))


def test_auc_does_not_depend_on_the_numbers_of_melodies() -> None:
    scores, labels, folds, groups = scored()
    twice = np.repeat(np.arange(400), np.where(labels, 1, 5))
    found = [auc_in_folds(*(values[rows] for values in (scores, labels, folds, groups)))
             for rows in (np.arange(400), twice)]  # fmt: skip
    assert found[0] == pytest.approx(found[1])


def test_the_interval_is_that_of_resampled_groups_half_as_wide_again() -> None:
    scores, labels, _, groups = scored()
    found = auc_in_folds(scores, labels, np.zeros(400, dtype=int), groups)
    rng, resampled = np.random.default_rng(1), []
    rows = [np.flatnonzero(groups == g) for g in range(60)]
    for _ in range(400):
        drawn = [*rng.choice(20, 20), *rng.choice(range(20, 60), 40)]
        chosen = np.concatenate([rows[g] for g in drawn])
        resampled.append(roc_auc_score(labels[chosen], scores[chosen]))
    low, high = found["auc"] + 1.5 * (np.percentile(resampled, (2.5, 97.5)) - found["auc"])
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=0.03), pytest.approx(high, abs=0.03))


def test_no_melody_is_scored_by_a_classifier_that_has_seen_it() -> None:
    labels, folds = np.arange(50) % 2 == 0, np.arange(50) % 5

    def score(train: Tokens, test: Tokens, labels_of_train: NDArray[np.bool_]) -> NDArray[np.float64]:
        assert not set(folds[train]) & set(folds[test])
        assert (labels_of_train == labels[train]).all()
        return test.astype(float)

    assert (cross_validated_scores(score, labels, folds) == np.arange(50)).all()


def test_equal_sets_cannot_be_told_apart_and_noise_can(real: Tokens) -> None:
    tunes = np.arange(len(real)) // 2
    alike = classifier_test(melodies(100, 2), real[:120], tunes[:120])
    different = classifier_test(noise(150), real, tunes)
    for name in CLASSIFIERS:
        assert alike[name]["low"] < 0.5 < alike[name]["high"], name
        assert different[name]["low"] > 0.95, name


def test_copies_of_other_tunes_are_no_evidence(real: Tokens) -> None:
    """Each real melody with a generated copy: whatever is learned of a melody holds for its copy, too."""
    found = classifier_test(real[:120], real[:120], np.arange(120), seed=3)
    assert all(0.4 < found[name]["auc"] < 0.6 for name in CLASSIFIERS)


def test_the_seed_decides_everything(real: Tokens) -> None:
    some, tunes = melodies(60, 1), np.arange(60)
    state = torch.random.get_rng_state()
    first, second = (classifier_test(some, real[:60], tunes, seed=5) for _ in range(2))
    assert first == second
    assert (torch.random.get_rng_state() == state).all()
    labels = np.arange(120) < 60
    tokens = np.concatenate([some, real[:60]])
    scores = [network_scores(tokens, labels, some, seed=seed) for seed in (0, 1)]
    assert (scores[0] != scores[1]).any()


def test_other_lengths_and_meters_can_be_tested() -> None:
    tokens = noise(60, 96)
    figures = classifier_test(tokens[:30], tokens[30:], np.arange(30), Meter.SIX_EIGHT)
    assert {*figures} == {*CLASSIFIERS}
    with pytest.raises(EmomelodyError, match="5 tunes"):
        classifier_test(tokens[:30], tokens[30:], np.zeros(30))


def test_the_discrepancy_is_the_unbiased_estimate() -> None:
    rng = np.random.default_rng(0)
    kernel = rng.random((7, 7)).astype(np.float32)
    kernel += kernel.T
    np.fill_diagonal(kernel, 0)
    first = np.array([1, 0, 1, 1, 0, 0, 0.0])
    a, b = np.flatnonzero(first), np.flatnonzero(first == 0)
    within = kernel[np.ix_(a, a)].sum() / 6 + kernel[np.ix_(b, b)].sum() / 12
    expected = within - 2 * kernel[np.ix_(a, b)].mean()
    assert _squared(kernel, first[None]) == pytest.approx(expected, abs=1e-5)


def test_the_discrepancy_of_equal_sets_is_chance(real: Tokens) -> None:
    tunes = np.arange(len(real)) // 4
    alike = discrepancy_test(melodies(150, 1), real, tunes)
    assert alike["p"] > 0.05
    assert abs(alike["mmd2"]) < 0.01
    different = discrepancy_test(melodies(150, 1, (Emotion.E1,)), real, tunes)
    assert different["p"] == pytest.approx(1 / 500)
    assert different["mmd2"] > 0.05
    order = np.random.default_rng(0).permutation(len(real))
    assert discrepancy_test(real[order], real, tunes, generated_tunes=tunes[order])["p"] > 0.9


def test_p_of_tunes_of_equal_melodies_is_that_of_as_many_tunes() -> None:
    """Twenty copies of each melody are no more evidence than one."""
    first, second = melodies(8, 0), melodies(8, 1)
    tunes = np.repeat(np.arange(8), 20)
    found = discrepancy_test(first.repeat(20, 0), second.repeat(20, 0), tunes, generated_tunes=tunes + 8)
    assert found["p"] > 0.05


def sets(tokens: Tokens) -> MelodySet:
    return MelodySet(tokens, np.arange(len(tokens)) % 4, np.arange(len(tokens)))


def test_the_block_needs_melodies_enough(real: Tokens) -> None:
    few = {4: sets(real[:49])}
    assert evaluate_two_sample(few, {4: sets(real)}, lambda _bars: None) == {}
    assert held_out_test(sets(real), np.arange(200) < 49) is None


def test_evaluations_show_the_tests() -> None:
    rng = np.random.default_rng(0)
    some, others = ({e: [random_melody(rng, e) for _ in range(15)] for e in Emotion} for _ in range(2))
    figures = evaluate_generated(dataset(some), dataset(others), name="alike").figures
    found = figures["two_sample"]["4"]
    assert (found["melodies"], found["others"], found["real"]) == (60, 60, None)  # 12 are held out: too few
    assert all(found[name]["low"] < 0.5 < found[name]["high"] for name in CLASSIFIERS)
    sheet = two_sample([figures])
    assert sheet.columns == ("", "alike", "real held-out melodies")
    assert sheet.rows[0][0] == "4 bars: AUC, random forest [95 % interval]"
    assert sheet.rows[0][1].startswith(f"{found['forest']['auc']:.2f} [")
    assert len(sheet.rows) == 5
