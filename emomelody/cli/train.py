"""``emomelody train``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.markup import escape

from emomelody.cli.options import (
    Command,
    Quiet,
    UsageError,
    Verbose,
    choice,
    given_options,
    real_number,
    seed_number,
    whole_number,
)
from emomelody.cli.output import fail, list_skipped, output, progress_bar
from emomelody.cli.train_report import describe, figures, placement_table, rare_emotions

if TYPE_CHECKING:
    from emomelody.data.dataset import Dataset
    from emomelody.training.config import TrainConfig
    from emomelody.training.history import Epoch
    from emomelody.training.trainer import Trainer
    from emomelody.weights.checkpoint import Checkpoint

LOG_EVERY = 10  # epochs between lines of figures where stderr is not a terminal
# An emotion with fewer melodies than either is almost absent, and a warning names it.
MODEL, TRAINING, OUTPUT = "Data and model", "Training", "Output and resuming"  # panels of the help

EXAMPLES = """
Examples:

emomelody train data/

emomelody train --resume runs/emoreg-va
"""


DataArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="DATA",
        help="A folder with e1 … e4 of MIDI files, as made by preprocess.",
        show_default=False,
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        parser=choice("base", "emoreg", "emoreg-va"),
        metavar="NAME",
        help="emoreg-va, or one of the paper's models: base (CVAE-Base) or emoreg (CVAE-EmoReg).",
        rich_help_panel=MODEL,
    ),
]
SplitOption = Annotated[
    str,
    typer.Option(
        parser=choice("tune", "random"),
        metavar="NAME",
        help="How a fifth of the melodies is held out: tune (no tune is in both parts), or random (as in"
        " the paper).",
        rich_help_panel=MODEL,
    ),
]
SeedOption = Annotated[
    int,
    typer.Option(
        parser=seed_number,
        metavar="N",
        help="Seed of the initial weights, the order of melodies, the noise, and the split if DATA has no"
        " manifest. The same seed gives the same weights on the same machine.",
        rich_help_panel=MODEL,
    ),
]
EpochsOption = Annotated[
    int | None,
    typer.Option(
        parser=whole_number(1),
        metavar="N",
        help="Passes over the training melodies.",
        show_default="emoreg-va 9,280 updates, at most 110 epochs; else 12,600 updates",
        rich_help_panel=TRAINING,
    ),
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(
        parser=whole_number(1),
        metavar="N",
        help="Melodies of four bars per update.",
        show_default="emoreg-va 64, else 16",
        rich_help_panel=TRAINING,
    ),
]
LrOption = Annotated[
    float | None,
    typer.Option(
        parser=real_number(0, above=True),
        metavar="X",
        help="Learning rate.",
        show_default="emoreg-va 0.003, else 0.001",
        rich_help_panel=TRAINING,
    ),
]
EmotionWeightOption = Annotated[
    float,
    typer.Option(
        parser=real_number(0),
        metavar="X",
        help="For emoreg: final factor of the emotion losses. It grows from 1 over the last 30 % of the"
        " epochs.",
        rich_help_panel=TRAINING,
    ),
]
DeviceOption = Annotated[
    str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1 …", rich_help_panel=TRAINING)
]
PrecisionOption = Annotated[
    str,
    typer.Option(
        parser=choice("auto", "float32", "bfloat16"),
        metavar="NAME",
        help="Precision of matrix products: float32, bfloat16 (CPU only), or auto (bfloat16 on processors"
        " with instructions for it, where it is faster). After 50 updates, two processes of torchrun agree"
        " with one to about 1e-5 in float32 and to about 0.04 in bfloat16.",
        rich_help_panel=TRAINING,
    ),
]
OutOption = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        help="The folder in which the run's folder is made.",
        rich_help_panel=OUTPUT,
    ),
]
ResumeOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Continue the interrupted run in this run folder to its last epoch, with its options. Give"
        " DATA only if it was moved.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]


def train(
    context: typer.Context,
    data: DataArgument = None,
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
    or runs/MODEL-2 if that exists.
    """
    from emomelody.data.dataset import Split
    from emomelody.training.config import TrainConfig
    from emomelody.training.run_folder import run_files

    if resume:
        _check_only_resume(given_options(context))
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
        trainer, folder = _started(config, data, out)
    describe(trainer, folder, resumed=resume is not None)
    for warning in rare_emotions(trainer.labels.tolist()):
        output.note(f"warning: {warning}")
    checkpoint = _run(trainer, folder)
    if trainer.group.is_main:
        output.out.print(placement_table(checkpoint.training))
        names = ", ".join(run_files(len(trainer.history)))
        output.out.print(escape(f"Wrote {names} to {folder}"), soft_wrap=True)


def _check_only_resume(given: set[str]) -> None:
    """Raise UsageError for options that a resumed run takes from its state."""
    fixed = sorted(given - {"data", "device", "resume", "quiet", "verbose"})
    if fixed:
        names = ", ".join(f"--{option.replace('_', '-')}" for option in fixed)
        raise UsageError(f"--resume continues a run with its own options: leave out {names}")


def _started(config: TrainConfig, data: Path, out: Path) -> tuple[Trainer, Path]:
    """The trainer of a new run, and its folder."""
    from emomelody.training.run_folder import next_run_folder
    from emomelody.training.trainer import Trainer

    trainer = Trainer(_read(data, config.model), config, data)
    return trainer, next_run_folder(out, config.model) if trainer.group.is_main else out


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
