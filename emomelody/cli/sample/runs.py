"""From the options of ``sample`` to its runs.

What the options alone decide is refused in ``sample_checks`` and ``plan_runs``; what depends on the weights,
in ``load_runs``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emomelody import __version__
from emomelody.cli.inputs import load_weights
from emomelody.cli.options import UsageError, usage_errors
from emomelody.cli.output import output
from emomelody.cli.sample.checks import (
    check_destination,
    check_formats,
    check_mode,
    check_names,
    file_format,
    formats_of,
)
from emomelody.cli.sample.material import STEPS, Material, read_material
from emomelody.cli.sample.options import Options
from emomelody.emotions.emotion import Emotion, describe
from emomelody.emotions.path import EmotionPath, parse_point
from emomelody.emotions.words import Word, parse_emotion
from emomelody.errors import EmomelodyError
from emomelody.formats.encode import NAME, VARIATION_NAME, Format
from emomelody.formats.encode import check as check_installed
from emomelody.music.key import parse_key
from emomelody.performance.registers import OCTAVES
from emomelody.performance.setting import FOLLOWING, PLAIN, Setting, parse_program
from emomelody.sampling.request import SPREAD, DecodingConfig, Request
from emomelody.sampling.runs.generation import GenerationConfig
from emomelody.sampling.runs.index import read_configs
from emomelody.sampling.runs.names import check_file

if TYPE_CHECKING:
    from emomelody.sampling.runs.folder import Run


def plan_runs(options: Options) -> list[GenerationConfig]:
    """The runs that the options ask for.

    Raises UsageError for values and combinations that make no sense, BadInput for files that cannot be
    read, BadWeights for a model that is needed to know how long its melodies are, EmomelodyError for a file
    or format that cannot be written.
    """
    with usage_errors():
        configs = read_configs(options.again) if options.again else _new_configs(options)
        check_destination(options, sum(config.request.n for config in configs))
        setting, changes = _setting_changes(options), _output_changes(options)
        configs = [replace(c, setting=_changed(c, setting), **changes) for c in configs]
        if options.chords:  # also of runs that had none
            configs = [replace(c, request=replace(c.request, chords=True)) for c in configs]
        configs = [*dict.fromkeys(configs)]  # runs that differed in what is changed are one
        check_names(options, configs)
        for config in configs:
            check_formats(options, config)
            check_mode(options, config)
    if file_format(options.out):
        check_file(options.out, force=options.force)
    for config in configs:
        check_installed(config.formats, config.soundfont)
    return configs


def _new_configs(options: Options) -> list[GenerationConfig]:
    """The runs of the options of emotion and sampling, in the default setting and format."""
    own = read_material(options)
    return [
        GenerationConfig(
            options.model,
            request,
            setting=own.setting,
            name=VARIATION_NAME if own.file else NAME,
            file=str(own.file) if own.file else None,
            pickup=own.pickup,
        )
        for request in _make_requests(options, own)
    ]


def _make_requests(options: Options, own: Material) -> list[Request]:
    """A request for each emotion, or one for the point, the path, the grid, or the user's melody."""
    from emomelody.sampling.targets import default_bars

    emotions: list[Emotion | Word | None] = [*dict.fromkeys(map(parse_emotion, options.emotions))]
    point = parse_point(options.point) if options.point is not None else None
    path = EmotionPath.parse(options.path) if options.path is not None else None
    decoding = DecodingConfig(options.temperature, options.top_p)
    seed = int.from_bytes(os.urandom(4)) if options.seed is None else options.seed
    bars = own.bars or options.bars or default_bars(load_weights(options.model))
    return [
        Request(
            _number(options),
            emotion=emotion,
            point=point,
            path=path,
            grid=options.grid,
            like=own.like,
            to=own.to,
            draft=own.draft,
            mode=own.mode,
            spread=_spread(options),
            bars=bars,
            style=options.style,
            meter=options.meter or own.meter,
            form=options.form,
            seed=seed,
            decoding=decoding,
        )
        for emotion in emotions or [None]
    ]


def _number(options: Options) -> int:
    """The number of melodies of each emotion, of a grid, or on the way from one to another."""
    if options.grid:
        return options.grid**2
    return (options.steps or STEPS) if options.start else options.num


def _spread(options: Options) -> float:
    """The spread that is asked for; melodies on the way from one to another lie on it."""
    if options.spread is not None:
        return options.spread
    return 0.0 if options.start else SPREAD


def _changed(config: GenerationConfig, changes: dict[str, Any]) -> Setting:
    """The setting of a run with changes; octaves count from the register of the user's melody."""
    setting, own = replace(config.setting, **changes), config.setting.octave
    if config.file is None or own is None:
        return setting
    # A new key is the nearest one, up or down.
    nearest = round((config.setting.semitones + 12 * own - setting.semitones) / 12)
    octave = nearest + changes.get("octave", 0)
    if "octave" in changes and not OCTAVES[0] <= octave <= OCTAVES[1]:
        by = f"--octave {changes['octave']:+d}"
        raise UsageError(f"{by} leads too far from the register of {config.file}: choose one nearer to 0")
    return replace(setting, octave=min(max(octave, OCTAVES[0]), OCTAVES[1]))


def _setting_changes(options: Options) -> dict[str, Any]:
    """The fields of a Setting that the options give."""
    # The tempo and the register of a file are no expression.
    fields = ("velocity",) if options.file else FOLLOWING
    plain = {name: getattr(PLAIN, name) for name in fields} if options.plain else {}
    given = {
        "tonic": parse_key(options.key)[0] if options.key else None,
        "octave": options.octave,
        "tempo": options.tempo,
        "program": parse_program(options.program) if options.program is not None else None,
        "chords_program": parse_program(options.chords_program) if options.chords_program else None,
        "velocity": options.velocity,
    }
    return plain | {name: value for name, value in given.items() if value is not None}


def _output_changes(options: Options) -> dict[str, Any]:
    """The other fields of a GenerationConfig that the options give."""
    given = {
        "formats": formats_of(options),
        "name": options.name,
        "soundfont": options.soundfont,
    }
    form = file_format(options.out)
    if form is Format.HTML:
        given |= {"formats": (form,)}
    elif form:
        literal = options.out.stem.replace("{", "{{").replace("}", "}}")
        given |= {"formats": (form,), "name": literal}
    return {name: value for name, value in given.items() if value not in (None, ())}


def load_runs(options: Options, configs: Sequence[GenerationConfig]) -> list[Run]:
    """Each run with its weights.

    With ``--again`` the checksum must be the recorded one, and ``--model`` says where such weights are.
    """
    from emomelody.weights.checkpoint import VA

    if options.again and "model" in options.given:
        moved = load_weights(options.model).checksum
        if moved not in [config.checksum for config in configs]:
            raise EmomelodyError(f"{options.again}: no run in it was made with the weights {options.model}")
        configs = [replace(c, model=options.model) if c.checksum == moved else c for c in configs]
    for config in configs:
        if config.checksum not in (None, load_weights(config.model).checksum):
            raise EmomelodyError(
                f"{options.again}: made with other weights than {config.model} now is: find them with --model"
            )
    runs = [(load_weights(config.model), config) for config in configs]
    older = {config.version for checkpoint, config in runs if checkpoint.name == VA} - {__version__}
    if older:
        made_by = f"made by version {', '.join(sorted(older))} of emomelody"
        output.note(f"{options.again}: {made_by}: {VA} now samples other melodies with the same seed")
    _check_against_weights(options, runs)
    return runs


def _check_against_weights(options: Options, runs: Sequence[Run]) -> None:
    """Refuse what the models cannot do, and say where the user's melody lies."""
    from emomelody.sampling.sampler import check_support
    from emomelody.sampling.targets import Target

    for checkpoint, config in runs:
        with usage_errors():
            check_support(checkpoint, config.request)
    if options.file and not options.start:
        checkpoint, config = runs[0]
        target = Target.of(checkpoint, config.request)
        if target.own:
            valence, arousal = target.plane.to_point(target.own.centre)
            output.note(f"{config.file} lies at {valence:.2f},{arousal:.2f} ({describe(valence, arousal)})")
