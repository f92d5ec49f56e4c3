"""Tables of text, for the terminal and as HTML."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

GOOD, NEARLY, BAD = " ✓", " ≈", " ✗"  # endings of a cell that show a judgement, also without colours


@dataclass(frozen=True)
class Sheet:
    """A table of text."""

    block: str  # what the table belongs to
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # as many cells as columns each
    labels: int = 1  # leading columns that name the row
    caption: str = ""  # a remark on how to read the table

    def to_rich(self) -> Group:
        """The sheet for the terminal."""
        table = Table(title=escape(self.title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for number, column in enumerate(self.columns):
            width = max((len(row[number]) for row in self.rows), default=0)
            heading = textwrap.fill(column, max(width, 1), break_long_words=False, break_on_hyphens=False)
            table.add_column(escape(heading), justify="left" if number < self.labels else "right")
        for row in self.rows:
            table.add_row(*map(_coloured, row))
        return Group(table, Text(f"{self.caption}\n")) if self.caption else Group(table)

    def to_html(self) -> str:
        """The sheet as an HTML table."""
        head = "".join(f"<th>{html.escape(column)}</th>" for column in self.columns)
        rows = "".join(f"<tr>{''.join(map(_html_cell, row))}</tr>\n" for row in self.rows)
        caption = html.escape(self.caption).replace("\n", "<br>")
        remark = f'<p class="caption">{caption}</p>' if self.caption else ""
        title = f"<caption>{html.escape(self.title)}</caption>"
        return (
            f'<div class="wide"><table class="labels-{self.labels}">{title}'
            f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>{remark}</div>"
        )


def _coloured(cell: str) -> Text:
    """A cell for the terminal, with its mark in green or red."""
    text = Text(cell)
    if cell.endswith((GOOD, BAD)):
        text.stylize("bold green" if cell.endswith(GOOD) else "bold red", len(cell) - 1)
    return text


def _html_cell(cell: str) -> str:
    text = html.escape(cell)
    for mark, name in ((GOOD, "good"), (BAD, "bad")):
        text = text.replace(mark, f' <b class="{name}">{mark.strip()}</b>')
    return f"<td>{text}</td>"
