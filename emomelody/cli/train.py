"""``emomelody train``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from emomelody.cli.inputs import load_data
from emomelody.cli.options import MAX_SEED, Command, Quiet, Verbose, given_options
from emomelody.cli.output import fail, output, progress_bar
from emomelody.errors import EmomelodyError

if TYPE_CHECKING:
    from emomelody.models.checkpoint import Checkpoint
    from emomelody.training.trainer import Epoch, Trainer


LOG_EVERY = 10  # epochs per line where no terminal shows the live display

EXAMPLES = """
Examples:

emomelody train data/

emomelody train --resume runs/emoreg-va
"""


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
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1 …")] = "auto",
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
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a model: weights, history and plots into runs/emoreg-va, the next time runs/emoreg-va-2."""
    from emomelody.data.dataset import Split
    from emomelody.evaluation import tables
    from emomelody.training import trainer as library

    if resume:
        fixed = sorted(given_options(context) - {"data", "device", "resume"})
        if fixed:
            names = ", ".join(f"--{option.replace('_', '-')}" for option in fixed)
            raise EmomelodyError(f"--resume goes on as the run was begun: leave out {names}")
        folder, source = resume, data or library.training_data_of(resume)
        trainer = library.Trainer.resume(folder, load_data(source), source, device)
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
        trainer = library.Trainer(load_data(data), config, data)
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
            fail("stopped before the end of the first epoch: there are no weights", 130)
        again = f"emomelody train --resume {shlex.quote(str(folder))}"
        fail(f"stopped after epoch {len(trainer.history)}; its weights are in {folder}; go on: {again}", 130)
    output.out.print(tables.training_table(checkpoint.training, folder))


def _train_with_display(trainer: Trainer, folder: Path) -> Checkpoint:
    from rich.progress import TextColumn

    with progress_bar(TextColumn("{task.fields[figures]}")) as progress:
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


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(cls=Command, epilog=EXAMPLES)(train)
