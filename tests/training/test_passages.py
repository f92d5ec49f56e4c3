"""Whole tunes as examples: what a passage says of its tune, and which tokens are its targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run
from songs import G_MAJOR, write_song

from emomelody.data.dataset import Dataset, load, tunes_of
from emomelody.emotions.attributes import measure
from emomelody.music.form import Form
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import HOLD, REST, Vocabulary
from emomelody.training.passages import PassageExamples, make_passages
from emomelody.training.processes import ProcessGroup

CPU = torch.device("cpu")
BARS = 27  # of the long tune: six complete windows and one of three bars
LABELS = np.array([0, 1, 2, 3, 0, 1, 2, 1, 3])


def bar_of(pitches: tuple[int, int, int, int]) -> list[int]:
    return [token for pitch in pitches for token in (pitch, HOLD, HOLD)]


def tunes() -> Dataset:
    """In 6/8: a tune of 27 bars in seven windows, and one of eight bars; bars 24 and 25 repeat 8 and 9."""
    rng = np.random.default_rng(0)
    bars = [bar_of(tuple(rng.integers(60, 73, 4))) for _ in range(BARS + 8)]
    bars[1] = bars[0]
    bars[24:26] = bars[8:10]
    bars[BARS:BARS] = [[REST] * 12]  # after the end of the long tune
    tokens = np.array(bars).reshape(9, 48)
    return Dataset(
        tokens,
        LABELS,
        np.array([0] * 7 + [1] * 2),
        tuple(Path(f"{number}.mid") for number in range(9)),
        None,
        None,
        np.array([-1, 0, 1, 2, 3, 4, 5, -1, 7]),
        (),
        meter=Meter.SIX_EIGHT,
        style=Style.FOLK,
        remaining=np.array([27, 23, 19, 15, 11, 7, 3, 8, 4]),
    )


def parts_of(dataset: Dataset, chosen: list[int] | None = None) -> dict[int, PassageExamples]:
    """The passages by their number of windows."""
    mask = np.isin(np.arange(len(dataset)), range(len(dataset)) if chosen is None else chosen)
    found = make_passages(dataset, mask, Vocabulary.of(dataset.tokens), CPU)
    parts = {part.labels.shape[1]: part for part in found}
    assert len(parts) == len(found)
    return parts


def by_loops(dataset: Dataset, tune: list[int], windows: slice) -> dict[str, list[int]]:
    """Fields of the passage of these windows of a tune, bar by bar."""
    vocabulary, bar = Vocabulary.of(dataset.tokens), dataset.meter.bar
    classes = vocabulary.encode(dataset.tokens[tune].ravel())[0].tolist()
    form = Form.of(dataset.tokens[tune].ravel(), bar)
    none, repeated = len(vocabulary), []
    numbers = range(4 * len(tune))[4 * windows.start : 4 * windows.stop]
    for number in numbers:
        lag = int(form.lags[number])
        start = (number - lag) * bar
        repeated += classes[start : start + bar] if lag else [none] * bar
    return {
        "classes": classes[numbers[0] * bar : (numbers[-1] + 1) * bar],
        "first": [classes[numbers[0] * bar - 1] if windows.start else none],
        "repeated": repeated,
        "kinds": [int(form.kinds[number]) for number in numbers],
        "labels": dataset.labels[tune][windows].tolist(),
    }


def test_passages_of_two_tunes() -> None:
    dataset = tunes()
    parts = parts_of(dataset)
    assert {windows: len(part) for windows, part in parts.items()} == {2: 1, 3: 1, 4: 1}
    long, short = list(range(7)), [7, 8]
    for windows, tune, place in ((4, long, slice(0, 4)), (3, long, slice(4, 7)), (2, short, slice(0, 2))):
        part = parts[windows]
        for name, expected in by_loops(dataset, tune, place).items():
            assert getattr(part, name).ravel().tolist() == expected, (windows, name)
        assert part.meter is Meter.SIX_EIGHT
        assert part.styles.tolist() == [list(Style).index(Style.FOLK)]
    # The end of the long tune repeats bars of its first passage.
    form = Form.of(dataset.tokens[:7].ravel(), 12)
    assert form.lags[24:26].tolist() == [16, 16]
    assert parts[4].elapsed.tolist() == [list(range(16))]
    assert parts[4].remaining.tolist() == [[17] * 11 + [16, 15, 14, 13, 12]]
    assert parts[3].elapsed.tolist() == [[16] * 12]
    assert parts[3].remaining.tolist() == [[11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]
    assert parts[3].within.tolist() == [[True] * 11 + [False]]
    assert parts[3].whole.tolist() == [[True, True, False]]
    assert parts[2].remaining.tolist() == [[8, 7, 6, 5, 4, 3, 2, 1]]


def test_attributes_are_those_of_complete_windows() -> None:
    dataset = tunes()
    minor = np.isin(dataset.labels, (1, 2))  # angry and sad
    expected = measure(dataset.tokens, minor, dataset.meter).astype(np.float32)
    parts = parts_of(dataset)
    assert (parts[4].attributes[0].numpy() == expected[:4]).all()
    assert (parts[3].attributes[0, :2].numpy() == expected[4:6]).all()
    assert not parts[3].attributes[0, 2].any()


def test_a_gap_ends_a_tune_and_held_out_melodies_are_no_context() -> None:
    dataset = tunes()
    parts = parts_of(dataset, [0, 1, 3, 4, 5, 6, 8])
    assert {windows: len(part) for windows, part in parts.items()} == {1: 1, 2: 1, 4: 1}
    for name, expected in by_loops(dataset, [3, 4, 5, 6], slice(0, 4)).items():
        assert getattr(parts[4], name).ravel().tolist() == expected, name
    assert parts[4].first.tolist() == [len(Vocabulary.of(dataset.tokens))]
    assert parts[4].kinds[0, 12:14].tolist() == [1, 1]  # what they repeat exactly is in the gap
    assert parts[4].elapsed.tolist() == [list(range(16))]  # since the gap
    assert parts[4].remaining[0, -4:].tolist() == [3, 2, 1, 0]  # of the whole tune


def test_windows_of_a_tune_of_unknown_length_are_the_whole() -> None:
    dataset = replace(tunes(), remaining=None)
    parts = parts_of(dataset)
    assert parts[4].remaining.tolist() == [[17] * 12 + [16, 15, 14, 13]]
    assert parts[3].remaining.tolist() == [list(range(12, 0, -1))]
    assert parts[3].within.all()
    assert parts[2].elapsed.tolist() == [list(range(8))]


def test_a_repeated_bar_before_the_passage_is_that_bar() -> None:
    dataset = tunes()
    part, first = parts_of(dataset)[3], parts_of(dataset)[4]
    repeated = part.repeated.unflatten(1, (12, 12))  # (1, bars, steps)
    bars = first.classes.unflatten(1, (16, 12))
    assert torch.equal(repeated[0, 8:10], bars[0, 8:10])
    assert part.kinds[0, 8:10].tolist() == [3, 3]


def test_batches_and_shards_have_whole_passages() -> None:
    dataset = tunes()
    part = parts_of(dataset)[4]
    many = part[torch.zeros(13, dtype=torch.int64)]
    assert [len(batch) for batch in many.batches(20)] == [5, 5, 3]
    assert [len(batch) for batch in many.batches(3)] == [1] * 13
    chosen = many.shuffled(20, torch.Generator().manual_seed(1))
    order = torch.randperm(13, generator=torch.Generator().manual_seed(1))
    assert torch.equal(torch.cat(chosen), order)
    shards = [many.shard(ProcessGroup(rank, 2)) for rank in range(2)]
    assert [len(shard) for shard in shards] == [7, 6]
    assert shards[1].attributes.shape == (6, *many.attributes.shape[1:])


def test_targets_are_points_or_measured(tmp_path: Path, run: Run) -> None:
    for name in ("given", "neutral", "e3/sad", "measured"):
        write_song(tmp_path / "songs" / f"{name}.mid", G_MAJOR * 2, tempos={0: 60})
    (tmp_path / "labels.csv").write_text("file,valence,arousal\ngiven.mid,-0.5,0.75\nneutral.mid,0,-0.1\n")
    run("preprocess", "songs", "--labels", "labels.csv", "--arousal", "time")
    dataset = load(tmp_path / "data")
    targets = parts_of(dataset)[1].targets[:, 0].tolist()
    order = [tune[0] for tune in tunes_of(dataset, np.ones(len(dataset), dtype=bool))]
    names = [dataset.files[number].stem.removesuffix("-b001") for number in order]
    # C D E F G F E D, 16 onsets: in four bars at 120 BPM, or for the rule in 16 seconds.
    assert dict(zip(names, targets, strict=True)) == {
        "given": [-0.5, 0.75],
        "neutral": pytest.approx([0, -0.1]),
        "sad": pytest.approx([0.25, np.log2(16 / 10.5)]),
        "measured": pytest.approx([0.25, np.log2(8 / 10.5)]),
    }
