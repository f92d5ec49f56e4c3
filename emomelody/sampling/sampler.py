"""From a request to melodies: sampled in batches, by several threads.

N melodies, W waypoints, T steps, C content dimensions, Z = 2 + C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.distribution import StyleDistribution
from emomelody.emotions.emotion import Emotion, describe
from emomelody.emotions.path import interpolate
from emomelody.emotions.plans import Plan
from emomelody.errors import EmomelodyError
from emomelody.music.melody import BARS
from emomelody.music.tokens import REST, Floats, Tokens, from_tokens
from emomelody.sampling.batches import batch_size, map_by_threads, split_into_batches
from emomelody.sampling.candidates import CandidateSampler
from emomelody.sampling.chords import with_chords
from emomelody.sampling.decoder import LEAST_TEMPERATURE, PaperDecoder, choose, nucleus
from emomelody.sampling.request import DEFAULT, DecodingConfig, Request, Sample
from emomelody.sampling.targets import Target
from emomelody.weights.checkpoint import VA, Checkpoint
from emomelody.workers import blas_in_one_thread

_Number = TypeVar("_Number", np.float64, np.int64)
MAX_DRAWS = 20  # of latents for one melody, until one gives a note

# Plans of N melodies with the target latents of their T steps, labels (N,), N random generators, contents of
# their blocks (N, K, C) or None, tokens of their drafts (N, T) or None → tokens (N, T).
DecodeBatch = Callable[
    [Sequence[Plan], Tokens, Sequence[np.random.Generator], Floats | None, Tokens | None], Tokens
]


def check_support(checkpoint: Checkpoint, request: Request) -> None:
    """Raise EmomelodyError for a request that this model cannot meet."""
    if request.chords and checkpoint.harmony is None:
        raise EmomelodyError(
            f"these weights of {checkpoint.name} know no chords: use emoreg-va, trained on chorales"
        )
    if checkpoint.name == VA:
        distribution = checkpoint.distribution(request.style, request.meter)
        if (request.form or request.draft) and distribution and not distribution.plans.has_forms:
            raise EmomelodyError("these weights, of version 0.4 or before, have no forms: train again")
        return
    plain = Request(emotion=Emotion.E1)
    for name in ("path", "like", "draft", "bars", "style", "meter", "form"):
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
    distribution = checkpoint.distribution(request.style, request.meter)
    decode_batch = _batch_decoder(checkpoint, request.decoding, distribution)
    work = partial(_sample_batch, checkpoint, request, _targets(checkpoint, request), decode_batch)
    chosen = numbers or range(request.n)
    found = chain.from_iterable(map_by_threads(work, split_into_batches(chosen, batch_size(checkpoint))))
    model = checkpoint.harmony if request.chords else None
    for number, one in zip(chosen, found, strict=True):
        yield with_chords(model, request, one, number) if model else one


def _targets(checkpoint: Checkpoint, request: Request) -> list[Target]:
    """The target of all melodies of a request; of each, in order, on a grid and between two melodies."""
    if request.grid:
        requests = (replace(request, n=1, grid=None, point=point) for point in request.points)
        return [Target.of(checkpoint, each) for each in requests]
    if request.to is None:
        return [Target.of(checkpoint, request)]
    return [Target.of(checkpoint, request, number / max(request.n - 1, 1)) for number in range(request.n)]


def _sample_batch(
    checkpoint: Checkpoint,
    request: Request,
    targets: Sequence[Target],
    decode_batch: DecodeBatch,
    numbers: range,
) -> list[Sample]:
    """The samples of these numbers, at most a batch of them. Melodies without a note are sampled again.

    Those with targets of their own share their random numbers, so that one differs little from the next.
    """
    many = len(targets) > 1
    own = [targets[number if many else 0] for number in numbers]
    rngs = [np.random.default_rng([request.seed, 0 if many else number]) for number in numbers]
    steps = request.bars * request.meter.bar
    contents = [target.sample_contents(request, rng) for target, rng in zip(own, rngs, strict=True)]
    latents = np.zeros((len(own), len(own[0].waypoints), 2))
    tokens = np.zeros((len(own), steps), dtype=np.int64)
    draws = np.zeros(len(own), dtype=np.int64)
    silent = np.arange(len(own))  # the rows that have no note yet
    while len(silent):
        if draws.max() == MAX_DRAWS:
            raise EmomelodyError(
                f"the weights '{checkpoint.name}' make only silence here: train longer, or try another point"
            )
        draws[silent] += 1
        for row in silent:
            latents[row] = own[row].sample_latents(rngs[row])
        tasks = [own[row].task(request, latents[row], rngs[row]) for row in silent]
        tokens[silent] = decode_batch(
            [task.plan for task in tasks],
            np.array([own[row].waypoints[0].label.index for row in silent]),
            [rngs[row] for row in silent],
            _stacked([contents[row] for row in silent]),
            _stacked([task.kept for task in tasks]),
        )[:, -steps:]
        for row, task in zip(silent, tasks, strict=True):
            if task.kept is not None:  # its pitches may not be in the vocabulary
                given = task.kept[-steps:]
                tokens[row] = np.where(given >= 0, given, tokens[row])
        silent = silent[(tokens[silent] >= REST).all(1)]
    return [
        _to_sample(request, target, latents[row], tokens[row], int(draws[row]) - 1)
        for row, target in enumerate(own)
    ]


def _stacked(arrays: Sequence[NDArray[_Number] | None]) -> NDArray[_Number] | None:
    """Arrays (…) of N melodies as (N, …); None where they have none."""
    known = [array for array in arrays if array is not None]
    return np.stack(known) if known else None


def _to_sample(
    request: Request, target: Target, latents: Floats, tokens: Tokens, silent_draws: int
) -> Sample:
    """The sample of one melody's tokens (T,) and the latents (W, 2) of its waypoints."""
    first, meter = target.waypoints[0], request.meter
    by_bar = interpolate(target.waypoints, latents, request.bars, meter)[:: meter.bar]
    if target.draft and target.own:  # its kept bars are where they are
        by_bar = np.where(np.array(target.draft.kept)[:, None], target.own.centre, by_bar)
    trajectory = tuple(map(target.plane.to_point, by_bar))  # of (bars, 2)
    if len(target.waypoints) == 1 and first.point is not None and not target.own:
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
    contents: Floats | None = None,
    distribution: StyleDistribution | None = None,
    kept: Tokens | None = None,
) -> Tokens:
    """Tokens (N, T) to N plans with a latent for each step, unrepaired, with labels (N,) and N generators.

    The paper's models use the label, and the first of the T latents alone. The ``contents`` of blocks
    (N, K, C), the ``distribution`` of a style and meter, and the tokens ``kept`` of drafts (N, T) are for
    emoreg-va.
    """
    decode_batch = _batch_decoder(checkpoint, decoding, distribution)

    def work(numbers: range) -> Tokens:
        rows = slice(numbers.start, numbers.stop)
        some = None if contents is None else contents[rows]
        drafts = None if kept is None else kept[rows]
        return decode_batch(plans[rows], labels[rows], rngs[rows], some, drafts)

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
        plans: Sequence[Plan],
        labels: Tokens,
        rngs: Sequence[np.random.Generator],
        contents: Floats | None,
        kept: Tokens | None,
    ) -> Tokens:
        padding = size - len(plans)
        rngs = [*rngs, *(np.random.default_rng(0) for _ in range(padding))]
        plans, labels = [*plans, *[plans[0]] * padding], np.pad(labels, (0, padding))
        contents = None if contents is None else np.pad(contents, ((0, padding), (0, 0), (0, 0)))
        kept = None if kept is None else np.pad(kept, ((0, padding), (0, 0)), mode="edge")
        return decode(plans, labels, rngs, contents, kept)[: size - padding]

    return decode_batch


@lru_cache(maxsize=8)
def _decoder(
    checkpoint: Checkpoint, decoding: DecodingConfig, distribution: StyleDistribution | None
) -> DecodeBatch:
    """A function that decodes a batch of the full size."""
    if distribution is not None:
        sampler = CandidateSampler(checkpoint, decoding, distribution)
        return lambda plans, _labels, rngs, contents, kept: sampler.sample(plans, contents, rngs, kept)
    decoder = PaperDecoder(checkpoint.tensors)

    def decode(
        plans: Sequence[Plan], labels: Tokens, rngs: Sequence[np.random.Generator], *_: Floats | Tokens | None
    ) -> Tokens:
        latents = np.stack([plan.points[0] for plan in plans]).astype(np.float32)  # (B, 2)
        logits = decoder.logits(latents, labels)  # (B, T, V)
        if decoding.temperature is None:
            return checkpoint.vocabulary.decode(logits.argmax(2))
        logits /= max(decoding.temperature, LEAST_TEMPERATURE)
        uniforms = np.stack([rng.random(logits.shape[1], dtype=np.float32) for rng in rngs])  # (B, T)
        return checkpoint.vocabulary.decode(choose(nucleus(logits, decoding.top_p), uniforms))

    return decode
