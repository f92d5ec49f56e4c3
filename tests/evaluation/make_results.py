"""Fills the tables of weights/results.md from what ``evaluate --json`` wrote.

Run ``python tests/evaluation/make_results.py``.

Each block between <!-- NAME.json --> and <!-- end --> holds the tables of tests/evaluation/results/NAME.json.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from emomelody.evaluation.tables import Sheet, sheets

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "weights" / "results.md"
# Enough to judge by; the rest is in the report.
SHOWN = ("placement", "metrics", "emotion", "novelty", "plane", "path", "transfer", "latent_space")
FOLDED = 15  # rows
LEFT_OUT = ("More features", "asked and judged")


def markdown(sheet: Sheet) -> str:
    """The sheet as a table of GitHub's Markdown; the long ones are folded."""
    rule = ["---", *["--:"] * (len(sheet.columns) - 1)]
    rows = (" | ".join(row).replace("|Δμ|", r"\|Δμ\|") for row in (sheet.columns, rule, *sheet.rows))
    table = "\n".join(f"| {row} |" for row in rows)
    if len(sheet.rows) > FOLDED:
        return f"<details><summary>{sheet.title}</summary>\n\n{table}\n\n</details>"
    return f"**{sheet.title}**\n\n{table}"


def tables(name: str) -> str:
    """The tables of ``tests/evaluation/results/NAME``."""
    systems = json.loads((HERE / "results" / name).read_text(encoding="utf-8"))["systems"]
    chosen = [
        sheet
        for sheet in sheets(systems)
        if sheet.block in SHOWN and not any(words in sheet.title for words in LEFT_OUT)
    ]
    return "\n\n".join(map(markdown, chosen))


def fill(page: str) -> str:
    """The page with its blocks filled."""
    block = re.compile(r"(<!-- (\S+\.json) -->\n).*?(<!-- end -->)", re.DOTALL)
    return block.sub(lambda found: f"{found[1]}\n{tables(found[2])}\n\n{found[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
