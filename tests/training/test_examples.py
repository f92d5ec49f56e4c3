"""Batches, targets, and the melody before each in its piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run
from songs import G_MAJOR, write_song

from emomelody.data.dataset import Dataset, load
from emomelody.music.emotion import Emotion
from emomelody.music.tokens import Vocabulary
from emomelody.training.examples import make_examples, preceding

CPU = torch.device("cpu")


def test_a_held_out_melody_is_no_context() -> None:
    tokens = np.full((4, 64), 60)
    tokens[:, 0] = 61, 62, 63, 64
    labels, previous = np.zeros(4, dtype=np.int64), np.array([-1, 0, 1, 2])  # one piece
    files = tuple(Path(f"{n}.mid") for n in range(4))
    dataset = Dataset(tokens, labels, labels, files, None, None, previous, ())
    chosen = np.array([True, True, False, True])
    assert preceding(dataset, chosen).tolist() == [-1, 0, -1]
    examples = make_examples(dataset, chosen, Vocabulary.of(tokens), CPU, continuous=False)
    assert examples.preceding[:, 0].tolist() == [-1, examples.classes[0, 0], -1]
    assert torch.equal(examples.preceding_attributes[1], examples.attributes[0])
    assert not examples.preceding_attributes[[0, 2]].any()


def test_targets_are_the_signs_of_the_label_or_measured(small_data: Path) -> None:
    dataset = load(small_data)
    everything, vocabulary = np.ones(len(dataset), dtype=bool), Vocabulary.of(dataset.tokens)
    signs, measured = (
        make_examples(dataset, everything, vocabulary, CPU, continuous=continuous).targets.numpy()
        for continuous in (False, True)
    )
    emotions = [list(Emotion)[label] for label in dataset.labels]
    assert signs.tolist() == [[emotion.valence, emotion.arousal] for emotion in emotions]
    # Sixteen quarter notes or eight half notes: octaves above and below the rule's threshold of 10.5.
    expected = [np.log2((16 if emotion.arousal > 0 else 8) / 10.5) for emotion in emotions]
    np.testing.assert_allclose(measured[:, 1], expected, rtol=1e-6)
    assert (np.abs(measured[:, 0]) > 0).all()


def test_points_of_the_manifest_are_targets_of_the_continuous_kind_alone(tmp_path: Path, run: Run) -> None:
    for name in ("given", "neutral", "e3/sad", "measured"):
        write_song(tmp_path / "songs" / f"{name}.mid", G_MAJOR * 2, tempos={0: 60})
    (tmp_path / "labels.csv").write_text("file,valence,arousal\ngiven.mid,-0.5,0.75\nneutral.mid,0,-0.1\n")
    run("preprocess", "songs", "--labels", "labels.csv", "--arousal", "time")
    dataset = load(tmp_path / "data")
    everything, vocabulary = np.ones(len(dataset), dtype=bool), Vocabulary.of(dataset.tokens)
    signs, numbers = (
        make_examples(dataset, everything, vocabulary, CPU, continuous=continuous).targets.tolist()
        for continuous in (False, True)
    )
    names = [path.stem.removesuffix("-b001") for path in dataset.files]
    assert dict(zip(names, signs, strict=True)) == {
        "given": [-1, 1],
        "neutral": [1, -1],
        "sad": [-1, -1],
        "measured": [1, -1],
    }
    # C D E F G F E D, 16 onsets: in four bars at 120 BPM, or for the rule in 16 seconds.
    assert dict(zip(names, numbers, strict=True)) == {
        "given": [-0.5, 0.75],
        "neutral": pytest.approx([0, -0.1]),
        "sad": pytest.approx([0.25, np.log2(16 / 10.5)]),
        "measured": pytest.approx([0.25, np.log2(8 / 10.5)]),
    }


def test_batches_are_all_examples_in_the_generators_order(small_data: Path) -> None:
    dataset = load(small_data)
    everything, vocabulary = np.ones(len(dataset), dtype=bool), Vocabulary.of(dataset.tokens)
    examples = make_examples(dataset, everything, vocabulary, CPU, continuous=False)
    plain = torch.cat([batch.classes for batch in examples.batches(16)])
    assert torch.equal(plain, examples.classes)
    shuffled = list(examples.batches(16, torch.Generator().manual_seed(3)))
    assert [len(batch) for batch in shuffled] == [16, 16, 8]
    order = torch.randperm(40, generator=torch.Generator().manual_seed(3))
    assert torch.equal(torch.cat([batch.classes for batch in shuffled]), examples.classes[order])
