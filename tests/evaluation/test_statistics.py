"""Distances between sets of melodies, checked against values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emomelody.evaluation.statistics import (
    histogram_distance,
    spearman,
    split_half_distance,
    wasserstein,
    wilson_interval,
)


def test_distances_by_hand() -> None:
    assert wasserstein(np.array([0.0, 1]), np.array([1.0, 2])) == pytest.approx(1)
    left, both = np.array([[4.0, 0], [2, 0]]), np.array([[1.0, 1]])
    assert histogram_distance(left, np.array([[0.0, 3]])) == pytest.approx(1)
    # Of (1, 0) and (½, ½): the entropy of (¾, ¼) less half a bit, and its root.
    divergence = -0.75 * math.log2(0.75) - 0.25 * math.log2(0.25) - 0.5
    assert histogram_distance(left, both) == pytest.approx(math.sqrt(divergence))


def test_a_set_has_no_distance_to_itself() -> None:
    rng = np.random.default_rng(0)
    values, counts = rng.normal(size=30), rng.integers(0, 5, (30, 8)).astype(float)
    assert wasserstein(values, values) == 0
    assert histogram_distance(counts, counts) == 0


def test_nothing_and_one_have_no_distance() -> None:
    nothing = np.zeros((3, 8))
    assert math.isnan(histogram_distance(nothing, np.ones((3, 8))))
    assert math.isnan(split_half_distance(np.ones(1), wasserstein, 0))


def test_halves_of_equal_values_are_equal_and_of_others_are_not() -> None:
    assert split_half_distance(np.ones(10), wasserstein, 0) == 0
    few = split_half_distance(np.random.default_rng(0).normal(size=20), wasserstein, 0)
    many = split_half_distance(np.random.default_rng(0).normal(size=2000), wasserstein, 0)
    assert few > 3 * many > 0


def test_the_rank_correlation_sees_order_only() -> None:
    rising = np.array([1.0, 2, 4, 8])
    assert spearman(rising, np.exp(rising)) == pytest.approx(1)
    assert spearman(rising, -rising) == pytest.approx(-1)
    assert spearman(rising, np.ones(4)) == 0
    assert spearman(rising[:1], rising[:1]) is None


@pytest.mark.parametrize(("hits", "count"), [(0, 7), (7, 7), (3, 10), (190, 250)])
def test_wilsons_interval_is_that_of_the_closed_formula(hits: int, count: int) -> None:
    z, p = 1.959963984540054, hits / count
    centre = (p + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    found = wilson_interval(np.arange(count) < hits)
    assert found == pytest.approx([centre - reach, centre + reach])
    assert wilson_interval(np.zeros(0, dtype=bool)) is None
