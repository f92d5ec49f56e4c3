"""The figures of a listening test as sheets of text, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import partial
from itertools import pairwise

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.presentation.columns import NOTHING, number, sheet_of
from emomelody.evaluation.presentation.tables import flat
from emomelody.evaluation.statistics import Figures
from emomelody.formats.sheet import Sheet

CAPTION = (
    "[ ]: 95 % intervals. Wilson's take answers to be independent; those over listeners are a bootstrap.\n"
    "Told from real: mean of real melodies taken for human and generated ones taken for machine; chance 50 %."
)
Cell = Callable[[Figures], str]  # the text of a block of figures


def _share(key: str, block: Figures) -> str:
    return _with_interval(block[key], block["interval"][key])


def _plain(key: str, form: str, block: Figures) -> str:
    return number(block[key], form)


def _with_interval(value: float | None, interval: list[float] | None) -> str:
    if value is None:
        return NOTHING
    ends = f" [{100 * interval[0]:.0f}–{100 * interval[1]:.0f}]" if interval else ""
    return f"{value:.1%}{ends}"


def _p(block: Figures) -> str:
    return "<0.001" if block["p"] < 0.001 else f"{block['p']:.3f}"


def _moments(block: Figures) -> str:
    return number(block["mean"], "{:.2f}", block["deviation"])


# Of each row: its group, its title, the block of figures, and its cell.
ROWS: list[tuple[str, str, str, Cell]] = [
    *(("emotion heard as requested", e.title, "emotion", partial(_share, e.code)) for e in Emotion),
    ("emotion heard as requested", "all", "emotion", partial(_share, "all")),
    ("emotion heard as requested", "all, over listeners", "emotion",
        lambda block: _with_interval(block["all"], block["over_listeners"])),
    ("emotion heard as requested", "side of valence", "emotion", partial(_share, "valence")),
    ("emotion heard as requested", "side of arousal", "emotion", partial(_share, "arousal")),
    ("human or machine", "taken for human", "human",
        lambda block: _with_interval(block["share"], block["interval"])),
    ("human or machine", "told from real, over listeners", "told_from_real",
        lambda block: _with_interval(block["accuracy"], block["over_listeners"])),
    ("human or machine", "p", "told_from_real", _p),
    ("musical, 1–7", "mean ± deviation", "musical", _moments),
    ("plane, rank correlation", "valence", "plane", partial(_plain, "valence", "{:+.2f}")),
    ("plane, rank correlation", "arousal", "plane", partial(_plain, "arousal", "{:+.2f}")),
    ("listener judge", "answer as predicted", "prediction", partial(_plain, "answers", "{:.1%}")),
    ("listener judge", "prediction as requested", "prediction",
        partial(_plain, "requested", "{:.1%}")),
    ("listener judge", "most frequent answer as requested", "prediction",
        partial(_plain, "most_frequent", "{:.1%}")),
    *(("agreement, Krippendorff's α", question, "agreement", partial(_plain, question, "{:+.2f}"))
        for question in ("emotion", "valence", "arousal", "musical", "human")),
]  # fmt: skip


def summary(figures: Figures) -> Sheet:
    """A column per system and one of all melodies, without the rows that have no figures."""
    columns = [*figures["systems"], figures["all"]]
    cells = [
        ("melodies", "", *(str(column["melodies"]) for column in columns)),
        *(
            (group, title, *(cell(column[block]) if column.get(block) else NOTHING for column in columns))
            for group, title, block, cell in ROWS
        ),
    ]
    rows = [row for row in cells if set(row[2:]) != {NOTHING}]
    groups = [row[0] for row in rows]
    headings = groups[:1] + ["" if group == last else group for last, group in pairwise(groups)]
    texts = tuple((heading, *row[1:]) for heading, row in zip(headings, rows, strict=True))
    titles = [column["name"] for column in columns]
    listeners = "1 listener" if figures["listeners"] == 1 else f"{figures['listeners']:,} listeners"
    title = f"Listening test: {listeners}, {figures['all']['answers']:,} answers"
    return Sheet("listening", title, ("", "", *titles), texts, labels=2, caption=CAPTION)


def confusions(figures: Figures) -> list[Sheet]:
    """The confusion matrix of each system."""
    return [_confusion(system) for system in figures["systems"]]


def to_csv(figures: Figures) -> str:
    """Every number as a row: system (``all`` for all melodies), figure (keys joined by dots), value."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("system", "figure", "value"))
    for system in (*figures["systems"], figures["all"]):
        writer.writerows((system["name"], figure, value) for figure, value in flat(system))
    return table.getvalue()


def _confusion(system: Figures) -> Sheet:
    emotion = system["emotion"]
    columns = {
        f"heard {heard.title}": [number(emotion["confusion"][e.code][heard.code], "{:.1%}") for e in Emotion]
        for heard in Emotion
    }
    columns["answers"] = [f"{emotion['answers'][e.code]:,}" for e in Emotion]
    title = f"{system['name']}: requested emotion and emotion heard"
    return sheet_of("listening", title, [f"requested {e.title}" for e in Emotion], columns)
