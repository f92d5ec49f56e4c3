"""What the options of ``sample`` cannot be, alone or together.

Raises UsageError for it; what depends on the weights is checked in ``sample_runs``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from mimetypes import MimeTypes
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody.cli.options import STDOUT, UsageError
from emomelody.cli.sample.options import Options
from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput
from emomelody.formats.encode import Format, parse_formats
from emomelody.music.key import parse_key
from emomelody.sampling.runs.generation import GenerationConfig

if TYPE_CHECKING:
    from emomelody.sampling.runs.folder import Written

TARGETS = ("emotion", "point", "path")
OF_TUNE = ("style", "meter", "form", "bars")
# In samples.json.
RECORDED = (*TARGETS, "like", "num", *OF_TUNE, "seed", "spread", "temperature", "top_p")
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
        ignored = ["format"] if set(formats_of(options)) - {file_format(options.out)} else []
        ignored += ["name"] if options.name else []
        if ignored:
            raise UsageError(f"--out {options.out} names the file and its format: leave out {flags(ignored)}")
    elif not options.out.exists() and MimeTypes().guess_type(options.out.name)[0]:
        suffixes = ", ".join(f".{form}" for form in Format)
        raise UsageError(f"--out {options.out} ends in none of {suffixes}: give such a file, or a folder")


def formats_of(options: Options) -> tuple[Format, ...]:
    """The formats that ``--format`` names, each once."""
    return tuple(dict.fromkeys(form for text in options.formats for form in parse_formats(text)))


def check_formats(options: Options, config: GenerationConfig) -> None:
    """Raise UsageError for formats that the other options contradict."""
    if options.out == STDOUT and len(config.formats) > 1:
        raise UsageError("--out - writes one melody in one format, without --show")
    if "soundfont" in options.given and not (options.play or Format.WAV in config.formats):
        raise UsageError("--soundfont is for sound: it needs --format wav or --play")


def check_names(options: Options, configs: Sequence[GenerationConfig]) -> None:
    """Raise UsageError where new runs would give their melodies the same names."""
    described = [(config, config.request.description) for config in configs]
    titles = [config.title(0, text, config.model) for config, text in described if text]
    if not options.again and len(set(titles)) < len(titles):
        raise UsageError(f"name '{configs[0].name}' is the same for several melodies: add {{emotion}}")
