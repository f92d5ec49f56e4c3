"""Plans of real tunes: which windows are drawn, and how they are kept in a weights file."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import tiny_plans

from emomelody.emotions.attributes import NAMES
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import quadrants
from emomelody.emotions.plans import NEAREST, Plan, Plans
from emomelody.music.form import STATES

HAPPY, SAD = np.array([0.5, 0.5]), np.array([-0.5, -0.5])


def plans_of(*tunes: list[tuple[float, float]], ends: bool = True) -> Plans:
    """Plans of tunes with these points of their windows; the first attribute is the number of the window."""
    points = np.array([point for tune in tunes for point in tune])
    attributes = np.zeros((len(points), len(NAMES)))
    attributes[:, 0] = np.arange(len(points)) / 100
    place = np.concatenate([np.arange(len(tune)) for tune in tunes])
    last = np.concatenate([np.arange(len(tune)) == len(tune) - 1 for tune in tunes])
    return Plans.of(points, attributes, np.zeros((len(points), 4), np.int64), place == 0, last & ends)


def windows(plan: Plan) -> list[int]:
    """The windows that a plan of ``plans_of`` was made from."""
    return (plan.attributes[:, 0] * 100).round().astype(int).tolist()


def test_a_plan_is_the_end_of_one_tune_of_the_emotion() -> None:
    happy = [[(0.5, 0.5)] * 5 for _ in range(12)]
    sad = [[(-0.5, -0.5)] * 5 for _ in range(12)]
    plans, rng = plans_of(*happy, *sad), np.random.default_rng(0)
    drawn = [windows(plans.draw(SAD, 3, rng)) for _ in range(200)]
    assert {tuple(rows) for rows in drawn} == {(first, first + 1, first + 2) for first in range(62, 120, 5)}


def test_where_few_tunes_end_any_part_of_one_will_do_and_where_few_are_long_several() -> None:
    rng = np.random.default_rng(0)
    plans = plans_of(*[[(0.5, 0.5)] * 5 for _ in range(12)], ends=False)
    firsts = {windows(plans.draw(HAPPY, 3, rng))[0] % 5 for _ in range(200)}
    assert firsts == {0, 1, 2}
    short = plans_of(*[[(0.5, 0.5)] * 2 for _ in range(12)])
    rows = windows(short.draw(HAPPY, 4, rng))
    assert [row % 2 for row in rows] == [0, 1, 0, 1]
    assert len(windows(plans_of([(0.5, 0.5)]).draw(HAPPY, 7, rng))) == 7


def test_a_plan_is_near_the_point() -> None:
    rng = np.random.default_rng(0)
    valence = np.linspace(0.1, 0.9, 3 * NEAREST)
    plans = plans_of(*[[(float(v), 0.5)] * 2 for v in valence])
    drawn = [plans.draw(np.array([0.1, 0.5]), 2, rng).points[0, 0] for _ in range(400)]
    assert max(drawn) == pytest.approx(valence[NEAREST - 1], abs=1e-4)
    assert min(drawn) == pytest.approx(0.1, abs=1e-4)


def test_windows_of_another_emotion_are_replaced() -> None:
    tunes = [[(0.5, 0.5), (0.6, 0.4), (-0.5, 0.5), (0.5, 0.3)] for _ in range(12)]
    plan = plans_of(*tunes).draw(HAPPY, 4, np.random.default_rng(0))
    assert (quadrants(plan.points) == Emotion.E1.index).all()
    assert [row % 4 for row in windows(plan)][::3] == [0, 3]


def test_along_points_each_window_is_like_the_one_before() -> None:
    """Of the windows at the second point, that with the attributes of the first one's is taken."""
    points = np.array([[0.5, 0.5], [-0.5, -0.5]])
    attributes = np.zeros((8, len(NAMES)))
    attributes[:, 3] = [1, 1, 1, 1, -1, 0, 0.9, 3]
    every = np.ones(8, dtype=bool)
    plans = Plans.of(np.repeat(points, 4, 0), attributes, np.zeros((8, 4), np.int64), every, every)
    plan = plans.along(points, np.random.default_rng(0))
    assert (plan.points == points).all()
    assert plan.attributes[:, 3].tolist() == [1, 0.9]


def test_an_emotion_without_a_tune_has_the_plans_of_the_others_at_its_own_point() -> None:
    plans, rng = plans_of(*[[(0.5, 0.5)] * 2 for _ in range(12)]), np.random.default_rng(0)
    for plan in (plans.draw(SAD, 2, rng), plans.along(np.stack([SAD, SAD]), rng)):
        assert set(windows(plan)) <= set(range(24))
        assert (plan.points == SAD).all()


def test_plans_of_other_tunes_are_added_by_emotion() -> None:
    plans = plans_of([(0.5, 0.5)] * 2)
    other = plans_of([(-0.5, 0.5)] * 2, [(-0.5, -0.5), (0.5, 0.5), (-0.5, -0.5), (-0.5, -0.5)])
    both = plans.with_emotions(other, np.array([False, False, True, False]))
    assert both.points.tolist() == [[0.5, 0.5]] * 2 + [[-0.5, -0.5]] * 3
    assert both.rows[:, -1].tolist() == [1, 2, 1, 1, 2]  # begins, ends
    assert len(other) == 6
    assert other.rows[4, -1] == 0


def test_a_form_repeats_no_bar_before_the_melody() -> None:
    plans, rng = tiny_plans(np.random.default_rng(0)), np.random.default_rng(0)
    assert plans.has_forms
    whole, part = plans.draw(HAPPY, 4, rng).form, plans.draw(HAPPY, 3, rng).form
    assert whole.lags.tolist() == [0, 0, 0, 2, *[4, 4, 4, 2] * 3]
    assert part.lags.tolist() == [0, 0, 0, 2, *[4, 4, 4, 2] * 2]
    assert not part.kinds[:3].any()


def test_plans_survive_a_weights_file_and_damage_is_refused() -> None:
    plans = tiny_plans(np.random.default_rng(0))
    again = Plans.from_array(plans.rows.copy())
    assert (again.points == plans.points).all()
    assert (again.attributes == plans.attributes).all()
    unknown, flagged = plans.rows.copy(), plans.rows.copy()
    unknown[3, -2], flagged[3, -1] = STATES, 4
    for damage in (
        plans.rows.astype(np.int64),
        plans.rows[:, :6],
        np.pad(plans.rows, ((0, 0), (1, 0))),
        plans.rows[0],
        unknown,
        flagged,
    ):
        with pytest.raises(ValueError, match="plans"):
            Plans.from_array(damage)


def test_a_plan_is_completed_by_tunes_that_are_like_it() -> None:
    rng = np.random.default_rng(0)
    low, high = [(0.2, 0.2)] * 4, [(0.9, 0.9)] * 4
    plans = plans_of(*([low] * NEAREST), *([high] * NEAREST))
    own = Plan(np.full((4, 2), 0.9), np.zeros((4, len(NAMES))), plans.draw(HAPPY, 4, rng).form)
    unknown = np.array([False, False, True, True])
    completed = plans.complete(own, unknown, np.full((4, 2), 0.8), rng)
    assert (completed.points[:2] == own.points[:2]).all()
    assert (completed.attributes[:2] == own.attributes[:2]).all()
    assert completed.points[2:] == pytest.approx(0.9)
    third, fourth = windows(completed)[2:]
    assert (third % 4, fourth % 4) == (2, 3)  # a tune ends where this one ends
    assert fourth == third + 1 >= 4 * NEAREST  # one of the second kind


def test_completed_blocks_have_the_wanted_emotion() -> None:
    rng = np.random.default_rng(0)
    plans = plans_of(*([[(0.5, 0.5)] * 4] * NEAREST))  # no sad tune
    own = Plan(np.full((4, 2), 0.5), np.zeros((4, len(NAMES))), plans.draw(HAPPY, 4, rng).form)
    unknown = np.array([False, True, False, False])
    completed = plans.complete(own, unknown, np.tile(SAD, (4, 1)), rng)
    assert completed.points[1].tolist() == SAD.tolist()
    assert (completed.points[~unknown] == 0.5).all()


def test_a_completed_plan_has_the_register_of_its_blocks() -> None:
    """It is as much higher or lower than they are as the blocks of the real tune were."""
    rng = np.random.default_rng(0)
    register = NAMES.index("register")
    attributes = np.zeros((4 * NEAREST, len(NAMES)))
    attributes[:, register] = np.tile([-1.0, -1.0, 0.0, 0.0], NEAREST)
    place = np.tile(np.arange(4), NEAREST)
    points = np.full((4 * NEAREST, 2), 0.5)
    plans = Plans.of(points, attributes, np.zeros((len(points), 4), np.int64), place == 0, place == 3)
    own = Plan(np.full((4, 2), 0.5), np.zeros((4, len(NAMES))), plans.draw(HAPPY, 4, rng).form)
    own.attributes[:, register] = 1.0
    completed = plans.complete(own, np.array([False, False, True, True]), own.points, rng)
    assert completed.attributes[:, register] == pytest.approx([1, 1, 2, 2])
