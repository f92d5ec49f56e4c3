"""``emoreg-va``: the model, how it draws, paths over the plane, and the installed command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run

from emomelody.data.dataset import Dataset, load
from emomelody.evaluation import paths
from emomelody.evaluation.reference import DataSplit, ReferenceSet
from emomelody.models.checkpoint import load_checkpoint
from emomelody.models.emoreg_va import LEAST_RANGE, EmoregVA, VAConfig, staff_heights
from emomelody.music.melody import Melody, Note
from emomelody.music.tokens import Vocabulary, to_tokens
from emomelody.training import examples, trainer
from emomelody.training.config import TrainConfig
from emomelody.training.recipes import Examples, VARecipe

SMALL = VAConfig(classes=7, embedding=8, encoder=6, decoder=10, condition=5, content=3)


def test_training_begins_where_the_melody_before_ends() -> None:
    torch.manual_seed(4)
    model = EmoregVA(SMALL).eval()
    none = torch.full((1, 64), -1)
    batch = Examples(
        classes=torch.randint(0, 7, (2, 64)),
        labels=torch.zeros(2, dtype=torch.int64),
        targets=torch.zeros(2, 2),
        preceding=torch.cat([torch.randint(0, 7, (1, 64)), none]),
    )
    previous, state = VARecipe().initial_context(model, batch, torch.ones(2, dtype=torch.bool))
    z, _ = model.encode(batch.preceding[:1])
    assert previous.tolist() == [batch.preceding[0, -1], 7]  # 7: nothing
    torch.testing.assert_close(state[0], model.states(z, model.previous_tokens(batch.preceding[:1]))[-1, 0])
    assert not state[1].any()


def test_a_held_out_melody_is_no_context() -> None:
    tokens = np.full((4, 64), 60)
    tokens[:, 0] = 61, 62, 63, 64
    labels, before = np.zeros(4, dtype=np.int64), np.array([-1, 0, 1, 2])  # one piece
    files = tuple(Path(f"{n}.mid") for n in range(4))
    dataset = Dataset(tokens, labels, labels, files, None, None, before, ())
    chosen = np.array([True, True, False, True])
    preceding = examples.preceding_classes(tokens[chosen], dataset, chosen)
    assert preceding[:, 0].tolist() == [-1, 61, -1]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> Path:
    """A little trained, so that it does not keep silent."""
    folder = tmp_path_factory.mktemp("va")
    config = TrainConfig(model="emoreg-va", epochs=30, batch_size=8)
    trainer.Trainer(load(small_data), config, small_data).run(folder)
    return folder / "model.safetensors"


def test_content_hears_neither_mode_nor_density() -> None:
    """The outline of a melody is that of its minor version, and of one with every note struck twice."""
    pitches = tuple(range(55, 80))
    model = EmoregVA(VAConfig(classes=len(pitches) + 2))
    model.heights[:-2] = torch.tensor(staff_heights(pitches))
    vocabulary = Vocabulary(pitches)
    assert staff_heights([83, 84, 75, 76]) == pytest.approx([-0.003, 0.14, -0.574, -0.574], abs=1e-3)
    major = [60, 64, 65, 69, 71, 72, 76, 74] * 2
    minor = [{64: 63, 69: 68, 71: 70, 76: 75}.get(pitch, pitch) for pitch in major]

    def outline(pitches: list[int], strikes: int) -> torch.Tensor:
        length = 4 // strikes
        notes = (Note(4 * i + length * k, length, p) for i, p in enumerate(pitches) for k in range(strikes))
        classes, _ = vocabulary.encode(to_tokens(Melody(tuple(notes)))[None])
        return model.outline(torch.from_numpy(classes))

    expected = outline(major, 1)
    heights = np.array([0, 3, 5.5, 7.5] * 2) / 7  # on the staff, from the middle between C and E
    shape = (heights - heights.mean()) / (heights.std(ddof=1) + LEAST_RANGE)
    assert expected[0, 1:9].tolist() == pytest.approx(shape.tolist(), abs=1e-5)
    assert (expected[0, 9:] == 0).all()  # two notes in each half bar
    assert torch.equal(expected, outline(minor, 1))
    assert torch.equal(expected, outline(major, 2))


def test_melodies_that_stay_as_they_are_were_not_transferred(
    weights: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, dataset = load_checkpoint(weights), load(small_data)
    real = ReferenceSet(dataset, DataSplit.of(dataset, checkpoint))
    originals = dataset.tokens[real.held_out]
    monkeypatch.setattr(paths, "decode", lambda *_arguments, **_content: originals)
    figures = paths.evaluate_transfer(checkpoint, real)
    assert figures["contour"] == figures["contour_own"] == pytest.approx(1)
    assert figures["contour_random"] < 0.5
    assert figures["as_requested"] < 0.1  # the labels are almost always the rule's


def test_evaluate_measures_paths(weights: Path, tmp_path: Path, run: Run, small_data: Path) -> None:
    done = run("evaluate", "-v", "-m", weights, "--data", small_data, "-n", 3, "--json", "f.json")
    (system,) = json.loads((tmp_path / "f.json").read_text())["systems"]
    path = system["path"]
    assert 0 <= path["both"] <= min(path["first"], path["last"]) <= 1
    assert path["closing"] > path["closing_real"]
    assert system["validity"]["hold_first"] == system["validity"]["hold_after_rest"] == 0
    assert "both ends as requested" in done.stdout
    assert "Sixteen bars from one emotion to another" in done.stdout
    assert "Real melodies in another emotion" in done.stdout
