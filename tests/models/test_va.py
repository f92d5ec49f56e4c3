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
from emomelody.formats import midi
from emomelody.models.checkpoint import bundled_weights, load_checkpoint
from emomelody.models.emoreg_va import LEAST_RANGE, EmoregVA, VAConfig, staff_heights
from emomelody.music import features
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody, Note
from emomelody.music.rule import label_by_rule
from emomelody.music.tokens import HOLD, REST, Vocabulary, to_tokens
from emomelody.performance.piece import arrange
from emomelody.sampling.candidates import has_closing_note
from emomelody.sampling.decoder import Decoder, choose, nucleus
from emomelody.sampling.sampler import encode_melody
from emomelody.training import examples, trainer
from emomelody.training.config import TrainConfig
from emomelody.training.recipes import Examples, VARecipe

SMALL = VAConfig(classes=7, embedding=8, encoder=6, decoder=10, condition=5, content=3)


def drawn(
    model: EmoregVA, count: int = 40, steps: int = 64
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Latents, uniforms and what was drawn."""
    rng = np.random.default_rng(0)
    z = torch.from_numpy(rng.standard_normal((count, 1, 5))).float().expand(-1, steps, -1)
    uniforms = torch.from_numpy(rng.random((count, steps), dtype=np.float32))
    classes, _ = drawer(model).draw(z, uniforms, 0, *model.initial_state(count))
    return z, uniforms, classes


def drawer(model: EmoregVA) -> Decoder:
    return Decoder(model, temperature=0.8, top_p=1.0)


def test_drawing_follows_the_logits_of_training() -> None:
    torch.manual_seed(0)
    model = EmoregVA(SMALL).eval()
    with torch.inference_mode():
        z, uniforms, classes = drawn(model)
        logits = model.decode(z[:, 0], model.previous_tokens(classes)).double() / 0.8
    shares = _allowed(logits, classes).softmax(2)
    # The chance lies between what the classes before the drawn one reach together, and what it reaches.
    reached = shares.cumsum(2).gather(2, classes[..., None])[..., 0]
    share = shares.gather(2, classes[..., None])[..., 0]
    assert (share > 0).all()
    assert (uniforms < reached + 1e-5).all()
    assert (uniforms >= reached - share - 1e-5).all()


def test_draws_have_the_shares_of_the_softmax() -> None:
    logits = torch.tensor([0.5, 0.2, 0.0, 0.3]).log().expand(40_000, -1)
    chosen = choose(logits, torch.rand(40_000, generator=torch.Generator().manual_seed(0)))
    shares = torch.bincount(chosen, minlength=4) / 40_000
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.2, 0.0, 0.3]), atol=0.01, rtol=0)
    nearly_one = torch.full((3,), 1 - 2**-24)  # the greatest chance there is
    assert choose(torch.tensor([[0.1, 0.3, -torch.inf]] * 3), nearly_one).tolist() == [1, 1, 1]


def test_a_path_is_drawn_by_the_latent_of_each_step() -> None:
    torch.manual_seed(5)
    model, count = EmoregVA(SMALL).eval(), 40
    with torch.inference_mode():
        z, uniforms, still = drawn(model)
        turning = torch.cat([z[:, :24], -z[:, 24:]], 1)
        moved, _ = drawer(model).draw(turning, uniforms, 0, *model.initial_state(count))
        assert (moved[:, :24] == still[:, :24]).all()
        assert (moved != still).any()
        # From the turn on every step is told the other latent, within the bar too.
        state = model.states(z[:, 0], model.previous_tokens(moved))[23]
        _, after = drawer(model).draw(-z[:, 24:25], uniforms[:, 24:25], 24, moved[:, 23], state)
        _, expected = drawer(model).draw(turning[:, :25], uniforms[:, :25], 0, *model.initial_state(count))
    torch.testing.assert_close(after, expected)


def _allowed(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Without a hold at the beginning and after a rest."""
    logits = logits.clone()
    logits[:, 0, -1] = -torch.inf
    logits[:, 1:, -1][classes[:, :-1] == 5] = -torch.inf
    return logits


def test_training_goes_on_as_drawing_does() -> None:
    torch.manual_seed(3)
    model = EmoregVA(SMALL).eval()
    with torch.inference_mode():
        z, uniforms, whole = drawn(model, steps=128)
        first, second = whole.split(64, 1)
        state = model.states(z[:, 0], model.previous_tokens(first))[-1]
        last = model.states(z[:, 0], model.previous_tokens(second, first[:, -1]), state)[-1]
        _, expected = drawer(model).draw(z, uniforms, 0, *model.initial_state(40))
    torch.testing.assert_close(last, expected)


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
        z, uniforms, whole = drawn(model, steps=80)
        previous, state = model.initial_state(40)
        parts = []
        for first in (0, 64):
            part = slice(first, first + 64)
            made, state = drawer(model).draw(z[:, part], uniforms[:, part], first, previous, state)
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
    assert has_closing_note(np.array(rows)).tolist() == [True, True, False, False, False, False, False]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, small_data: Path) -> Path:
    """A little trained, so that it does not keep silent."""
    folder = tmp_path_factory.mktemp("va")
    config = TrainConfig(model="emoreg-va", epochs=30, batch_size=8)
    trainer.Trainer(load(small_data), config, small_data).run(folder)
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
        ("-e", "sad", "--top-p", "0"): "top-p 0 leaves no token",
        ("-e", "sad", "--top-p", "0.9", "-m", "base"): "--top-p needs --temperature",
        ("-e", "sad", "--bars", "8", "-m", "base"): "--bars, --path and --like need emoreg-va",
    }.items():
        model = () if "-m" in arguments else ("-m", weights)
        assert reason in run("sample", *arguments, *model, code=1).stderr


def song(path: Path, *semitones: int, key: int = 0) -> None:
    """Four bars of quarters in a major key, the tonic ``key`` semitones above C."""
    pitches = [60 + key + step for step in semitones]
    notes = tuple(Note(4 * i, 4, pitches[i % len(pitches)]) for i in range(16))
    midi.write(arrange(Melody(notes), title="song", emotion=Emotion.E1), path)


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
        index = json.loads((tmp_path / f"s{spread}" / "samples.json").read_text())
        assert (index["like"]["file"], index["spread"], index["bars"]) == ("one.mid", spread, 4)
        samples = index["samples"]
        assert len({tuple(sample["latent"]) for sample in samples}) == (4 if spread else 1)
        for sample in samples:
            assert Emotion.at(*sample["latent"]) is Emotion.parse(sample["emotion"])
            assert sample["files"][0].startswith(sample["emotion"])
    for way in (("--point", 0.5, 0.5), ("--path", "sad@0 happy@3", "--bars", 6), ("-e", "sad", "--bars", 2)):
        run("sample", "--like", "one.mid", "-m", weights, *way, "-o", f"way{way[0]}")
        assert list((tmp_path / f"way{way[0]}").glob("*.mid"))
    assert run("sample", "--like", "one.mid", "--like", "one.mid", "-m", weights).stdout.count("one.mid") == 2
    assert not (tmp_path / "samples").exists()
    for arguments, reason in {
        ("--like", "none.mid", "-m", str(weights)): "none.mid: No such file",
        ("--like", "one.mid", "--like", "two.mid", "-e", "sad"): "several pieces are only placed",
        ("-e", "sad", "--spread", "0.2"): "it needs --like",
        ("--like", "one.mid", "-m", "base"): "without its label: use emoreg-va",
    }.items():
        assert reason in run("sample", *arguments, code=1).stderr


def test_a_piece_in_another_octave_lies_where_it_lay() -> None:
    checkpoint = load_checkpoint(bundled_weights()["emoreg-va"])
    melody = Melody(tuple(Note(4 * i, 4, 60 + p) for i, p in enumerate([0, 2, 4, 5, 7, 5, 4, 2] * 2)))
    low = Melody(tuple(Note(n.onset, n.duration, n.pitch - 36) for n in melody.notes))
    high = Melody(tuple(Note(n.onset, n.duration, n.pitch + 12) for n in low.notes))
    assert (
        encode_melody(checkpoint, low) == encode_melody(checkpoint, high)
    ).all()  # both are lifted to where all is known


def test_pieces_that_cannot_be_placed_are_listed_after_the_others(
    weights: Path, tmp_path: Path, run: Run
) -> None:
    song(tmp_path / "one.mid", 0, 4, 7, 4)
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    done = run("sample", "--like", "bad.mid", "--like", "one.mid", "-m", weights, code=1)
    assert "one.mid" in done.stdout
    assert "bad.mid: " in done.stderr
    assert "1 of the 2 files could not be placed" in done.stderr


def test_a_melody_keeps_its_contour_in_another_emotion(tmp_path: Path, run: Run) -> None:
    song(
        tmp_path / "one.mid", 0, 2, 4, 5, 7, 9, 11, 12, 12, 11, 9, 7, 5, 4, 2, 0
    )  # up and down a major scale
    run("sample", "--like", "one.mid", "-e", "sad", "-n", 20, "--seed", 1, "-o", "sad")
    original = features.contour(midi.read_melody(tmp_path / "one.mid"))
    made = [midi.read_melody(path) for path in (tmp_path / "sad").glob("*.mid")]
    assert sum(label_by_rule(melody) is Emotion.E3 for melody in made) >= 16
    alike = [np.corrcoef(features.contour(melody), original)[0, 1] for melody in made]
    assert np.mean(alike) > 0.45


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
    real = ReferenceSet(dataset, DataSplit.of(dataset, checkpoint), None)
    originals = dataset.tokens[real.held_out]
    monkeypatch.setattr(paths, "decode", lambda *_arguments, **_content: originals)
    figures = paths.evaluate_transfer(checkpoint, real)
    assert figures["contour"] == figures["contour_own"] == pytest.approx(1)
    assert figures["contour_random"] < 0.5
    assert figures["as_requested"] < 0.1  # the labels are almost always the rule's


def test_evaluate_measures_paths(weights: Path, tmp_path: Path, run: Run, small_data: Path) -> None:
    done = run("evaluate", "-m", weights, "--data", small_data, "-n", 3, "--json", "f.json")
    (system,) = json.loads((tmp_path / "f.json").read_text())["systems"]
    path = system["path"]
    assert 0 <= path["both"] <= min(path["first"], path["last"]) <= 1
    assert path["closing"] > path["closing_real"]
    assert system["validity"]["hold_first"] == system["validity"]["hold_after_rest"] == 0
    assert "Sixteen bars from one emotion to another" in done.stdout
    assert "ReferenceSet melodies in another emotion" in done.stdout
