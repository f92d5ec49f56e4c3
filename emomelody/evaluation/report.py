"""The report: the tables of ``evaluate`` with definitions and pictures, one page that needs nothing else."""

from __future__ import annotations

import base64
import inspect
import re
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from emomelody import __version__
from emomelody.evaluation import emotion, paths, placement, plane, style
from emomelody.evaluation.evaluate import Evaluation
from emomelody.evaluation.figures import Figures
from emomelody.evaluation.tables import Sheet, sheets
from emomelody.files import staged
from emomelody.formats import piano_roll, plots
from emomelody.music.rule import Labels

MELODIES_SHOWN = 4  # per emotion
# Each block of figures, by the function whose docstring defines it.
BLOCKS: dict[str, tuple[str, Callable[..., Any]]] = {
    "placement": ("Placement", placement.evaluate_placement),
    "metrics": ("Does it sound like the data?", style.evaluate_metrics),
    "histograms": ("Intervals and durations", style.evaluate_histograms),
    "emotion": ("Is the emotion right?", emotion.evaluate_emotion),
    "novelty": ("Is it new?", emotion.evaluate_novelty),
    "plane": ("Does the plane do what it says?", plane.evaluate_plane),
    "path": ("Does the emotion move?", paths.evaluate_path),
    "transfer": ("The same melody in another emotion?", paths.evaluate_transfer),
    "latent_space": ("The latent space", placement.evaluate_latent_space),
    "validity": ("Validity", emotion.evaluate_validity),
}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2em auto;
  padding: 0 1em; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.2em; border-bottom: 1px solid #ccc; }
p.definition { color: #555; font-size: 14px; }
div.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; margin: 0.5em 0 1.5em; }
caption { text-align: left; font-weight: 600; padding: 0.3em 0; }
th, td { padding: 0.2em 0.7em; text-align: right; border-bottom: 1px solid #e4e4e4; white-space: nowrap; }
th { vertical-align: bottom; white-space: normal; } th:first-child, td:first-child { text-align: left; }
tr:hover td { background: #f6f6f6; } img { max-width: 100%; height: auto; }
"""


def write_report(evaluations: Sequence[Evaluation], labels: Labels, page: Path, *, heading: str) -> None:
    """Write a page (HTML), and its pictures (PNG) beside it; the folder is made where missing.

    ``labels`` (N,) are those of the data's melodies, for the scatter plots.
    """
    with staged(page.parent) as stage:
        _write_page(evaluations, labels, stage / page.name, heading)


def _write_page(evaluations: Sequence[Evaluation], labels: Labels, page: Path, heading: str) -> None:
    folder = page.parent
    pictures = {block: _pictures(block, evaluations, labels, folder) for block in BLOCKS}
    made = sheets([evaluation.figures for evaluation in evaluations])
    said = [*map(_origin, evaluations), *notes(evaluations)]
    parts = [f"<h1>{escape(heading)}</h1>", *(f"<p>{escape(line)}</p>" for line in said)]
    for block, (title, function) in BLOCKS.items():
        shown = [sheet for sheet in made if sheet.block == block]
        if shown:
            parts += [f"<h2>{escape(title)}</h2>", f'<p class="definition">{_definition(function)}</p>']
            parts += [*map(_table, shown), *map(_image, pictures[block])]
    parts.append("<h2>Melodies</h2><p>The first of each emotion, as they were generated.</p>")
    for evaluation in evaluations:
        path = folder / f"{_file_name(evaluation)}-melodies.png"
        some = {e: melodies[:MELODIES_SHOWN] for e, melodies in evaluation.melodies.items()}
        piano_roll.piano_rolls(some, path, title=evaluation.name)
        parts.append(_image(path))
    parts.append(f"<p>emomelody {__version__}</p>")
    page.write_text(
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(heading)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n",
        encoding="utf-8",
    )


def notes(evaluations: Sequence[Evaluation]) -> list[str]:
    """What has to be known of the figures to read them: a line each, with the systems it holds for."""
    lines: dict[str, list[str]] = {}
    for evaluation in evaluations:
        for line in _notes(evaluation.figures):
            lines.setdefault(line, []).append(evaluation.name)
    return [f"{', '.join(names)}: {line}" for line, names in lines.items()]


def _origin(evaluation: Evaluation) -> str:
    """Which melodies a system's figures are about."""
    counts = ", ".join(map(str, evaluation.figures["metrics"]["generated"].values()))
    line = f"{evaluation.name}: {counts} melodies of e1 … e4"
    if "seeds" in evaluation.figures:
        seeds = ", ".join(map(str, evaluation.figures["seeds"]))
        line += f" for each seed ({seeds}), weights {evaluation.figures['checksum'][:12]}"
    return line


def _notes(figures: Figures) -> list[str]:
    lines, placement, judged = [], figures.get("placement"), figures["emotion"]["judged_on"]
    if placement and placement["octave_moves"]:
        lines.append(f"{placement['octave_moves']} onsets of the data were moved by octaves into range")
    if placement and "unseen" in placement:
        lines.append(
            "this is not the data that the weights were trained on, though it may hold what they learned:"
            " none of it counts as training data"
        )
    lines.append(f"judges of emotion measured on {judged['melodies']} real melodies, {judged['where']}")
    if judged["labelled_by_rule"]:
        lines.append(
            f"the rule itself labelled {judged['labelled_by_rule']:.0%} of them, so that the judges say how"
            " well the model learned the rule; --judge-data takes other labels"
        )
    if "no_classifier" in judged:
        lines.append(f"no classifier: {judged['no_classifier']}")
    return lines


def _pictures(block: str, evaluations: Sequence[Evaluation], labels: Labels, folder: Path) -> list[Path]:
    """Draw what belongs to a block; returns the files."""
    drawn = []
    for evaluation in evaluations:
        path = folder / f"{_file_name(evaluation)}-{block.replace('_', '-')}.png"
        if block == "latent_space" and evaluation.means is not None:
            plots.latent_space(
                evaluation.means, labels, path, title=f"{evaluation.name}: latent space of the data"
            )
            drawn.append(path)
        if block == "plane" and evaluation.grid is not None:
            grid = evaluation.grid
            plots.plane(grid.axis, grid.onsets, grid.majorness, path, title=evaluation.name)
            drawn.append(path)
    return drawn


def _file_name(evaluation: Evaluation) -> str:
    return re.sub(r"[^\w.-]+", "-", evaluation.name).strip("-")


def _definition(function: Callable[..., Any]) -> str:
    return escape((inspect.getdoc(function) or "").replace("``", "")).replace("\n\n", "<br>")


def _table(sheet: Sheet) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in sheet.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in sheet.rows
    )
    caption = f"<caption>{escape(sheet.title)}</caption>"
    head = f"{caption}<thead><tr>{head}</tr></thead>"
    return f'<div class="wide"><table>{head}\n<tbody>{rows}</tbody></table></div>'


def _image(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<p><img alt="{escape(path.stem)}" src="data:image/png;base64,{data}"></p>'
