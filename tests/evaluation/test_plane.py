"""Placement, the latent axes and the plane, checked by hand and with models of known behaviour."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation.labelled import reference_of, two_of_each

from emomelody.data.dataset import Split, load
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import Plane
from emomelody.emotions.plans import Plan
from emomelody.evaluation import plane
from emomelody.evaluation.emotion import Judges
from emomelody.evaluation.reference import DataSplit, ReferenceSet
from emomelody.music import features
from emomelody.music.tokens import REST, Tokens
from emomelody.training.config import TrainConfig
from emomelody.training.trainer import Trainer
from emomelody.weights.checkpoint import Checkpoint, bundled_weights, load_checkpoint


def test_placement_has_wilsons_interval(small_data: Path, tmp_path: Path) -> None:
    data, config = load(small_data), TrainConfig(model="emoreg", epochs=1, split=Split.RANDOM, seed=5)
    checkpoint = Trainer([data], config, tmp_path).run(tmp_path)
    reference = ReferenceSet(data, DataSplit.of(data, checkpoint))
    # 7 of 8 happy ones in Q1, 0 of 8 angry, all sad and relaxed. Wilson's interval is
    # (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n).
    means = np.zeros((40, 2))
    for emotion in Emotion:
        chosen = np.flatnonzero(reference.seen & (data.labels == emotion.index))
        means[chosen] = (emotion.valence, emotion.arousal)
        if emotion in (Emotion.E1, Emotion.E2):
            means[chosen[: 1 if emotion is Emotion.E1 else None]] = (1, -1)
    placed = plane.evaluate_placement(checkpoint, reference, means)["training"]
    assert (placed["e1"], placed["e2"], placed["e3"], placed["e4"], placed["mean"]) == (
        0.875,
        0,
        1,
        1,
        0.71875,
    )
    z, n, p = 1.959964, 8, 0.875
    middle, reach = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    ends = [(middle + sign * reach) / (1 + z * z / n) for sign in (-1, 1)]
    assert placed["interval"]["e1"] == pytest.approx(ends, abs=1e-5)
    all_right = 1 / (1 + z * z / n)  # Wilson's lower end for 8 of 8
    low = 0.71875 - ((0.875 - ends[0]) ** 2 + 2 * (1 - all_right) ** 2) ** 0.5 / 4
    assert placed["interval"]["mean"][0] == pytest.approx(low, abs=1e-5)


def test_a_run_knows_its_own_data(small_data: Path, tmp_path: Path) -> None:
    data, config = load(small_data), TrainConfig(model="emoreg", epochs=1, split=Split.RANDOM, seed=5)
    checkpoint = Trainer([data], config, tmp_path).run(tmp_path)
    reference = ReferenceSet(data, DataSplit.of(data, checkpoint))
    placed = plane.evaluate_placement(checkpoint, reference, plane.latent_means(checkpoint, data))
    assert placed["training"]["examples"] == 32
    assert placed["held_out"]["examples"] == 8
    for side in ("training", "held_out"):
        rounded = {e.code: round(placed[side][e.code], 4) for e in Emotion}
        assert rounded == checkpoint.training[f"placement_{side}"]
    judges = Judges(reference, None)
    assert judges.judged_on["melodies"] == 8
    assert "needs 5 melodies" in judges.judged_on["no_classifier"]


@pytest.mark.slow
def test_listeners_hear_the_requested_arousal_of_the_bundled_weights() -> None:
    checkpoint = load_checkpoint(bundled_weights()["emoreg-va"])
    figures, _ = plane.evaluate_plane(checkpoint, checkpoint.styles[0])
    assert figures["heard_arousal"] > 0.93
    assert figures["heard_valence"] > 0.65
    assert figures["arousal"] > 0.97
    assert figures["valence"] > 0.965


def test_an_ideal_latent_space() -> None:
    reference = reference_of(two_of_each())
    majorness, onsets = features.majorness(reference.table), features.column(reference.table, "onsets")
    r2 = np.corrcoef(majorness, onsets)[0, 1] ** 2
    ideal = plane.evaluate_latent_space(reference, np.stack([majorness, np.exp(onsets / 9)], 1))
    assert ideal["valence"] == pytest.approx(1)
    assert ideal["arousal"] == pytest.approx(1)
    assert ideal["sap"] == pytest.approx(1 - r2, abs=0.05)
    assert plane.evaluate_latent_space(reference, np.stack([onsets, onsets], 1))["sap"] == pytest.approx(0)


@pytest.mark.parametrize(("blind", "least", "most"), [(False, 0.85, 1.0), (True, 0.0, 0.0)])
def test_the_plane_of_an_obedient_and_of_a_blind_model(
    blind: bool, least: float, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An obedient one decodes more notes for arousal, and more major thirds for valence."""

    def decode(_checkpoint: Checkpoint, plans: list[Plan], *_: Any, **_named: Any) -> Tokens:
        tokens = np.full((len(plans), 64), REST)
        for row, plan in zip(tokens, plans, strict=True):
            valence, arousal = plan.points[0].tolist()
            count = 12 if blind else round(11 + 10 * arousal)
            major = 6 if blind else round(count * (1 + valence) / 2)
            row[: 2 * major : 2] = 64
            row[2 * major : 2 * count : 2] = 63
        return tokens

    monkeypatch.setattr(plane, "decode", decode)
    loaded = load_checkpoint(bundled_weights()["emoreg"])
    checkpoint = replace(loaded, plane=Plane((1.0, 1.0), loaded.plane.regions))
    figures, grid = plane.evaluate_plane(checkpoint, None)
    for name in ("arousal", "arousal_high", "arousal_low", "valence", "valence_high", "valence_low"):
        assert least <= figures[name] <= most + 1e-9, name
    assert grid.onsets[0, 0] == (12 if blind else 1)
    assert grid.onsets[-1, 0] == (12 if blind else 21)
    assert (figures["far_as_requested"] > 0.95) is not blind
    assert figures["silent"] == 0
