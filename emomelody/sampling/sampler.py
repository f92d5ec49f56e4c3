"""An emotion, a point or a path of the plane → melodies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from emomelody.errors import EmomelodyError
from emomelody.models.checkpoint import Checkpoint
from emomelody.models.cvae import LATENT
from emomelody.models.emoreg_va import EmoregVA
from emomelody.music.emotion import Emotion
from emomelody.music.melody import STEPS_PER_BAR, Melody
from emomelody.music.path import Waypoint, interpolate
from emomelody.music.plane import Floats, Plane
from emomelody.music.tokens import REST, Tokens, from_tokens, to_tokens
from emomelody.sampling.candidates import compose
from emomelody.sampling.decoder import Decoder, choose, nucleus
from emomelody.sampling.request import DEFAULT, TEMPERATURE, DecodingConfig, Request, Sample, check_request
from emomelody.workers import in_order

# Every batch is decoded at its model's size and by one thread: products of other sizes round differently, and
# the first five of ten melodies shall be the same as five alone, to the byte. These keep the matrices in a
# core's cache; a GPU wants more at once.
BATCH, VA_BATCH, GPU_BATCH = 64, 16, 512
REDRAWS = 20  # of a latent whose melody has no note
LEAST_TEMPERATURE = 1e-3  # a lower one draws the same, and would leave the range of numbers
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
# Latents (N, T, 2), labels (N,), random generators and contents (N, C) or None → tokens (N, T).
DecodeBatch = Callable[[Floats, Tokens, Sequence[np.random.Generator], Floats | None], Tokens]


def sample(checkpoint: Checkpoint, request: Request) -> list[Sample]:
    """The melodies of a request, ``request.n`` of them.

    Melody i depends on (``request.seed``, i) alone: more of them leave the first ones unchanged. Raises
    EmomelodyError for what cannot be.
    """
    return list(samples(checkpoint, request))


def samples(checkpoint: Checkpoint, request: Request, numbers: range | None = None) -> Iterator[Sample]:
    """The same one after another, in memory that does not grow with their number; or those ``numbers``.

    These begin at a multiple of ``batch_size``.
    """
    check_request(checkpoint, request)
    heard = None if request.like is None else encode_melody(checkpoint, request.like)  # (Z,)
    work = partial(_sample_batch, checkpoint, request, heard, _decoder(checkpoint, request.drawing))
    batches = chunks(numbers or range(request.n), batch_size(checkpoint))
    for batch in _by_threads(checkpoint, work, batches):
        yield from batch


def batch_size(checkpoint: Checkpoint) -> int:
    """How many melodies a model makes at once."""
    if checkpoint.device.type != "cpu":
        return GPU_BATCH
    return VA_BATCH if isinstance(checkpoint.model, EmoregVA) else BATCH


def chunks(numbers: range, size: int) -> Iterator[range]:
    """The numbers in pieces of ``size``, the last maybe shorter."""
    return (numbers[first : first + size] for first in range(0, len(numbers), size))


def _by_threads(
    checkpoint: Checkpoint, work: Callable[[_Item], _Result], items: Iterable[_Item]
) -> Iterator[_Result]:
    """What ``work`` makes of each item, in order, by as many threads as torch has, each alone with its item.

    That is faster than all threads in each product, and rounds the same whatever their number. On a GPU one
    is enough.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        yield from map(work, items)
        return
    workers = threads if checkpoint.device.type == "cpu" else 1
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from in_order(pool, workers, work, items)
    finally:
        torch.set_num_threads(threads)  # else threads that are yet to come would have one


def _by_one_thread(checkpoint: Checkpoint, work: Callable[[], _Result]) -> _Result:
    """What ``work`` makes, rounded as one thread rounds."""
    (made,) = _by_threads(checkpoint, lambda _nothing: work(), [None])
    return made


def _sample_batch(
    checkpoint: Checkpoint, request: Request, heard: Floats | None, decoder: DecodeBatch, numbers: range
) -> list[Sample]:
    """The samples of these numbers, at most a batch of them; ``heard`` (Z,) is the latent of ``like``."""
    n, bars, point, path, spread = len(numbers), request.bars, request.point, request.path, request.spread
    plane, scale = checkpoint.plane, np.array(checkpoint.plane.scale)
    around = request.emotion is None and point is None and path is None  # the melody's own place
    beginning = plane.to_point(heard[:LATENT]) if heard is not None and around else point
    stops = path.waypoints if path else (Waypoint(0, request.emotion, beginning),)
    label = stops[0].label
    randoms = [np.random.default_rng([request.seed, i]) for i in numbers]
    latents = np.zeros((n, len(stops), 2))
    contents = None  # (n, C)
    if heard is not None:
        contents = np.stack([r.normal(heard[LATENT:], spread) for r in randoms])
    tokens = np.zeros((n, bars * STEPS_PER_BAR), dtype=np.int64)
    draws = np.zeros(n, dtype=np.int64)
    silent = np.arange(n)
    while len(silent):
        if draws.max() == REDRAWS:
            raise EmomelodyError(
                f"the weights '{checkpoint.name}' make only silence here: train longer, or try another point"
            )
        draws[silent] += 1
        for i in silent:
            latents[i] = waypoint_latents(plane, stops, randoms[i])
            if around:
                latents[i] = np.clip(randoms[i].normal(latents[i], spread * scale), -scale, scale)
        along = np.stack([interpolate(stops, latents[i], bars) for i in silent])  # (S, T, 2)
        labels = np.full(len(silent), label.index)
        held = None if contents is None else contents[silent]
        chosen = [randoms[i] for i in silent]
        tokens[silent] = decoder(along, labels, chosen, held)
        silent = silent[(tokens[silent] >= REST).all(1)]
    return [
        _describe(plane, stops, latents[i], tokens[i], int(draws[i]) - 1, None if around else label)
        for i in range(n)
    ]


def _describe(
    plane: Plane,
    stops: Sequence[Waypoint],
    latents: Floats,
    tokens: Tokens,
    silent: int,
    label: Emotion | None,
) -> Sample:
    """The sample of one melody's tokens (T,) and the latents (stops, 2) of its stops.

    Without a label it has the emotion of its place.
    """
    along = interpolate(stops, latents, len(tokens) // STEPS_PER_BAR)[::STEPS_PER_BAR]  # (bars, 2)
    trajectory = tuple(map(plane.to_point, along))
    if len(stops) == 1 and stops[0].point is not None and label:
        trajectory = (stops[0].point,) * len(trajectory)  # as it was asked for, not rounded there and back
    latent = (float(latents[0, 0]), float(latents[0, 1]))
    return Sample(
        from_tokens(tokens), label or Emotion.at(*trajectory[0]), trajectory, latent, tokens, silent
    )


def waypoint_latents(plane: Plane, stops: Sequence[Waypoint], random: np.random.Generator) -> Floats:
    """A latent for each stop, (stops, 2): a point's own, or one of the emotion's region.

    That is drawn where there is one stop alone. Of several it is the middle: from a place near an axis the
    way would leave the emotion at once.
    """
    return np.stack([_at(plane, stop, random if len(stops) == 1 else None) for stop in stops])


def _at(plane: Plane, stop: Waypoint, random: np.random.Generator | None) -> Floats:
    if stop.emotion is None:
        return plane.to_latent(stop.point or (0, 0))
    return plane.sample(stop.emotion, random) if random else plane.centre(stop.emotion)


def decode(
    checkpoint: Checkpoint,
    latents: Floats,
    labels: Tokens,
    randoms: Sequence[np.random.Generator],
    drawing: DecodingConfig = DEFAULT,
    content: Floats | None = None,
) -> Tokens:
    """Tokens (N, T) of latents (N, T, 2), labels (N,) and N random generators, as the model makes them.

    The paper's models take the first of the T latents, and the likeliest tokens where ``drawing`` has no
    temperature. ``content`` (N, C) is that of emoreg-va, where it shall not be drawn. Repaired only by
    ``from_tokens``.
    """
    decoder = _decoder(checkpoint, drawing)

    def work(numbers: range) -> Tokens:
        some = slice(numbers.start, numbers.stop)
        return decoder(latents[some], labels[some], randoms[some], None if content is None else content[some])

    batches = chunks(range(len(latents)), batch_size(checkpoint))
    return np.concatenate(list(_by_threads(checkpoint, work, batches)))


def _decoder(checkpoint: Checkpoint, drawing: DecodingConfig) -> DecodeBatch:
    """What decodes at most a batch, filled up to one."""
    model, vocabulary, scale = checkpoint.model, checkpoint.vocabulary, np.array(checkpoint.plane.scale)
    size = batch_size(checkpoint)
    if isinstance(model, EmoregVA):
        temperature = max(drawing.temperature or TEMPERATURE, LEAST_TEMPERATURE)
        make = partial(Decoder, model, temperature=temperature, top_p=drawing.top_p)
        drawer = _by_one_thread(checkpoint, make)

    def decoder(
        latents: Floats, labels: Tokens, randoms: Sequence[np.random.Generator], content: Floats | None
    ) -> Tokens:
        idle = size - len(latents)
        randoms = [*randoms, *(np.random.default_rng(0) for _ in range(idle))]
        latents = np.pad(latents, ((0, idle), (0, 0), (0, 0)))
        if isinstance(model, EmoregVA):
            held = None if content is None else np.pad(content, ((0, idle), (0, 0)))
            made = compose(drawer, vocabulary, latents, held, scale, randoms)
        else:
            made = _decode_at_once(checkpoint, latents[:, 0], np.pad(labels, (0, idle)), randoms, drawing)
        return made[: size - idle]

    return decoder


def encode_melody(checkpoint: Checkpoint, melody: Melody) -> Floats:
    """The latent (Z,) of a melody of four bars in C: its place on the plane, maybe beyond the edge, and its
    content.

    Where it has pitches that the model does not know, it is moved by octaves to where it has the fewest.
    Raises EmomelodyError for the paper's models, whose encoders need the label.
    """
    if not isinstance(checkpoint.model, EmoregVA):
        raise EmomelodyError(f"{checkpoint.name} cannot place a melody without its label: use emoreg-va")
    tokens = to_tokens(melody)
    onset = tokens < REST
    shifts = [12 * octave for octave in (0, 1, -1, 2, -2, 3, -3)]
    moved = [np.where(onset, tokens + shift, tokens) for shift in shifts]
    possible = [row for row in moved if ((row >= 0) & ((row < REST) == onset)).all()]
    classes, _moved = min(map(checkpoint.vocabulary.encode, possible), key=lambda found: found[1])
    model, melodies = checkpoint.model, torch.from_numpy(classes)[None].to(checkpoint.device)

    def encode() -> Floats:
        with torch.inference_mode():
            return np.asarray(model.encode(melodies)[0][0].double().cpu().numpy())

    return _by_one_thread(checkpoint, encode)


def _decode_at_once(
    checkpoint: Checkpoint,
    latents: Floats,
    labels: Tokens,
    randoms: Sequence[np.random.Generator],
    drawing: DecodingConfig,
) -> Tokens:
    """Tokens (B, T) of the paper's models, which are not autoregressive; latents (B, 2), labels (B,)."""
    model = checkpoint.model
    device = next(model.parameters()).device
    z, label = torch.from_numpy(latents).float().to(device), torch.from_numpy(labels).to(device)
    with torch.inference_mode():
        logits = model.decode(z, label)  # (B, T, V)
        if drawing.temperature is None:
            return checkpoint.vocabulary.decode(logits.argmax(2).cpu().numpy())
        uniforms = np.stack([r.random(logits.shape[1], dtype=np.float32) for r in randoms])  # (B, T)
        logits = nucleus(logits / max(drawing.temperature, LEAST_TEMPERATURE), drawing.top_p)
        chosen = choose(logits, torch.from_numpy(uniforms).to(device))
    return checkpoint.vocabulary.decode(chosen.cpu().numpy())
