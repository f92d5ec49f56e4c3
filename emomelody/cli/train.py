"""``emomelody train``."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.markup import escape

from emomelody.cli.inputs import run_preprocess
from emomelody.cli.options import Command, Quiet, UsageError, Verbose, given_options
from emomelody.cli.output import fail, list_skipped, output, progress_bar
from emomelody.cli.preprocess import list_skipped_windows, table
from emomelody.cli.train_options import (
    BatchSizeOption,
    DataArgument,
    DeviceOption,
    EmotionWeightOption,
    EpochsOption,
    FromOption,
    LrOption,
    ModelOption,
    OutOption,
    PrecisionOption,
    ResumeOption,
    SeedOption,
    SplitOption,
)
from emomelody.cli.train_report import describe, figures, placement_table, warnings
from emomelody.errors import BadInput, EmomelodyError

if TYPE_CHECKING:
    from emomelody.data.dataset import Dataset
    from emomelody.data.sources import Source
    from emomelody.training.config import TrainConfig
    from emomelody.training.history import Epoch
    from emomelody.training.trainer import Trainer
    from emomelody.weights.checkpoint import Checkpoint

DATA = "data"  # the folder of a run folder in which --from puts what it makes of music files
LOG_EVERY = 10  # epochs between lines of figures where stderr is not a terminal

EXAMPLES = """
Examples:

emomelody train data/

emomelody train --from emoreg-va my-tunes/

emomelody train --resume runs/emoreg-va
"""


def train(
    context: typer.Context,
    data: DataArgument = None,
    start: FromOption = None,
    model: ModelOption = "emoreg-va",
    split: SplitOption = "tune",
    seed: SeedOption = 0,
    epochs: EpochsOption = None,
    batch_size: BatchSizeOption = None,
    lr: LrOption = None,
    emotion_weight: EmotionWeightOption = 1.0,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    out: OutOption = Path("runs"),
    resume: ResumeOption = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a model on a data folder.

    emoreg-va learns valence and arousal as numbers: those in manifest.csv,
    or, where it has none, what the rule measures in the notes.

    Writes weights, the history of each epoch and pictures to runs/MODEL,
    or runs/MODEL-2 if that exists; with --from to runs/MODEL-DATA.
    """
    from emomelody.data.dataset import Split
    from emomelody.training.config import TrainConfig
    from emomelody.training.run_folder import run_files

    _check_options(context)
    if resume:
        from emomelody.training.trainer import resume as resume_run

        trainer, folder = resume_run(resume, data, device, _read), resume
    elif data is None:
        raise typer.BadParameter("give a folder of training data, or --resume", param_hint="DATA")
    else:
        config = TrainConfig(
            model=model,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=lr,
            emotion_weight=emotion_weight,
            seed=seed,
            split=Split(split),
            device=device,
            precision=precision,
        )
        trainer, folder = _fine_tuned(config, data, start, out) if start else _started(config, data, out)
    describe(trainer, folder, resumed=resume is not None)
    for warning in warnings(trainer):
        output.note(f"warning: {warning}")
    checkpoint = _run(trainer, folder)
    if trainer.group.is_main:
        output.out.print(placement_table(checkpoint.training))
        names = ", ".join(run_files(len(trainer.history)))
        output.out.print(escape(f"Wrote {names} to {folder}"), soft_wrap=True)


def _check_options(context: typer.Context) -> None:
    """Raise UsageError for options that a resumed run takes from its state, and fine-tuning from weights."""
    given = given_options(context)
    fixed = given - {"data", "device", "resume", "quiet", "verbose"}
    if "resume" in given and fixed:
        names = ", ".join(sorted(option.opts[0] for option in context.command.params if option.name in fixed))
        raise UsageError(f"--resume continues a run with its own options: leave out {names}")
    if {"start", "model"} <= given:
        raise UsageError("--from says which model is trained: leave out --model")


def _started(config: TrainConfig, data: Path, out: Path) -> tuple[Trainer, Path]:
    """The trainer of a new run, and its folder."""
    from emomelody.training.run_folder import next_run_folder
    from emomelody.training.trainer import Trainer

    trainer = Trainer(_read(data, config.model), config, data)
    return trainer, next_run_folder(out, config.model) if trainer.group.is_main else out


def _fine_tuned(config: TrainConfig, data: Path, name: str, out: Path) -> tuple[Trainer, Path]:
    """The trainer of a new run that begins with the weights of that name, and its folder."""
    from emomelody.data import manifest
    from emomelody.training.fine_tuning import Start
    from emomelody.training.run_folder import next_run_folder
    from emomelody.training.trainer import Trainer
    from emomelody.weights.checkpoint import find_weights

    start = Start.load(find_weights(name))
    folder_name = f"{config.model}-{data.resolve().stem}"
    if (data / manifest.NAME).is_file():
        trainer = Trainer(_read(data, config.model), config, data, start)
        return trainer, next_run_folder(out, folder_name) if trainer.group.is_main else out
    if "TORCHELASTIC_RUN_ID" in os.environ:
        raise BadInput(data, "several processes need a data folder: make one with emomelody preprocess")
    sources = _find_tunes(data)
    folder = next_run_folder(out, folder_name)
    try:
        _write_data(sources, folder / DATA, config.seed)
        return Trainer(_read(folder / DATA, config.model), config, folder / DATA, start), folder
    except BaseException:
        shutil.rmtree(folder)  # it is this run's own, and there are no weights in it yet
        raise


def _find_tunes(data: Path) -> list[Source]:
    """The pieces in a file or folder of music; files that cannot be used are listed."""
    from emomelody.data.sources import find_sources

    found = find_sources([data], {})
    if not found.sources:
        raise EmomelodyError("; ".join(map(str, found.bad)))
    list_skipped(found.bad)
    return found.sources


def _write_data(sources: list[Source], folder: Path, seed: int) -> None:
    """Make a data folder of all windows of the pieces, and say what was read and skipped.

    The rule decides arousal by absolute rates of onsets, on which the plane of the weights is built.
    """
    from emomelody.data.windows import Windows
    from emomelody.emotions.rule import Arousal

    report = run_preprocess(sources, folder, Windows.ALL, Arousal.NOTES, seed, None)
    output.out.print(table(report))
    if output.verbose:
        list_skipped_windows(report)
    list_skipped(report.bad)


def _read(folder: Path, model: str) -> list[Dataset]:
    """The melodies of a data folder that a model is trained on; files that cannot be read are listed."""
    from emomelody.training.trainer import load_datasets

    datasets = load_datasets(folder, model)
    for dataset in datasets:
        list_skipped(dataset.skipped)
    return datasets


def _run(trainer: Trainer, folder: Path) -> Checkpoint:
    """Train to the end; Ctrl-C ends the command after saving, and says how to continue."""
    try:
        return _train_with_progress(trainer, folder)
    except KeyboardInterrupt:
        _interrupted(trainer, folder)


def _interrupted(trainer: Trainer, folder: Path) -> NoReturn:
    if not trainer.group.is_main:
        raise typer.Exit(130) from None
    if not trainer.history:
        fail("stopped before the end of the first epoch: there are no weights", 130)
    command = f"emomelody train --resume {shlex.quote(str(folder))}"
    fail(
        f"stopped after epoch {len(trainer.history)}; its weights are in {folder}; to continue: {command}",
        130,
    )


def _train_with_progress(trainer: Trainer, folder: Path) -> Checkpoint:
    from rich.progress import TextColumn

    with progress_bar(TextColumn("{task.fields[figures]}")) as progress:
        task = progress.add_task("epoch", total=trainer.epochs, figures="")

        def show(epoch: Epoch) -> None:
            progress.update(task, completed=epoch.epoch, figures=figures(epoch))
            log = not output.err.is_terminal and epoch.epoch % LOG_EVERY == 0
            if log or output.verbose:
                output.note(f"epoch {epoch.epoch}/{trainer.epochs}: {figures(epoch)}")

        return trainer.run(folder, show)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(cls=Command, epilog=EXAMPLES)(train)
