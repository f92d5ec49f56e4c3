"""``emomelody sample``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from emomelody.cli.options import STDOUT, Command, Quiet, Verbose, given_options
from emomelody.cli.output import output, progress_bar
from emomelody.cli.sample import options as option
from emomelody.cli.sample import setting_options as setting
from emomelody.cli.sample.checks import check_options, file_format
from emomelody.cli.sample.options import Options
from emomelody.cli.sample.report import (
    RunSummary,
    command_line,
    describe_replaced,
    note_repetitions,
    play_melodies,
    print_melodies,
    report,
)
from emomelody.cli.sample.runs import load_runs, plan_runs
from emomelody.formats.encode import Format, encode

if TYPE_CHECKING:
    from emomelody.sampling.runs.folder import Run, Written

EXAMPLES = """
Examples:

emomelody sample --emotion sad -n 20

emomelody sample -e happy --style folk --meter 6/8 --form AABA --bars 16

emomelody sample --path 'sad@0 happy@8' --bars 12 --format mid,wav

emomelody sample -e relaxed --chords --format mid,musicxml

emomelody sample --continue song.mid --bars 8 -n 3
"""


def sample(
    context: typer.Context,
    emotion: option.Emotions = None,
    point: option.Point = None,
    path: option.PathText = None,
    grid: option.Grid = None,
    like: option.Like = None,
    continue_: option.Continue = None,
    keep: option.Keep = None,
    from_bar: option.FromBar = None,
    from_: option.From = None,
    to: option.To = None,
    steps: option.Steps = None,
    style: option.StyleName = None,
    meter: option.MeterName = None,
    form: option.FormLetters = None,
    bars: option.Bars = None,
    num: option.Num = 1,
    model: option.ModelName = "emoreg-va",
    seed: option.Seed = None,
    spread: option.Spread = None,
    temperature: option.Temperature = None,
    top_p: option.TopP = 1.0,
    chords: option.Chords = False,
    again: option.Again = None,
    key: setting.Key = None,
    octave: setting.Octave = None,
    tempo: setting.Tempo = None,
    program: setting.Program = None,
    chords_program: setting.ChordsProgram = None,
    velocity: setting.Velocity = None,
    plain: setting.Plain = False,
    out: setting.Out = Path("samples"),
    formats: setting.Formats = None,
    name: setting.Name = None,
    soundfont: setting.SoundFont = None,
    show: setting.Show = False,
    play: setting.Play = False,
    force: setting.Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write melodies with an emotion, at points of the plane, along a path, or from a melody of your own.

    They are added to a folder, with samples.json, from which --again reproduces them.
    """
    options = Options(
        given=frozenset(name.strip("_") for name in given_options(context)),
        emotions=emotion or [], point=point, path=path, grid=grid, like=like or [], continued=continue_,
        keep=keep, from_bar=from_bar, start=from_, goal=to, steps=steps, style=style, meter=meter, form=form,
        bars=bars, num=num, model=model, seed=seed, spread=spread, temperature=temperature, top_p=top_p,
        chords=chords, again=again, key=key, octave=octave, tempo=tempo, program=program,
        chords_program=chords_program, velocity=velocity, plain=plain, out=out, formats=formats or [],
        name=name, soundfont=soundfont, show=show, play=play, force=force,
    )  # fmt: skip
    check_options(options)
    _sample(options)


def _sample(options: Options) -> None:
    """Plan the runs, write their melodies, and print, show and play what was written."""
    configs = plan_runs(options)
    player = _find_player() if options.play else ()
    runs = load_runs(options, configs)
    to_folder = options.out != STDOUT and not file_format(options.out)
    summaries = _write_folder(options, runs) if to_folder else _write_one(options, runs)
    for summary in summaries:
        if options.show:
            print_melodies(summary.kept)
        note_repetitions(summary)
    _print_result(options, summaries, to_folder)
    for summary in summaries if player else ():
        play_melodies(summary.kept, summary.config.soundfont, player)


def _write_folder(options: Options, runs: Sequence[Run]) -> list[RunSummary]:
    """Write the melodies of all runs into the folder, with a progress bar."""
    from emomelody.sampling.runs.folder import write_folder

    summaries = [RunSummary.of(run) for run in runs]
    with progress_bar(transient=True) as progress:
        task = progress.add_task("writing", total=sum(config.request.n for _, config in runs))

        def on_written(run: int, written: Written) -> None:
            summaries[run].add(written)
            progress.advance(task)

        keep = options.show or options.play
        replaced = write_folder(
            runs,
            options.out,
            force=options.force,
            keep=keep,
            command=command_line(options, runs[0][1].request.seed),
            on_written=on_written,
        )
    for run in replaced:
        output.note(describe_replaced(run))
    return summaries


def _write_one(options: Options, runs: Sequence[Run]) -> list[RunSummary]:
    """Write one melody, or one page of all melodies, to a file or to stdout."""
    from emomelody.files import write_whole
    from emomelody.sampling.runs.folder import Written
    from emomelody.sampling.runs.generation import arrange_samples
    from emomelody.sampling.runs.page import RunsPage

    summaries = [RunSummary.of(run) for run in runs]
    for summary, (checkpoint, config) in zip(summaries, runs, strict=True):
        for number, (piece, sample) in enumerate(arrange_samples(checkpoint, config)):
            summary.add(Written.of(number, piece, sample, config, keep=True))
    pieces = [piece for summary in summaries for piece, _ in summary.kept]
    config = runs[0][1]
    if config.formats[0] is Format.HTML:
        command = command_line(options, config.request.seed)
        data = RunsPage([config for _, config in runs], command, pieces).encode()
    else:
        data = encode(pieces[0], config.formats[0], config.soundfont)
    if options.out == STDOUT:
        sys.stdout.buffer.write(data)
    else:
        write_whole(options.out, data)
    return summaries


def _print_result(options: Options, summaries: Sequence[RunSummary], to_folder: bool) -> None:
    """Print what was written; to stderr if stdout holds the file."""
    from emomelody.sampling.runs.page import RunsPage

    if options.out == STDOUT:
        output.note(*report(summaries, "stdout"))
        return
    for sentence in report(summaries, f"{options.out}/" if to_folder else str(options.out)):
        print(sentence)
    page = RunsPage([summary.config for summary in summaries]).name
    if page:
        output.note(f"open {options.out / page if to_folder else options.out} in a browser to hear them")


def _find_player() -> tuple[str, ...]:
    from emomelody.formats.audio import find_player

    return find_player()


class SampleCommand(Command):
    """A command whose ``--point`` takes ``-0.5,0.4`` and ``-0.5 0.4``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line."""
        return super().parse_args(ctx, join_points(args))


def join_points(words: list[str]) -> list[str]:
    """The words of a command line with the two numbers after ``--point`` joined by a comma."""
    joined: list[str] = []
    for word in words:
        if joined[-2:-1] == ["--point"] and _is_number(joined[-1]) and _is_number(word):
            joined[-1] += f",{word}"
        else:
            joined.append(word)
    return joined


def _is_number(word: str) -> bool:
    return re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|nan", word, re.IGNORECASE) is not None


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(cls=SampleCommand, epilog=EXAMPLES)(sample)
