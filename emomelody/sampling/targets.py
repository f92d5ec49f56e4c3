"""From a request to plans: the waypoints of a melody, and what it takes from melodies of the user's.

N melodies, W waypoints, K blocks of four bars, M bars, T steps, C content dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import Waypoint, interpolate
from emomelody.emotions.plane import Plane, quadrants
from emomelody.emotions.plans import Plan
from emomelody.music.draft import Draft
from emomelody.music.form import Form
from emomelody.music.melody import BARS, STEPS_PER_BAR
from emomelody.music.tokens import Floats, Tokens
from emomelody.sampling.own import OwnTune
from emomelody.sampling.request import TUNE_BARS, Request
from emomelody.sampling.variation import vary
from emomelody.weights.checkpoint import VA, Checkpoint


def default_bars(checkpoint: Checkpoint) -> int:
    """The length of a melody where none is given: four bars by the paper's models."""
    return TUNE_BARS if checkpoint.name == VA else BARS


@dataclass(frozen=True)
class Task:
    """A melody to be decoded: its plan with a latent for each step, and the tokens that are given.

    They are longer than the melody where something stands before it.
    """

    plan: Plan
    kept: Tokens | None  # (T,), as of ``Draft.tokens``


@dataclass(frozen=True)
class Target:
    """The waypoints of a melody, the melody of the user's that it is made from, and its style."""

    waypoints: tuple[Waypoint, ...]
    own: OwnTune | None  # what it is to be like, or the kept bars of its draft
    draft: Draft | None
    varied: bool  # whether the point is that of ``own``
    spread: float  # in units of the plane's scale, and in standard deviations of the contents
    plane: Plane
    distribution: StyleDistribution | None  # None for the paper's models

    @classmethod
    def of(cls, checkpoint: Checkpoint, request: Request, share: float = 0) -> Target:
        """The target of a request to a model; ``share`` is how far it is from ``like`` to ``to``, 0 … 1.

        Raises EmomelodyError for an unknown style or meter.
        """
        distribution = checkpoint.distribution(request.style, request.meter)
        plane = distribution.plane if distribution else checkpoint.plane
        own = _own_tune(checkpoint, request, share)
        waypoints, spread = request.waypoints, 0.0 if request.draft else request.spread
        if own and not waypoints:
            waypoints = (Waypoint(0, plane.to_point(own.centre)),)
        return cls(waypoints, own, request.draft, not request.waypoints, spread, plane, distribution)

    def sample_latents(self, rng: np.random.Generator) -> Floats:
        """A latent for each waypoint, (W, 2); those of a melody to be varied by the spread."""
        latents = waypoint_latents(self.plane, self.waypoints, rng)
        return _vary(latents, self.spread, self.plane, rng) if self.varied else latents

    def sample_contents(self, request: Request, rng: np.random.Generator) -> Floats | None:
        """The contents of each block, varied by the spread, (K, C); None for those that are free."""
        if self.own is None or self.draft or self._is_variation(request):
            return None
        blocks = -(-request.bars // BARS)
        contents = rng.normal(self.own.contents, self.spread)
        return np.asarray(np.resize(contents, (blocks, contents.shape[1])))

    def task(self, request: Request, latents: Floats, rng: np.random.Generator) -> Task:
        """What to decode for a melody, from the latents of its waypoints (W, 2)."""
        if self.own and request.like and self._is_variation(request):
            points = self._around(self.own, latents[0], -(-request.bars // BARS))
            plan, kept = vary(request.like, self.own, points, request.bars, self.spread, rng)
            size, steps = BARS * request.meter.bar, len(kept)
            return Task(Plan(np.repeat(plan.points, size, 0)[:steps], plan.attributes, plan.form), kept)
        kept_bars = self.draft.tokens() if self.draft else None
        return Task(self.plan(request, latents, rng), kept_bars)

    def _is_variation(self, request: Request) -> bool:
        """Whether a melody is varied as it is, neither in another emotion nor on the way to another."""
        if self.distribution is None or not self.distribution.plans.has_forms:
            return False
        return self.varied and request.like is not None and request.to is None and request.form is None

    def plan(self, request: Request, latents: Floats, rng: np.random.Generator) -> Plan:
        """The plan of a melody from the latents of its waypoints (W, 2), with a latent for each step (T, 2).

        A melody of one emotion has the latents, attributes and form of a real tune; on a path and at a point
        it has the latents in between. One to be varied has those of the melody that it is like, moved to the
        latent; a draft has those of its kept bars, and in the others those of a tune that goes on like it.
        """
        along = interpolate(self.waypoints, latents, request.bars, request.meter)  # (T, 2)
        blocks, size = -(-request.bars // BARS), BARS * request.meter.bar
        if self.distribution is None:
            plan = plan_along(None, along, rng)
        elif self.draft and self.own:
            plan = self._complete(self.draft, self.own.plan, _block_means(along, size), rng)
            along = _at_steps(plan.points, size, along)
        elif self.own and self.varied:
            plan = self._like(self.own, latents[0], blocks, rng)
            along = _at_steps(plan.points, size, along)
        elif isinstance(request.emotion, Emotion) and request.bars > BARS:
            plan = self.distribution.draw_plan(latents[0], blocks, rng)
            along = _at_steps(plan.points, size, along)
        else:
            plan = plan_along(self.distribution, along, rng)
        form = self._form(request, plan.form[slice(request.bars)], along[:: request.meter.bar])
        return Plan(along, plan.attributes, form)

    def _complete(self, draft: Draft, own: Plan, wanted: Floats, rng: np.random.Generator) -> Plan:
        """The plan of a draft: its own, and near the ``wanted`` latents (K, 2) where it is open."""
        assert self.distribution is not None
        plan = self.distribution.complete_plan(own, draft.open_blocks, wanted, rng)
        if not self.varied and not isinstance(self.waypoints[0].target, Emotion):
            plan.points[draft.open_blocks] = wanted[draft.open_blocks]
        return plan

    def _like(self, own: OwnTune, latent: Floats, blocks: int, rng: np.random.Generator) -> Plan:
        """The plan of a melody like the user's whose latents are around this one (2,).

        Where it is longer, the points and attributes begin again, and the form is one near these points.
        """
        assert self.distribution is not None
        points = self._around(own, latent, blocks)
        attributes = np.resize(own.attributes, (blocks, own.attributes.shape[1]))
        return Plan(points, attributes, self.distribution.plan_along(points, rng).form)

    def _around(self, own: OwnTune, latent: Floats, blocks: int) -> Floats:
        """The points of a melody's blocks, moved so that their centre is a latent (2,), (blocks, 2)."""
        scale = np.array(self.plane.scale)
        return np.resize(np.clip(own.plan.points + latent - own.centre, -scale, scale), (blocks, 2))

    def _form(self, request: Request, form: Form, along: Floats) -> Form:
        """The form of a melody with these latents of bars (M, 2): that of ``own``, else of its plan.

        A bar does not repeat one of another emotion.
        """
        if self.draft and self.own:
            form = form.where(np.array(self.draft.kept), self.own.form)
        elif self.own:
            form = self.own.form.extended(form)
        if request.form is not None:
            form = form.with_sections(request.form)
        if self.own and self.varied:
            return form
        emotions = quadrants(along)  # (bars,)
        return form.without(emotions != emotions[np.arange(request.bars) - form.lags])


def plan_along(distribution: StyleDistribution | None, latents: Floats, rng: np.random.Generator) -> Plan:
    """A plan of a melody with these latents of its steps (T, 2).

    For the paper's models it has neither attributes nor repetitions.
    """
    bar = distribution.meter.bar if distribution else STEPS_PER_BAR
    blocks, bars = _block_means(latents, BARS * bar), len(latents) // bar
    if distribution is None:
        return Plan(latents, np.zeros((len(blocks), 0)), Form.none(bars))
    plan = distribution.plan_along(blocks, rng)
    return Plan(latents, plan.attributes, plan.form[slice(bars)])


def _block_means(latents: Floats, size: int) -> Floats:
    """The mean latent of each block of ``size`` steps, (K, 2), of the latents of all steps (T, 2)."""
    return np.stack([latents[first : first + size].mean(0) for first in range(0, len(latents), size)])


def _at_steps(latents: Floats, size: int, along: Floats) -> Floats:
    """Latents of blocks (K, 2) for each of the steps that ``along`` (T, 2) has."""
    return np.repeat(latents, size, 0)[: len(along)]


def _own_tune(checkpoint: Checkpoint, request: Request, share: float) -> OwnTune | None:
    """The melody of the user's that a request is about, or the one between two."""
    if request.draft:
        return OwnTune.of_draft(checkpoint, request.draft, request.mode)
    if request.like is None:
        return None
    own = OwnTune.of(checkpoint, request.like, request.mode)
    if request.to is None:
        return own
    return own.between(OwnTune.of(checkpoint, request.to, request.mode), share)


def waypoint_latents(plane: Plane, waypoints: Sequence[Waypoint], rng: np.random.Generator) -> Floats:
    """A latent for each waypoint, (W, 2): a point's own, or one of the emotion's region.

    A single emotion's is sampled from its region. On a path it is the region's centre: from a point near an
    axis the path would leave the emotion at once.
    """
    return np.stack([_waypoint_latent(plane, w, rng if len(waypoints) == 1 else None) for w in waypoints])


def _waypoint_latent(plane: Plane, waypoint: Waypoint, rng: np.random.Generator | None) -> Floats:
    if waypoint.point is not None:
        return plane.to_latent(waypoint.point)
    return plane.sample(waypoint.label, rng) if rng else plane.centre(waypoint.label)


def _vary(latents: Floats, spread: float, plane: Plane, rng: np.random.Generator) -> Floats:
    """Latents (W, 2) with normal noise of standard deviation ``spread`` times the scale, inside the plane."""
    scale = np.array(plane.scale)
    return np.clip(rng.normal(latents, spread * scale), -scale, scale)
