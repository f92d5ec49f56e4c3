"""The model of chords: its probabilities, and the chords that it samples."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from emomelody.harmony.fit import fit, perplexity
from emomelody.harmony.model import HarmonyModel, shapes
from emomelody.harmony.slots import FEATURES, ChordExample, features, slot_length
from emomelody.music.chords import Chord, Quality, TimedChord
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.weights.checkpoint import find_weights, load_checkpoint

NAMES = ("C", "F", "G7")


@pytest.fixture(scope="module")
def bundled() -> HarmonyModel:
    model = load_checkpoint(find_weights("emoreg-va")).harmony
    assert model
    return model


def quarters(*pitches: int, meter: Meter = Meter.FOUR_FOUR) -> Melody:
    notes = tuple(Note(4 * number, 4, pitch) for number, pitch in enumerate(pitches))
    return Melody(notes, 4 * len(pitches), meter)


def chords_at(chords: tuple[TimedChord, ...], steps: range) -> list[Chord]:
    return [chord.chord for step in steps for chord in chords if chord.onset <= step < chord.end]


def random_model(seed: int = 0) -> HarmonyModel:
    rng = np.random.default_rng(seed)
    return HarmonyModel.of(NAMES, {name: rng.normal(size=shape) for name, shape in shapes(3).items()})


@pytest.mark.parametrize("mode", ["major", "minor"])
def test_probabilities_of_all_sequences_sum_to_one(mode: str) -> None:
    model, found = random_model(), features(quarters(60, 62, 64, 65), 4)
    total = sum(
        np.exp(model.log_likelihood(found, mode, np.array(chords))) for chords in product(range(3), repeat=4)
    )
    assert total == pytest.approx(1)


def test_fitting_finds_the_chords_that_the_notes_decide() -> None:
    """Tunes whose chord is that of the note, C, F or G7; the fourth in ten is another one."""
    rng, tunes = np.random.default_rng(1), []
    for _ in range(40):
        true = rng.integers(3, size=12)
        written = np.where(rng.random(12) < 0.1, rng.integers(3, size=12), true)
        chords = tuple(Chord.parse(NAMES[number]) for number in written)
        melody = quarters(*(int(np.array([60, 65, 67])[number]) for number in true))
        tunes.append(ChordExample(features(melody, 4), chords, "major"))
    model = fit(tunes[:30])
    entropy = -(14 / 15 * np.log(14 / 15) + 2 / 30 * np.log(1 / 30))
    assert np.exp(entropy) * 0.9 < perplexity(model, tunes[30:]) < np.exp(entropy) * 1.3
    assert {chord.name() for chord in model.chords} == set(NAMES)
    again = fit(tunes[:30])
    assert (again.fit == model.fit).all()


def test_arrays_of_other_shapes_are_refused() -> None:
    arrays = random_model().arrays()
    with pytest.raises(ValueError, match="fit is"):
        HarmonyModel.of(NAMES[:2], arrays)
    with pytest.raises(ValueError, match="not finite"):
        HarmonyModel.of(NAMES, arrays | {"stays": np.full((2, FEATURES), np.nan)})


def test_slots_are_beats_of_chorales_and_longer_in_slow_and_dense_melodies() -> None:
    chorale = quarters(*[60] * 16)
    slow = Melody(tuple(Note(8 * n, 8, 60) for n in range(8)))
    slowest = Melody(tuple(Note(16 * n, 16, 60) for n in range(4)))
    reel = Melody(tuple(Note(2 * n, 2, 60) for n in range(32)))
    jig = Melody(tuple(Note(2 * n, 2, 60) for n in range(24)), 48, Meter.SIX_EIGHT)
    assert [slot_length(m) for m in (chorale, slow, slowest, reel, jig)] == [4, 8, 16, 8, 6]
    assert features(reel, 8).shape == (8, FEATURES)


def test_chords_cover_the_melody_and_close_on_the_tonic(bundled: HarmonyModel) -> None:
    rng = np.random.default_rng(0)
    for meter in Meter:
        beats = 4 * meter.bar // 4
        melody = quarters(*rng.choice([60, 62, 64, 65, 67, 69, 71], beats - 1), 60, meter=meter)
        for mode, quality in (("major", Quality.MAJOR), ("minor", Quality.MINOR)):
            chords = bundled.harmonise(melody, [mode] * 4, [0.5] * 4, rng)
            assert [c.onset for c in chords] == [0, *(c.end for c in chords[:-1])]
            assert chords[-1].end == melody.steps
            assert chords[-1].chord == Chord(0, quality)


def test_a_melody_without_notes_has_no_chords(bundled: HarmonyModel) -> None:
    assert bundled.harmonise(Melody(()), ["major"] * 4, [0.0] * 4, np.random.default_rng(0)) == ()


def test_bars_that_return_have_their_chords_again(bundled: HarmonyModel) -> None:
    first, second = (60, 64, 67, 64, 65, 69, 67, 65), (67, 65, 64, 62, 64, 62, 60, 60)
    melody = quarters(*first, *second, *first, *second)
    same = []
    for seed in range(20):
        chords = bundled.harmonise(melody, ["major"] * 8, [0.5] * 8, np.random.default_rng(seed))
        same += [
            a == b
            for a, b in zip(chords_at(chords, range(64)), chords_at(chords, range(64, 128)), strict=True)
        ]
    assert np.mean(same) > 0.8


def test_harmony_turns_with_the_mode(bundled: HarmonyModel) -> None:
    melody = quarters(*[60, 67, 65, 67, 62, 67, 67, 60] * 4)
    thirds: dict[str, list[bool]] = {"major": [], "minor": []}
    for seed in range(20):
        modes = ["minor"] * 4 + ["major"] * 4
        chords = bundled.harmonise(melody, modes, [0.0] * 8, np.random.default_rng(seed))
        for mode, steps in (("minor", range(0, 64, 4)), ("major", range(64, 128, 4))):
            thirds[mode] += [4 in chord.pitch_classes for chord in chords_at(chords, steps)]
    assert np.mean(thirds["major"]) > 3 * np.mean(thirds["minor"])


def test_low_valence_is_tenser(bundled: HarmonyModel) -> None:
    melody = quarters(*[60, 62, 64, 65, 67, 69, 71, 72] * 4)

    def tense(valence: float) -> float:
        found = [
            chord.chord.quality not in (Quality.MAJOR, Quality.MINOR)
            for seed in range(30)
            for chord in bundled.harmonise(melody, ["major"] * 8, [valence] * 8, np.random.default_rng(seed))
        ]
        return float(np.mean(found))

    assert tense(-1) > 1.2 * tense(1)
