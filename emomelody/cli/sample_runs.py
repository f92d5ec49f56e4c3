"""From the options of ``sample`` to its runs.

What the options alone decide is refused in ``check_options`` and ``plan_runs``, before torch is imported;
what depends on the weights, in ``load_runs``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from mimetypes import MimeTypes
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emomelody import __version__
from emomelody.cli.inputs import load_weights
from emomelody.cli.options import STDOUT, UsageError, usage_errors
from emomelody.cli.output import output
from emomelody.cli.sample_options import Options, parse_point
from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats.encode import NAME, VARIATION_NAME, Format, parse_formats
from emomelody.formats.encode import check as check_formats
from emomelody.music.emotion import Emotion
from emomelody.music.key import parse_key
from emomelody.music.path import EmotionPath
from emomelody.music.words import Word, parse_emotion
from emomelody.performance.setting import FOLLOWING, PLAIN, parse_program
from emomelody.sampling.generation import GenerationConfig
from emomelody.sampling.index import read_configs
from emomelody.sampling.names import check_file
from emomelody.sampling.request import SPREAD, DecodingConfig, Request

if TYPE_CHECKING:
    from emomelody.sampling.folder import Run, Written

TARGETS = ("emotion", "point", "path")
RECORDED = (*TARGETS, "like", "num", "bars", "seed", "spread", "temperature", "top_p")  # in samples.json
PLACING = ("like", "model", "quiet", "verbose")  # all that placing pieces takes


def flags(options: Sequence[str]) -> str:
    """The options as they are typed: ``--num and --top-p``."""
    *others, last = (f"--{option.replace('_', '-')}" for option in options)
    return f"{', '.join(others)} and {last}" if others else last


def check_options(options: Options) -> None:
    """Raise UsageError for options that exclude each other or need another one."""
    targets = [option for option in TARGETS if option in options.given]
    if len(targets) > 1:
        raise UsageError(f"{flags(targets)} exclude each other: give one of them")
    recorded = [option for option in RECORDED if option in options.given]
    if options.again and recorded:
        raise UsageError(f"--again takes these from its file: leave out {flags(recorded)}")
    if len(options.like) > 1:
        ignored = sorted(options.given.difference(PLACING))
        if ignored:
            raise UsageError(f"several --like are only placed on the plane: leave out {flags(ignored)}")
    if "spread" in options.given and not options.like:
        raise UsageError("--spread is how much to vary a file: it needs --like")
    if not (targets or options.like or options.again):
        raise UsageError(_missing_target(options))


def _missing_target(options: Options) -> str:
    if options.mode is None:
        return "give an emotion, such as -e sad, or one of --point, --path, --like and --again"
    emotions = [emotion.title for emotion in Emotion if emotion.mode == options.mode]
    return (
        f"--key {options.key} is a {options.mode} key: add an emotion that is in {options.mode},"
        f" {' or '.join(emotions)}, such as -e {emotions[-1]} --key {options.key}"
    )


def check_mode(options: Options, config: GenerationConfig, emotion: Emotion | None = None) -> None:
    """Raise UsageError where the mode of ``--key`` is not that of a run's beginning.

    ``emotion`` is that of the file to vary, if the run has no other target.
    """
    request, mode = config.request, options.mode
    emotion = request.waypoints[0].label if request.waypoints else emotion
    if emotion is None or mode in (None, emotion.mode):
        return
    others = " or ".join(f"-e {e.title}" for e in Emotion if e.mode == mode)
    if request.path:
        subject, change = f"paths that begin {request.description} begin", "another beginning"
    elif request.point:
        valence = "negative" if mode == "minor" else "positive"
        point = "{:g},{:g}".format(*request.point)
        subject, change = f"melodies at {point} are", f"a point of {valence} valence"
    elif request.emotion:
        subject, change = f"{request.description} melodies are", others
    else:
        subject, change = f"melodies like {config.like} ({emotion.title}) are", others
    alternative = "" if options.again else f", or {change} for a {mode} key"
    raise UsageError(
        f"{subject} in {emotion.mode}: use --key {parse_key(options.key or 'C')[0]}{alternative}"
    )


def check_sampled_mode(options: Options, written: Written) -> None:
    """Raise UsageError for a variation of a file that has left the mode of ``--key``."""
    if options.mode not in (None, written.mode):
        raise UsageError(
            f"{written.title} is in {written.mode}:"
            f" use a smaller --spread, or leave {options.mode} out of --key"
        )


def file_format(out: Path) -> Format | None:
    """The format of the single file that ``--out`` names, None where it names a folder or stdout."""
    if out == STDOUT or out.is_dir():
        return None
    try:
        return Format.of(out)
    except BadInput:
        return None


def check_destination(options: Options, melodies: int) -> None:
    """Raise UsageError where ``--out`` is one file and the rest asks for more."""
    if options.out == STDOUT and (melodies > 1 or options.show):
        raise UsageError("--out - writes one melody in one format, without --show")
    if options.out == STDOUT and sys.stdout.isatty():
        raise UsageError("--out - writes the file to stdout: redirect it to a file or program (> or |)")
    if file_format(options.out):
        if melodies > 1:
            raise UsageError(
                f"--out {options.out} is one file: for several melodies give a folder,"
                f" -o {options.out.with_suffix('')}"
            )
        ignored = ["format"] if set(_formats(options)) - {file_format(options.out)} else []
        ignored += ["name"] if options.name else []
        if ignored:
            raise UsageError(f"--out {options.out} names the file and its format: leave out {flags(ignored)}")
    elif not options.out.exists() and MimeTypes().guess_type(options.out.name)[0]:
        suffixes = ", ".join(f".{form}" for form in Format)
        raise UsageError(f"--out {options.out} ends in none of {suffixes}: give such a file, or a folder")


def _formats(options: Options) -> tuple[Format, ...]:
    """The formats that ``--format`` names, each once."""
    return tuple(dict.fromkeys(form for text in options.formats for form in parse_formats(text)))


def _check_formats(options: Options, config: GenerationConfig) -> None:
    """Raise UsageError for formats that the other options contradict."""
    if options.out == STDOUT and len(config.formats) > 1:
        raise UsageError("--out - writes one melody in one format, without --show")
    if "soundfont" in options.given and not (options.play or Format.WAV in config.formats):
        raise UsageError("--soundfont is for sound: it needs --format wav or --play")


def plan_runs(options: Options) -> list[GenerationConfig]:
    """The runs that the options ask for.

    Raises UsageError for values and combinations that make no sense, BadInput for files that cannot be
    read, EmomelodyError for a file or format that cannot be written.
    """
    with usage_errors():
        configs = read_configs(options.again) if options.again else _new_configs(options)
        check_destination(options, sum(config.request.n for config in configs))
        setting, changes = _setting_changes(options), _output_changes(options)
        configs = [replace(c, setting=replace(c.setting, **setting), **changes) for c in configs]
        configs = [*dict.fromkeys(configs)]  # runs that differed in what is changed are one
        _check_names(options, configs)
        for config in configs:
            _check_formats(options, config)
            check_mode(options, config)
    if file_format(options.out):
        check_file(options.out, force=options.force)
    for config in configs:
        check_formats(config.formats, config.soundfont)
    return configs


def _check_names(options: Options, configs: Sequence[GenerationConfig]) -> None:
    """Raise UsageError where new runs would give their melodies the same names."""
    described = [(config, config.request.description) for config in configs]
    titles = [config.title(0, text, config.model) for config, text in described if text]
    if not options.again and len(set(titles)) < len(titles):
        raise UsageError(f"name '{configs[0].name}' is the same for several melodies: add {{emotion}}")


def _new_configs(options: Options) -> list[GenerationConfig]:
    """The runs of the options of emotion and sampling, in the default setting and format."""
    like = str(options.like[0]) if options.like else None
    name = VARIATION_NAME if like else NAME
    return [
        GenerationConfig(options.model, request, name=name, like=like) for request in _make_requests(options)
    ]


def _make_requests(options: Options) -> list[Request]:
    """A request for each emotion, or one for the point, the path, or the file to vary."""
    emotions: list[Emotion | Word | None] = [*dict.fromkeys(map(parse_emotion, options.emotions))]
    point = parse_point(options.point) if options.point is not None else None
    path = EmotionPath.parse(options.path) if options.path is not None else None
    decoding = DecodingConfig(options.temperature, options.top_p)
    seed = int.from_bytes(os.urandom(4)) if options.seed is None else options.seed
    like = None
    if options.like:
        from emomelody.data.windows import first_window

        like = first_window(options.like[0])
    return [
        Request(
            options.num,
            emotion=emotion,
            point=point,
            path=path,
            like=like,
            spread=SPREAD if options.spread is None else options.spread,
            bars=options.bars,
            seed=seed,
            decoding=decoding,
        )
        for emotion in emotions or [None]
    ]


def _setting_changes(options: Options) -> dict[str, Any]:
    """The fields of a Setting that the options give."""
    plain = {name: getattr(PLAIN, name) for name in FOLLOWING} if options.plain else {}
    given = {
        "tonic": parse_key(options.key)[0] if options.key else None,
        "octave": options.octave,
        "tempo": options.tempo,
        "program": parse_program(options.program) if options.program is not None else None,
        "velocity": options.velocity,
    }
    return plain | {name: value for name, value in given.items() if value is not None}


def _output_changes(options: Options) -> dict[str, Any]:
    """The other fields of a GenerationConfig that the options give."""
    given = {
        "formats": _formats(options),
        "name": options.name,
        "soundfont": options.soundfont,
    }
    form = file_format(options.out)
    if form:
        literal = options.out.stem.replace("{", "{{").replace("}", "}}")
        given |= {"formats": (form,), "name": literal}
    return {name: value for name, value in given.items() if value not in (None, ())}


def load_runs(options: Options, configs: Sequence[GenerationConfig]) -> list[Run]:
    """Each run with its weights.

    With ``--again`` the checksum must be the recorded one, and ``--model`` says where such weights are.
    """
    from emomelody.weights.checkpoint import VA

    load = cache(load_weights)
    if options.again and "model" in options.given:
        moved = load(options.model).checksum
        if moved not in [config.checksum for config in configs]:
            raise EmomelodyError(f"{options.again}: no run in it was made with the weights {options.model}")
        configs = [replace(c, model=options.model) if c.checksum == moved else c for c in configs]
    for config in configs:
        if config.checksum not in (None, load(config.model).checksum):
            raise EmomelodyError(
                f"{options.again}: made with other weights than {config.model} now is: find them with --model"
            )
    runs = [(load(config.model), config) for config in configs]
    older = {config.version for checkpoint, config in runs if checkpoint.name == VA} - {__version__}
    if older:
        made_by = f"made by version {', '.join(sorted(older))} of emomelody"
        output.note(f"{options.again}: {made_by}: {VA} now samples other melodies with the same seed")
    _check_against_weights(options, runs)
    return runs


def _check_against_weights(options: Options, runs: Sequence[Run]) -> None:
    """Refuse what the models cannot do, and a key whose mode is not that of the file to vary."""
    from emomelody.sampling.sampler import check_support, encode_melodies
    from emomelody.weights.config import LATENT

    for checkpoint, config in runs:
        with usage_errors():
            check_support(checkpoint, config.request)
        if config.request.like is None:
            continue
        (latent,) = encode_melodies(checkpoint, [config.request.like])
        valence, arousal = checkpoint.plane.to_point(latent[:LATENT])
        emotion = Emotion.at(valence, arousal)
        if options.like:
            output.note(f"{config.like} lies at {valence:.2f},{arousal:.2f} ({emotion.title})")
        check_mode(options, config, emotion)
