"""The folder that ``sample`` writes: each melody in each format, and samples.json to make them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from emomelody import __version__
from emomelody.checkpoint import Checkpoint
from emomelody.compose import TEMPERATURE, Drawing
from emomelody.emotion import Emotion
from emomelody.errors import BadInput, EmomelodyError
from emomelody.files import staged
from emomelody.formats import NAME, Format, encode, file_name
from emomelody.melody import STEPS_PER_BAR, Melody, Note
from emomelody.piece import Piece, arrange
from emomelody.sample import SPREAD, Request, Sample, batch_size, check_request, chunks, samples
from emomelody.setting import AS_MADE, Setting
from emomelody.trajectory import Trajectory
from emomelody.va import EmoregVA
from emomelody.workers import by_processes

INDEX_NAME = "samples.json"
MANY = 1000  # files, for which it is worth while to start processes
PART = 64  # files that a process makes at a time, a batch at least: what Ctrl-C waits for
Made = tuple[Piece, Sample]


@dataclass(frozen=True)
class Entry:
    """What is said of a melody that was written."""

    number: int
    line: str  # of samples.json
    emotion: Emotion
    melody: int  # a hash, by which different ones are told apart
    made: Made | None


@dataclass(frozen=True)
class Recipe:
    """All that makes the files what they are."""

    model: str  # a shipped name or a path, as it was asked for
    request: Request
    setting: Setting = AS_MADE
    formats: tuple[Format, ...] = (Format.MIDI,)
    name: str = NAME  # of a file, without suffix; see ``file_name``
    like: str | None = None  # where the request's melody was read from
    soundfont: Path | None = None
    checksum: str | None = None  # of the weights, where it must be these


def arranged(checkpoint: Checkpoint, recipe: Recipe, numbers: range | None = None) -> Iterator[Made]:
    """The request's samples, or those ``numbers`` of them, as pieces in the recipe's setting, called by its
    name; one after another.

    Raises EmomelodyError for what cannot be sampled, a name that is none or meets another one, a melody
    beyond MIDI's pitches.
    """
    request, first = recipe.request, numbers.start if numbers else 0
    for index, sample in enumerate(samples(checkpoint, request, numbers), start=first):
        title, after = (
            file_name(
                recipe.name,
                emotion=sample.emotion.title,
                seed=request.seed,
                index=number,
                model=checkpoint.name,
            )
            for number in (index, index + 1)
        )
        if request.n > 1 and title == after:
            raise EmomelodyError(f"name '{recipe.name}' is the same for several melodies: add {{index}}")
        piece = arrange(
            sample.melody, title=title, emotion=sample.emotion, course=sample.course, setting=recipe.setting
        )
        yield piece, sample


def write_folder(
    checkpoint: Checkpoint,
    recipe: Recipe,
    folder: Path,
    *,
    force: bool = False,
    keep: bool = False,
    on_entry: Callable[[Entry], None] = lambda _entry: None,
) -> None:
    """Make the melodies and write each in each of the recipe's formats, and samples.json: all, or nothing.

    ``on_entry`` hears of each, in order, with what was made where it shall ``keep`` that; what it raises ends
    the work. Many are made by as many processes as torch has threads. Raises BadInput where a file is there
    already and ``force`` is not given, or where the folder cannot be written to; EmomelodyError for what
    cannot be sampled or set, and where a format cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput(folder, "is a file: choose another --out")
    _check_free(folder, INDEX_NAME, force)
    check_request(checkpoint, recipe.request)
    with staged(folder) as stage, (stage / INDEX_NAME).open("w", encoding="utf-8") as index:
        index.write(_header(recipe, checkpoint))
        # Closed before the stage is removed, so that no process writes into it any more.
        write = partial(_write, checkpoint, recipe, folder, stage, force, keep)
        with closing(_entries(write, checkpoint, recipe, keep)) as entries:
            for entry in entries:
                on_entry(entry)
                index.write(("," if entry.number else "") + f"\n  {entry.line}")
        index.write("\n ]\n}\n")


def _entries(
    write: Callable[[range], Iterator[Entry]], checkpoint: Checkpoint, recipe: Recipe, keep: bool
) -> Generator[Entry]:
    """The entries of all melodies, in order, of which many are made by several processes."""
    numbers, jobs = range(recipe.request.n), torch.get_num_threads()
    many = len(numbers) * len(recipe.formats) >= MANY and jobs > 1 and not keep
    if not many or checkpoint.device.type != "cpu":  # none may be split off from one that uses a GPU
        yield from write(numbers)
        return
    size = batch_size(checkpoint)
    parts = chunks(numbers, size * max(1, PART // (size * len(recipe.formats))))
    with closing(by_processes(jobs, partial(_alone, write), parts)) as done:
        yield from chain.from_iterable(done)


def _write(
    checkpoint: Checkpoint, recipe: Recipe, folder: Path, stage: Path, force: bool, keep: bool, numbers: range
) -> Iterator[Entry]:
    """Make and write the melodies of these numbers."""
    for number, (piece, sample) in zip(numbers, arranged(checkpoint, recipe, numbers), strict=True):
        for form in recipe.formats:
            name = f"{piece.title}.{form}"
            _check_free(folder, name, force)
            (stage / name).write_bytes(encode(piece, form, recipe.soundfont))
        line = json.dumps(_entry(piece, sample, recipe))
        made = (piece, sample) if keep else None
        yield Entry(number, line, sample.emotion, hash(sample.melody), made)


def _alone(write: Callable[[range], Iterator[Entry]], numbers: range) -> list[Entry]:
    """``write`` in a process that has a core to itself."""
    torch.set_num_threads(1)
    return list(write(numbers))


def _check_free(folder: Path, name: str, force: bool) -> None:
    if (folder / name).is_dir():
        raise BadInput(folder / name, "is a folder: choose another --out or --name")
    if not force and (folder / name).exists():
        raise BadInput(folder, f"has {name} already: choose another --out, or add --force")


def read_recipe(path: Path) -> Recipe:
    """The recipe in a samples.json. Raises BadInput for a file that is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return _recipe(data)
    except OSError as error:
        raise BadInput(path, error.strerror or str(error)) from error
    except EmomelodyError as error:
        raise BadInput(path, str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        lacking = f" (it lacks {error})" if isinstance(error, KeyError) else ""
        raise BadInput(path, f"not a samples.json that this version can make again{lacking}") from error


def _header(recipe: Recipe, checkpoint: Checkpoint) -> str:
    """What was asked for: samples.json up to the line for the first melody."""
    request, drawing, like = recipe.request, recipe.request.drawing, recipe.request.like
    own = TEMPERATURE if isinstance(checkpoint.model, EmoregVA) else None
    asked = {
        "version": __version__,
        "model": recipe.model,
        "checksum": checkpoint.checksum,
        "seed": request.seed,
        "num": request.n,
        "bars": request.bars,
        "emotion": request.emotion.title if request.emotion else None,
        "point": request.point,
        "path": str(request.path) if request.path else None,
        # Its notes (onset, duration, pitch) too: the file may change, or not be there.
        "like": like and {"file": recipe.like, "notes": [[n.onset, n.duration, n.pitch] for n in like.notes]},
        "spread": request.spread if like else None,
        "temperature": drawing.temperature or own,
        "top_p": drawing.top_p,
        "setting": asdict(recipe.setting),
        "formats": recipe.formats,
        "soundfont": str(recipe.soundfont) if recipe.soundfont else None,
        "name": recipe.name,
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in asked.items()]
    return "{\n" + ",\n".join([*lines, ' "samples": ['])


def _entry(piece: Piece, s: Sample, recipe: Recipe) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "files": [f"{piece.title}.{form}" for form in recipe.formats],
        "emotion": piece.emotion.title,
        "point": [round(c, 4) for c in s.course[0]],
        "latent": s.latent,
    }
    if recipe.setting.expressive:
        entry["octaves"], entry["tempos"] = _by_bar(piece.octaves), _by_bar(piece.tempos)
        entry["velocities"] = piece.velocities
    return entry


def _by_bar(changes: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Changes as (bar, value), the bar from which on it holds counted from 0."""
    return [(step // STEPS_PER_BAR, value) for step, value in changes]


def _recipe(data: Mapping[str, Any]) -> Recipe:
    """The inverse of ``_header``; for anything else it raises what ``read_recipe`` catches."""
    point, path, like, spread = data["point"], data["path"], data["like"], data["spread"]
    temperature, formats = data["temperature"], tuple(map(Format, data["formats"]))
    if not formats:
        raise ValueError("no format")
    request = Request(
        n=int(data["num"]),
        emotion=None if data["emotion"] is None else Emotion.parse(data["emotion"]),
        point=None if point is None else (float(point[0]), float(point[1])),
        path=None if path is None else Trajectory.parse(path),
        like=None if like is None else Melody(tuple(Note(*map(int, note)) for note in like["notes"])),
        spread=SPREAD if spread is None else float(spread),
        bars=int(data["bars"]),
        seed=int(data["seed"]),
        drawing=Drawing(None if temperature is None else float(temperature), float(data["top_p"])),
    )
    return Recipe(
        model=str(data["model"]),
        request=request,
        setting=Setting(**data["setting"]),
        formats=formats,
        name=str(data["name"]),
        like=None if like is None else str(like["file"]),
        soundfont=None if data["soundfont"] is None else Path(data["soundfont"]),
        checksum=str(data["checksum"]),
    )
