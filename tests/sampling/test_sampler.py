"""Requests become melodies: golden outputs, independence of number and threads, encoding."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from tiny import tiny_checkpoint

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import EmotionPath
from emomelody.emotions.words import Word
from emomelody.errors import EmomelodyError
from emomelody.music.form import Repetition
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import to_tokens
from emomelody.sampling.own import encode_melodies
from emomelody.sampling.request import DecodingConfig, Request
from emomelody.sampling.sampler import check_support, decode, sample, samples
from emomelody.sampling.targets import plan_along
from emomelody.weights.checkpoint import Checkpoint, bundled_weights, load_checkpoint

MODELS = ("base", "emoreg", "emoreg-va")
GOLDEN = Path(__file__).parent / "golden.json"
SCALE = Melody(tuple(Note(4 * i, 4, 60 + p) for i, p in enumerate([0, 2, 4, 5, 7, 5, 4, 2] * 2)))


@pytest.fixture(scope="module")
def checkpoints() -> dict[str, Checkpoint]:
    return {model: load_checkpoint(bundled_weights()[model]) for model in MODELS}


@pytest.mark.parametrize("model", MODELS)
def test_bundled_weights_give_the_golden_melodies(model: str, checkpoints: dict[str, Checkpoint]) -> None:
    """golden.json is written by make_golden.py; new weights need a new one."""
    golden = json.loads(GOLDEN.read_text())[model]
    assert checkpoints[model].checksum == golden["checksum"]
    for emotion in Emotion:
        sampled = sample(checkpoints[model], Request(3, emotion, seed=1))
        assert [to_tokens(s.melody).tolist() for s in sampled] == golden[emotion.code]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("emotion", Emotion)
def test_sampled_latents_stay_in_their_quadrant(
    model: str, emotion: Emotion, checkpoints: dict[str, Checkpoint]
) -> None:
    plane, rng = checkpoints[model].plane, np.random.default_rng(0)
    latents = np.array([plane.sample(emotion, rng) for _ in range(1000)])
    assert (np.sign(latents) == [emotion.valence, emotion.arousal]).all()
    assert (np.abs(latents) <= plane.scale).all()


def test_melody_i_depends_on_seed_and_i_alone(checkpoints: dict[str, Checkpoint]) -> None:
    checkpoint = checkpoints["emoreg-va"]
    more = sample(checkpoint, Request(20, Emotion.E1, seed=7))
    few = sample(checkpoint, Request(3, Emotion.E1, seed=7))
    assert [s.melody for s in few] == [s.melody for s in more[:3]]
    last = samples(checkpoint, Request(20, Emotion.E1, seed=7), range(16, 20))
    assert [s.melody for s in last] == [s.melody for s in more[16:]]
    assert sample(checkpoint, Request(3, Emotion.E1, seed=8)) != few


@pytest.mark.parametrize(
    ("style", "meter"),
    [(None, Meter.FOUR_FOUR), (Style.OWN, Meter.THREE_FOUR), (Style.FOLK, Meter.SIX_EIGHT)],
)
def test_the_first_of_more_melodies_are_the_same_in_every_meter_and_form(
    style: Style | None, meter: Meter
) -> None:
    """Of six bars: a block of four and one of two; the second batch has four melodies."""
    checkpoint = tiny_checkpoint()

    def tokens(n: int, **options: Any) -> list[list[int]]:
        request = Request(n, Emotion.E3, bars=6, style=style, meter=meter, seed=4, **options)
        return [s.tokens.tolist() for s in sample(checkpoint, request)]

    more, with_form = tokens(20), tokens(20, form="ABA")
    assert more[:5] == tokens(5)
    assert with_form[:17] == tokens(17, form="ABA")
    assert len({*map(tuple, more)}) == 20
    assert more != with_form
    assert {len(melody) for melody in more} == {6 * meter.bar}


def test_sections_of_one_letter_are_equal_where_the_model_copies() -> None:
    checkpoint = tiny_checkpoint()
    tensors = {name: tensor.copy() for name, tensor in checkpoint.tensors.items()}
    tensors["copy"][:] = 0
    tensors["copy"][Repetition.EXACT, 1, range(8), range(8)] = 100
    tensors["output.bias"][-2] = -100  # no rests: after one, a bar could not begin with the hold of its model
    request = Request(3, point=(-0.5, 0.3), bars=12, form="AABA", meter=Meter.SIX_EIGHT)
    for sampled in sample(replace(checkpoint, tensors=tensors), request):
        sections = sampled.tokens.reshape(4, 3, 12)
        for number, before in ((1, 0), (3, 1)):
            assert (sections[number, :2] == sections[before, :2]).all()  # the last bar is varied
        assert (sections[2] != sections[1]).any()


def test_decoding_in_batches_is_decoding_alone() -> None:
    checkpoint = tiny_checkpoint()
    style = checkpoint.styles[2]
    latents = np.random.default_rng(0).normal(0, 0.3, (20, 1, 2)).repeat(5 * style.meter.bar, 1)

    def tokens(rows: slice) -> np.ndarray:
        rngs = [np.random.default_rng([9, row]) for row in range(20)][rows]
        labels = np.zeros(20, dtype=np.int64)[rows]
        plans = [plan_along(style, row, rng) for row, rng in zip(latents[rows], rngs, strict=True)]
        return decode(checkpoint, plans, labels, rngs, distribution=style)

    together = tokens(slice(0, 20))
    assert together.shape == (20, 60)
    assert (together[:3] == tokens(slice(0, 3))).all()
    assert (together[17:] == tokens(slice(17, 20))).all()


def test_unknown_styles_and_meters_are_named() -> None:
    checkpoint = tiny_checkpoint()
    for style, meter, reason in (
        (Style.CHORALE, Meter.FOUR_FOUR, "but no chorale 4/4"),
        (Style.OWN, Meter.SIX_EIGHT, "has learned folk 4/4, own 3/4, folk 6/8, but no own 6/8"),
    ):
        with pytest.raises(EmomelodyError, match=reason):
            check_support(checkpoint, Request(emotion=Emotion.E1, style=style, meter=meter))
    without = replace(checkpoint, styles=checkpoint.styles[:1])
    with pytest.raises(EmomelodyError, match="but no melodies in 3/4"):
        check_support(without, Request(emotion=Emotion.E1, meter=Meter.THREE_FOUR))


def test_the_number_of_threads_changes_nothing(
    checkpoints: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    request, melodies = Request(20, Emotion.E2, like=SCALE, seed=3), []
    for threads in (1, 2):
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))  # of ours
        with threadpool_limits(threads, user_api="blas"):
            melodies.append([s.melody for s in sample(checkpoints["emoreg-va"], request)])
            pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
            assert {pool["num_threads"] for pool in pools} == {threads}
    assert melodies[0] == melodies[1]


@pytest.mark.parametrize("point", [(-0.5, 0.8), (0.0, 0.0), (-1.0, 0.0), (0.0, -1.0)])
def test_a_point_is_the_target_and_its_quadrant_the_label(
    point: tuple[float, float], checkpoints: dict[str, Checkpoint]
) -> None:
    checkpoint = checkpoints["emoreg-va"]
    (sampled,) = sample(checkpoint, Request(point=point, seed=1))
    assert sampled.trajectory == (point,) * 4
    assert sampled.emotion is Emotion.at(*point)
    assert sampled.latent == pytest.approx(np.multiply(point, checkpoint.plane.scale))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("word", [Word.GLOOMY, Word.TENSE, Word.DROOPY, Word.TIRED, Word.SLEEPY])
def test_a_word_is_sampled_as_its_point_is(
    model: str, word: Word, checkpoints: dict[str, Checkpoint]
) -> None:
    """Also near an axis; only the description differs."""
    of_word = sample(checkpoints[model], Request(2, word, seed=1))
    of_point = sample(checkpoints[model], Request(2, point=word.point, seed=1))
    assert [s.melody for s in of_word] == [s.melody for s in of_point]
    for one, other in zip(of_word, of_point, strict=True):
        assert (one.description, other.description) == (word.title, word.emotion.title)
        assert one.trajectory == other.trajectory == (word.point,) * 4
        assert one.emotion is other.emotion is word.emotion


def test_temperature_makes_one_point_many_melodies(checkpoints: dict[str, Checkpoint]) -> None:
    checkpoint, point = checkpoints["emoreg"], (0.4, 0.4)
    likeliest = sample(checkpoint, Request(4, point=point, seed=1))
    warm = sample(checkpoint, Request(4, point=point, seed=1, decoding=DecodingConfig(1.5)))
    assert len({s.melody for s in likeliest}) == 1
    assert len({s.melody for s in warm}) > 1


@pytest.mark.parametrize("model", ["emoreg-va", "emoreg"])
def test_the_least_temperature_and_top_p_take_the_likeliest_token(
    model: str, checkpoints: dict[str, Checkpoint]
) -> None:
    least = (DecodingConfig(1e-40), DecodingConfig(1.0, top_p=1e-46))
    cold, narrow = (
        [s.melody for s in sample(checkpoints[model], Request(2, Emotion.E3, seed=1, decoding=decoding))]
        for decoding in least
    )
    assert cold == narrow


def test_only_emoreg_va_has_paths_lengths_and_variations(checkpoints: dict[str, Checkpoint]) -> None:
    path = EmotionPath.parse("sad@0 happy@2")
    requests = [Request(path=path), Request(like=SCALE)]
    requests += [Request(emotion=Emotion.E1, **options) for options in ({"bars": 8}, {"form": "AABA"})]
    for request in requests:
        check_support(checkpoints["emoreg-va"], request)
        with pytest.raises(EmomelodyError, match=r"base makes 4 bars .* need emoreg-va"):
            sample(checkpoints["base"], request)
    with pytest.raises(EmomelodyError, match="top-p needs a temperature"):
        sample(checkpoints["base"], Request(emotion=Emotion.E1, decoding=DecodingConfig(None, 0.9)))
    with pytest.raises(EmomelodyError, match="cannot place a melody without its label: use emoreg-va"):
        encode_melodies(checkpoints["emoreg"], [SCALE])


def test_variations_stay_near_their_melody(checkpoints: dict[str, Checkpoint]) -> None:
    checkpoint = checkpoints["emoreg-va"]
    (own,) = encode_melodies(checkpoint, [SCALE])
    exact = sample(checkpoint, Request(3, like=SCALE, spread=0, seed=1))
    assert {s.latent for s in exact} == {tuple(own[:2])}
    varied = sample(checkpoint, Request(3, like=SCALE, spread=0.5, seed=1))
    assert len({s.latent for s in varied}) == 3
    assert all(s.emotion is Emotion.at(*s.latent) for s in varied)


def test_a_melody_in_an_unknown_octave_is_encoded_in_a_known_one(checkpoints: dict[str, Checkpoint]) -> None:
    low, high = (
        Melody(tuple(Note(n.onset, n.duration, n.pitch + shift) for n in SCALE.notes)) for shift in (-36, -24)
    )
    checkpoint = checkpoints["emoreg-va"]
    of_low, of_high = encode_melodies(checkpoint, [low, high])
    assert (of_low == of_high).all()


def test_weights_that_make_only_silence_are_an_error() -> None:
    checkpoint = tiny_checkpoint()
    checkpoint.tensors["output.bias"][-2] = 1e6  # rest
    with pytest.raises(EmomelodyError, match="the weights 'emoreg-va' make only silence here"):
        next(islice(samples(checkpoint, Request(emotion=Emotion.E1)), 1))
