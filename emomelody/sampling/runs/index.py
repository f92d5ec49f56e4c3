"""samples.json: the runs of a folder, each with its configuration and a line for every melody.

Files of version 0.1 hold one run at top level; they still load.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from emomelody import __version__
from emomelody.emotions.path import EmotionPath
from emomelody.emotions.words import parse_emotion
from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats.encode import Format
from emomelody.music.draft import Draft
from emomelody.music.melody import BARS, Melody, Note
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.performance.piece import Piece
from emomelody.performance.setting import Setting
from emomelody.sampling.request import SPREAD, TEMPERATURE, DecodingConfig, Request, Sample
from emomelody.sampling.runs.generation import GenerationConfig

if TYPE_CHECKING:
    from emomelody.weights.checkpoint import Checkpoint

INDEX_NAME = "samples.json"
NOTE_LENGTH_BEFORE = {"note_length": 1}  # in version 0.2 every note sounded to its end
RecordedRun = Mapping[str, Any]  # a run as it is in the file: its configuration, and "samples"

_Value = TypeVar("_Value", int, float, str)
_NOT_AN_INDEX = "not a samples.json that this version can read"
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def read_runs(path: Path) -> list[RecordedRun]:
    """The runs as they are in a samples.json, their file names checked. Raises BadInput for another file."""
    try:
        runs = _load_runs(path)
        for name in (name for run in runs for name in files(run)):
            if name != Path(name).name or name in ("", "..", INDEX_NAME):
                raise ValueError(f"{name} is not the name of a melody's file")
    except _UNREADABLE as error:
        raise BadInput(path, _NOT_AN_INDEX) from error
    return runs


def files(run: RecordedRun) -> list[str]:
    """The names of all files of a run, its page last."""
    page = [run["page"]] if run.get("page") else []
    return [name for sample in run["samples"] for name in sample["files"]] + page


def read_configs(path: Path) -> list[GenerationConfig]:
    """The configurations of all runs in a samples.json, in order. Raises BadInput for another file."""
    try:
        configs = [_to_config(run) for run in _load_runs(path)]
    except BadInput:
        raise
    except EmomelodyError as error:
        raise BadInput(path, str(error)) from error
    except _UNREADABLE as error:
        missing = f" ({error} is missing)" if isinstance(error, KeyError) else ""
        raise BadInput(path, _NOT_AN_INDEX + missing) from error
    if not configs:
        raise BadInput(path, "holds no runs")
    return configs


def _load_runs(path: Path) -> list[RecordedRun]:
    """The runs of a file, unchecked. Raises BadInput where it cannot be opened, ValueError for bad JSON."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(path, error.strerror or str(error)) from error
    return list(data["runs"]) if "runs" in data else [data]


def write_index(path: Path, kept: Iterable[RecordedRun], new_runs: TextIO) -> None:
    """Write a samples.json of the kept runs and of the text of new ones (``write_run``)."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{\n "runs": [\n')
        for run in kept:
            write_run(file, run, map(json.dumps, run["samples"]))
            file.write(",\n")
        new_runs.seek(0)
        shutil.copyfileobj(new_runs, file)
        file.write("\n ]\n}\n")


def write_run(file: TextIO, header: Mapping[str, Any], entries: Iterable[str]) -> None:
    """Write a run: its configuration, a line per key, and its melodies' entries, a line each.

    ``entries`` are written as they come, so that a run of any length takes no memory.
    """
    file.write("  {\n")
    for key, value in header.items():
        if key != "samples":
            file.write(f"   {json.dumps(key)}: {json.dumps(value)},\n")
    file.write('   "samples": [')
    for number, entry in enumerate(entries):
        file.write(("," if number else "") + f"\n    {entry}")
    file.write("\n   ]\n  }")


def to_header(config: GenerationConfig, checkpoint: Checkpoint, page: str | None = None) -> dict[str, Any]:
    """The configuration of a run as samples.json holds it, without "samples"; ``page`` is its page's name."""
    from emomelody.weights.checkpoint import VA

    request = config.request
    default_temperature = TEMPERATURE if checkpoint.name == VA else None
    header = {
        "version": __version__,
        "model": config.model,
        "checksum": checkpoint.checksum,
        "seed": request.seed,
        "num": request.n,
        "bars": request.bars,
        **_style_meter_form(request),
        "emotion": request.emotion.title if request.emotion else None,
        "point": request.point,
        "path": str(request.path) if request.path else None,
        **({"grid": request.grid} if request.grid else {}),
        **_own(config),
        "spread": request.spread if request.like else None,
        "temperature": request.decoding.temperature or default_temperature,
        "top_p": request.decoding.top_p,
        **({"chords": True} if request.chords else {}),
        "setting": asdict(config.setting),
        "formats": config.formats,
        "soundfont": str(config.soundfont) if config.soundfont else None,
        "name": config.name,
        **({"page": page} if Format.HTML in config.formats else {}),
    }
    plain: dict[str, Any] = json.loads(json.dumps(header))  # lists for tuples, as in a file
    return plain


def melody_files(title: str, formats: Iterable[str]) -> list[str]:
    """The files of a melody of its own: a page has several."""
    return [f"{title}.{form}" for form in formats if form != Format.HTML]


def to_entry(piece: Piece, sample: Sample, config: GenerationConfig) -> dict[str, Any]:
    """A melody's entry in samples.json."""
    entry: dict[str, Any] = {
        "files": melody_files(piece.title, config.formats),
        "emotion": sample.description,
        "point": [round(c, 4) for c in sample.trajectory[0]],
        "latent": sample.latent,
    }
    entry |= _style_meter_form(config.request)
    if config.setting.expressive:
        bar = piece.melody.meter.bar
        entry["octaves"], entry["tempos"] = _by_bar(piece.octaves, bar), _by_bar(piece.tempos, bar)
        entry["velocities"] = piece.velocities
        entry["note_lengths"] = [round(length, 4) for length in piece.note_lengths]
    if piece.chords:
        names = ((chord.onset, chord.chord.name(piece.key_at(chord.onset))) for chord in piece.chords)
        entry["chords"] = _by_bar([*names], piece.melody.meter.bar)
    return entry


def _own(config: GenerationConfig) -> dict[str, Any]:
    """What a run takes from the user's files: their notes too, because a file may change or be gone."""
    request = config.request
    if config.file is None:
        return {"like": None}
    melodies = {"to": request.to, "draft": request.draft and request.draft.melody, "pickup": config.pickup}
    own: dict[str, Any] = {name: _to_notes(melody) for name, melody in melodies.items() if melody}
    if request.draft:
        own["kept"] = request.draft.kept
    like = _to_notes(request.like) if request.like else {"notes": []}
    return {"like": {"file": config.file, **like, "mode": request.mode, **own}}


def _to_notes(melody: Melody) -> dict[str, Any]:
    """The steps and the notes (onset, duration, pitch) of a melody."""
    return {"steps": melody.steps, "notes": [[n.onset, n.duration, n.pitch] for n in melody.notes]}


def _style_meter_form(request: Request) -> dict[str, str]:
    """The style, meter and form of a request, without those that say nothing new: in 4/4, none given."""
    meter = None if request.meter is Meter.FOUR_FOUR else request.meter
    given = {"style": request.style, "meter": meter, "form": request.form}
    return {name: str(value) for name, value in given.items() if value is not None}


def _by_bar(changes: Sequence[tuple[int, _Value]], bar: int) -> list[tuple[float, _Value]]:
    """Changes (step, value) as (bar, value), with bars of so many steps, counted from 0.

    In 4/4, bar 7.25 is the second beat of bar 7.
    """
    at = [round(step / bar, 4) if step % bar else step // bar for step, _ in changes]
    return list(zip(at, (value for _, value in changes), strict=True))


def _to_melody(recorded: Mapping[str, Any] | None, meter: Meter) -> Melody | None:
    """The melody of some recorded notes, of four bars in version 0.5 and before; None for no notes."""
    if not recorded or not recorded["notes"]:
        return None
    notes = tuple(Note(*map(int, note)) for note in recorded["notes"])
    return Melody(notes, int(recorded.get("steps", BARS * meter.bar)), meter)


def _to_draft(own: Mapping[str, Any], meter: Meter) -> Draft | None:
    melody = _to_melody(own.get("draft"), meter)
    return Draft(melody, tuple(map(bool, own["kept"]))) if melody else None


def _to_config(run: RecordedRun) -> GenerationConfig:
    """The inverse of ``to_header``. Raises what ``read_configs`` catches."""
    point, path, own, spread = run["point"], run["path"], run["like"] or {}, run["spread"]
    temperature, formats = run["temperature"], tuple(map(Format, run["formats"]))
    style, meter = run.get("style"), Meter(run.get("meter", Meter.FOUR_FOUR))
    if not formats:
        raise ValueError("no format")
    request = Request(
        n=int(run["num"]),
        emotion=None if run["emotion"] is None else parse_emotion(run["emotion"]),
        point=None if point is None else (float(point[0]), float(point[1])),
        path=None if path is None else EmotionPath.parse(path),
        grid=None if run.get("grid") is None else int(run["grid"]),
        like=_to_melody(own, meter),
        to=_to_melody(own.get("to"), meter),
        draft=_to_draft(own, meter),
        mode=own.get("mode"),
        spread=SPREAD if spread is None else float(spread),
        bars=int(run["bars"]),
        style=None if style is None else Style(style),
        meter=meter,
        form=run.get("form"),
        seed=int(run["seed"]),
        decoding=DecodingConfig(None if temperature is None else float(temperature), float(run["top_p"])),
        chords=bool(run.get("chords", False)),
    )
    return GenerationConfig(
        model=str(run["model"]),
        request=request,
        setting=Setting(**(NOTE_LENGTH_BEFORE | run["setting"])),
        formats=formats,
        name=str(run["name"]),
        file=str(own["file"]) if own else None,
        pickup=_to_melody(own.get("pickup"), meter),
        soundfont=None if run["soundfont"] is None else Path(run["soundfont"]),
        checksum=str(run["checksum"]),
        version=str(run["version"]),
    )
