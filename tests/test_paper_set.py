"""Against the paper's own training set, where it is present: what was made from it, and what we make."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Run

from emomelody import midi
from emomelody.dataset import Split, load
from emomelody.emotion import Emotion
from emomelody.features import METRIC_NAMES
from emomelody.paper import METRICS
from emomelody.preprocess import MAX_CALM_ONSETS
from emomelody.tokens import HOLD, REST, Vocabulary, from_tokens, to_tokens


def test_it_is_the_set_that_the_paper_describes(paper_set: Path) -> None:
    dataset = load(paper_set)
    assert np.bincount(dataset.labels).tolist() == [80, 79, 93, 92]
    assert len(Vocabulary.of(dataset.tokens)) == 31
    assert int(dataset.split(Split.RANDOM, 0).sum()) == 69


def test_every_melody_survives_a_round_trip(paper_set: Path, tmp_path: Path) -> None:
    for tokens in load(paper_set).tokens:
        midi.write(from_tokens(tokens), tmp_path / "a.mid", name="a")
        assert (to_tokens(midi.read_melody(tmp_path / "a.mid")) == tokens).all()


def test_the_papers_training_column(paper_set: Path, tmp_path: Path, run: Run) -> None:
    """Table 3's last column; the paper took at most 79 files per emotion, we take all of them."""
    run("evaluate", "--generated", paper_set, "--data", paper_set, "--json", "f.json")
    cells = json.loads((tmp_path / "f.json").read_text())["metrics"]["cells"]
    for name in METRIC_NAMES:
        for emotion in Emotion:
            mean, deviation = METRICS[name]["training"][emotion.index]
            ours = cells[name][emotion.code]["generated"]
            # Of e1 one file and of e2 none was left out, of e3 and e4 some 14: what that changes is small.
            tolerance = 0.15 * deviation if emotion in (Emotion.E3, Emotion.E4) else 0.02 * deviation
            assert ours["mean"] == pytest.approx(mean, abs=max(tolerance, 0.0051))


@pytest.mark.slow
def test_preprocess_makes_the_published_melodies(paper_set: Path, tmp_path: Path, run: Run) -> None:
    run("preprocess", "--windows", "first")
    ours, published = load(tmp_path / "data"), load(paper_set)
    labels: dict[bytes, set[int]] = {}
    for tokens, label in zip(ours.tokens, ours.labels, strict=True):
        labels.setdefault(tokens.tobytes(), set()).add(int(label))
    found = [
        (tokens, int(expert), labels[tokens.tobytes()])
        for tokens, expert in zip(published.tokens, published.labels, strict=True)
        if tokens.tobytes() in labels
    ]
    assert len(found) >= 340
    assert np.mean([rule == {expert} for _, expert, rule in found]) >= 0.87
    # The thresholds of the rule, against those on either side of them.
    arousal = np.array([list(Emotion)[expert].arousal > 0 for _, expert, _ in found])
    onsets = np.array([((tokens != REST) & (tokens != HOLD)).sum() for tokens, _, _ in found])
    agreement = {bar: (arousal == (onsets > bar)).mean() for bar in range(7, 15)}
    assert max(agreement, key=agreement.__getitem__) == MAX_CALM_ONSETS
