"""The commands: options and help, a call into the library, and what is printed.

Whatever is heavy to import (torch, music21, matplotlib) is imported inside the commands, so that help and
usage errors come at once. Results go to stdout; progress, notes and errors to stderr.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.exceptions import TyperException

from emomelody import __version__
from emomelody.errors import BadInput, EmomelodyError
from emomelody.files import write_whole
from emomelody.formats.encode import NAME, Format
from emomelody.music.emotion import Emotion
from emomelody.music.key import parse_key
from emomelody.music.melody import TEMPO
from emomelody.performance.setting import OCTAVES, PLAIN, TEMPOS, VELOCITIES, VELOCITY, parse_program

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

    from emomelody.data.dataset import Dataset
    from emomelody.data.preprocess import Report
    from emomelody.data.windows import Source, Windows
    from emomelody.models.checkpoint import Checkpoint
    from emomelody.music.melody import Melody
    from emomelody.sampling.folder import Entry
    from emomelody.sampling.generation import ArrangedSample, Recipe
    from emomelody.training.trainer import Epoch, Trainer

MAX_SEED = 2**32 - 1
STDOUT = Path("-")
REPORT = "report.html"
FILE_WIDTH = 240  # characters of a line of a table that goes into a file
WHAT, HOW, SET, FILES = "What", "How it is drawn", "How it is set", "Files"  # panels of sample's help
LOG_EVERY = 10  # epochs per line where no terminal shows the live display
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 …")]
app = typer.Typer(
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass
class Output:
    """Where things are printed, and how much."""

    out: Console  # results
    err: Console  # progress, notes, errors
    verbose: bool = False

    def note(self, text: str) -> None:
        """A remark that ``--quiet`` silences."""
        if not self.err.quiet:
            self.err.print(escape(text), soft_wrap=True)


def _results() -> Console:
    """Stdout; where no terminal shows them, tables take the width they need."""
    console = Console()
    return console if console.is_terminal else Console(width=FILE_WIDTH)


output = Output(_results(), Console(stderr=True))


def main() -> NoReturn:
    """The installed command: every error is one line on stderr and an exit code."""
    if hasattr(signal, "SIGPIPE"):  # on Windows there is none
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as head leaves a pipe: the end, without a word
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where it shall be ignored
        signal.signal(signal.SIGINT, _interrupt)
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        _fail(error.format_message(), error.exit_code)
    except typer.Abort:
        _fail("stopped", 130)
    except EmomelodyError as error:
        _fail(str(error), 1)
    except OSError as error:  # a full disk, a folder without permission
        what = f"{error.filename}: cannot be written to or read from" if error.filename else "cannot write"
        _fail(f"{what} ({error.strerror or error})", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """The first Ctrl-C ends the command; those after it do not disturb the tidying up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end(number: int, _frame: object) -> NoReturn:
    """End with what is half-made removed."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _fail(message: str, code: int) -> NoReturn:
    print(f"emomelody: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


def _follows() -> bool:
    """Whether this is one of several processes that ``torchrun`` started, and not the first, which speaks."""
    return "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("RANK") != "0"


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"emomelody {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _global_options(
    context: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Melodies with a given emotion: happy, angry, sad or relaxed.

    [bold]emomelody sample --emotion sad -n 20[/bold] writes 20 sad melodies as MIDI files,
    with the weights that come with the program.
    """
    del version  # handled by its callback
    output.err.quiet = quiet or _follows()
    output.out.quiet = _follows()
    output.verbose = verbose
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def preprocess(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Files or folders of MIDI (.mid, .midi) or MusicXML (.xml, .musicxml, .mxl). "
            "None: the Bach chorales that come with music21.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to make.")] = Path("data"),
    windows: Annotated[
        Literal["first", "all"],
        typer.Option(
            help="Four-bar windows of each piece: the first, from its very beginning,"
            " or all, from barline to barline."
        ),
    ] = "all",
    labels: Annotated[
        Path | None,
        typer.Option(help="A CSV file with the columns file,emotion.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Chooses the held-out tunes.")] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes; by default one per core.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
) -> None:
    """Make training data: melodies in C with an emotion each, in data/e1 … e4 and data/manifest.csv.

    Labels come from --labels, else from a parent folder named after an emotion, else from a rule:
    more than ten onsets are aroused, more notes of C major than of C minor are positive.
    """
    from emomelody.data import labels as data_labels
    from emomelody.data.windows import Windows
    from emomelody.evaluation import tables

    listed = data_labels.read_labels(labels) if labels else {}
    bad: list[BadInput] = []
    if sources:
        found, bad, unused = data_labels.file_sources(sources, listed)
        if not found:
            raise EmomelodyError("; ".join(str(error) for error in bad))
        if unused:
            output.note(f"{len(unused)} labels match no file, e.g. {min(unused)}")
    else:
        if labels:
            raise EmomelodyError("--labels needs a SOURCE to label")
        found = data_labels.chorale_sources()
    _check_data_folder(out, force)
    report = _run_preprocess(found, out, Windows(windows), seed, jobs)
    output.out.print(tables.preprocess_table(report, out))
    if output.verbose:
        for source, reasons in report.skipped_by_source.items():
            listed_reasons = ", ".join(f"{reason}: {count}" for reason, count in reasons.items())
            output.note(f"{source}: {listed_reasons}")
    bad += report.bad
    _list_bad(bad)
    if bad:
        _fail(f"{len(bad)} of the sources could not be used; the others are in {out}", 1)


@app.command()
def train(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Argument(
            help="A folder with e1 … e4 of MIDI files, as preprocess makes it.", show_default=False
        ),
    ] = None,
    model: Annotated[
        Literal["base", "emoreg", "emoreg-va"],
        typer.Option("--model", "-m", help="CVAE-Base or CVAE-EmoReg of the paper, or ours after it."),
    ] = "emoreg-va",
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Passes over the data.", show_default="1,656 updates, at most 110; else 12,600"
        ),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Melodies per update.", show_default="emoreg-va 64, else 16")
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(min=0, help="Learning rate.", show_default="emoreg-va 0.002, else 0.001"),
    ] = None,
    emotion_weight: Annotated[
        float,
        typer.Option(
            min=0,
            help="Final weight of emoreg's emotion losses; 1 until 70 % of the epochs.",
        ),
    ] = 1.0,
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=MAX_SEED, help="Of initial weights, order, noise, and a split without manifest."
        ),
    ] = 0,
    split: Annotated[
        Literal["tune", "random"],
        typer.Option(help="The held-out fifth: by tune, none on both sides, or at random as in the paper."),
    ] = "tune",
    device: Device = "auto",
    out: Annotated[Path, typer.Option("--out", "-o", help="The run's folder is made in this one.")] = Path(
        "runs"
    ),
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Go on with the run in this folder, that was stopped; DATA only where it was moved.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train a model: weights, history and plots into runs/emoreg-va, the next time runs/emoreg-va-2."""
    from emomelody.data.dataset import Split
    from emomelody.evaluation import tables
    from emomelody.training import trainer as library

    if resume:
        fixed = sorted(_given(context) - {"data", "device", "resume"})
        if fixed:
            names = ", ".join(f"--{option.replace('_', '-')}" for option in fixed)
            raise EmomelodyError(f"--resume goes on as the run was begun: leave out {names}")
        folder, source = resume, data or library.training_data_of(resume)
        trainer = library.Trainer.resume(folder, _load_data(source), source, device)
        beginning = f"{folder}: from epoch {len(trainer.history) + 1} on"
    elif data is None:
        raise typer.BadParameter("give a folder of training data, or --resume", param_hint="DATA")
    else:
        config = library.TrainConfig(
            model=model,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=lr,
            emotion_weight=emotion_weight,
            seed=seed,
            split=Split(split),
            device=device,
        )
        trainer = library.Trainer(_load_data(data), config, data)
        folder = library.next_run_folder(out, model) if trainer.team.leads else out
        beginning = f"into {folder}"
    config = trainer.config
    together = f" in {trainer.team.size} processes" if trainer.team.size > 1 else ""
    output.note(
        f"{config.model}: {len(trainer.training)} melodies, {len(trainer.held_out)} held out by"
        f" {config.split}, {len(trainer.vocabulary)} tokens, {trainer.epochs} epochs on {trainer.device}"
        f" ({trainer.precision}){together}, seed {config.seed}, {beginning}"
    )
    try:
        checkpoint = _train_with_display(trainer, folder)
    except KeyboardInterrupt:
        if not trainer.team.leads:
            raise typer.Exit(130) from None
        if not trainer.history:
            _fail("stopped before the end of the first epoch: there are no weights", 130)
        again = f"emomelody train --resume {shlex.quote(str(folder))}"
        _fail(f"stopped after epoch {len(trainer.history)}; its weights are in {folder}; go on: {again}", 130)
    output.out.print(tables.training_table(checkpoint.training, folder))


@app.command()
def sample(
    context: typer.Context,
    emotion: Annotated[
        str | None,
        typer.Option(
            "--emotion",
            "-e",
            metavar="NAME",
            help="happy, angry, sad or relaxed (also e1–e4, Q1–Q4).",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    point: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="VALENCE AROUSAL",
            help="Instead: a point of the plane, each −1 … 1.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    path: Annotated[
        str | None,
        typer.Option(
            metavar="'PLACE@BAR …'",
            help="Instead: emotions or V,A at bars from 0 on, as 'sad@0 happy@8'.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    like: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Like the first four bars of this piece (MIDI, MusicXML); with an emotion, point or path:"
            " that melody there; several: only say where they lie.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    again: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The melodies of this samples.json again; the last two panels may change them.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    num: Annotated[
        int, typer.Option("--num", "-n", metavar="N", min=1, help="How many melodies.", rich_help_panel=WHAT)
    ] = 1,
    bars: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="Length of each.", rich_help_panel=WHAT)
    ] = 4,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="emoreg-va; emoreg or base (no path, like or bars); a weights file or run folder.",
            rich_help_panel=HOW,
        ),
    ] = "emoreg-va",
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=MAX_SEED,
            help="The same seed makes the same files.",
            show_default="random",
            rich_help_panel=HOW,
        ),
    ] = None,
    spread: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            min=0,
            max=1,
            help="How far from the piece of --like.",
            show_default="0.1",
            rich_help_panel=HOW,
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Of each token's draw.",
            show_default="emoreg-va 1.05, else the likeliest token",
            rich_help_panel=HOW,
        ),
    ] = None,
    top_p: Annotated[
        float,
        typer.Option(
            "--top-p",
            metavar="X",
            help="Draw from the likeliest tokens that make up this share.",
            rich_help_panel=HOW,
        ),
    ] = 1.0,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1 …", rich_help_panel=HOW)
    ] = "cpu",
    key: Annotated[
        str,
        typer.Option(
            metavar="KEY", help="As A, Bb or 'F# minor'; the mode must be the emotion's.", rich_help_panel=SET
        ),
    ] = PLAIN.tonic,
    octave: Annotated[
        int,
        typer.Option(
            metavar="N", min=OCTAVES[0], max=OCTAVES[1], help="Octaves up or down.", rich_help_panel=SET
        ),
    ] = 0,
    tempo: Annotated[
        float,
        typer.Option(
            metavar="BPM", min=TEMPOS[0], max=TEMPOS[1], help="Beats per minute.", rich_help_panel=SET
        ),
    ] = TEMPO,
    program: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="General MIDI sound: piano, violin, flute … or 0–127.",
            rich_help_panel=SET,
        ),
    ] = str(PLAIN.program),
    velocity: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=VELOCITIES[0],
            max=VELOCITIES[1],
            help="Loudness of each note.",
            rich_help_panel=SET,
        ),
    ] = VELOCITY,
    expressive: Annotated[
        bool,
        typer.Option(
            "--expressive",
            help="Octave, tempo and velocity, where not given, as the emotion asks.",
            rich_help_panel=SET,
        ),
    ] = False,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Where the files go; - sends one file to stdout.",
            rich_help_panel=FILES,
        ),
    ] = Path("samples"),
    formats: Annotated[
        list[Format] | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="mid, musicxml, svg (a score), png (a piano roll) or wav; several may be given.",
            show_default="mid",
            rich_help_panel=FILES,
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(metavar="NAME", help="Of a file; {model} is a field too.", rich_help_panel=FILES),
    ] = NAME,
    soundfont: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A SoundFont (.sf2) for wav and --play; needs FluidSynth.",
            show_default=False,
            rich_help_panel=FILES,
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Also draw each melody here.", rich_help_panel=FILES)
    ] = False,
    play: Annotated[
        bool, typer.Option("--play", help="Also play each melody here.", rich_help_panel=FILES)
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files of the same names.", rich_help_panel=FILES)
    ] = False,
) -> None:
    """Write melodies of an emotion, or of a point of the plane, and samples.json, which tells how."""
    given = _given(context)
    like, to_stdout = like or [], out == STDOUT
    _check_sample_options(given, like, formats or [])
    asked = Emotion.parse(emotion) if emotion is not None else None  # a typing error is told at once
    tonic, mode = parse_key(key)
    choices = {"octave": octave, "tempo": tempo, "program": parse_program(program), "velocity": velocity}
    changes: dict[str, Any] = {option: value for option, value in choices.items() if option in given}
    if "key" in given:
        changes["tonic"] = tonic
    if expressive:
        changes = {"octave": None, "tempo": None, "velocity": None} | changes
    from emomelody.formats.encode import check, encode
    from emomelody.models.inference import pick_device
    from emomelody.music.path import EmotionPath
    from emomelody.sampling import folder, generation, index
    from emomelody.sampling.request import SPREAD, DecodingConfig, Request

    if again:
        recipe = index.read_recipe(again)
    else:
        request = Request(
            num,
            emotion=asked,
            point=point,
            path=EmotionPath.parse(path) if path is not None else None,
            spread=SPREAD if spread is None else spread,
            bars=bars,
            seed=int.from_bytes(os.urandom(4)) if seed is None else seed,
            drawing=DecodingConfig(temperature, top_p),
        )
        recipe = generation.Recipe(model, request, like=str(like[0]) if like else None)
    recipe = replace(
        recipe,
        model=model if "model" in given else recipe.model,
        setting=replace(recipe.setting, **changes),
        formats=tuple(dict.fromkeys(formats)) if formats else recipe.formats,
        name=name if "name" in given else recipe.name,
        soundfont=soundfont or recipe.soundfont,
    )
    check(recipe.formats, recipe.soundfont)
    if to_stdout:
        _check_stdout(recipe, show)
    player = _find_player() if play else None
    checkpoint = _load_weights(recipe.model)
    if recipe.checksum not in (None, checkpoint.checksum):
        raise EmomelodyError(
            f"{again}: made with other weights than {recipe.model} now is; --model says where"
        )
    checkpoint.model.to(pick_device(device))
    if like:
        heard = _place(checkpoint, like, output.err if to_stdout else output.out)
        if len(heard) > 1:
            return
        recipe = replace(recipe, request=replace(recipe.request, like=heard[0]))
    summary = _Summary(mode, recipe)
    kept: list[ArrangedSample] = []  # to be shown or played
    if to_stdout:
        piece, only = next(generation.arrange_samples(checkpoint, recipe))
        summary.add(only.emotion, hash(only.melody))
        sys.stdout.buffer.write(encode(piece, recipe.formats[0], recipe.soundfont))
    else:
        with _progress(transient=True) as progress:
            task = progress.add_task("writing", total=recipe.request.n)

            def on_entry(entry: Entry) -> None:
                summary.add(entry.emotion, entry.melody)
                if entry.made:
                    kept.append(entry.made)
                progress.advance(task)

            folder.write_folder(checkpoint, recipe, out, force=force, keep=show or play, on_entry=on_entry)
    if show:
        _show(kept)
    _say_what_was_made(recipe, summary, checkpoint, out)
    if player:
        _play(kept, recipe.soundfont, player)


@app.command()
def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="emoreg-va, emoreg, base, a weights file or a run folder; several stand side by side.",
            show_default="emoreg-va",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="A folder with e1 … e4 of MIDI files.",
            show_default="data, else the chorales, built once",
        ),
    ] = None,
    judge_data: Annotated[
        Path | None,
        typer.Option(
            help="Fit and measure the judges of emotion on this folder with e1 … e4 instead.",
            show_default="what the model has not learned from",
        ),
    ] = None,
    generated: Annotated[
        Path | None,
        typer.Option(
            help="Score the MIDI files in this folder's e1 … e4 instead of a model.",
            show_default=False,
        ),
    ] = None,
    num: Annotated[int, typer.Option("--num", "-n", min=1, help="Melodies per emotion.")] = 250,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Of the melodies.")] = 0,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="So many seeds, from --seed on: mean ± deviation.")
    ] = 1,
    report: Annotated[
        Path | None,
        typer.Option(help="Also write report.html and its pictures into this folder.", show_default=False),
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Also write all figures to this file.", show_default=False),
    ] = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", help="Also write all figures to this table.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace these files.")] = False,
) -> None:
    """Measure models: is the emotion right, the melody new, does it sound like the data, is the plane true.

    Prints the paper's tables 2 and 3 with its own figures beside ours, and what it does not ask.
    --report defines every figure.
    """
    if generated and (models or seed or seeds > 1):
        raise EmomelodyError("--generated needs no model and no seeds: leave out --model, --seed and --seeds")
    for file in (json_file, csv_file, report and report / REPORT):  # before minutes of work, not after
        if file and file.exists() and not force:
            raise BadInput(file, "is there already: choose another name, or add --force")
    for file in (json_file, csv_file):
        if file and not file.parent.is_dir():
            raise BadInput(file, f"cannot be written: there is no folder {file.parent}")
    if report and report.exists() and not report.is_dir():
        raise BadInput(report, "is a file, and the report needs a folder")
    from emomelody.evaluation import evaluate as library
    from emomelody.evaluation import report as page
    from emomelody.evaluation import tables
    from emomelody.models.checkpoint import VA

    if generated:
        scored, dataset = _load_data(generated), _evaluation_data(data)
        judges = _load_data(judge_data) if judge_data else None
        with output.err.status("measuring"):
            name = generated.name or "generated"
            evaluations = [library.evaluate_generated(scored, dataset, judges, name=name)]
    else:
        checkpoints = {name: _load_weights(name) for name in models or ["emoreg-va"]}
        ours = any(checkpoint.name == VA for checkpoint in checkpoints.values())
        dataset = _evaluation_data(data, "all" if ours else "first")
        judges = _load_data(judge_data) if judge_data else None
        with _progress() as progress:
            total = library.model_steps(len(checkpoints), seeds)
            task = progress.add_task("evaluating", total=total)
            evaluations = library.evaluate_models(
                checkpoints,
                dataset,
                judges,
                per_emotion=num,
                seeds=range(seed, seed + seeds),
                on_step=lambda what: progress.update(task, advance=1, description=what),
            )
    figures = {"systems": [evaluation.figures for evaluation in evaluations]}
    try:  # the files first: who reads the tables may close the pipe
        if json_file:
            write_whole(json_file, (json.dumps(figures, indent=1) + "\n").encode("utf-8"))
        if csv_file:
            write_whole(csv_file, tables.to_csv(figures["systems"]).encode("utf-8"))
        if report:
            heading = f"{', '.join(e.name for e in evaluations)} beside {len(dataset)} melodies"
            page.write_report(evaluations, dataset.labels, report / REPORT, heading=heading)
    finally:  # where the disk is full they are still worth seeing
        for sheet in tables.sheets(figures["systems"]):
            output.out.print(sheet.to_rich())
        for line in page.notes(evaluations):
            output.note(line)
    if report:
        output.note(f"report: {report / REPORT}")


def _given(context: typer.Context) -> set[str]:
    """The options that stand on the command line."""
    sources = {option: context.get_parameter_source(option) for option in context.params}
    return {option for option, source in sources.items() if source and source.name == "COMMANDLINE"}


def _check_sample_options(given: set[str], like: list[Path], formats: list[Format]) -> None:
    """Raise EmomelodyError for options of ``sample`` that exclude each other."""
    recorded = ("emotion", "point", "path", "like", "num", "bars", "seed", "spread", "temperature", "top_p")
    told = sorted(f"--{option.replace('_', '-')}" for option in given.intersection(recorded))
    if "again" in given and told:
        raise EmomelodyError(f"--again takes that from the file: leave out {', '.join(told)}")
    if "spread" in given and not like:
        raise EmomelodyError("--spread is the distance from a piece: it needs --like")
    if len(like) > 1 and given & {"emotion", "point", "path"}:
        raise EmomelodyError("several pieces are only placed: give one --like, or no emotion, point and path")
    if "soundfont" in given and Format.WAV not in formats and "play" not in given:
        raise EmomelodyError("--soundfont is for sound: it needs --format wav or --play")


def _check_stdout(recipe: Recipe, show: bool) -> None:
    """Raise EmomelodyError where stdout cannot take what is asked for."""
    if recipe.request.n > 1 or len(recipe.formats) > 1 or show:
        raise EmomelodyError("--out - is for one file: one melody in one format, without --show")
    if sys.stdout.isatty():
        raise EmomelodyError("--out - writes the file to stdout: send it into a file or program (> or |)")


@dataclass
class _Summary:
    """What is to be said of the melodies, gathered as they are made."""

    mode: str | None  # that they must have
    recipe: Recipe
    count: int = 0
    different: set[int] = field(default_factory=set)  # hashes
    emotion: Emotion | None = None  # of the first

    def add(self, emotion: Emotion, melody: int) -> None:
        """Hear of one more. Raises EmomelodyError where its emotion is in another mode than asked."""
        if self.mode not in (None, emotion.mode):
            begins = ", as the path begins," if self.recipe.request.path else ""
            raise EmomelodyError(
                f"{emotion.title}{begins} is in {emotion.mode}: leave {self.mode} out of --key"
            )
        self.count += 1
        self.different.add(melody)
        self.emotion = self.emotion or emotion


def _show(made: list[ArrangedSample]) -> None:
    from emomelody.formats.text_roll import draw
    from emomelody.music.features import metrics

    for piece, sample in made:
        print(draw(piece, metrics(sample.melody)), end="\n\n")


def _find_player() -> tuple[str, ...]:
    from emomelody.formats.audio import find_player

    return find_player()


def _play(made: list[ArrangedSample], soundfont: Path | None, player: tuple[str, ...]) -> None:
    from emomelody.formats.audio import play, to_wav

    for piece, _ in made:
        output.note(f"playing {piece.title}")
        play(to_wav(piece, soundfont), player)


def _say_what_was_made(recipe: Recipe, made: _Summary, checkpoint: Checkpoint, out: Path) -> None:
    from emomelody.models.checkpoint import VA

    request, count = recipe.request, made.count
    likeliest = request.drawing.temperature is None and checkpoint.name != VA
    different = len(made.different)
    if request.point and likeliest and count > 1:
        output.note("one point has one likeliest melody: add --temperature for different ones")
    elif different < count:
        more = ": add --temperature for more" if likeliest else ""
        output.note(f"{different} of the {count} are different{more}")
    what = str(request.path or (made.emotion and made.emotion.title))
    if request.point:
        what += " at {:g} {:g}".format(*request.point)
    if request.like:
        asked = request.emotion or request.point or request.path
        what = f"like {recipe.like}" + (f", {what}" if asked else "")
    melodies = "melody" if count == 1 else "melodies"
    line = f"{count} {melodies}, {what}, model {checkpoint.name}, seed {request.seed}"
    if out == STDOUT:
        output.note(line)
    else:
        print(f"{out}: {line}")


def _place(checkpoint: Checkpoint, files: list[Path], console: Console) -> list[Melody]:
    """Print where the beginnings of pieces lie on the plane; returns them, in C.

    Those that cannot be read are listed after the others, and end the command.
    """
    from emomelody.data.windows import beginning
    from emomelody.evaluation import tables
    from emomelody.models.cvae import LATENT
    from emomelody.sampling.sampler import encode_melody

    heard: list[tuple[Path, Melody]] = []
    bad: list[BadInput] = []
    for path in files:
        try:
            heard.append((path, beginning(path)))
        except BadInput as error:
            bad.append(error)
    if heard:
        latents = [encode_melody(checkpoint, melody) for _, melody in heard]
        places = [checkpoint.plane.to_point(latent[:LATENT]) for latent in latents]
        console.print(tables.places_table([path for path, _ in heard], places))
    if bad and len(files) == 1:
        raise bad[0]
    _list_bad(bad)
    if bad:
        _fail(f"{len(bad)} of the {len(files)} files could not be placed", 1)
    return [melody for _, melody in heard]


def _check_data_folder(out: Path, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise BadInput(out, "is a file: choose another --out")
    if not force and out.is_dir() and any(out.iterdir()):
        raise BadInput(out, "is not empty: choose another --out, or add --force")


def _run_preprocess(
    sources: list[Source], out: Path, windows: Windows, seed: int, jobs: int | None
) -> Report:
    from rich.progress import BarColumn

    from emomelody.data.preprocess import preprocess as run

    with _progress(BarColumn()) as progress:
        task = progress.add_task("reading", total=len(sources))
        return run(
            sources,
            out,
            windows=windows,
            seed=seed,
            jobs=jobs,
            on_piece=lambda: progress.advance(task),
        )


def _load_data(folder: Path) -> Dataset:
    from emomelody.data.dataset import load

    dataset = load(folder)
    _list_bad(dataset.skipped)
    return dataset


def _list_bad(errors: Iterable[BadInput]) -> None:
    for error in () if _follows() else errors:
        print(f"left out: {error}", file=sys.stderr)


def _load_weights(name: str) -> Checkpoint:
    from emomelody.models.checkpoint import find_weights, load_checkpoint

    path = find_weights(name)
    checkpoint = load_checkpoint(path)
    if output.verbose:
        output.note(f"weights {path}, {checkpoint.name}, SHA-256 {checkpoint.checksum}")
    return checkpoint


def _evaluation_data(data: Path | None, windows: str = "first") -> Dataset:
    """The folder asked for, else ``data``, else the chorales in the user's cache, made where missing.

    ``windows`` is first, as in the paper's set, or all: what the weights in question were trained on.
    """
    if data is not None:
        return _load_data(data)
    if Path("data").is_dir():
        return _load_data(Path("data"))
    from platformdirs import user_cache_path

    from emomelody.data.labels import chorale_sources
    from emomelody.data.manifest import NAME
    from emomelody.data.windows import Windows

    folder = user_cache_path("emomelody") / f"chorales-{windows}-{__version__}"
    if not (folder / NAME).exists():  # the manifest is written last
        output.note(f"no data/ here: building the chorales once, into {folder}")
        _check_data_folder(folder, force=True)
        _run_preprocess(chorale_sources(), folder, Windows(windows), 0, None)
    return _load_data(folder)


def _train_with_display(trainer: Trainer, folder: Path) -> Checkpoint:
    from rich.progress import TextColumn

    with _progress(TextColumn("{task.fields[figures]}")) as progress:
        task = progress.add_task("epoch", total=trainer.epochs, figures="")

        def show(epoch: Epoch) -> None:
            progress.update(task, completed=epoch.epoch, figures=_epoch_figures(epoch))
            log = not output.err.is_terminal and epoch.epoch % LOG_EVERY == 0
            if log or output.verbose:
                output.note(f"epoch {epoch.epoch}/{trainer.epochs} {_epoch_figures(epoch)}")

        return trainer.run(folder, show)


def _epoch_figures(epoch: Epoch) -> str:
    return (
        f"L_R {epoch.reconstruction:.2f} KL {epoch.divergence:.2f}"
        f" A {epoch.arousal:+.2f} V {epoch.valence:+.2f}"
        f" D {epoch.placement_training:.0f}/{epoch.placement_held_out:.0f} %"
    )


def _progress(*columns: ProgressColumn, transient: bool = False) -> Progress:
    """A live display on a terminal, nothing elsewhere: what is done, these columns, the time left.

    A transient one is wiped away in the end.
    """
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        *columns,
        TimeRemainingColumn(),
        console=output.err,
        disable=not output.err.is_terminal,
        transient=transient,
    )
