"""What the options of ``sample`` cannot be, alone or together.

Raises UsageError for it; what depends on the weights is checked in ``sample_runs``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from mimetypes import MimeTypes
from pathlib import Path

from emomelody.cli.options import STDOUT, UsageError
from emomelody.cli.sample.options import Options
from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput
from emomelody.formats.encode import Format, parse_formats
from emomelody.music.key import parse_key
from emomelody.sampling.runs.generation import GenerationConfig

TARGETS = ("emotion", "point", "path", "grid")
FILES = ("like", "continue", "from")
OF_TUNE = ("style", "meter", "form", "bars")
# In samples.json.
RECORDED = (
    *TARGETS, *FILES, "keep", "from_bar", "to", "steps", "num", *OF_TUNE,
    "seed", "spread", "temperature", "top_p",
)  # fmt: skip
# Options that need another one, and those that another one cannot have.
NEEDED = {
    "spread": ("like", "is how much to vary a file"),
    "keep": ("like", "says which bars of a file to keep"),
    "from_bar": ("like", "says where in a file to begin"),
    "to": ("from", "ends what --from begins"),
    "from": ("to", "begins what --to ends"),
    "steps": ("from", "is the number of melodies between two files"),
}
EXCLUDED = {
    "keep": ("spread", "from_bar", "form"),
    "continue": ("form",),
    "from": ("num", *TARGETS),
    "grid": ("num", "continue", "keep"),
}


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
        raise UsageError("--like takes one file: 'emomelody place' says where several lie on the plane")
    files = [option for option in FILES if option in options.given]
    if len(files) > 1:
        raise UsageError(f"{flags(files)} exclude each other: give one of them")
    for option, (needed, meaning) in NEEDED.items():
        if option in options.given and needed not in options.given:
            raise UsageError(f"{flags([option])} {meaning}: it needs {flags([needed])}")
    for option, excluded in EXCLUDED.items():
        ignored = [other for other in excluded if option in options.given and other in options.given]
        if ignored:
            raise UsageError(f"with {flags([option])} leave out {flags(ignored)}")
    if not (targets or files or options.again):
        raise UsageError(_missing_target(options))


def _missing_target(options: Options) -> str:
    if options.mode is None:
        others = flags([*TARGETS[1:], *FILES, "again"]).replace(" and ", " or ")
        return f"give an emotion, such as -e sad, or {others}"
    emotions = [emotion.title for emotion in Emotion if emotion.mode == options.mode]
    return (
        f"--key {options.key} is a {options.mode} key: add an emotion that is in {options.mode},"
        f" {' or '.join(emotions)}, such as -e {emotions[-1]} --key {options.key}"
    )


def check_mode(options: Options, config: GenerationConfig) -> None:
    """Raise UsageError where the mode of ``--key`` is not that of a run's beginning."""
    request, mode = config.request, options.mode
    if request.grid and mode:
        raise UsageError(f"a grid has melodies in both modes: use --key {parse_key(options.key or 'C')[0]}")
    of_file = request.draft is not None or not request.waypoints
    own = request.mode if of_file else request.waypoints[0].label.mode
    if own is None or mode in (None, own):
        return
    others = " or ".join(f"-e {e.title}" for e in Emotion if e.mode == mode)
    if of_file:
        subject, change = f"{config.file} is", "" if request.draft else others
    elif request.path:
        subject, change = f"paths that begin {request.description} begin", "another beginning"
    elif request.point:
        valence = "negative" if mode == "minor" else "positive"
        point = "{:g},{:g}".format(*request.point)
        subject, change = f"melodies at {point} are", f"a point of {valence} valence"
    else:
        subject, change = f"{request.description} melodies are", others
    alternative = "" if options.again or not change else f", or {change} for a {mode} key"
    raise UsageError(f"{subject} in {own}: use --key {parse_key(options.key or 'C')[0]}{alternative}")


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
    paged = formats_of(options) == (Format.HTML,) or file_format(options.out) is Format.HTML
    if options.out == STDOUT and ((melodies > 1 and not paged) or options.show):
        raise UsageError("--out - writes one melody in one format, or one page, without --show")
    if options.out == STDOUT and sys.stdout.isatty():
        raise UsageError("--out - writes the file to stdout: redirect it to a file or program (> or |)")
    if file_format(options.out):
        if melodies > 1 and not paged:
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
        raise UsageError("--out - writes one melody in one format, or one page, without --show")
    if "chords_program" in options.given and not config.request.chords:
        raise UsageError("--chords-program is the sound of chords: it needs --chords")
    if "soundfont" in options.given and not (options.play or Format.WAV in config.formats):
        raise UsageError("--soundfont is for sound: it needs --format wav or --play")


def check_names(options: Options, configs: Sequence[GenerationConfig]) -> None:
    """Raise UsageError where new runs would give their melodies the same names."""
    described = [(config, config.request.description) for config in configs]
    titles = [config.title(0, text, config.model) for config, text in described if text]
    if not options.again and len(set(titles)) < len(titles):
        raise UsageError(f"name '{configs[0].name}' is the same for several melodies: add {{emotion}}")
