"""All figures of a system, and how an evaluation shows itself."""

from __future__ import annotations

import sys

import pytest
from evaluation.labelled import dataset, two_of_each

from emomelody.errors import EmomelodyError
from emomelody.evaluation import evaluate


def test_a_set_is_like_itself() -> None:
    some = two_of_each()
    figures = evaluate.evaluate_generated(dataset(some), dataset(some), name="same").figures
    cells = [cell for metric in figures["metrics"]["cells"].values() for cell in metric.values()]
    assert {cell["w1"] for cell in cells} == {0}
    assert {cell["gap"] for cell in cells} <= {0, None}
    assert figures["metrics"]["mean_gap"] == figures["metrics"]["worst_gap"] == 0
    assert {c["distance"] for h in figures["histograms"].values() for c in h.values()} == {0}
    assert figures["novelty"]["exact"] == 1
    assert figures["novelty"]["passage_share"] == 1
    assert figures["emotion"]["rule"]["all"] == 1


def test_seeds_give_means_and_deviations() -> None:
    runs = [{"a": 1.0, "b": {"c": value, "d": None, "e": "x"}} for value in (1, 2, 6)]
    mean, deviation = evaluate.over_seeds(runs)
    assert mean == {"a": 1.0, "b": {"c": 3.0, "d": None, "e": "x"}}
    assert deviation == {"a": 0.0, "b": {"c": pytest.approx(7**0.5)}}


def test_an_evaluation_shows_itself_in_a_notebook() -> None:
    some = two_of_each()
    evaluation = evaluate.evaluate_generated(dataset(some), dataset(some), name="same")
    assert repr(evaluation) == "<same: emotion as requested 100%, mean |Δμ|/σ 0.00, exact copies 100%>"
    assert "<caption>Verdict: own melodies in 4/4</caption>" in evaluation._repr_html_()


def test_figures_as_a_data_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    some = two_of_each()
    evaluation = evaluate.evaluate_generated(dataset(some), dataset(some), name="same")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(EmomelodyError, match="pip install pandas"):
        evaluation.to_frame()
    monkeypatch.undo()
    pytest.importorskip("pandas")
    rows = evaluation.to_frame().set_index("figure")
    assert rows.loc["novelty.exact", "value"] == 1
