"""From a request to latents and forms: the waypoints of a melody, and the encoding of melodies to vary.

N melodies, W waypoints, C content dimensions, Z = 2 + C.
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
from emomelody.errors import EmomelodyError
from emomelody.music.form import Form
from emomelody.music.melody import BARS, STEPS_PER_BAR, Melody
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import REST, Floats, Tokens, Vocabulary, to_tokens
from emomelody.sampling.encoder import Encoder
from emomelody.sampling.request import TUNE_BARS, Request
from emomelody.weights.checkpoint import VA, Checkpoint
from emomelody.weights.config import LATENT, VAConfig
from emomelody.workers import blas_in_one_thread

OCTAVES = (0, 1, -1, 2, -2, 3, -3)  # shifts of a melody to be encoded, in order of preference


def find_distribution(checkpoint: Checkpoint, style: Style | None, meter: Meter) -> StyleDistribution | None:
    """How the training melodies of a style and meter are distributed; None for the paper's models.

    Without a style, it is the first that emoreg-va has learned in the meter. Raises EmomelodyError for one
    that it has not learned.
    """
    if checkpoint.name != VA:
        return None
    for known in checkpoint.styles:
        if known.meter is meter and style in (None, known.style):
            return known
    names = ", ".join(known.name for known in checkpoint.styles)
    raise EmomelodyError(f"the model has learned {names}, but no {style or 'melodies in'} {meter}")


def default_bars(checkpoint: Checkpoint, like: Melody | None) -> int:
    """The length of a melody where none is given: four bars by the paper's models and for variations."""
    return TUNE_BARS if checkpoint.name == VA and like is None else BARS


@dataclass(frozen=True)
class Target:
    """The waypoints of a request, the content of its ``like``, and the style that they are sampled in."""

    waypoints: tuple[Waypoint, ...]
    content: Floats | None  # (C,)
    varied: bool  # whether the point is that of ``like``, to be varied by the spread
    plane: Plane
    distribution: StyleDistribution | None  # None for the paper's models

    @classmethod
    def of(cls, checkpoint: Checkpoint, request: Request) -> Target:
        """The target of a request to a model. Raises EmomelodyError for an unknown style or meter."""
        distribution = find_distribution(checkpoint, request.style, request.meter)
        plane = distribution.plane if distribution else checkpoint.plane
        if request.like is None:
            return cls(request.waypoints, None, False, plane, distribution)
        (latent,) = encode_melodies(checkpoint, [request.like])  # (Z,)
        own = Waypoint(0, plane.to_point(latent[:LATENT]))
        waypoints = request.waypoints or (own,)
        return cls(waypoints, latent[LATENT:], not request.waypoints, plane, distribution)

    def sample_latents(self, spread: float, rng: np.random.Generator) -> Floats:
        """A latent for each waypoint, (W, 2); those of ``like`` are varied by ``spread``."""
        latents = waypoint_latents(self.plane, self.waypoints, rng)
        return _vary(latents, spread, self.plane, rng) if self.varied else latents

    def plan(self, request: Request, latents: Floats, rng: np.random.Generator) -> Plan:
        """The plan of a melody from the latents of its waypoints (W, 2), with a latent for each step (T, 2).

        A melody of one emotion has the latents, attributes and form of a real tune; on a path and at a point
        it has the latents in between.
        """
        along = interpolate(self.waypoints, latents, request.bars, request.meter)  # (T, 2)
        of_tune = isinstance(request.emotion, Emotion) and request.bars > BARS and not self.varied
        if self.distribution is None or not of_tune:
            plan = plan_along(self.distribution, along, rng)
        else:
            plan = self.distribution.draw_plan(latents[0], -(-request.bars // BARS), rng)
            along = np.repeat(plan.points, BARS * request.meter.bar, 0)[: len(along)]
        return Plan(along, plan.attributes, self._form(request, plan.form, along[:: request.meter.bar]))

    def _form(self, request: Request, form: Form, along: Floats) -> Form:
        """The form of a melody with these latents of bars (M, 2): that of ``like``, else of its plan.

        A bar does not repeat one of another emotion.
        """
        form = form[slice(request.bars)]
        if request.like is not None:
            own = Form.of(to_tokens(request.like), request.meter.bar)
            form = own.extended(form)
        if request.form is not None:
            form = form.with_sections(request.form)
        emotions = quadrants(along)  # (bars,)
        return form.without(emotions != emotions[np.arange(request.bars) - form.lags])


def plan_along(distribution: StyleDistribution | None, latents: Floats, rng: np.random.Generator) -> Plan:
    """A plan of a melody with these latents of its steps (T, 2).

    For the paper's models it has neither attributes nor repetitions.
    """
    bar = distribution.meter.bar if distribution else STEPS_PER_BAR
    blocks = [latents[first : first + BARS * bar].mean(0) for first in range(0, len(latents), BARS * bar)]
    bars = len(latents) // bar
    if distribution is None:
        return Plan(latents, np.zeros((len(blocks), 0)), Form.none(bars))
    plan = distribution.plan_along(np.stack(blocks), rng)
    return Plan(latents, plan.attributes, plan.form[slice(bars)])


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


def encode_melodies(checkpoint: Checkpoint, melodies: Sequence[Melody]) -> Floats:
    """The latent means (M, Z) of melodies of four bars in C: plane coordinates, then content.

    The coordinates may lie beyond the plane's edge. A melody with pitches outside the model's vocabulary is
    shifted by octaves to where it has the fewest. Raises EmomelodyError for a meter that the model has not
    learned, and for the paper's models, whose encoders need the label.
    """
    if not isinstance(checkpoint.config, VAConfig):
        raise EmomelodyError(f"{checkpoint.name} cannot place a melody without its label: use emoreg-va")
    meters = {melody.meter for melody in melodies}
    for meter in meters:
        find_distribution(checkpoint, None, meter)
    with blas_in_one_thread():
        encoders = {meter: Encoder(checkpoint.config, checkpoint.tensors, meter) for meter in meters}
        # One at a time, so that a melody's latent does not depend on the others.
        means = [encoders[m.meter].encode(_classes(checkpoint.vocabulary, m)[None])[0] for m in melodies]
    return np.array(means, dtype=np.float64)


def _classes(vocabulary: Vocabulary, melody: Melody) -> Tokens:
    """The classes (T,) of a melody, in the octave where the vocabulary has most of its pitches."""
    tokens = to_tokens(melody)
    onset = tokens < REST
    shifted = [np.where(onset, tokens + 12 * octave, tokens) for octave in OCTAVES]
    in_range = [row for row in shifted if ((row >= 0) & ((row < REST) == onset)).all()]
    # ``Vocabulary.encode`` moves unknown pitches and counts them.
    classes, _ = min(map(vocabulary.encode, in_range), key=lambda encoded: encoded[1])
    return classes
