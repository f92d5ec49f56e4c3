"""The verdict: its rows, its columns, and its marks."""

from __future__ import annotations

from typing import Any

from emomelody.evaluation.presentation.verdict import verdict


def system(name: str, model: str | None, **blocks: Any) -> dict[str, Any]:
    emotion = {"rule": {"all": 0.9, "real": {"all": 0.8}}}
    metrics = {"mean_gap": 0.2, "worst_gap": 0.7, "real": None}
    novelty = {
        "exact": 0.1,
        "within_4": 0.3,
        "distinct": 1.0,
        "real": {"exact": 0.0, "within_4": 0.4, "distinct": 0.9},
    }
    return {
        "name": name,
        "model": model,
        "emotion": emotion,
        "metrics": metrics,
        "novelty": novelty,
        "deviation": None,
    } | blocks


def cells(*systems: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The text by row and column."""
    sheet = verdict(systems)
    return {row[1]: dict(zip(sheet.columns[2:], row[2:], strict=True)) for row in sheet.rows}


def test_a_system_is_compared_with_real_melodies_or_else_the_paper() -> None:
    found = cells(system("mine", None))
    assert found["right, by the rule"] == {
        "mine": "90.0% ✓", "paper's emoreg": "–", "real melodies": "80.0%"
    }  # fmt: skip
    assert found["exact copies"] == {"mine": "10.0% ✗", "paper's emoreg": "19.0%", "real melodies": "0.0%"}
    assert found["within 4 steps"]["mine"] == "30.0% ✓"
    assert found["mean |Δμ|/σ"] == {
        "mine": "0.20 ✓", "paper's emoreg": "0.23", "real melodies": "–"
    }  # fmt: skip
    assert found["worst |Δμ|/σ"]["mine"] == "0.70 ✗"


def test_rows_that_no_system_has_are_left_out() -> None:
    assert not any("mean D" in title or "by the classifier" in title for title in cells(system("mine", None)))
    placement = {"training": {"mean": 0.9}, "held_out": {"mean": 0.7}, "paper": None}
    found = cells(system("mine", "emoreg", placement=placement), system("theirs", None))
    assert found["mean D, training"] == {
        "mine": "90.0% ✓", "theirs": "–", "paper's emoreg": "87.8%", "real melodies": "–"
    }  # fmt: skip
    assert found["mean D, held-out"]["mine"] == "70.0%"  # nothing to compare with


def test_folk_tunes_and_other_meters_are_not_compared_with_the_paper() -> None:
    for kind in ({"style": "folk", "meter": "4/4"}, {"style": "own", "meter": "3/4"}):
        some = system("mine", "emoreg", placement={"training": {"mean": 0.9}}, **kind)
        found = cells(some)
        assert found["mean |Δμ|/σ"] == {"mine": "0.20", "real melodies": "–"}
        assert found["mean D, training"]["mine"] == "90.0%"
        assert "paper" not in verdict([some]).caption.split("worse,")[1]


def test_the_title_names_the_real_melodies() -> None:
    folk = system("a", None, style="folk", meter="6/8")
    assert verdict([folk, folk]).title == "Verdict: folk melodies in 6/8"
    assert verdict([folk, system("b", None, style="own", meter="6/8")]).title == "Verdict"


def test_each_model_of_the_paper_is_compared_with_its_namesake() -> None:
    found = cells(system("a", "base"), system("b", "emoreg"))
    row = found["mean |Δμ|/σ"]
    assert list(row) == ["a", "b", "paper's base", "paper's emoreg", "real melodies"]
    assert (row["paper's base"], row["paper's emoreg"]) == ("0.30", "0.23")
    placement = {"training": {"mean": 0.3}}
    placed = cells(system("a", "base", placement=placement), system("b", "emoreg", placement=placement))
    assert placed["mean D, training"]["a"] == "30.0% ✓"
    assert placed["mean D, training"]["b"] == "30.0% ✗"


def test_deviations_stand_before_the_mark() -> None:
    deviation = {"emotion": {"rule": {"all": 0.012}}, "novelty": {"exact": 0.1, "within_4": 0.0}}
    found = cells(system("mine", None, deviation=deviation))
    assert found["right, by the rule"]["mine"] == "90.0 ± 1.2% ✓"
    assert found["exact copies"]["mine"] == "10.0 ± 10.0% ≈"  # real melodies: 0
    deviation["novelty"]["exact"] = 0.09
    assert cells(system("mine", None, deviation=deviation))["exact copies"]["mine"] == "10.0 ± 9.0% ✗"


def test_marks_are_readable_without_colours_and_coloured_in_html() -> None:
    page = verdict([system("mine", None)]).to_html()
    assert '<td>90.0% <b class="good">✓</b></td>' in page
    assert '<td>10.0% <b class="bad">✗</b></td>' in page
    assert "at least as good as real melodies" in page
