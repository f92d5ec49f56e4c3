"""From a request to melodies: choose the latents, decode them in batches, encode melodies to vary.

N melodies, W waypoints, T steps, C content dimensions, Z = 2 + C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from emomelody.errors import EmomelodyError
from emomelody.music.emotion import Emotion, describe
from emomelody.music.melody import BARS, STEPS_PER_BAR, Melody
from emomelody.music.path import Waypoint, interpolate
from emomelody.music.plane import Floats, Plane
from emomelody.music.tokens import REST, Tokens, Vocabulary, from_tokens, to_tokens
from emomelody.sampling.batches import batch_size, map_by_threads, split_into_batches
from emomelody.sampling.candidates import CandidateSampler
from emomelody.sampling.decoder import LEAST_TEMPERATURE, PaperDecoder, choose, nucleus
from emomelody.sampling.encoder import Encoder
from emomelody.sampling.request import DEFAULT, DecodingConfig, Request, Sample
from emomelody.weights.checkpoint import VA, Checkpoint
from emomelody.weights.config import LATENT, VAConfig
from emomelody.workers import blas_in_one_thread

MAX_DRAWS = 20  # of latents for one melody, until one gives a note
OCTAVES = (0, 1, -1, 2, -2, 3, -3)  # shifts of a melody to be encoded, in order of preference

# Target latents (N, T, 2), labels (N,), N random generators, contents (N, C) or None → tokens (N, T).
DecodeBatch = Callable[[Floats, Tokens, Sequence[np.random.Generator], Floats | None], Tokens]


def check_support(checkpoint: Checkpoint, request: Request) -> None:
    """Raise EmomelodyError for a request that this model cannot meet."""
    if checkpoint.name == VA:
        return
    if request.path is not None or request.like is not None or request.bars != BARS:
        raise EmomelodyError(
            f"{checkpoint.name} makes {BARS} bars of one emotion: other lengths, paths and melodies to vary"
            " need emoreg-va"
        )
    if request.decoding.top_p < 1 and request.decoding.temperature is None:
        raise EmomelodyError(
            f"{checkpoint.name} takes the likeliest token by default: top-p needs a temperature"
        )


def sample(checkpoint: Checkpoint, request: Request) -> list[Sample]:
    """The ``request.n`` melodies of a request.

    Melody i depends on (``request.seed``, i) alone: a larger ``n`` leaves the first ones unchanged. Raises
    EmomelodyError for a request that the model cannot meet, and where it yields only silence.
    """
    return list(samples(checkpoint, request))


def samples(checkpoint: Checkpoint, request: Request, numbers: range | None = None) -> Iterator[Sample]:
    """``sample`` as an iterator, in memory that does not grow with ``n``.

    ``numbers`` selects some of the melodies; it starts at a multiple of ``batch_size``.
    """
    check_support(checkpoint, request)
    target = _Target.of(checkpoint, request)
    decode_batch = _batch_decoder(checkpoint, request.decoding)
    work = partial(_sample_batch, checkpoint, request, target, decode_batch)
    batches = split_into_batches(numbers or range(request.n), batch_size(checkpoint))
    for batch in map_by_threads(work, batches):
        yield from batch


@dataclass(frozen=True)
class _Target:
    """The waypoints of a request and the content of its ``like``."""

    waypoints: tuple[Waypoint, ...]
    content: Floats | None  # (C,)
    varied: bool  # whether the point is that of ``like``, to be varied by the spread

    @classmethod
    def of(cls, checkpoint: Checkpoint, request: Request) -> _Target:
        if request.like is None:
            return cls(request.waypoints, None, False)
        (latent,) = encode_melodies(checkpoint, [request.like])  # (Z,)
        own = Waypoint(0, checkpoint.plane.to_point(latent[:LATENT]))
        return cls(request.waypoints or (own,), latent[LATENT:], not request.waypoints)


def _sample_batch(
    checkpoint: Checkpoint, request: Request, target: _Target, decode_batch: DecodeBatch, numbers: range
) -> list[Sample]:
    """The samples of these numbers, at most a batch of them. Melodies without a note are sampled again."""
    n, plane, waypoints = len(numbers), checkpoint.plane, target.waypoints
    rngs = [np.random.default_rng([request.seed, number]) for number in numbers]
    contents = None  # (N, C)
    if target.content is not None:
        contents = np.stack([rng.normal(target.content, request.spread) for rng in rngs])
    labels = np.full(n, waypoints[0].label.index)
    latents = np.zeros((n, len(waypoints), 2))
    tokens = np.zeros((n, request.bars * STEPS_PER_BAR), dtype=np.int64)
    draws = np.zeros(n, dtype=np.int64)
    silent = np.arange(n)  # the rows that have no note yet
    while len(silent):
        if draws.max() == MAX_DRAWS:
            raise EmomelodyError(
                f"the weights '{checkpoint.name}' make only silence here: train longer, or try another point"
            )
        draws[silent] += 1
        for row in silent:
            latents[row] = waypoint_latents(plane, waypoints, rngs[row])
            if target.varied:
                latents[row] = _vary(latents[row], request.spread, plane, rngs[row])
        trajectories = np.stack([interpolate(waypoints, latents[row], request.bars) for row in silent])
        tokens[silent] = decode_batch(
            trajectories,  # (rows, T, 2)
            labels[silent],
            [rngs[row] for row in silent],
            None if contents is None else contents[silent],
        )
        silent = silent[(tokens[silent] >= REST).all(1)]
    return [_to_sample(plane, target, latents[row], tokens[row], int(draws[row]) - 1) for row in range(n)]


def _vary(latents: Floats, spread: float, plane: Plane, rng: np.random.Generator) -> Floats:
    """Latents (W, 2) with normal noise of standard deviation ``spread`` times the scale, inside the plane."""
    scale = np.array(plane.scale)
    return np.clip(rng.normal(latents, spread * scale), -scale, scale)


def _to_sample(plane: Plane, target: _Target, latents: Floats, tokens: Tokens, silent_draws: int) -> Sample:
    """The sample of one melody's tokens (T,) and the latents (W, 2) of its waypoints."""
    first = target.waypoints[0]
    by_bar = interpolate(target.waypoints, latents, len(tokens) // STEPS_PER_BAR)[::STEPS_PER_BAR]
    trajectory = tuple(map(plane.to_point, by_bar))  # of (bars, 2)
    if len(target.waypoints) == 1 and first.point is not None and not target.varied:
        trajectory = (first.point,) * len(trajectory)  # exactly, without rounding by the scale
    return Sample(
        from_tokens(tokens),
        Emotion.at(*trajectory[0]) if target.varied else first.label,
        describe(*trajectory[0]) if target.varied else first.description,
        trajectory,
        (float(latents[0, 0]), float(latents[0, 1])),
        tokens,
        silent_draws,
    )


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


def decode(
    checkpoint: Checkpoint,
    latents: Floats,
    labels: Tokens,
    rngs: Sequence[np.random.Generator],
    decoding: DecodingConfig = DEFAULT,
    content: Floats | None = None,
) -> Tokens:
    """Tokens (N, T) for target latents (N, T, 2) and labels (N,), unrepaired, with N random generators.

    The paper's models use the first of the T latents. ``content`` (N, C) is emoreg-va's; without it each
    melody's is sampled from the prior.
    """
    decode_batch = _batch_decoder(checkpoint, decoding)

    def work(numbers: range) -> Tokens:
        rows = slice(numbers.start, numbers.stop)
        contents = None if content is None else content[rows]
        return decode_batch(latents[rows], labels[rows], rngs[rows], contents)

    batches = split_into_batches(range(len(latents)), batch_size(checkpoint))
    return np.concatenate(list(map_by_threads(work, batches)))


def _batch_decoder(checkpoint: Checkpoint, decoding: DecodingConfig) -> DecodeBatch:
    """A function that decodes at most a batch, padded to the full size."""
    size = batch_size(checkpoint)
    with blas_in_one_thread():
        decode = _decoder(checkpoint, decoding)

    def decode_batch(
        latents: Floats, labels: Tokens, rngs: Sequence[np.random.Generator], content: Floats | None
    ) -> Tokens:
        padding = size - len(latents)
        rngs = [*rngs, *(np.random.default_rng(0) for _ in range(padding))]
        latents, labels = np.pad(latents, ((0, padding), (0, 0), (0, 0))), np.pad(labels, (0, padding))
        contents = None if content is None else np.pad(content, ((0, padding), (0, 0)))
        return decode(latents, labels, rngs, contents)[: size - padding]

    return decode_batch


@lru_cache(maxsize=8)
def _decoder(checkpoint: Checkpoint, decoding: DecodingConfig) -> DecodeBatch:
    """A function that decodes a batch of the full size."""
    if checkpoint.name == VA:
        sampler = CandidateSampler(checkpoint, decoding)
        return lambda latents, _labels, rngs, content: sampler.sample(latents, content, rngs)
    decoder = PaperDecoder(checkpoint.tensors)

    def decode(
        latents: Floats, labels: Tokens, rngs: Sequence[np.random.Generator], _content: Floats | None
    ) -> Tokens:
        logits = decoder.logits(latents[:, 0].astype(np.float32), labels)  # (B, T, V)
        if decoding.temperature is None:
            return checkpoint.vocabulary.decode(logits.argmax(2))
        logits /= max(decoding.temperature, LEAST_TEMPERATURE)
        uniforms = np.stack([rng.random(logits.shape[1], dtype=np.float32) for rng in rngs])  # (B, T)
        return checkpoint.vocabulary.decode(choose(nucleus(logits, decoding.top_p), uniforms))

    return decode


def encode_melodies(checkpoint: Checkpoint, melodies: Sequence[Melody]) -> Floats:
    """The latent means (M, Z) of melodies of four bars in C: plane coordinates, then content.

    The coordinates may lie beyond the plane's edge. A melody with pitches outside the model's vocabulary is
    shifted by octaves to where it has the fewest. Raises EmomelodyError for the paper's models, whose
    encoders need the label.
    """
    if not isinstance(checkpoint.config, VAConfig):
        raise EmomelodyError(f"{checkpoint.name} cannot place a melody without its label: use emoreg-va")
    with blas_in_one_thread():
        encoder = Encoder(checkpoint.config, checkpoint.tensors)
        # One at a time, so that a melody's latent does not depend on the others.
        means = [encoder.encode(_classes(checkpoint.vocabulary, melody)[None])[0] for melody in melodies]
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
