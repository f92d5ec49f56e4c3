"""The columns of a table of figures, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from emomelody.evaluation.statistics import Figures
from emomelody.formats.sheet import Sheet
from emomelody.music.meter import Meter
from emomelody.music.style import Style

NOTHING = "–"  # of a figure that does not exist


def sheet_of(block: str, title: str, titles: Sequence[str], columns: dict[str, list[str]]) -> Sheet:
    """A sheet of rows with these titles and columns of text."""
    rows = tuple(zip(titles, *columns.values(), strict=True))
    return Sheet(block, title, ("", *columns), rows)


def columns_of(sheet: Sheet) -> dict[str, list[str]]:
    """The columns of a sheet after the first, by title."""
    return {title: [row[n] for row in sheet.rows] for n, title in enumerate(sheet.columns) if n}


def per_reference(
    systems: Sequence[Figures], heading: str, column: Callable[[Figures], list[str]]
) -> dict[str, list[str]]:
    """A column about real melodies: one for all systems, or one for each group that shares a reference."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for system in systems:
        groups.setdefault(tuple(column(system)), []).append(system["name"])
    if len(groups) == 1:
        return {heading: list(next(iter(groups)))}
    return {f"{heading} ({', '.join(names)})": list(values) for values, names in groups.items()}


def kind(systems: Sequence[Figures]) -> str:
    """The real melodies that the systems are compared with, such as ``folk melodies in 6/8``.

    Empty if they are not the same for all.
    """
    kinds = {(system.get("style"), system.get("meter")) for system in systems}
    if len(kinds) != 1 or None in (pair := next(iter(kinds))):
        return ""
    return "{} melodies in {}".format(*pair)


def is_like_the_papers(system: Figures) -> bool:
    """Whether a system's figures can be compared with the paper's: its data are of melodies in 4/4, not folk.

    Figures of earlier versions have no style; they are of such melodies.
    """
    return system.get("style") != Style.FOLK and system.get("meter", Meter.FOUR_FOUR) == Meter.FOUR_FOUR


def without_empty(sheet: Sheet) -> Sheet:
    """The sheet without the rows in which no figure exists."""
    rows = tuple(row for row in sheet.rows if set(row[1:]) != {NOTHING})
    return Sheet(sheet.block, sheet.title, sheet.columns, rows)


def deviations(system: Figures, *keys: str) -> dict[str, Any]:
    """The deviations over the seeds of the figures under some keys; empty for a single seed."""
    found: dict[str, Any] = system["deviation"] or {}
    for key in keys:
        found = found.get(key, {})
    return found


def number(value: float | None, form: str, deviation: float | None = None) -> str:
    """A figure as text, with ``±`` its deviation over the seeds where there is one."""
    if value is None:
        return NOTHING
    text = form.format(value)
    if deviation is None:
        return text
    return f"{text.removesuffix('%')} ± {form.replace('+', '').format(deviation)}"
