"""From a request to melodies: sampled in batches, by several threads.

N melodies, W waypoints, T steps, C content dimensions, Z = 2 + C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial

import numpy as np

from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion, describe
from emomelody.emotions.path import interpolate
from emomelody.emotions.plans import Plan
from emomelody.errors import EmomelodyError
from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.music.tokens import REST, Floats, Tokens, from_tokens
from emomelody.sampling.batches import batch_size, map_by_threads, split_into_batches
from emomelody.sampling.candidates import CandidateSampler
from emomelody.sampling.decoder import LEAST_TEMPERATURE, PaperDecoder, choose, nucleus
from emomelody.sampling.request import DEFAULT, DecodingConfig, Request, Sample
from emomelody.sampling.targets import Target, find_distribution
from emomelody.weights.checkpoint import VA, Checkpoint
from emomelody.workers import blas_in_one_thread

MAX_DRAWS = 20  # of latents for one melody, until one gives a note

# Plans of N melodies with the target latents of their T steps, labels (N,), N random generators, contents
# (N, C) or None → tokens (N, T).
DecodeBatch = Callable[[Sequence[Plan], Tokens, Sequence[np.random.Generator], Floats | None], Tokens]


def check_support(checkpoint: Checkpoint, request: Request) -> None:
    """Raise EmomelodyError for a request that this model cannot meet."""
    if checkpoint.name == VA:
        distribution = find_distribution(checkpoint, request.style, request.meter)
        if request.form and distribution and not distribution.plans.has_forms:
            raise EmomelodyError("these weights, of version 0.4 or before, have no forms: train again")
        return
    plain = Request(emotion=Emotion.E1)
    for name in ("path", "like", "bars", "style", "meter", "form"):
        if getattr(request, name) != getattr(plain, name):
            raise EmomelodyError(
                f"{checkpoint.name} makes {BARS} bars in 4/4 of one emotion: other lengths, meters, styles"
                " and forms, paths and melodies to vary need emoreg-va"
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
    target = Target.of(checkpoint, request)
    decode_batch = _batch_decoder(checkpoint, request.decoding, target.distribution)
    work = partial(_sample_batch, checkpoint, request, target, decode_batch)
    batches = split_into_batches(numbers or range(request.n), batch_size(checkpoint))
    for batch in map_by_threads(work, batches):
        yield from batch


def _sample_batch(
    checkpoint: Checkpoint, request: Request, target: Target, decode_batch: DecodeBatch, numbers: range
) -> list[Sample]:
    """The samples of these numbers, at most a batch of them. Melodies without a note are sampled again."""
    n, waypoints = len(numbers), target.waypoints
    rngs = [np.random.default_rng([request.seed, number]) for number in numbers]
    contents = None  # (N, C)
    if target.content is not None:
        contents = np.stack([rng.normal(target.content, request.spread) for rng in rngs])
    labels = np.full(n, waypoints[0].label.index)
    latents = np.zeros((n, len(waypoints), 2))
    tokens = np.zeros((n, request.bars * request.meter.bar), dtype=np.int64)
    draws = np.zeros(n, dtype=np.int64)
    silent = np.arange(n)  # the rows that have no note yet
    while len(silent):
        if draws.max() == MAX_DRAWS:
            raise EmomelodyError(
                f"the weights '{checkpoint.name}' make only silence here: train longer, or try another point"
            )
        draws[silent] += 1
        for row in silent:
            latents[row] = target.sample_latents(request.spread, rngs[row])
        tokens[silent] = decode_batch(
            [target.plan(request, latents[row], rngs[row]) for row in silent],
            labels[silent],
            [rngs[row] for row in silent],
            None if contents is None else contents[silent],
        )
        silent = silent[(tokens[silent] >= REST).all(1)]
    return [
        _to_sample(request.meter, target, latents[row], tokens[row], int(draws[row]) - 1) for row in range(n)
    ]


def _to_sample(meter: Meter, target: Target, latents: Floats, tokens: Tokens, silent_draws: int) -> Sample:
    """The sample of one melody's tokens (T,) and the latents (W, 2) of its waypoints."""
    first = target.waypoints[0]
    by_bar = interpolate(target.waypoints, latents, len(tokens) // meter.bar, meter)[:: meter.bar]
    trajectory = tuple(map(target.plane.to_point, by_bar))  # of (bars, 2)
    if len(target.waypoints) == 1 and first.point is not None and not target.varied:
        trajectory = (first.point,) * len(trajectory)  # exactly, without rounding by the scale
    return Sample(
        from_tokens(tokens, meter),
        Emotion.at(*trajectory[0]) if target.varied else first.label,
        describe(*trajectory[0]) if target.varied else first.description,
        trajectory,
        (float(latents[0, 0]), float(latents[0, 1])),
        tokens,
        silent_draws,
    )


def decode(
    checkpoint: Checkpoint,
    plans: Sequence[Plan],
    labels: Tokens,
    rngs: Sequence[np.random.Generator],
    decoding: DecodingConfig = DEFAULT,
    content: Floats | None = None,
    distribution: StyleDistribution | None = None,
) -> Tokens:
    """Tokens (N, T) to N plans with a latent for each step, unrepaired, with labels (N,) and N generators.

    The paper's models use the label, and the first of the T latents alone. ``content`` (N, C) and
    ``distribution``, the style and meter, are emoreg-va's.
    """
    decode_batch = _batch_decoder(checkpoint, decoding, distribution)

    def work(numbers: range) -> Tokens:
        rows = slice(numbers.start, numbers.stop)
        contents = None if content is None else content[rows]
        return decode_batch(plans[rows], labels[rows], rngs[rows], contents)

    batches = split_into_batches(range(len(plans)), batch_size(checkpoint))
    return np.concatenate(list(map_by_threads(work, batches)))


def _batch_decoder(
    checkpoint: Checkpoint, decoding: DecodingConfig, distribution: StyleDistribution | None
) -> DecodeBatch:
    """A function that decodes at most a batch, padded to the full size."""
    size = batch_size(checkpoint)
    with blas_in_one_thread():
        decode = _decoder(checkpoint, decoding, distribution)

    def decode_batch(
        plans: Sequence[Plan], labels: Tokens, rngs: Sequence[np.random.Generator], content: Floats | None
    ) -> Tokens:
        padding = size - len(plans)
        rngs = [*rngs, *(np.random.default_rng(0) for _ in range(padding))]
        plans, labels = [*plans, *[plans[0]] * padding], np.pad(labels, (0, padding))
        contents = None if content is None else np.pad(content, ((0, padding), (0, 0)))
        return decode(plans, labels, rngs, contents)[: size - padding]

    return decode_batch


@lru_cache(maxsize=8)
def _decoder(
    checkpoint: Checkpoint, decoding: DecodingConfig, distribution: StyleDistribution | None
) -> DecodeBatch:
    """A function that decodes a batch of the full size."""
    if distribution is not None:
        sampler = CandidateSampler(checkpoint, decoding, distribution)
        return lambda plans, _labels, rngs, content: sampler.sample(plans, content, rngs)
    decoder = PaperDecoder(checkpoint.tensors)

    def decode(
        plans: Sequence[Plan], labels: Tokens, rngs: Sequence[np.random.Generator], _content: Floats | None
    ) -> Tokens:
        latents = np.stack([plan.points[0] for plan in plans]).astype(np.float32)  # (B, 2)
        logits = decoder.logits(latents, labels)  # (B, T, V)
        if decoding.temperature is None:
            return checkpoint.vocabulary.decode(logits.argmax(2))
        logits /= max(decoding.temperature, LEAST_TEMPERATURE)
        uniforms = np.stack([rng.random(logits.shape[1], dtype=np.float32) for rng in rngs])  # (B, T)
        return checkpoint.vocabulary.decode(choose(nucleus(logits, decoding.top_p), uniforms))

    return decode
