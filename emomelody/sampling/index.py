"""The folder that ``sample`` writes: each melody in each format, and samples.json to make them again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emomelody import __version__
from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats.encode import Format
from emomelody.models.checkpoint import Checkpoint
from emomelody.models.emoreg_va import EmoregVA
from emomelody.music.emotion import Emotion
from emomelody.music.melody import STEPS_PER_BAR, Melody, Note
from emomelody.music.path import EmotionPath
from emomelody.performance.piece import Piece
from emomelody.performance.setting import Setting
from emomelody.sampling.generation import Recipe
from emomelody.sampling.request import SPREAD, TEMPERATURE, DecodingConfig, Request, Sample

INDEX_NAME = "samples.json"


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
        "point": [round(c, 4) for c in s.trajectory[0]],
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
        path=None if path is None else EmotionPath.parse(path),
        like=None if like is None else Melody(tuple(Note(*map(int, note)) for note in like["notes"])),
        spread=SPREAD if spread is None else float(spread),
        bars=int(data["bars"]),
        seed=int(data["seed"]),
        drawing=DecodingConfig(None if temperature is None else float(temperature), float(data["top_p"])),
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
