"""The verdict: the figures that matter most on one screen, beside the paper's and those of real melodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from emomelody.evaluation.presentation import paper
from emomelody.evaluation.presentation.columns import (
    NOTHING,
    deviations,
    is_like_the_papers,
    kind,
    number,
    per_reference,
)
from emomelody.evaluation.statistics import Figures
from emomelody.formats.sheet import BAD, GOOD, NEARLY, Sheet

TITLE = "Verdict"
MARKS = (
    "✓ at least as good as real melodies (where they have no figure: as the paper), ✗ worse,\n"
    "≈ worse by at most the deviation over the seeds."
)
SOURCE = "Paper: measured on its published outputs, 80 melodies a model (github.com/grekowj/musgenvae)"
Keys = tuple[str, ...]  # where a figure is, from the top of a system's figures


@dataclass(frozen=True)
class Row:
    """A row of the verdict: where its figures are, and how to show and compare them."""

    group: str
    title: str
    keys: Keys
    form: str
    real: Keys = ()  # the same of real melodies
    paper: str = ""  # key of ``paper.PUBLISHED``
    higher_is_better: bool | None = True  # None: neither, it gets no mark


ROWS = (
    Row("emotion", "right, by the rule", ("emotion", "rule", "all"), "{:.1%}",
        real=("emotion", "rule", "real", "all")),
    Row("emotion", "right, by the classifier", ("emotion", "classifier", "all"), "{:.1%}",
        real=("emotion", "classifier", "real", "all"), paper="classifier"),
    Row("emotion", "heard, as played", ("listeners", "expressive", "all"), "{:.1%}",
        real=("listeners", "expressive", "real", "all")),
    Row("emotion", "mode found in the notes", ("tonality", "mode"), "{:.1%}", real=("tonality", "real_mode")),
    Row("closeness", "mean |Δμ|/σ", ("metrics", "mean_gap"), "{:.2f}",
        real=("metrics", "real", "mean_gap"), paper="mean_gap", higher_is_better=False),
    Row("closeness", "worst |Δμ|/σ", ("metrics", "worst_gap"), "{:.2f}",
        real=("metrics", "real", "worst_gap"), paper="worst_gap", higher_is_better=False),
    Row("novelty", "exact copies", ("novelty", "exact"), "{:.1%}",
        real=("novelty", "real", "exact"), paper="exact", higher_is_better=False),
    Row("novelty", "within 4 steps", ("novelty", "within_4"), "{:.1%}",
        real=("novelty", "real", "within_4"), paper="within_4", higher_is_better=False),
    Row("novelty", "16-bar tunes sharing 16 intervals", ("novelty", "shared_16"), "{:.1%}",
        real=("novelty", "real", "shared_16"), higher_is_better=False),
    Row("novelty", "distinct melodies", ("novelty", "distinct"), "{:.1%}",
        real=("novelty", "real", "distinct")),
    Row("told from real", "AUC, random forest", ("two_sample", "4", "forest", "auc"), "{:.2f}",
        real=("two_sample", "4", "real", "forest", "auc"), higher_is_better=False),
    Row("told from real", "AUC, logistic regression", ("two_sample", "4", "regression", "auc"), "{:.2f}",
        real=("two_sample", "4", "real", "regression", "auc"), higher_is_better=False),
    Row("told from real", "AUC, neural network", ("two_sample", "4", "network", "auc"), "{:.2f}",
        real=("two_sample", "4", "real", "network", "auc"), higher_is_better=False),
    Row("form, 16 bars", "recurring motifs", ("form", "16", "motif"), "{:.1%}",
        real=("form", "16", "real", "motif"), higher_is_better=None),
    Row("form, 16 bars", "recurring bars", ("form", "16", "bar"), "{:.1%}",
        real=("form", "16", "real", "bar"), higher_is_better=None),
    Row("plane", "arousal, rank correlation", ("plane", "arousal"), "{:+.2f}"),
    Row("plane", "valence, rank correlation", ("plane", "valence"), "{:+.2f}"),
    Row("plane", "points in right quadrant", ("plane", "as_requested"), "{:.1%}"),
    Row("paths", "both ends right", ("path", "both"), "{:.1%}"),
    Row("placement", "mean D, training", ("placement", "training", "mean"), "{:.1%}",
        paper="placement"),
    Row("placement", "mean D, held-out", ("placement", "held_out", "mean"), "{:.1%}"),
    Row("placement", "mean D, unseen", ("placement", "unseen", "mean"), "{:.1%}"),
)  # fmt: skip


def verdict(systems: Sequence[Figures]) -> Sheet:
    """The verdict on one or more systems side by side, without the rows that no system has."""
    rows = [row for row in ROWS if any(_figure(system, row.keys) is not None for system in systems)]
    columns = {system["name"]: [_cell(system, row) for row in rows] for system in systems}
    for name in _paper_models(systems):
        columns[f"paper's {name}"] = [number(_of_paper(name, row), row.form) for row in rows]
    columns |= per_reference(
        systems, "real melodies", lambda system: [number(_figure(system, row.real), row.form) for row in rows]
    )
    groups = [row.group for row in rows]
    headings = groups[:1] + ["" if group == last else group for last, group in pairwise(groups)]
    texts = zip(headings, [row.title for row in rows], *columns.values(), strict=True)
    caption = MARKS
    if _paper_models(systems):
        printed = "; D: its table 2" if any(row.paper == "placement" for row in rows) else ""
        caption = f"{MARKS}\n{SOURCE}{printed}."
    title = f"{TITLE}: {real}" if (real := kind(systems)) else TITLE
    return Sheet("verdict", title, ("", "", *columns), tuple(texts), labels=2, caption=caption)


def _cell(system: Figures, row: Row) -> str:
    """A system's figure, with a mark where there is something to compare it with."""
    value = _figure(system, row.keys)
    if value is None:
        return NOTHING
    *keys, last = row.keys
    deviation = deviations(system, *keys).get(last)
    text = number(value, row.form, deviation)
    yardstick = _figure(system, row.real)
    if yardstick is None and is_like_the_papers(system):
        yardstick = _of_paper(_counterpart(system), row)
    if yardstick is None or row.higher_is_better is None:
        return text
    worse_by = yardstick - value if row.higher_is_better else value - yardstick
    if worse_by <= 0:
        return text + GOOD
    return text + (NEARLY if worse_by <= (deviation or 0) else BAD)


def _figure(system: Figures, keys: Keys) -> float | None:
    """The number under some keys; None where there is none."""
    found: Any = system
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if keys and isinstance(found, int | float) else None


def _paper_models(systems: Sequence[Figures]) -> list[str]:
    """The paper's models that the systems are compared with, in the paper's order."""
    counterparts = {_counterpart(system) for system in systems if is_like_the_papers(system)}
    return [name for name in paper.PUBLISHED if name in counterparts]


def _counterpart(system: Figures) -> str:
    """The paper's model that a system is compared with: its namesake, else the better one."""
    return "base" if system["model"] == "base" else "emoreg"


def _of_paper(name: str, row: Row) -> float | None:
    if row.paper == "placement":
        return float(np.mean(paper.PLACEMENT[name]))
    return paper.PUBLISHED[name].get(row.paper)
