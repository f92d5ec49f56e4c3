"""Plans: what real tunes of a style and meter are like, four bars at a time, but for their notes.

A melody is composed to the plan of a real tune: the points of its windows of four bars, their attributes, and
its form. Drawn from real tunes, they fit each other; drawn one by one, they would contradict each other more
often than not, and the decoder would make neither of them.

N windows, K of a melody, D attributes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.attributes import LARGEST, NAMES
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import quadrants
from emomelody.music.form import STATES, Form
from emomelody.music.melody import BARS
from emomelody.music.tokens import Floats, Tokens

NEAREST = 40  # windows, or runs of windows, that one is drawn from
FEW = 10  # runs that are too few to draw from
PART = 2  # blocks of a plan that are completed at a time, and those before that they have to suit
# Of runs that a plan is completed with: the cost of a squared distance of the points on the plane, beside
# that of the attributes, in standard deviations, and of ending where the plan goes on, or the reverse.
POINT, ENDING = 10.0, 2.0
RELATIVE = np.isin(NAMES, ("register",))  # (D,), attributes that a plan is completed with relatively
OWN = 0.75  # least share of the windows of a run that have the emotion
_UNITS = 10_000  # of an integer per unit of points and attributes
_BEGINS, _ENDS = 1, 2  # flags
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Plan:
    """The plan of a melody of K blocks of four bars.

    A melody to be sampled has latents instead of points, and at last one for each of its T steps.
    """

    points: Floats  # (K, 2) or (T, 2)
    attributes: Floats  # (K, D)
    form: Form  # (4 K,)


@dataclass(frozen=True, eq=False)  # compared, and hashed, as an object: arrays have no hash
class Plans:
    """The plans of the tunes of a style and meter. Weights of earlier versions know D of the attributes."""

    rows: NDArray[np.int16]  # (N, 2 + D + 4 + 1): point, attributes, states of the form, flags

    @classmethod
    def of(cls, points: Floats, attributes: Floats, states: Tokens, begins: Flags, ends: Flags) -> Plans:
        """The plans of windows, tune after tune: arrays (N, 2), (N, D) and (N, 4), see ``Form.states``.

        ``begins`` and ``ends`` (N,) say whether a run of windows begins and whether a tune ends with one.
        """
        numbers = np.concatenate([points, attributes], 1).clip(-LARGEST, LARGEST) * _UNITS
        flags = _BEGINS * begins + _ENDS * ends
        return cls(np.concatenate([numbers.round(), states, flags[:, None]], 1).astype(np.int16))

    @classmethod
    def from_array(cls, rows: NDArray[np.int16]) -> Plans:
        """The plans of a weights file. Raises ValueError for an array that cannot be one."""
        extra = 2 + BARS + 1
        if rows.dtype != np.int16 or rows.ndim != 2 or not 0 <= rows.shape[1] - extra <= len(NAMES):
            raise ValueError(f"plans are {rows.dtype} {rows.shape}, expected int16 (N, {extra} + attributes)")
        states, flags = rows[:, -1 - BARS : -1], rows[:, -1]
        if (states < 0).any() or (states >= STATES).any() or (flags < 0).any() or (flags > 3).any():
            raise ValueError("plans with an unknown form")
        return cls(rows)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def attributes(self) -> Floats:
        """The attributes of each window, (N, D)."""
        return np.asarray(self.rows[:, 2 : -1 - BARS] / _UNITS)

    @cached_property
    def points(self) -> Floats:
        """The point of each window, (N, 2), −1 … 1."""
        return np.asarray(self.rows[:, :2] / _UNITS)

    @property
    def has_forms(self) -> bool:
        """Whether any bar repeats another one: version 0.4 and before did not keep them."""
        return bool(self.rows[:, -1 - BARS : -1].any())

    def draw(self, point: Floats, blocks: int, rng: np.random.Generator) -> Plan:
        """The plan of a tune near a point (2,), of its last blocks where enough tunes have as many.

        A window of another emotion is replaced by one near the point. Where no window has the emotion, the
        point is that of every block.
        """
        rows = self._run(np.asarray(point), blocks, rng)
        label = Emotion.at(*point).index
        away = quadrants(self.points[rows]) != label
        rows[away] = [self._run(np.asarray(point), 1, rng)[0] for _ in range(away.sum())]
        plan = self._plan(rows)
        known = quadrants(plan.points) == label
        return replace(plan, points=np.where(known[:, None], plan.points, point).clip(-1, 1))

    def along(self, points: Floats, rng: np.random.Generator) -> Plan:
        """A plan at these points (K, 2): the attributes of windows near them, of which one is like the next.

        The form is that of a tune near their middle.
        """
        rows = [self._run(points[0], 1, rng)[0]]
        for point in points[1:]:
            own = np.flatnonzero(self._own(point))
            near = own[_nearest(point, self.points[own])]
            distance = np.square(self.attributes[near] - self.attributes[rows[-1]]).sum(1)
            rows.append(near[distance.argmin()])
        plan = self._plan(np.array(rows))
        middle = self._run(points.mean(0), len(points), rng)
        return Plan(points, plan.attributes, self._plan(middle).form)

    def complete(self, plan: Plan, unknown: Flags, wanted: Floats, rng: np.random.Generator) -> Plan:
        """A plan of K blocks, of which those that are ``unknown`` (K,) go on as the others do.

        They are taken, at most ``PART`` at a time, from real tunes that are like this one in the blocks on
        either side, and near the ``wanted`` points (K, 2) in those that are unknown: their points, attributes
        and repetitions. A tune ends where this one ends.
        """
        points, attributes = plan.points.copy(), plan.attributes.copy()
        states, missing = plan.form.states.reshape(-1, BARS), unknown.copy()  # (K, 4), (K,)
        while missing.any():
            first = int(missing.argmax())
            last = first + int(np.append(~missing[first : first + PART], True).argmax())  # after the part
            around = np.arange(max(first - PART, 0), last + (last < len(missing) and not missing[last]))
            inside = (around >= first) & (around < last)  # (L,)
            targets = np.where(inside[:, None], wanted[around], points[around])  # (L, 2)
            ends = around[-1] == len(missing) - 1
            run = self._alike(targets, attributes[around], inside, ends, rng)
            rows = run[inside]
            points[first:last], attributes[first:last] = self.points[rows], self.attributes[rows]
            # It is as much higher or lower than the other blocks as in the real tune.
            moved = (
                (attributes[around] - self.attributes[run])[~inside].mean(0) if len(rows) < len(run) else 0
            )
            attributes[first:last] += RELATIVE * moved
            states[first:last] = self.rows[rows, -1 - BARS : -1]
            missing[first:last] = False
        away = unknown & (quadrants(points) != quadrants(wanted))
        points[away] = wanted[away]
        form = Form.from_states(states.ravel().astype(np.int64))
        within = form.lags <= np.arange(len(form.lags))
        return Plan(points.clip(-1, 1), attributes, form.without(~within))

    def _alike(
        self, points: Floats, attributes: Floats, inside: Flags, ends: bool, rng: np.random.Generator
    ) -> Tokens:
        """A run of windows (L,) of one tune that are like those of another.

        All of them in their ``points`` (L, 2), those not ``inside`` (L,) in their ``attributes`` (L, D) too.
        """
        length = len(points)
        starts = np.arange(len(self) - length + 1)
        starts = starts[self._tunes[starts] == self._tunes[starts + length - 1]]
        if not len(starts):  # no tune is as long
            starts = np.arange(len(self) - length + 1)
        runs = starts[:, None] + np.arange(length)  # (R, L)
        distance = POINT * np.square(self.points[runs] - points).sum(2).mean(1)  # (R,)
        if not inside.all():
            unlike = np.square(self.attributes[runs[:, ~inside]] - attributes[~inside])  # (R, …, D)
            distance += unlike.mean((1, 2))
        distance += ENDING * ((self.rows[runs[:, -1], -1] & _ENDS > 0) != ends)
        near = distance.argsort(kind="stable")[:NEAREST]
        return np.asarray(runs[near[rng.integers(len(near))]])

    def with_emotions(self, other: Plans, wanted: Flags) -> Plans:
        """These plans, and those of another's windows that have one of the ``wanted`` emotions, (4,).

        Both have the same attributes. Where windows of a run are left out, a new run begins.
        """
        chosen, rows = wanted[other._quadrants], other.rows.copy()  # (N,)
        rows[~np.append(False, chosen[:-1]), -1] |= _BEGINS
        return Plans(np.concatenate([self.rows, rows[chosen]]))

    def _plan(self, rows: Tokens) -> Plan:
        form = Form.from_states(self.rows[rows, -1 - BARS : -1].astype(np.int64).ravel())  # (4 K,)
        within = form.lags <= np.arange(len(form.lags))
        return Plan(self.points[rows], self.attributes[rows], form.without(~within))

    def _run(self, point: Floats, blocks: int, rng: np.random.Generator) -> Tokens:
        """Successive windows of a tune near a point (2,), (blocks,), or of several, one after the other."""
        own, first = self._own(point), np.arange(len(self) - blocks + 1)
        last = first + blocks - 1
        if blocks == 1:
            starts = first[own]
        else:
            total = np.append(0, own.cumsum())
            mostly = total[last + 1] - total[first] >= OWN * blocks
            runs = (self._tunes[first] == self._tunes[last]) & own[first] & mostly
            starts = first[runs & (self.rows[last, -1] & _ENDS > 0)]
            if len(starts) < FEW:
                starts = first[runs]
            if len(starts) < FEW:
                half = blocks // 2
                return np.concatenate([self._run(point, n, rng) for n in (blocks - half, half)])
        means = (self._totals[starts + blocks] - self._totals[starts]) / blocks
        near = _nearest(point, means)
        start = starts[near[rng.integers(len(near))]]
        return np.arange(start, start + blocks)

    def _own(self, point: Floats) -> Flags:
        """Which windows have the emotion of a point (2,), (N,); all, where none has it."""
        own: Flags = self._quadrants == Emotion.at(*point).index
        return own if own.any() else ~own

    @cached_property
    def _totals(self) -> Floats:
        """The sums of the points before each window, and of all, (N + 1, 2)."""
        return np.concatenate([np.zeros((1, 2)), self.points.cumsum(0)])

    @cached_property
    def _quadrants(self) -> Tokens:
        return quadrants(self.points)

    @cached_property
    def _tunes(self) -> Tokens:
        return np.asarray((self.rows[:, -1] & _BEGINS).cumsum())


def _nearest(point: Floats, points: Floats) -> Tokens:
    """The rows of points (n, 2) that are nearest to a point (2,), the nearest first."""
    return np.asarray(np.square(points - point).sum(1).argsort(kind="stable")[:NEAREST])
