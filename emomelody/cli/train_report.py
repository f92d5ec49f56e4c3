"""What ``emomelody train`` prints of a run: its description, warnings, figures and table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from emomelody.cli.output import output, plural
from emomelody.emotions.emotion import Emotion

if TYPE_CHECKING:
    from emomelody.training.history import Epoch
    from emomelody.training.trainer import Trainer

# An emotion with fewer melodies than either is almost absent, and a warning names it.
FEW_MELODIES = 5
FEW_SHARE = 0.025  # of the training melodies


def describe(trainer: Trainer, folder: Path, *, resumed: bool) -> None:
    """Say what is trained, before it takes its time."""
    config, learner = trainer.config, trainer.learner
    if resumed:
        verb = f"Resuming {config.model} after epoch {len(trainer.history)}"
    else:
        verb = f"{'Fine-tuning' if trainer.start else 'Training'} {config.model}"
    processes = f" in {trainer.group.size} processes" if trainer.group.size > 1 else ""
    output.note(
        f"{verb}: {plural(len(trainer.labels), 'melody')}, {trainer.held_out_count:,} held out by"
        f" {config.split}, {plural(trainer.epochs, 'epoch')} on {learner.device} in {learner.precision}"
        f"{processes}, seed {config.seed}, run folder {folder}"
    )


def warnings(trainer: Trainer) -> list[str]:
    """What the user should know of the data. Fine-tuned weights know every emotion before."""
    if not trainer.start:
        return rare_emotions(trainer.labels.tolist())
    if not trainer.octave_moves:
        return []
    return [f"the weights do not know the pitch of {plural(trainer.octave_moves, 'note')}: moved by octaves"]


def rare_emotions(labels: Sequence[int]) -> list[str]:
    """A warning for each emotion that has no or almost no training melodies."""
    warnings = []
    for emotion in Emotion:
        count, name = labels.count(emotion.index), f"{emotion.code} {emotion.title}"
        if count == 0:
            warnings.append(f"{name} has no melodies: the model cannot learn it")
        elif count < FEW_MELODIES or count < FEW_SHARE * len(labels):
            share = count / len(labels)
            warnings.append(
                f"{name} has only {plural(count, 'melody')}, {share:.1%} of the training melodies:"
                " the model can hardly learn it"
            )
    return warnings


def figures(epoch: Epoch) -> str:
    """The figures of an epoch, for the progress bar and the log."""
    return (
        f"reconstruction {epoch.reconstruction:.2f} (held-out {epoch.reconstruction_held_out:.2f}),"
        f" placement {epoch.placement_training:.0%} (held-out {epoch.placement_held_out:.0%})"
    )


def placement_table(summary: dict[str, Any]) -> Table:
    """The placement accuracy at the end of a run, from the summary in its weights."""
    table = Table(title="Placement accuracy D")
    table.add_column("")
    for emotion in Emotion:
        table.add_column(f"{emotion.code} {emotion.title}", justify="right")
    for title, key in (("training", "placement_training"), ("held-out", "placement_held_out")):
        shares = [summary[key][emotion.code] for emotion in Emotion]
        table.add_row(title, *("–" if share is None else f"{share:.1%}" for share in shares))
    return table
