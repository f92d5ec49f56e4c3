"""The block of harmony: bands, baselines, agreement, and its tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation.harmony.harmonies import harmonised, random_harmony
from evaluation.labelled import dataset, two_of_each

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.evaluate import evaluate_generated, over_seeds
from emomelody.evaluation.harmony.agreement import function_agreement
from emomelody.evaluation.harmony.bands import DRAWS, FEWEST, bands
from emomelody.evaluation.harmony.baselines import DIATONIC, always_tonic, random_diatonic
from emomelody.evaluation.harmony.figures import evaluate_harmony, is_inside
from emomelody.evaluation.harmony.harmonised import Harmonised
from emomelody.evaluation.harmony.metrics import METRICS, metrics
from emomelody.evaluation.presentation.harmony import CAPTION, harmony
from emomelody.evaluation.presentation.report import write_report
from emomelody.evaluation.presentation.tables import to_csv
from emomelody.formats.sheet import BAD, GOOD
from emomelody.music.chords import Chord
from emomelody.music.meter import Meter

# Progressions of two bars with the notes of a melody that fits; the first closes, the last does not.
TUNES = {
    "major": (
        ("67 67 65 65 64 62 62 60", "C Em F Dm C G G7 C"),
        ("64 65 67 69 67 65 62 60", "C F C F C Dm G C"),
        ("60 62 64 65 67 67 65 67", "Am G C F C Em Dm G"),
    ),
    "minor": (
        ("67 67 65 65 63 62 62 60", "Cm Eb Fm Ddim Cm G G7 Cm"),
        ("63 65 67 68 67 65 62 60", "Cm Fm Cm Fm Cm Ddim G C"),
        ("60 62 63 65 67 67 65 67", "Ab Gm Cm Fm Cm Eb Fm G"),
    ),
}


def tunes(count: int, seed: int) -> dict[Emotion, list[Harmonised]]:
    """Random choices of them."""
    rng = np.random.default_rng(seed)
    return {
        e: [harmonised(*TUNES[e.mode][n], mode=e.mode) for n in rng.integers(3, size=count)] for e in Emotion
    }


def figures(generated: dict[Emotion, list[Harmonised]], **more: Any) -> dict[str, Any]:
    real = tunes(60, seed=1)
    return evaluate_harmony(generated, real, {e: list(range(len(real[e]))) for e in Emotion}, **more)


def test_harmony_like_the_real_one_is_in_the_band_and_the_baselines_are_not() -> None:
    found = figures(tunes(80, seed=2))
    assert found["inside"]["all"]["generated"] >= 0.8  # one figure in twenty is outside by chance
    outside = {
        name: {metric for metric, cell in found["metrics"]["all"].items() if is_inside(cell, name) is False}
        for name in ("tonic", "random")
    }
    assert set(METRICS) - outside["tonic"] == set()
    # Random chords change as often as the real ones, save for repeated ones.
    assert outside["random"] >= {"che", "ctnctr", "chord_tones", "pcs", "mctd", "cadence", "tonic_end"}
    cell = found["metrics"]["all"]["tonic_end"]
    assert cell["tonic"] == 1 and cell["low"] < cell["real"] < cell["high"] < 1
    assert found["melodies"] == {"generated": 320, "real": 240}


def test_harmony_unlike_the_real_one_is_outside() -> None:
    generated = {e: random_diatonic(some, seed=7) for e, some in tunes(80, seed=2).items()}
    found = figures(generated)
    for metric in ("chord_tones", "pcs", "mctd", "tonic_end"):
        assert is_inside(found["metrics"]["all"][metric], "generated") is False
        assert is_inside(found["metrics"]["e2"][metric], "generated") is False


def test_all_is_the_mean_of_the_emotions_that_both_have() -> None:
    generated = {Emotion.E1: tunes(9, seed=3)[Emotion.E1], Emotion.E3: tunes(4, seed=3)[Emotion.E3]}
    found = figures({**generated, Emotion.E2: []})
    assert set(found["metrics"]) == {"e1", "e3", "all"}
    for name in ("generated", "real", "random"):
        ours = [found["metrics"][code]["cc"][name] for code in ("e1", "e3")]
        assert found["metrics"]["all"]["cc"][name] == pytest.approx(np.mean(ours))
    expected = np.mean(metrics(generated[Emotion.E3])["pcs"])
    assert found["metrics"]["e3"]["pcs"]["generated"] == pytest.approx(expected)
    assert figures({})["metrics"] == {}


def test_bands_hold_the_mean_of_like_melodies_as_often_as_they_say() -> None:
    """Tunes of four alike melodies: without regard to tunes the bands would be about half as wide."""
    rng = np.random.default_rng(0)
    inside, widths = [], []
    for seed in range(60):
        values = np.repeat(rng.normal(size=(40, 1)), 4, axis=0)  # (160, 1)
        drawn = rng.normal(size=250).mean()
        (low,), (high,) = bands(
            {Emotion.E1: values}, {Emotion.E1: np.repeat(np.arange(40), 4)}, {Emotion.E1: 250}, seed=seed
        )["all"]
        inside.append(low <= drawn <= high)
        widths.append(high - low)
    assert np.mean(inside) > 0.85
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.sqrt(1 / 40 + 1 / 250), rel=0.1)


def test_bands_need_tunes_with_the_metric() -> None:
    values = np.stack([np.arange(8.0), np.where(np.arange(8) < FEWEST - 1, 1.0, np.nan)], 1)
    low, high = bands({Emotion.E4: values}, {Emotion.E4: np.arange(8)}, {Emotion.E4: 20})["e4"]
    assert low[0] < 3.5 < high[0]
    assert np.isnan([low[1], high[1]]).all()
    one_tune = bands({Emotion.E4: values}, {Emotion.E4: np.zeros(8, dtype=int)}, {Emotion.E4: 20})["e4"]
    assert np.isnan(one_tune).all()
    assert DRAWS >= 1000


def test_baselines_have_the_rhythm_of_the_given_chords() -> None:
    rng = np.random.default_rng(2)
    given = [random_harmony(rng, meter) for meter in Meter for _ in range(20)]
    tonic, first, second = always_tonic(given), random_diatonic(given), random_diatonic(given, seed=1)
    for baseline in (tonic, first):
        for one, other in zip(given, baseline, strict=True):
            assert one.melody == other.melody and one.mode == other.mode
            assert [(c.onset, c.duration) for c in one.chords] == [
                (c.onset, c.duration) for c in other.chords
            ]
    assert {c.chord.name() for h in tonic for c in h.chords if h.mode == "minor"} == {"Cm"}
    assert {c.chord.name() for h in tonic for c in h.chords if h.mode == "major"} == {"C"}
    for mode in ("major", "minor"):
        assert {c.chord for h in first for c in h.chords if h.mode == mode} == set(DIATONIC[mode])
        assert all(chord.function(mode) for chord in DIATONIC[mode])
    assert first == random_diatonic(given) != second


def test_agreement_by_hand() -> None:
    notes = "60 60 60 60 60 60"
    real = harmonised(notes, "C F G Am D7 -")
    ours = harmonised(notes, "C Dm Em Am G C")
    # Functions: T S D T –, and T S T T D; both have one at four beats of five with two chords.
    assert function_agreement([ours], [real]) == {
        "function": 3 / 4, "both": 4 / 5, "root": 2 / 5, "chord": 2 / 5
    }  # fmt: skip
    seventh = harmonised("60 60", "G7 C")
    found = function_agreement([seventh], [harmonised("60 60", "G C")])
    assert (found["root"], found["chord"], found["function"]) == (1, 0.5, 1)
    nothing = function_agreement([harmonised("60", "-")], [harmonised("60", "C")])
    assert set(nothing.values()) == {None}
    with pytest.raises(ValueError, match="same melodies"):
        function_agreement([harmonised("60 62", "C C")], [harmonised("60", "C")])


def test_agreement_is_by_the_mode_and_the_beat() -> None:
    # B flat has a function in C minor alone.
    major, minor = (harmonised("60", "Bb", mode=mode) for mode in ("major", "minor"))
    assert function_agreement([major, minor], [major, minor])["both"] == 0.5
    # In 6/8 the second of three quarter notes is no beat: C C | G instead of C G | G differ nowhere.
    first, second = (harmonised("60 60 60 60 60 60", c, meter=Meter.SIX_EIGHT, steps=2) for c in (
        "C C C G G G", "C G G G C C"))  # fmt: skip
    assert function_agreement([first], [second])["chord"] == 1


def test_the_agreement_of_the_block_is_that_of_the_given_chords() -> None:
    real = tunes(60, seed=1)
    found = figures(tunes(8, seed=2), reharmonised=real, perplexity=3.5)
    ours = found["agreement"]["generated"]
    assert (ours["function"], ours["root"], ours["chord"]) == (1, 1, 1)
    chords = [(c.chord, h.mode) for some in real.values() for h in some for c in h.chords]
    picardy = [chord.root == 0 and not chord.quality for chord, mode in chords if mode == "minor"]
    # A tonic with the major third has no function in minor.
    assert ours["both"] == pytest.approx(1 - sum(picardy) / len(chords)) and any(picardy)
    assert 0 < found["agreement"]["tonic"]["root"] < 0.5
    assert found["agreement"]["random"]["chord"] == pytest.approx(1 / 7, abs=0.05)
    assert found["perplexity"] == 3.5
    assert "generated" not in figures(tunes(8, seed=2))["agreement"]


def test_the_tables_mark_what_is_in_the_band() -> None:
    found = figures(tunes(80, seed=2), reharmonised=tunes(60, seed=1), perplexity=3.5)
    everything, by_emotion = harmony([{"name": "mine", "harmony": found, "deviation": None}])
    assert everything.columns[1:] == (
        "mine", "real held-out melodies", "band", "held-out melodies, own chords", "always the tonic",
        "random diatonic",
    )  # fmt: skip
    rows = {row[0]: row[1:] for row in everything.rows}
    ours, real, band, own, tonic, _ = rows["CC, chord coverage"]
    cell = found["metrics"]["all"]["cc"]
    assert ours == f"{cell['generated']:.2f}{GOOD}" and real == f"{cell['real']:.2f}"
    assert band == f"{cell['low']:.2f} … {cell['high']:.2f}" and tonic == f"1.00{BAD}"
    assert own.startswith(f"{cell['reharmonised']:.2f}")
    assert rows["perplexity of Bach's chords"] == ("3.50", "–", "–", "–", "–", "–")
    assert rows["figures in the band"][4] == "0.0%"
    assert everything.caption == CAPTION
    assert len(by_emotion.rows) == 4 * len(METRICS)
    assert [len(sheet.rows) for sheet in harmony([{"name": "other", "deviation": None}])] == [0, 0]


def test_the_tables_have_means_and_deviations_over_seeds() -> None:
    mean, deviation = over_seeds([figures(tunes(40, seed)) for seed in (2, 3)])
    (everything, _) = harmony([{"name": "mine", "harmony": mean, "deviation": {"harmony": deviation}}])
    cell = deviation["metrics"]["all"]["pcs"]["generated"]
    (pcs,) = (row[1] for row in everything.rows if row[0].startswith("PCS"))
    assert f" ± {cell:.3f}" in pcs and cell > 0


def test_the_block_is_in_the_report_the_json_and_the_csv(tmp_path: Path) -> None:
    some = two_of_each()
    evaluation = evaluate_generated(dataset(some), dataset(some), name="mine")
    found = evaluation.figures | {"harmony": figures(tunes(8, seed=2))}
    write_report(
        [replace(evaluation, figures=found)], np.arange(8) % 4, tmp_path / "report.html", heading="Mine"
    )
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<h2 id="harmony">Harmony</h2>') :].split("<h2")[1]
    assert "Do the chords fit the melody" in section and "``" not in section
    assert section.count("<table") == 2 and "CC, chord coverage" in section
    assert json.loads(json.dumps(found, allow_nan=False))["harmony"] == found["harmony"]
    assert "mine,harmony.metrics.all.cc.tonic,1.0," in to_csv([found])


def test_a_chord_that_no_scale_has_is_measured() -> None:
    odd = Harmonised(harmonised("60 62", "C C").melody, harmonised("-", "F#7 Bbm7b5").chords, "major")
    assert not np.isnan(metrics([odd])["mctd"]).any()
    assert Chord.parse("F#7").function("major") is None
