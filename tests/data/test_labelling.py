"""What the rule takes for high arousal: ``preprocess --arousal``."""

from __future__ import annotations

from math import log2
from pathlib import Path

import pytest
from conftest import Run
from songs import G_MAJOR, manifest_rows, write_score, write_song

HIGH, LOW = "e1", "e4"  # of melodies in major


def write_songs(folder: Path, **tempos: float) -> None:
    """Songs of the same 16 quarter notes, at these tempos."""
    for name, tempo in tempos.items():
        write_song(folder / f"{name}.mid", G_MAJOR * 2, tempos={0: tempo})


def labels(folder: Path) -> dict[str, str]:
    """The emotion of each song, by its name."""
    return {Path(row["source"]).stem: row["emotion"] for row in manifest_rows(folder)}


def test_onsets_count_in_four_bars_per_second_or_relative_to_the_others(tmp_path: Path, run: Run) -> None:
    write_songs(tmp_path / "songs", slow=66, walking=90, brisk=120, fast=180)
    write_song(tmp_path / "songs" / "long.mid", G_MAJOR, length=8, tempos={0: 180})  # 8 onsets in 5⅓ s
    notes = run("preprocess", "songs", "--arousal", "notes", "-o", "notes")
    others = ("slow", "walking", "brisk", "fast")
    assert labels(tmp_path / "notes") == dict.fromkeys(others, HIGH) | {"long": LOW}
    assert "onsets per second" not in notes.stderr
    time = run("preprocess", "songs", "--arousal", "time", "-o", "time")
    assert labels(tmp_path / "time") == {
        "slow": LOW,  # 1.10 onsets per second
        "walking": HIGH,  # 1.50
        "long": HIGH,  # 1.50
        "brisk": HIGH,  # 2.00
        "fast": HIGH,  # 3.00
    }
    assert "the rule: arousal is high above 1.31 onsets per second (time)" in time.stderr
    quantile = run("preprocess", "songs")  # the default for the user's own files
    # Those with 1.50 are on one side, although MIDI rounds their tempos.
    halves = {LOW: ("slow", "walking", "long"), HIGH: ("brisk", "fast")}
    assert labels(tmp_path / "data") == {name: half for half, names in halves.items() for name in names}
    assert "the rule: arousal is high above 1.73 onsets per second (quantile)" in quantile.stderr
    for folder, arousal in (("notes", "notes"), ("time", "time"), ("data", "quantile")):
        rows = manifest_rows(tmp_path / folder)
        assert {(row["label_from"], row["arousal_by"]) for row in rows} == {("rule", arousal)}


def test_the_manifest_has_what_the_rule_measures_with_the_tempo(tmp_path: Path, run: Run) -> None:
    write_songs(tmp_path / "songs", slow=60, fast=240)
    run("preprocess", "songs", "--arousal", "notes", "-o", "notes")
    assert {(row["valence"], row["arousal"]) for row in manifest_rows(tmp_path / "notes")} == {("", "")}
    for arousal, threshold in (("time", 10.5 / 8), ("quantile", 2)):  # 2: the geometric mean of 1 and 4
        run("preprocess", "songs", "--arousal", arousal, "-o", arousal)
        rows = manifest_rows(tmp_path / arousal)
        found = {row["source"]: float(row["arousal"]) for row in rows}
        assert found == pytest.approx({"slow.mid": log2(1 / threshold), "fast.mid": log2(4 / threshold)})
        # C D E F G F E D: two notes in eight are not in C minor.
        assert {row["valence"] for row in rows} == {"0.25"}


def test_the_windows_of_a_piece_are_measured_one_by_one(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "a.mid", G_MAJOR * 4, tempos={0: 60, 16: 120})
    run("preprocess", "a.mid", "--arousal", "time")
    found = {row["bars"]: row["emotion"] for row in manifest_rows(tmp_path / "data")}
    assert found == {"1-4": LOW, "5-8": HIGH}


def test_a_score_without_a_tempo_counts_at_120(tmp_path: Path, run: Run) -> None:
    write_score(tmp_path / "score.musicxml")
    run("preprocess", "score.musicxml", "--arousal", "time")
    first = manifest_rows(tmp_path / "data")[0]
    assert float(first["arousal"]) == pytest.approx(log2(16 / 10.5))


@pytest.mark.parametrize("songs", [{"one": 60.0}, {"one": 60.0, "two": 60.0}])
def test_where_no_melody_is_faster_than_another_the_threshold_is_fixed(
    tmp_path: Path, run: Run, songs: dict[str, float]
) -> None:
    write_songs(tmp_path / "songs", **songs)
    stderr = run("preprocess", "songs", "--arousal", "quantile").stderr
    assert "above 1.31 onsets per second (time: all melodies are equally fast)" in stderr
    assert {row["arousal_by"] for row in manifest_rows(tmp_path / "data")} == {"time"}
    assert set(labels(tmp_path / "data").values()) == {LOW}


def test_melodies_are_compared_with_labelled_ones_too(tmp_path: Path, run: Run) -> None:
    """Without the two calm ones, the slower of the others would be in the lower half."""
    write_songs(tmp_path / "songs" / "relaxed", a=50, b=60)
    write_songs(tmp_path / "songs", c=150, d=160)
    run("preprocess", "songs")
    assert labels(tmp_path / "data") == {"a": LOW, "b": LOW, "c": HIGH, "d": HIGH}


def test_the_rule_does_not_touch_given_labels(tmp_path: Path, run: Run) -> None:
    write_songs(tmp_path / "songs" / "sad", a=200, b=60)
    done = run("preprocess", "songs", "--arousal", "time")
    assert labels(tmp_path / "data") == {"a": "e3", "b": "e3"}
    assert "the rule" not in done.stderr


def test_another_name_is_a_usage_error(run: Run) -> None:
    stderr = run("preprocess", "songs", "--arousal", "loud", code=2).stderr
    assert "'loud' is not one of notes, time, quantile" in stderr
