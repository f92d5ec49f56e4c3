"""``emoreg-va``: the model, how it draws, paths over the plane, and the installed command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run

from emomelody import midi
from emomelody.compose import closes
from emomelody.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.judges import label_by_rule, valence_and_arousal
from emomelody.melody import Melody, Note
from emomelody.tokens import HOLD, REST
from emomelody.trajectory import Trajectory, interpolate
from emomelody.va import EmoregVA, VAConfig, nucleus

SMALL = VAConfig(classes=7, embedding=8, encoder=6, decoder=10, condition=5, content=3)


def drawn(
    model: EmoregVA, count: int = 40, steps: int = 64
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Latents, noise and what was drawn."""
    rng = np.random.default_rng(0)
    z = torch.from_numpy(rng.standard_normal((count, 1, 5))).float().expand(-1, steps, -1)
    noise = torch.from_numpy(rng.gumbel(size=(count, steps, 7)))
    classes, _ = model.draw(z, noise, 0, *model.start(count), temperature=0.8, top_p=1.0)
    return z, noise, classes


def test_drawing_follows_the_logits_of_training() -> None:
    torch.manual_seed(0)
    model = EmoregVA(SMALL).eval()
    with torch.inference_mode():
        z, noise, classes = drawn(model)
        logits = model.decode(z[:, 0], model.before(classes)).double() / 0.8
    logits = logits.clone()
    logits[:, 0, -1] = -torch.inf
    after_rest = classes[:, :-1] == 5
    logits[:, 1:, -1][after_rest] = -torch.inf
    assert ((logits + noise).argmax(2) == classes).all()


def test_nothing_is_held_at_the_beginning_or_after_a_rest() -> None:
    torch.manual_seed(1)
    model = EmoregVA(SMALL).eval()
    with torch.no_grad():
        model.output.bias[-1] = 3  # a model that holds whenever it may
        _, _, classes = drawn(model)
    assert (classes[:, 0] != 6).all()
    assert not ((classes[:, :-1] == 5) & (classes[:, 1:] == 6)).any()
    assert (classes == 6).float().mean() > 0.5


def test_a_piece_can_be_drawn_in_parts() -> None:
    torch.manual_seed(2)
    model = EmoregVA(SMALL).eval()
    with torch.inference_mode():
        z, noise, whole = drawn(model, steps=80)
        previous, state = model.start(40)
        parts = []
        for first in (0, 64):
            part = slice(first, first + 64)
            made, state = model.draw(
                z[:, part], noise[:, part], first, previous, state, temperature=0.8, top_p=1.0
            )
            parts.append(made)
            previous = made[:, -1]
    assert (torch.cat(parts, 1) == whole).all()


def test_the_nucleus_by_hand() -> None:
    logits = torch.tensor([[0.5, 0.1, 0.3, 0.1]]).log()
    assert nucleus(logits, 0.5).softmax(1)[0].tolist() == pytest.approx([1, 0, 0, 0])
    assert nucleus(logits, 0.6).softmax(1)[0].tolist() == pytest.approx([0.625, 0, 0.375, 0])
    assert nucleus(logits, 1.0) is logits


def test_closes_by_hand() -> None:
    def ending(*last: int) -> list[int]:
        return [60, HOLD] * 8 + [62] * (16 - len(last)) + list(last)

    held = [HOLD] * 7
    rows = [
        ending(60, *held),  # a half note on the third beat, tonic
        ending(67, *held),  # dominant
        ending(62, *held),  # neither
        ending(60, *held[:-1], REST),  # not held to the end
        ending(60, *[HOLD] * 3),  # short, on the fourth beat
        ending(60, *[HOLD] * 9),  # long, off the beat
        [REST] * 32,
    ]
    assert closes(np.array(rows)).tolist() == [True, True, False, False, False, False, False]


def test_targets_agree_with_the_rule() -> None:
    some = [
        Melody(tuple(Note(4 * i, 4, 60 + p) for i, p in enumerate(pitches)))
        for pitches in ([0, 4, 7] * 4, [0, 3, 7] * 4, [0, 3, 7] * 2, [0, 4, 7] * 2)
    ]
    targets = valence_and_arousal(some)
    assert [Emotion.at(*target) for target in targets] == [label_by_rule(melody) for melody in some]
    assert targets[0].tolist() == pytest.approx([1 / 3, np.log2(12 / 10.5)])


def test_a_trajectory_is_straight_between_its_stops() -> None:
    trajectory = Trajectory.parse("sad@1 0.5,-1@3")
    assert trajectory.stops[0].emotion is Emotion.E3
    assert trajectory.stops[1].point == (0.5, -1)
    along = interpolate(trajectory.stops, np.array([[-1.0, -1], [1, 0]]), 4)
    assert along.shape == (64, 2)
    assert along[[0, 16, 32, 48, 63]].tolist() == [[-1, -1], [-1, -1], [0, -0.5], [1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sad", "is not an emotion or V,A at a bar"),
        ("sad@0", "needs two or more places"),
        ("sad@4 happy@4", "ascending bars"),
        ("sad@0 merry@8", "unknown emotion 'merry'"),
        ("sad@0 1.2.3,0@4", "is not a point"),
    ],
)
def test_paths_that_are_none(text: str, reason: str) -> None:
    with pytest.raises(EmomelodyError, match=reason):
        Trajectory.parse(text)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> Path:
    """A little trained, so that it does not keep silent."""
    from emomelody import train
    from emomelody.dataset import load

    folder = tmp_path_factory.mktemp("va")
    config = train.TrainConfig(model="emoreg-va", epochs=30, batch_size=8)
    train.Trainer(load(small_data), config).run(folder)
    return folder / "model.safetensors"


def test_melodies_have_the_length_asked_for(weights: Path, tmp_path: Path, run: Run) -> None:
    for bars in (1, 4, 6):
        run("sample", "-e", "happy", "-n", 2, "-m", weights, "--bars", bars, "-o", f"b{bars}", "--seed", 1)
        for path in (tmp_path / f"b{bars}").glob("*.mid"):
            assert midi.read(path).length == 4 * bars


def test_the_first_of_more_are_the_same(weights: Path, tmp_path: Path, run: Run) -> None:
    for count in (2, 70):
        run("sample", "-e", "sad", "-n", count, "-m", weights, "--seed", 5, "-o", f"n{count}")
    for name in ("sad-s5-000.mid", "sad-s5-001.mid"):
        assert (tmp_path / "n2" / name).read_bytes() == (tmp_path / "n70" / name).read_bytes()


def test_wrong_lengths_and_paths_are_one_line(weights: Path, run: Run) -> None:
    for arguments, reason in {
        ("-e", "sad", "--path", "sad@0 happy@2"): "one of them",
        ("--path", "sad@0 happy@4"): "the path goes on to bar 4, and there are 4 bars",
        ("--path", "sad@0 2,0@2"): "outside the plane",
        ("-e", "sad", "--top-p", "0"): "top-p 0 is outside",
        ("-e", "sad", "--top-p", "0.9", "-m", "base"): "--top-p needs --temperature",
        ("-e", "sad", "--bars", "8", "-m", "base"): "--bars, --path and --like need emoreg-va",
    }.items():
        model = () if "-m" in arguments else ("-m", weights)
        assert reason in run("sample", *arguments, *model, code=1).stderr


def song(path: Path, *semitones: int, key: int = 0) -> None:
    """Four bars of quarters in a major key, the tonic ``key`` semitones above C."""
    pitches = [60 + key + step for step in semitones]
    notes = tuple(Note(4 * i, 4, pitches[i % len(pitches)]) for i in range(16))
    midi.write(Melody(notes), path, name="song", mode="major")


def test_files_are_placed_and_varied(weights: Path, tmp_path: Path, run: Run) -> None:
    song(tmp_path / "one.mid", 0, 4, 7, 4)
    song(tmp_path / "two.mid", 0, 4, 7, 9)
    done = run("sample", "--like", "one.mid", "--like", "two.mid", "-m", weights)
    assert not (tmp_path / "samples").exists()
    for name in ("one.mid", "two.mid"):
        row = next(line.split() for line in done.stdout.splitlines() if name in line)
        valence, arousal, emotion = float(row[1]), float(row[2]), row[3]
        assert Emotion.at(valence, arousal) is Emotion.parse(emotion)
    for spread in (0, 0.5):
        arguments = ("-n", 4, "--seed", 1, "--spread", spread, "-o", f"s{spread}")
        done = run("sample", "--like", "one.mid", "-m", weights, *arguments)
        assert "one.mid" in done.stdout
        assert len(list((tmp_path / f"s{spread}").glob("*.mid"))) == 4
    for arguments, reason in {
        ("--like", "none.mid", "-m", str(weights)): "none.mid: No such file",
        ("--like", "one.mid", "-e", "sad", "-m", str(weights)): "one of them",
        ("--like", "one.mid", "-m", "base"): "without its label: use emoreg-va",
    }.items():
        assert reason in run("sample", *arguments, code=1).stderr


def test_evaluate_measures_paths(weights: Path, tmp_path: Path, run: Run, small_data: Path) -> None:
    done = run("evaluate", "-m", weights, "--data", small_data, "-n", 3, "--json", "f.json")
    (system,) = json.loads((tmp_path / "f.json").read_text())["systems"]
    path = system["path"]
    assert 0 <= path["both"] <= min(path["first"], path["last"]) <= 1
    assert path["closing"] > path["closing_real"]
    assert system["validity"]["hold_first"] == system["validity"]["hold_after_rest"] == 0
    assert "Sixteen bars from one emotion to another" in done.stdout
