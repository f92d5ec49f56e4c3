"""The folder that ``sample`` writes: each melody in each format, and samples.json to make them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emomelody import __version__
from emomelody.checkpoint import Checkpoint
from emomelody.compose import TEMPERATURE, Drawing
from emomelody.emotion import Emotion
from emomelody.errors import BadInput, EmomelodyError
from emomelody.files import staged
from emomelody.formats import NAME, Format, encode, file_name
from emomelody.melody import STEPS_PER_BAR, Melody, Note
from emomelody.piece import Piece, arrange
from emomelody.sample import SPREAD, Request, Sample
from emomelody.setting import AS_MADE, Setting
from emomelody.trajectory import Trajectory
from emomelody.va import EmoregVA

INDEX_NAME = "samples.json"


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


def arrange_all(samples: Sequence[Sample], recipe: Recipe, model: str) -> list[Piece]:
    """The samples as pieces, in the recipe's setting, called by its name.

    Raises EmomelodyError for a name that is none or meets another one, a melody beyond MIDI's pitches.
    """
    names = [
        file_name(recipe.name, emotion=s.emotion.title, seed=recipe.request.seed, index=i, model=model)
        for i, s in enumerate(samples)
    ]
    if len({name.lower() for name in names}) < len(names):  # some systems do not tell case
        raise EmomelodyError(f"name '{recipe.name}' is the same for several melodies: add {{index}}")
    return [
        arrange(s.melody, title=name, emotion=s.emotion, course=s.course, setting=recipe.setting)
        for name, s in zip(names, samples, strict=True)
    ]


def write_folder(
    pieces: Sequence[Piece],
    samples: Sequence[Sample],
    recipe: Recipe,
    checkpoint: Checkpoint,
    folder: Path,
    *,
    force: bool = False,
    on_file: Callable[[], None] = lambda: None,
) -> None:
    """Write the pieces in each of the recipe's formats, and samples.json: all of it, or nothing.

    Raises BadInput where a file is there already and ``force`` is not given, or where the folder cannot be
    written to; EmomelodyError where a format cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput(folder, "is a file: choose another --out")
    for name in [f"{piece.title}.{form}" for piece in pieces for form in recipe.formats] + [INDEX_NAME]:
        if (folder / name).is_dir():
            raise BadInput(folder / name, "is a folder: choose another --out or --name")
        if not force and (folder / name).exists():
            raise BadInput(folder, f"has {name} already: choose another --out, or add --force")
    with staged(folder) as stage:
        for piece in pieces:
            for form in recipe.formats:
                (stage / f"{piece.title}.{form}").write_bytes(encode(piece, form, recipe.soundfont))
                on_file()
        index = _index(pieces, samples, recipe, checkpoint)
        (stage / INDEX_NAME).write_text(index, encoding="utf-8")


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


def _index(pieces: Sequence[Piece], samples: Sequence[Sample], recipe: Recipe, checkpoint: Checkpoint) -> str:
    """samples.json: what was asked for, and a line for each melody."""
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
    made = [f"  {json.dumps(_entry(piece, s, recipe))}" for piece, s in zip(pieces, samples, strict=True)]
    lines.append(' "samples": [\n' + ",\n".join(made) + "\n ]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


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
    """The inverse of ``_index``; for anything else it raises what ``read_recipe`` catches."""
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
