"""Fill the tables of results in Markdown pages from what ``evaluate --json`` wrote.

Run ``python tests/evaluation/make_results.py``. In each of ``PAGES``, what stands between
``<!-- NAME.json -->`` and ``<!-- end -->`` becomes the tables of ``results/NAME.json``; after
``<!-- summary -->`` stands the verdict on all models of ``SUMMARY``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from emomelody.evaluation.presentation.tables import sheets
from emomelody.evaluation.presentation.verdict import verdict
from emomelody.formats.sheet import Sheet

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGES = (ROOT / "README.md", ROOT / "weights" / "results.md")
SUMMARY = ("shipped.json", "va.json")
# Enough to judge by; the report has the others too.
SHOWN = (
    "placement",
    "metrics",
    "emotion",
    "novelty",
    "plane",
    "path",
    "transfer",
    "completion",
    "between",
    "latent_space",
    "listeners",
    "tonality",
    "long",
    "two_sample",
    "form",
    "harmony",
)
LEFT_OUT = ("More features", "requested and judged")
FOLDED = 15  # rows


def markdown(sheet: Sheet) -> str:
    """The rows of a sheet as a table of GitHub's Markdown."""
    rule = ["---"] * sheet.labels + ["--:"] * (len(sheet.columns) - sheet.labels)
    rows = (" | ".join(row).replace("|Δμ|", r"\|Δμ\|") for row in (sheet.columns, rule, *sheet.rows))
    return "\n".join(f"| {row} |" for row in rows)


def titled(sheet: Sheet) -> str:
    """The sheet with its title; a long one is folded."""
    if len(sheet.rows) > FOLDED:
        return f"<details><summary>{sheet.title}</summary>\n\n{markdown(sheet)}\n\n</details>"
    return f"**{sheet.title}**\n\n{markdown(sheet)}"


def systems_of(name: str) -> list[dict[str, Any]]:
    """The figures in ``results/NAME``."""
    systems: list[dict[str, Any]] = json.loads((HERE / "results" / name).read_text(encoding="utf-8"))[
        "systems"
    ]
    return systems


def tables(name: str) -> str:
    """The tables of one file of results."""
    chosen = [
        sheet
        for sheet in sheets(systems_of(name))
        if sheet.block in SHOWN and not any(words in sheet.title for words in LEFT_OUT)
    ]
    return "\n\n".join(map(titled, chosen))


def summary() -> str:
    """The verdict on the bundled weights."""
    sheet = verdict([system for name in SUMMARY for system in systems_of(name)])
    return f"{markdown(sheet)}\n\n{sheet.caption}"


def fill(page: str) -> str:
    """The page with its blocks filled."""
    block = re.compile(r"(<!-- (summary|\S+\.json) -->\n).*?(<!-- end -->)", re.DOTALL)

    def filled(found: re.Match[str]) -> str:
        content = summary() if found[2] == "summary" else tables(found[2])
        return f"{found[1]}\n{content}\n\n{found[3]}"

    return block.sub(filled, page)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")
