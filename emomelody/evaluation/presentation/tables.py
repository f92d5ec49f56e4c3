"""All tables of figures, as sheets of text; and the figures as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.emotion import SETTINGS, TONALITY, VALIDITY
from emomelody.evaluation.long import LONG
from emomelody.evaluation.novelty import NOVELTY
from emomelody.evaluation.own.between import BETWEEN
from emomelody.evaluation.own.completion import COMPLETION
from emomelody.evaluation.paths import PATH, TRANSFER
from emomelody.evaluation.plane import LATENT_SPACE, PLANE
from emomelody.evaluation.presentation.columns import (
    NOTHING,
    columns_of,
    deviations,
    is_like_the_papers,
    number,
    per_reference,
    sheet_of,
    without_empty,
)
from emomelody.evaluation.presentation.comparison import form, two_sample
from emomelody.evaluation.presentation.harmony import harmony
from emomelody.evaluation.presentation.paper import METRICS
from emomelody.evaluation.statistics import Figures, Rows
from emomelody.evaluation.style import GAPS
from emomelody.formats.sheet import Sheet
from emomelody.music.features import HISTOGRAMS, METRIC_NAMES, PAPER_METRICS

SPLITS = {"training": "training", "held_out": "held-out", "unseen": "unseen"}
JUDGES = ("rule", "classifier")


def sheets(systems: Sequence[Figures]) -> list[Sheet]:
    """Every table of one or more systems side by side, without the blocks that no system has."""
    more = [m for m in METRIC_NAMES if m not in PAPER_METRICS]
    tables = [
        _placement([s for s in systems if "placement" in s]),
        *(_metrics(s, PAPER_METRICS, f"Table 3, {s['name']}: mean (deviation)") for s in systems),
        _gaps(systems),
        *(_metrics(s, more, f"More features, {s['name']}: mean (deviation)") for s in systems),
        _histograms(systems),
        _emotion(systems),
        *(_confusion(s, judge) for s in systems for judge in JUDGES if judge in s["emotion"]),
        _novelty(systems),
        _plane(systems),
        _plain("path", "Sixteen bars from one emotion to another", PATH, systems),
        _plain("transfer", "Real melodies in another emotion", TRANSFER, systems),
        _plain("completion", "Held-out tunes completed", COMPLETION, systems),
        _plain("between", "From one held-out melody to another", BETWEEN, systems),
        _plain("latent_space", "The latent space", LATENT_SPACE, systems),
        _listeners(systems),
        _plain("tonality", "The key that the notes establish", TONALITY, systems),
        _plain("long", "The key that longer melodies establish", LONG, systems),
        two_sample(systems),
        form(systems),
        *harmony(systems),
        _plain("validity", "Before any repair", VALIDITY, systems),
    ]
    return [sheet for sheet in tables if sheet.rows]


def flat(figures: Figures, prefix: str = "") -> Iterator[tuple[str, float]]:
    """Every number of nested figures, as (keys joined by dots, value)."""
    for key, value in figures.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield from flat({str(n): v for n, v in enumerate(value)}, f"{prefix}{key}.")
        elif isinstance(value, int | float):
            yield f"{prefix}{key}", value


def with_deviations(system: Figures) -> Iterator[tuple[str, float, float | None]]:
    """Every number of a system, as (figure, value, deviation over the seeds or None)."""
    deviations = dict(flat(system["deviation"] or {}))
    for figure, value in flat({k: v for k, v in system.items() if k != "deviation"}):
        yield figure, value, deviations.get(figure)


def to_csv(systems: Sequence[Figures]) -> str:
    """Every number as a row: system, figure (keys joined by dots), value, deviation over the seeds."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("system", "figure", "value", "deviation"))
    for system in systems:
        for figure, value, deviation in with_deviations(system):
            writer.writerow((system["name"], figure, value, "" if deviation is None else deviation))
    return table.getvalue()


def _placement(systems: Sequence[Figures]) -> Sheet:
    quadrants = [(f"Q{e.index + 1} {e.title}", e.code) for e in Emotion] + [("mean", "mean")]
    columns: dict[str, list[str]] = {}
    for system in systems:
        placement = system["placement"]
        for split in (s for s in SPLITS if s in placement):
            title = f"{system['name']}, {SPLITS[split]} ({placement[split]['examples']})"
            columns[title] = [_with_interval(placement[split], code) for _, code in quadrants]
    for system in systems:
        if system["placement"]["paper"] and is_like_the_papers(system):
            printed = system["placement"]["paper"]
            columns[f"paper's {system['model']}"] = [number(printed[c], "{:.0%}") for _, c in quadrants]
    titles = [title for title, _ in quadrants] if systems else []
    return sheet_of("placement", "Table 2: placement accuracy D [95 % interval]", titles, columns)


def _metrics(system: Figures, metrics: Sequence[str], title: str) -> Sheet:
    table, spread = system["metrics"]["cells"], deviations(system, "metrics", "cells")
    places = [(metric, e) for metric in metrics for e in Emotion]
    cells = [table[m][e.code] for m, e in places]
    spreads = [spread.get(m, {}).get(e.code, {}) for m, e in places]
    columns = {
        "generated": [_moments(cell["generated"]) for cell in cells],
        "|Δμ|/σ": [number(c["gap"], "{:.2f}", d.get("gap")) for c, d in zip(cells, spreads, strict=True)],
        "W1": [number(c["w1"], "{:.3f}", d.get("w1")) for c, d in zip(cells, spreads, strict=True)],
        "W1 split-half": [number(cell["w1_split_half"], "{:.3f}") for cell in cells],
        "training": [_moments(cell["training"]) for cell in cells],
    }
    if set(metrics) <= set(METRICS):
        for printed in (system["model"], "training"):
            if printed in METRICS["pitch_range"] and is_like_the_papers(system):
                heading = f"paper's {printed}"
                columns[heading] = [
                    "{:.2f} ({:.2f})".format(*METRICS[m][printed][e.index]) for m, e in places
                ]
    return sheet_of("metrics", title, [f"{METRIC_NAMES[m]}, {e.code}" for m, e in places], columns)


def _histograms(systems: Sequence[Figures]) -> Sheet:
    cells = [(name, e) for name in HISTOGRAMS for e in Emotion]
    columns: dict[str, list[str]] = {}
    for system in systems:
        table, spread = system["histograms"], deviations(system, "histograms")
        columns[system["name"]] = [
            number(table[n][e.code]["distance"], "{:.3f}", spread.get(n, {}).get(e.code, {}).get("distance"))
            for n, e in cells
        ]
    columns |= per_reference(
        systems,
        "split-half",
        lambda s: [number(s["histograms"][n][e.code]["split_half"], "{:.3f}") for n, e in cells],
    )
    titles = [f"{n}, {_name(e)}" for n, e in cells]
    return sheet_of("histograms", "Distance of the histograms (Jensen–Shannon)", titles, columns)


def _emotion(systems: Sequence[Figures]) -> Sheet:
    keys = {"arousal": "arousal alone", "valence": "valence alone"}
    return _by_emotion("emotion", "Emotion as requested", JUDGES, keys, systems)


def _listeners(systems: Sequence[Figures]) -> Sheet:
    title = "Emotion that listeners would hear"
    return _by_emotion("listeners", title, tuple(SETTINGS), {}, systems)


def _by_emotion(
    block: str, title: str, groups: Sequence[str], more: dict[str, str], systems: Sequence[Figures]
) -> Sheet:
    """Shares by emotion, of all, and of ``more`` keys, for each group of a block; beside real melodies."""
    keys = {e.code: _name(e) for e in Emotion} | {"all": "all"} | more
    having = [system for system in systems if block in system]
    rows = [(group, key) for group in groups for key in keys] if having else []
    columns: dict[str, list[str]] = {}
    for system in having:
        found, spread = system[block], deviations(system, block)
        columns[system["name"]] = [
            number(found.get(group, {}).get(key), "{:.1%}", spread.get(group, {}).get(key))
            for group, key in rows
        ]

    def real(system: Figures) -> list[str]:
        figures = [(system[block].get(group, {}).get("real", {}), key) for group, key in rows]
        return [number(shares.get(key), "{:.1%}") for shares, key in figures]

    columns |= per_reference(having, "real melodies", real)
    return sheet_of(block, title, [f"{group}: {keys[key]}" for group, key in rows], columns)


def _confusion(system: Figures, judge: str) -> Sheet:
    confusion = system["emotion"][judge]["confusion"]
    columns = {
        f"judged {judged.title}": [number(confusion[e.code][judged.code], "{:.1%}") for e in Emotion]
        for judged in Emotion
    }
    title = f"{system['name']}: requested and judged emotion, by the {judge}"
    return sheet_of("emotion", title, [f"requested {e.title}" for e in Emotion], columns)


def _gaps(systems: Sequence[Figures]) -> Sheet:
    return _beside_real("metrics", "Over the 16 cells of table 3", GAPS, systems)


def _novelty(systems: Sequence[Figures]) -> Sheet:
    return without_empty(_beside_real("novelty", "Novelty", NOVELTY, systems))


def _plane(systems: Sequence[Figures]) -> Sheet:
    sheet = _plain("plane", "The plane, 21 × 21 points", PLANE, systems)
    chance = {"as_requested": "25%", "far_as_requested": "25%", "silent": NOTHING}
    columns = columns_of(sheet) | {"ignoring the point": [chance.get(key, "0") for key in PLANE]}
    return sheet_of("plane", sheet.title, [row[0] for row in sheet.rows], columns) if sheet.rows else sheet


def _plain(block: str, title: str, keys: Rows, systems: Sequence[Figures]) -> Sheet:
    """A row per figure of a block, a column per system that has the block."""
    having = [s for s in systems if block in s]
    columns = {
        s["name"]: [number(s[block].get(k), f, deviations(s, block).get(k)) for k, (_, f) in keys.items()]
        for s in having
    }
    return sheet_of(block, title, [name for name, _ in keys.values()] if having else [], columns)


def _beside_real(block: str, title: str, keys: Rows, systems: Sequence[Figures]) -> Sheet:
    """The same, with a column of real held-out melodies."""
    sheet = _plain(block, title, keys, systems)

    def real(system: Figures) -> list[str]:
        figures = system[block].get("real") or {}
        return [number(figures.get(key), form) for key, (_, form) in keys.items()]

    columns = columns_of(sheet) | per_reference(systems, "real held-out melodies", real)
    return sheet_of(block, title, [row[0] for row in sheet.rows], columns)


def _name(emotion: Emotion) -> str:
    return f"{emotion.code} {emotion.title}"


def _moments(cell: dict[str, float] | None) -> str:
    return NOTHING if cell is None else f"{cell['mean']:.2f} ({cell['deviation']:.2f})"


def _with_interval(placement: Figures, code: str) -> str:
    if placement[code] is None:
        return NOTHING
    low, high = placement["interval"][code]
    return f"{placement[code]:.1%} [{100 * low:.0f}–{100 * high:.0f}]"
