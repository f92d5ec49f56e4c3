"""The tables of the two-sample tests and of form: generated melodies beside real ones, by number of bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from emomelody.evaluation.form import FORM, FORM_BARS
from emomelody.evaluation.presentation.columns import (
    NOTHING,
    deviations,
    number,
    per_reference,
    sheet_of,
    without_empty,
)
from emomelody.evaluation.statistics import Figures
from emomelody.evaluation.two_sample.figures import CLASSIFIERS, TESTED_BARS
from emomelody.formats.sheet import Sheet

Cells = Callable[[Figures, Figures], list[str]]  # of figures of some bars, and their deviations


def two_sample(systems: Sequence[Figures]) -> Sheet:
    """The two-sample tests of the systems that have some."""
    titles = [f"AUC, {name} [95 % interval]" for name in CLASSIFIERS.values()] + ["MMD²", "p of MMD²"]
    title = "Two-sample tests: generated or real? (AUC 0.50: cannot be told)"
    columns = {"real held-out melodies": "real"}
    return _by_bars("two_sample", title, titles, TESTED_BARS, _tests, columns, systems)


def form(systems: Sequence[Figures]) -> Sheet:
    """The form of the longer melodies of the systems that make some."""
    columns = {"real melodies": "real", "split-half": "split_half"}
    title = "The form of longer melodies"
    return _by_bars("form", title, [*FORM.values()], FORM_BARS, _shares, columns, systems)


def _by_bars(
    block: str,
    title: str,
    titles: Sequence[str],
    lengths: Sequence[int],
    cells: Cells,
    more: dict[str, str],
    systems: Sequence[Figures],
) -> Sheet:
    """A row for each number of bars and title, a column per system, and ``more`` columns of real melodies.

    ``more`` are the keys of their figures, by heading. Rows that no system has are left out.
    """
    having = [system for system in systems if block in system]
    present = [bars for bars in lengths if any(str(bars) in system[block] for system in having)]
    empty = [NOTHING] * len(titles)

    def column(system: Figures, key: str = "") -> list[str]:
        texts = []
        for bars in map(str, present):
            figures: Any = system[block].get(bars)
            spread = {} if key else deviations(system, block, bars)
            figures = figures[key] if key and figures else figures
            texts += cells(figures, spread) if figures else empty
        return texts

    columns = {system["name"]: column(system) for system in having}
    for heading, key in more.items():
        columns |= per_reference(having, heading, partial(column, key=key))
    rows = [f"{bars} bars: {name}" for bars in present for name in titles]
    return without_empty(sheet_of(block, title, rows, columns))


def _tests(figures: Figures, spread: Figures) -> list[str]:
    aucs = [_with_interval(figures[name], spread.get(name, {}).get("auc")) for name in CLASSIFIERS]
    of_mmd = spread.get("mmd", {})
    return [
        *aucs,
        number(figures["mmd"]["mmd2"], "{:.4f}", of_mmd.get("mmd2")),
        number(figures["mmd"]["p"], "{:.3f}", of_mmd.get("p")),
    ]


def _with_interval(figures: Figures, deviation: float | None) -> str:
    return f"{number(figures['auc'], '{:.2f}', deviation)} [{figures['low']:.2f}–{figures['high']:.2f}]"


def _shares(figures: Figures, spread: Figures) -> list[str]:
    return [number(figures.get(key), "{:.1%}", spread.get(key)) for key in FORM]
