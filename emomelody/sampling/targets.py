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
from emomelody.errors import EmomelodyError
from emomelody.music.form import Form
from emomelody.music.melody import BARS, Melody
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

    def trajectory(self, request: Request, latents: Floats, rng: np.random.Generator) -> Floats:
        """The latent of each step of a melody, (T, 2), from those of its waypoints (W, 2).

        Those of one emotion vary from one block of four bars to the next as in real tunes.
        """
        if self.distribution is not None and isinstance(request.emotion, Emotion) and not self.varied:
            blocks = self.distribution.sample_blocks(latents[0], -(-request.bars // BARS), rng)
            steps = request.bars * request.meter.bar
            return np.repeat(blocks, BARS * request.meter.bar, 0)[:steps]
        return interpolate(self.waypoints, latents, request.bars, request.meter)

    def form(self, request: Request, latents: Floats, rng: np.random.Generator) -> Form:
        """The form of a melody with these latents (W, 2): that of ``like``, else one like real melodies'.

        A bar does not repeat one of another emotion.
        """
        if self.distribution is None:
            return Form.none(request.bars)
        form = self.distribution.sample_form(float(latents[0, 1]), request.bars, rng)
        if request.like is not None:
            own = Form.of(to_tokens(request.like), request.meter.bar)
            form = own.extended(form)
        if request.form is not None:
            form = form.with_sections(request.form)
        if request.bars > BARS:
            form = form.with_free_end()
        along = interpolate(self.waypoints, latents, request.bars, request.meter)[:: request.meter.bar]
        emotions = quadrants(along)  # (bars,)
        return form.without(emotions != emotions[np.arange(request.bars) - form.lags])


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
