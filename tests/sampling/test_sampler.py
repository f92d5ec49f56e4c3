"""Requests become melodies: golden outputs, independence of number and threads, encoding."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from emomelody.errors import EmomelodyError
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody, Note
from emomelody.music.path import EmotionPath
from emomelody.music.tokens import to_tokens
from emomelody.music.words import Word
from emomelody.sampling.request import DecodingConfig, Request
from emomelody.sampling.sampler import check_support, encode_melodies, sample, samples
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
    for request in (Request(path=path), Request(emotion=Emotion.E1, bars=8), Request(like=SCALE)):
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


def test_weights_that_make_only_silence_are_an_error(checkpoints: dict[str, Checkpoint]) -> None:
    checkpoint = load_checkpoint(bundled_weights()["base"])
    rest = len(checkpoint.vocabulary) - 2
    checkpoint.tensors["output.bias"][rest] = 1e6
    with pytest.raises(EmomelodyError, match="the weights 'base' make only silence here"):
        next(islice(samples(checkpoint, Request(emotion=Emotion.E1)), 1))
