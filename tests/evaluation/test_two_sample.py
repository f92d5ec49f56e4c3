"""Two-sample tests of equal and of different sets, and their AUC beside scikit-learn's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import random_melody
from evaluation.labelled import dataset
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.evaluation.evaluate import evaluate_generated
from emomelody.evaluation.presentation.comparison import two_sample
from emomelody.evaluation.sets import MelodySet, RealMelodies
from emomelody.evaluation.two_sample.classifiers import (
    Examples,
    auc_in_folds,
    classifier_test,
    cross_validated_scores,
)
from emomelody.evaluation.two_sample.discrepancy import _squared, discrepancy_test
from emomelody.evaluation.two_sample.figures import CLASSIFIERS, evaluate_two_sample, two_sample_test
from emomelody.evaluation.two_sample.network import network_scores
from emomelody.music.meter import Meter
from emomelody.music.tokens import HOLD, REST, Tokens, to_tokens


def melodies(count: int, seed: int, emotions: tuple[Emotion, ...] = (*Emotion,)) -> MelodySet:
    """Random melodies of each emotion in turn, each a tune of its own."""
    rng = np.random.default_rng(seed)
    labels = np.array([emotions[n % len(emotions)].index for n in range(count)])
    tokens = np.stack([to_tokens(random_melody(rng, list(Emotion)[label])) for label in labels])
    return MelodySet(tokens, labels, np.arange(count))


def noise(count: int, steps: int = 64, meter: Meter = Meter.FOUR_FOUR) -> MelodySet:
    """Random tokens."""
    rng = np.random.default_rng(7)
    tokens = rng.choice([*range(60, 73), REST, HOLD, HOLD, HOLD], (count, steps))
    return MelodySet(tokens, np.arange(count) % 4, np.arange(count), meter)


def of_tunes(some: MelodySet, tunes: Tokens) -> MelodySet:
    return replace(some, tunes=tunes)


@pytest.fixture(scope="module")
def real() -> MelodySet:
    return melodies(200, 0)


def scored(emotions: Tokens | None = None) -> tuple[NDArray[np.float64], Examples]:
    """Scores with ties of 400 melodies of 60 tunes; those of a tune are alike."""
    rng = np.random.default_rng(0)
    tunes = np.sort(rng.integers(0, 60, 400))
    generated = tunes < 20
    scores = np.round(generated * 0.5 + rng.normal(size=60)[tunes] + rng.normal(size=400), 1)
    kinds = np.zeros(400, dtype=int) if emotions is None else emotions
    return scores, Examples(generated, kinds, tunes, tunes % 5)


def in_one_fold(examples: Examples) -> Examples:
    return replace(examples, folds=np.zeros_like(examples.folds))


def test_auc_is_that_of_scikit_learn() -> None:
    scores, examples = scored()
    found = auc_in_folds(scores, examples)
    labels, folds = examples.generated, examples.folds
    expected = [roc_auc_score(labels[folds == f], scores[folds == f]) for f in range(5)]
    assert found["auc"] == pytest.approx(np.mean(expected))
    assert found["low"] < found["auc"] < found["high"]
    one_fold = auc_in_folds(scores, in_one_fold(examples))
    assert one_fold["auc"] == pytest.approx(roc_auc_score(labels, scores))


def test_emotions_weigh_the_same_on_either_side() -> None:
    """Scores that tell nothing but the emotion, which has other shares in the two sets."""
    rng = np.random.default_rng(1)
    _, examples = scored()
    emotions = np.where(rng.random(400) < np.where(examples.generated, 0.5, 0.1), 2, 0)
    examples = in_one_fold(replace(examples, emotions=emotions))
    assert roc_auc_score(examples.generated, emotions) > 0.65
    assert auc_in_folds(emotions * 1.0, examples)["auc"] == pytest.approx(0.5)
    scores, _ = scored()
    weights = examples.weights(np.arange(400))
    expected = roc_auc_score(examples.generated, scores, sample_weight=weights)
    assert auc_in_folds(scores, examples)["auc"] == pytest.approx(expected)
    assert weights.mean() == pytest.approx(1)


def test_auc_does_not_depend_on_the_numbers_of_melodies() -> None:
    scores, examples = scored()
    rows = np.repeat(np.arange(400), np.where(examples.generated, 1, 5))
    columns = (examples.generated, examples.emotions, examples.tunes, examples.folds)
    more = Examples(*(values[rows] for values in columns))
    assert auc_in_folds(scores, examples) == pytest.approx(auc_in_folds(scores[rows], more))


def test_the_interval_is_that_of_resampled_groups_half_as_wide_again() -> None:
    scores, examples = scored()
    found = auc_in_folds(scores, in_one_fold(examples))
    rng, resampled = np.random.default_rng(1), []
    rows = [np.flatnonzero(examples.tunes == tune) for tune in range(60)]
    for _ in range(400):
        drawn = [*rng.choice(20, 20), *rng.choice(range(20, 60), 40)]
        chosen = np.concatenate([rows[tune] for tune in drawn])
        resampled.append(roc_auc_score(examples.generated[chosen], scores[chosen]))
    low, high = found["auc"] + 1.5 * (np.percentile(resampled, (2.5, 97.5)) - found["auc"])
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=0.03), pytest.approx(high, abs=0.03))


def test_no_melody_is_scored_by_a_classifier_that_has_seen_it() -> None:
    folds = np.arange(50) % 5

    def score(train: Tokens, test: Tokens) -> NDArray[np.float64]:
        assert not set(folds[train]) & set(folds[test])
        return test.astype(float)

    assert (cross_validated_scores(score, folds) == np.arange(50)).all()


def test_equal_sets_cannot_be_told_apart_and_noise_can(real: MelodySet) -> None:
    pairs = of_tunes(real, np.arange(len(real)) // 2)
    alike = classifier_test(melodies(100, 2), pairs[np.arange(120)])
    different = classifier_test(noise(150), pairs)
    for name in CLASSIFIERS:
        assert alike[name]["low"] < 0.5 < alike[name]["high"], name
        assert different[name]["low"] > 0.95, name


def test_sets_with_other_shares_of_the_emotions_cannot_be_told_apart(real: MelodySet) -> None:
    mostly_happy = melodies(120, 2, (Emotion.E1, Emotion.E1, *Emotion))
    found = classifier_test(mostly_happy, real)
    assert all(found[name]["low"] < 0.5 < found[name]["high"] for name in CLASSIFIERS)
    assert discrepancy_test(mostly_happy, real)["p"] > 0.05


def test_copies_of_other_tunes_are_no_evidence(real: MelodySet) -> None:
    """Each real melody with a generated copy: whatever is learned of a melody holds for its copy, too."""
    some = real[np.arange(120)]
    found = classifier_test(some, some, seed=3)
    assert all(0.4 < found[name]["auc"] < 0.6 for name in CLASSIFIERS)


def test_the_seed_decides_everything(real: MelodySet) -> None:
    some, others = melodies(60, 1), real[np.arange(60)]
    state = torch.random.get_rng_state()
    first, second = (classifier_test(some, others, seed=5) for _ in range(2))
    assert first == second
    assert (torch.random.get_rng_state() == state).all()
    labels, weights = np.arange(120) < 60, np.ones(120)
    tokens = np.concatenate([some.tokens, others.tokens])
    scores = [network_scores(tokens, labels, weights, some.tokens, seed=seed) for seed in (0, 1)]
    assert (scores[0] != scores[1]).any()


def test_other_lengths_and_meters_can_be_tested() -> None:
    some = noise(60, 96, Meter.SIX_EIGHT)
    first, second = some[np.arange(30)], some[np.arange(30, 60)]
    assert {*classifier_test(first, second)} == {*CLASSIFIERS}
    with pytest.raises(EmomelodyError, match="5 tunes"):
        classifier_test(first, of_tunes(second, np.zeros(30, dtype=int)))


def test_the_discrepancy_is_the_unbiased_estimate_of_pairs_of_different_tunes() -> None:
    rng = np.random.default_rng(0)
    kernel = rng.random((7, 7)).astype(np.float32)
    kernel += kernel.T
    pairs = 1 - np.eye(7, dtype=np.float32)
    pairs[1, 4] = pairs[4, 1] = 0  # two of one tune
    kernel *= pairs
    first = np.array([1, 0, 1, 1, 0, 0, 0], dtype=bool)
    a, b = np.flatnonzero(first), np.flatnonzero(~first)
    within = kernel[np.ix_(a, a)].sum() / 6 + kernel[np.ix_(b, b)].sum() / 10
    expected = within - 2 * kernel[np.ix_(a, b)].mean()
    assert _squared(kernel, pairs, first[None]) == pytest.approx(expected, abs=1e-5)


def test_the_discrepancy_of_equal_sets_is_chance(real: MelodySet) -> None:
    fours = of_tunes(real, np.arange(len(real)) // 4)
    alike = discrepancy_test(melodies(150, 1), fours)
    assert alike["p"] > 0.05
    assert abs(alike["mmd2"]) < 0.01
    rows = np.random.default_rng(7).permuted(noise(150).tokens, axis=1)
    different = discrepancy_test(replace(noise(150), tokens=rows), fours)
    assert different["p"] == pytest.approx(1 / 500)
    assert different["mmd2"] > 0.05
    order = np.random.default_rng(0).permutation(len(real))
    assert discrepancy_test(fours[order], fours)["p"] > 0.9


def test_p_of_tunes_of_equal_melodies_is_that_of_as_many_tunes() -> None:
    """Twenty copies of each melody are no more evidence than one."""
    rows = np.repeat(np.arange(8), 20)
    found = discrepancy_test(melodies(8, 0)[rows], melodies(8, 1)[rows])
    assert found["p"] > 0.05


def test_the_block_needs_melodies_enough(real: MelodySet) -> None:
    assert two_sample_test(real[np.arange(49)], real) is None
    assert two_sample_test(real, of_tunes(real, np.arange(200) % 4)) is None
    others = {e: [random_melody(np.random.default_rng(0), e)] * 12 for e in Emotion}
    assert evaluate_two_sample({4: real}, RealMelodies(dataset(others), (4,))) == {}


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
