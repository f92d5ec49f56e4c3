"""What the commands show, as rich tables: from figures to rows, no printing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from emomelody.emotion import Emotion
from emomelody.features import METRIC_NAMES
from emomelody.paper import METRICS

if TYPE_CHECKING:
    from emomelody.preprocess import Report

SIDES = ("training", "held_out", "unseen")


def preprocess_table(report: Report, out: Path) -> Table:
    """Pieces read, melodies kept per emotion, and everything left out by reason."""
    table = Table(title=escape(f"{out}: {sum(report.kept.values())} melodies"))
    table.add_column("")
    table.add_column("count", justify="right")
    table.add_row("pieces read", str(report.pieces))
    for emotion in Emotion:
        table.add_row(f"kept, {_name(emotion)}", str(report.kept.get(emotion, 0)))
    table.add_row("of these held out", str(report.held_out))
    for reason, count in sorted(report.left_out.items()):
        table.add_row(f"left out: {escape(reason)}", str(count))
    table.add_row("left out: file cannot be used", str(len(report.bad)))
    return table


def training_table(summary: dict[str, Any], folder: Path) -> Table:
    """The placement that a run ended with, from the summary in its weights."""
    table = Table(title=escape(f"{folder}: placement accuracy D"))
    table.add_column("")
    for emotion in Emotion:
        table.add_column(_name(emotion), justify="right")
    for side in ("training", "held_out"):
        values = summary[f"placement_{side}"]
        table.add_row(_title(side), *(_number(values[e.code], "{:.1f} %") for e in Emotion))
    return table


def placement_table(figures: dict[str, Any]) -> Table:
    """Table 2 of the paper, for the figures of ``evaluate``."""
    placement, model = figures["placement"], figures["model"]
    table = Table(title=f"Table 2: placement accuracy D of {model}")
    table.add_column("quadrant")
    sides = [side for side in SIDES if side in placement]
    for side in sides:
        table.add_column(f"{_title(side)} ({placement[side]['examples']})", justify="right")
    table.add_column(f"paper's {model}", justify="right")
    for title, code in [*((f"Q{e.index + 1} {e.title}", e.code) for e in Emotion), ("mean", "mean")]:
        ours = (_number(placement[side][code], "{:.1f} %") for side in sides)
        table.add_row(title, *ours, _number(placement["paper"][code], "{:.0f} %"))
    return table


def metrics_table(figures: dict[str, Any]) -> Table:
    """Table 3 of the paper, for the figures of ``evaluate``."""
    metrics = figures["metrics"]
    papers = {"training": "paper's training set"}
    if figures.get("model") in METRICS["pitch_range"]:
        papers = {figures["model"]: f"paper's {figures['model']}", **papers}
    table = Table(title="Table 3: mean (deviation)")
    table.add_column("metric")
    table.add_column("emotion")
    for column in ("generated", "data", "|Δμ|/σ", *papers.values()):
        table.add_column(column, justify="right")
    for metric, title in METRIC_NAMES.items():
        for emotion in Emotion:
            cell = metrics["cells"][metric][emotion.code]
            printed = (METRICS[metric][column][emotion.index] for column in papers)
            table.add_row(
                title if emotion is Emotion.E1 else "",
                _name(emotion),
                _moments(cell["generated"]),
                _moments(cell["reference"]),
                _number(cell["gap"], "{:.2f}"),
                *(f"{mean:.2f} ({deviation:.2f})" for mean, deviation in printed),
                end_section=emotion is Emotion.E4,
            )
    table.add_row("mean of all", "", "", "", _number(metrics["mean_gap"], "{:.2f}"))
    return table


def _name(emotion: Emotion) -> str:
    return f"{emotion.code} {emotion.title}"


def _title(side: str) -> str:
    return side.replace("_", "-")


def _moments(cell: dict[str, float] | None) -> str:
    return "–" if cell is None else f"{cell['mean']:.2f} ({cell['deviation']:.2f})"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
