"""The report: verdict, definitions, tables, pictures and melodies on a page that needs no other file."""

from __future__ import annotations

import base64
import inspect
import re
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from emomelody import __version__
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.rule import Labels
from emomelody.evaluation import emotion, form, long, novelty, paths, plane, style
from emomelody.evaluation.evaluate import Evaluation
from emomelody.evaluation.examples import find_examples
from emomelody.evaluation.harmony import figures as harmony
from emomelody.evaluation.own import between, completion
from emomelody.evaluation.presentation.tables import sheets
from emomelody.evaluation.presentation.verdict import verdict
from emomelody.evaluation.statistics import Figures
from emomelody.evaluation.two_sample import figures as two_sample
from emomelody.evaluation.two_sample.figures import FEWEST
from emomelody.files import staged
from emomelody.formats import plots
from emomelody.formats.page.document import Part, document
from emomelody.formats.page.player import player
from emomelody.performance.piece import arrange

# The sections, by block of figures: a heading, and the function whose docstring defines the block.
BLOCKS: dict[str, tuple[str, Callable[..., Any]]] = {
    "placement": ("Placement", plane.evaluate_placement),
    "metrics": ("Closeness to the training melodies", style.evaluate_metrics),
    "histograms": ("Intervals and durations", style.evaluate_histograms),
    "emotion": ("Emotion", emotion.evaluate_emotion),
    "listeners": ("Listeners", emotion.evaluate_listeners),
    "tonality": ("Tonality", emotion.evaluate_tonality),
    "novelty": ("Novelty", novelty.evaluate_novelty),
    "two_sample": ("Two-sample tests", two_sample.evaluate_two_sample),
    "long": ("Longer melodies", long.evaluate_long),
    "form": ("Form", form.evaluate_form),
    "harmony": ("Harmony", harmony.evaluate_harmony),
    "plane": ("The plane", plane.evaluate_plane),
    "path": ("Paths", paths.evaluate_path),
    "transfer": ("Real melodies in another emotion", paths.evaluate_transfer),
    "completion": ("Held-out tunes completed", completion.evaluate_completion),
    "between": ("From one held-out melody to another", between.evaluate_between),
    "latent_space": ("The latent space", plane.evaluate_latent_space),
    "validity": ("Validity", emotion.evaluate_validity),
}
GLOSSARY = {
    "e1 … e4, Q1 … Q4": "the four emotions and their quadrants of the plane of valence and arousal: happy"
    " (+, +), angry (−, +), sad (−, −), relaxed (+, −).",
    "held-out": "the fifth of the data that a model was not trained on.",
    "unseen": "all of the data, where it is not the data that a model was trained on.",
    "onsets": "the number of notes that begin in a melody of four bars.",
    "majorness": "the share of notes in C major minus the share of notes in C minor, −1 to 1.",
    "D": "placement accuracy: the share of an emotion's melodies whose latent mean is in its quadrant.",
    "|Δμ|/σ": "the distance between two means in standard deviations of the training melodies; 0 is best.",
    "W1": "the Wasserstein-1 distance of two distributions in the unit of the metric; 0 is best.",
    "split-half": "the 95th percentile of a distance between random halves of the training melodies: what"
    " chance alone can give.",
    "band": "where a mean lies in 95 of 100 cases if the melodies are like real ones.",
    "AUC": "the area under the ROC curve of a classifier that tells generated from real melodies; 0.5 is"
    " best.",
    "Spearman": "rank correlation, −1 to 1; 1 if the two orders are the same.",
    "SAP": "separated attribute predictability: how much better the best latent axis predicts an attribute"
    " than the other axis; 1 is best.",
    "rule": "the judge of emotion that compares onsets and scale rates; it also labels data without labels.",
    "classifier": "the judge of emotion that is a random forest fitted on labelled real melodies.",
    "listeners": "the judge of emotion that is a linear model of listeners' ratings of melodies as played.",
    "key finder": "finds tonic and mode by the durations of the pitch classes, without being told the key.",
    "mean ± x": "over several seeds: the mean and the standard deviation.",
}
_STYLE = """
body { --ground: #fff; --text: #222; --faint: #555; --line: #ccc; --panel: #f4f4f7; --accent: #0a58ca;
  color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2em auto;
  padding: 0 1em; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.2em; border-bottom: 1px solid #ccc; }
.definition { color: #444; font-size: 14px; max-width: 52em; } .caption { color: #555; font-size: 13px; }
nav ol { columns: 3; padding-left: 1.5em; font-size: 14px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2em 1em; font-size: 14px; }
dt { font-weight: 600; } dd { margin: 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; margin: 0.5em 0 1.5em; }
caption { text-align: left; font-weight: 600; padding: 0.3em 0; white-space: nowrap; }
th, td { padding: 0.2em 0.7em; text-align: right; border-bottom: 1px solid #e4e4e4; white-space: nowrap; }
th { vertical-align: bottom; white-space: normal; }
td { font-variant-numeric: tabular-nums; } tr:hover td { background: #f6f6f6; }
th:first-child, td:first-child, .labels-2 th:nth-child(2), .labels-2 td:nth-child(2) { text-align: left; }
.labels-2 td:first-child { font-weight: 600; } .labels-2 { font-size: 14px; margin-bottom: 0.3em; }
.good { color: #00703c; } .bad { color: #c62828; } img { max-width: 100%; height: auto; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(480px, 1fr)); gap: 1em; }
"""


def write_report(evaluations: Sequence[Evaluation], labels: Labels, page: Path, *, heading: str) -> None:
    """Write the page (HTML) and its pictures (PNG) beside it; the folder is created where missing.

    ``labels`` (N,) are those of the data's melodies, for the scatter plots. Raises BadInput where the folder
    cannot be written to.
    """
    with staged(page.parent) as stage:
        pictures = {block: _draw(block, evaluations, labels, stage) for block in BLOCKS}
        body = _summary(evaluations, heading) + _sections(evaluations, pictures)
        foot = Part(f'<p class="caption">emomelody {__version__}</p>')
        whole = Part("\n".join(body), (_STYLE,)) + _player(evaluations) + foot
        (stage / page.name).write_text(document(heading, whole), encoding="utf-8")


def notes(evaluations: Sequence[Evaluation]) -> list[str]:
    """What a reader of the figures has to know, one line each, with the systems that it holds for."""
    lines: dict[str, list[str]] = {}
    for evaluation in evaluations:
        for line in (*_missing(evaluation), *_notes(evaluation.figures)):
            lines.setdefault(line, []).append(evaluation.name)
    return [f"{', '.join(names)}: {line}" for line, names in lines.items()]


def _missing(evaluation: Evaluation) -> list[str]:
    missing = [emotion.title for emotion in Emotion if not evaluation.melodies[emotion]]
    return [f"no {' or '.join(missing)} melodies: the figures are of the others alone"] if missing else []


def _notes(figures: Figures) -> list[str]:
    lines, placement, judged = [], figures.get("placement"), figures["emotion"]["judged_on"]
    if placement and placement["octave_moves"]:
        lines.append(
            f"{placement['octave_moves']} notes of the data were moved by octaves into the model's range"
        )
    if placement and "unseen" in placement:
        lines.append(
            "not trained on this data, as far as is known: all of it counts as unseen, and closeness and"
            " novelty are measured against all of it"
        )
    sampled = figures.get("sampled_style")
    if sampled and sampled != figures["style"]:
        lines.append(
            f"has not learned {figures['style']} melodies in {figures['meter']}: its {sampled} melodies are"
            " evaluated"
        )
    lines.append(f"judges of emotion checked on {judged['melodies']} real melodies, {judged['where']}")
    if judged["labelled_by_rule"]:
        lines.append(
            f"the rule itself labelled {judged['labelled_by_rule']:.0%} of them, so both judges measure how"
            " well the rule was learned; --judge-data takes other labels"
        )
    if judged["arousal_by_tempo"]:
        lines.append(
            f"for {judged['arousal_by_tempo']:.0%} of them it took arousal from onsets per second (arousal_by"
            " in manifest.csv); as a judge it counts onsets in four bars, and may disagree on arousal"
        )
    if "two_sample" not in figures:
        lines.append(f"no two-sample tests: they need {FEWEST} melodies of each set")
    if "no_classifier" in judged:
        lines.append(f"no classifier: {judged['no_classifier']}")
    return lines


def _summary(evaluations: Sequence[Evaluation], heading: str) -> list[str]:
    """The top of the page: the verdict, the notes, the table of contents and the glossary."""
    remarks = [*map(_origin, evaluations), *notes(evaluations)]
    items = [f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in GLOSSARY.items()]
    links = [f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title in _contents(evaluations)]
    return [
        f"<h1>{escape(heading)}</h1>",
        verdict([evaluation.figures for evaluation in evaluations]).to_html(),
        f'<ul class="definition">{"".join(f"<li>{escape(line)}</li>" for line in remarks)}</ul>',
        f"<nav><h2>Contents</h2><ol>{''.join(links)}</ol></nav>",
        f'<h2 id="terms">Terms</h2><dl>{"".join(items)}</dl>',
    ]


def _sections(evaluations: Sequence[Evaluation], pictures: dict[str, list[Path]]) -> list[str]:
    """The rest of the page: definitions, tables and pictures by block, and some melodies."""
    tables = sheets([evaluation.figures for evaluation in evaluations])
    parts = []
    for name, title in _contents(evaluations)[1:]:
        parts.append(f'<h2 id="{name}">{escape(title)}</h2>')
        if name == "melodies":
            parts.append(_definition(find_examples))
        else:
            parts.append(_definition(BLOCKS[name][1]))
        parts += [sheet.to_html() for sheet in tables if sheet.block == name]
        if pictures.get(name):
            parts.append(f'<div class="pictures">{"".join(map(_image, pictures[name]))}</div>')
    return parts


def _contents(evaluations: Sequence[Evaluation]) -> list[tuple[str, str]]:
    """The anchors and titles of the page's sections."""
    blocks = [name for name in BLOCKS if any(name in e.figures for e in evaluations)]
    return [("terms", "Terms"), *((name, BLOCKS[name][0]) for name in blocks), ("melodies", "Melodies")]


def _origin(evaluation: Evaluation) -> str:
    """Which melodies the figures of a system describe."""
    counts = ", ".join(map(str, evaluation.figures["metrics"]["generated"].values()))
    line = f"{evaluation.name}: {counts} melodies of e1 … e4"
    if "seeds" in evaluation.figures:
        seeds = ", ".join(map(str, evaluation.figures["seeds"]))
        line += f" for each seed ({seeds}), weights with SHA-256 {evaluation.figures['checksum'][:12]}"
    return line


def _draw(block: str, evaluations: Sequence[Evaluation], labels: Labels, folder: Path) -> list[Path]:
    """Draw the pictures of a block, all systems on the same colour scale; returns the files."""
    drawn = []
    most = max((float(e.grid.onsets.max()) for e in evaluations if e.grid is not None), default=None)
    for evaluation in evaluations:
        path = folder / f"{_file_name(evaluation)}-{block.replace('_', '-')}.png"
        if block == "latent_space" and evaluation.means is not None:
            title = f"{evaluation.name}: latent space of the data"
            plots.latent_space(evaluation.means, labels, path, title=title)
            drawn.append(path)
        if block == "plane" and evaluation.grid is not None:
            grid = evaluation.grid
            plots.plane(grid.axis, grid.onsets, grid.majorness, path, title=evaluation.name, most_onsets=most)
            drawn.append(path)
    return drawn


def _player(evaluations: Sequence[Evaluation]) -> Part:
    """The examples of all systems, to be seen and heard."""
    examples = [example for evaluation in evaluations for example in evaluation.examples]
    if not examples:
        return Part("")
    pieces = [arrange(e.melody, title=e.title, emotion=e.emotion) for e in examples]
    return player(pieces, [e.about for e in examples], [e.point for e in examples])


def _file_name(evaluation: Evaluation) -> str:
    return re.sub(r"[^\w.-]+", "-", evaluation.name).strip("-")


def _definition(function: Callable[..., Any]) -> str:
    """A function's docstring as paragraphs, without the markup of code and the keys of the figures."""
    text = re.sub(r" \(``\w+``(, ``\w+``)*\)(?=[ ,.])", "", inspect.getdoc(function) or "").replace("``", "")
    paragraphs = (f"<p>{escape(' '.join(part.split()))}</p>" for part in text.split("\n\n"))
    return f'<div class="definition">{"".join(paragraphs)}</div>'


def _image(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{escape(path.stem)}" src="data:image/png;base64,{data}">'
