"""The tables of harmony: generated chords beside Bach's and two baselines, with marks for the band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.harmony.agreement import AGREEMENT
from emomelody.evaluation.harmony.figures import is_inside
from emomelody.evaluation.harmony.metrics import METRICS
from emomelody.evaluation.harmony.tonality import TONALITY
from emomelody.evaluation.presentation.columns import (
    NOTHING,
    deviations,
    number,
    per_reference,
    sheet_of,
    without_empty,
)
from emomelody.evaluation.statistics import Figures
from emomelody.formats.sheet import BAD, GOOD, Sheet

# The columns beside the systems', by heading: the key of their figures, or the band.
BAND = "band"
COLUMNS = {
    "real held-out melodies": "real",
    "band": BAND,
    "held-out melodies, own chords": "reharmonised",
    "always the tonic": "tonic",
    "random diatonic": "random",
}
# The emotion that listeners would hear, by what they hear.
HEARD = {"melody": "heard as requested, melody alone", "chords": "… melody and chords"}
CAPTION = "✓ in the band of the real melodies, ✗ outside."


def harmony(systems: Sequence[Figures]) -> list[Sheet]:
    """The sheets of all emotions together and of each, without rows where no system has the block."""
    having = [system for system in systems if "harmony" in system]
    together = _sheet("Harmony", ["all"], having, more=True)
    return [together, _sheet("Harmony by emotion", [e.code for e in Emotion], having, more=False)]


def _sheet(title: str, codes: Sequence[str], having: Sequence[Figures], *, more: bool) -> Sheet:
    """The metrics of the emotions of some codes, and the figures that are of all emotions if ``more``."""
    prefixes = {e.code: f"{e.code} {e.title}: " for e in Emotion} | {"all": ""}
    titles = [prefixes[code] + name for code in codes for name, _ in METRICS.values()]
    if more:
        titles += ["figures in the band", *(name for name, _ in (*TONALITY.values(), *AGREEMENT.values()))]
        titles += ["perplexity of Bach's chords", *HEARD.values()]

    def column(system: Figures, key: str = "generated") -> list[str]:
        cells = [_metric(system, code, metric, key) for code in codes for metric in METRICS]
        return cells + (_of_all(system, key) if more else [])

    columns = {system["name"]: column(system) for system in having}
    for heading, key in COLUMNS.items():
        columns |= per_reference(having, heading, partial(column, key=key))
    sheet = without_empty(sheet_of("harmony", title, titles if having else [], columns))
    return replace(sheet, caption=CAPTION)


def _metric(system: Figures, code: str, metric: str, key: str) -> str:
    """A metric, with its mark if it is not the real melodies' own."""
    form, cell = METRICS[metric][1], system["harmony"]["metrics"].get(code, {}).get(metric)
    if cell is None or (key != BAND and key not in cell):
        return NOTHING
    if key == BAND:
        return NOTHING if cell["low"] is None else f"{form.format(cell['low'])} … {form.format(cell['high'])}"
    text = number(cell[key], form, deviations(system, "harmony", "metrics", code, metric).get(key))
    inside = None if key == "real" else is_inside(cell, key)
    return text + {True: GOOD, False: BAD, None: ""}[inside]


def _of_all(system: Figures, key: str) -> list[str]:
    """The figures that there are of all emotions together."""
    figures = system["harmony"]
    spread = deviations(system, "harmony", "inside", "all").get(key)
    found = [number(figures["inside"].get("all", {}).get(key), "{:.1%}", spread)]
    for block, rows in (("tonality", TONALITY), ("agreement", AGREEMENT)):
        values, of_seeds = figures[block].get(key, {}), deviations(system, "harmony", block, key)
        found += [number(values.get(name), form, of_seeds.get(name)) for name, (_, form) in rows.items()]
    perplexity = figures["perplexity"] if key == "generated" else None
    of_listeners = figures.get("heard", {}) if key == "generated" else {}
    shares = [number(of_listeners.get(name, {}).get("all"), "{:.1%}") for name in HEARD]
    return [*found, number(perplexity, "{:.2f}"), *shares]
