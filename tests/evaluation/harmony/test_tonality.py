"""What chords add to the key that is found, and to the emotion that is heard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from evaluation.harmony.harmonies import harmonised, random_harmony

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.emotion import at_corners, evaluate_listeners
from emomelody.evaluation.harmony.harmonised import Harmonised
from emomelody.evaluation.harmony.tonality import heard, keys, tonality
from emomelody.music.melody import Note
from emomelody.music.tokens import to_tokens
from emomelody.music.tonality import KRUMHANSL_KESSLER, MINOR, chord_totals, find_keys, pitch_class_totals
from emomelody.performance.listeners import COEFFICIENTS, DEVIATIONS, LEVEL, gain, rate
from emomelody.performance.piece import arrange
from emomelody.performance.setting import EXPRESSIVE


@dataclass(frozen=True)
class PlayedNote:
    note: Note
    velocity: int
    length: float


def test_a_chords_notes_count_as_a_melodys() -> None:
    one = harmonised("60 62", "C G7")
    (totals,) = chord_totals([one.chords])
    assert totals.tolist() == [4, 0, 4, 0, 4, 4, 0, 8, 0, 0, 0, 4]
    rng = np.random.default_rng(0)
    some = [random_harmony(rng) for _ in range(30)]
    found = keys(some, with_chords=True)
    for h, key in zip(some, found, strict=True):
        both = pitch_class_totals(to_tokens(h.melody)[None])
        for timed in h.chords:
            for pitch_class in timed.chord.pitch_classes:
                both[0, pitch_class] += timed.duration
        assert key == KRUMHANSL_KESSLER.correlations(both).argmax()
    assert (found != keys(some, with_chords=False)).any()
    assert (
        keys(some, with_chords=False).tolist()
        == find_keys(np.stack([to_tokens(h.melody) for h in some])).tolist()
    )


def test_chords_decide_the_key_of_an_ambiguous_melody() -> None:
    """G and D alone could be in many keys, and are taken for G major."""
    notes = "67 62 67 62 67 67"
    major = harmonised(notes, "C F C F C C")
    minor = harmonised(notes, "Cm Fm Cm Fm Cm Cm", mode="minor")
    assert keys([major, minor], with_chords=True).tolist() == [0, MINOR]
    assert 0 not in keys([major, minor], with_chords=False) % MINOR
    found = tonality({Emotion.E1: [major], Emotion.E2: [], Emotion.E3: [minor, harmonised(notes, "G D")]})
    assert found["tonic"] == 0
    assert found["tonic_chords"] == pytest.approx((1 + 1 / 2) / 2)
    assert tonality({})["mode"] is None


def piece_and_harmony(emotion: Emotion) -> tuple:
    third = 64 if emotion.mode == "major" else 63
    h = harmonised(
        f"60 {third} 67 60", "C G C C" if emotion.mode == "major" else "Cm G Cm Cm", mode=emotion.mode
    )
    return arrange(h.melody, title="", emotion=emotion, setting=EXPRESSIVE), h


def test_an_accompaniment_adds_its_energy() -> None:
    piece, _ = piece_and_harmony(Emotion.E1)
    same = [
        PlayedNote(note, velocity, length)
        for note, velocity, length in zip(
            piece.melody.notes, piece.velocities, piece.note_lengths, strict=True
        )
    ]
    assert gain(piece, []) == 0
    assert gain(piece, same) == pytest.approx(10 * np.log10(2))  # as loud again: 3 dB
    assert gain(piece, same * 9) == pytest.approx(10)
    # 40 log₁₀ of the velocity: half the velocity is 12 dB softer.
    quiet, short = (
        [PlayedNote(p.note, p.velocity / 2, p.length) for p in same],  # type: ignore[arg-type]
        [PlayedNote(p.note, p.velocity, p.length / 2) for p in same],
    )
    assert gain(piece, quiet) == pytest.approx(10 * np.log10(1 + 1 / 16))
    assert gain(piece, short) == pytest.approx(10 * np.log10(1.5))
    major = np.array([True])
    louder, plain = (rate([piece], major, [0.0], gains) for gains in ([10.0], ()))
    assert (louder - plain)[0, 0] * DEVIATIONS == pytest.approx(COEFFICIENTS[:, LEVEL])


def test_the_mode_that_is_heard_is_that_of_melody_and_chords() -> None:
    """Peaceful pieces whose melody is open to both modes are heard as sad with minor chords."""
    notes = "67 62 67 62 67 67"
    pieces = {}
    for mode, chords in (("major", "C G C G7 C C"), ("minor", "Cm Gm Cm Gm Cm Cm")):
        h = harmonised(notes, chords, mode=mode)
        piece = arrange(h.melody, title="", emotion=Emotion.E4, setting=EXPRESSIVE)
        pieces[mode] = ({Emotion.E4: [(piece, [])]}, {Emotion.E4: [h]})
    assert heard(*pieces["major"], with_chords=True) == {"e4": 1, "all": 1}
    assert heard(*pieces["minor"], with_chords=True) == {"e4": 0, "all": 0}


def test_without_chords_the_judge_is_the_one_of_melodies() -> None:
    rng = np.random.default_rng(3)
    some: dict[Emotion, list[Harmonised]] = {e: [random_harmony(rng) for _ in range(10)] for e in Emotion}
    pieces = {
        e: [(arrange(h.melody, title="", emotion=e, setting=EXPRESSIVE), []) for h in hs]
        for e, hs in some.items()
    }
    of_melodies = evaluate_listeners(
        at_corners({e: [h.melody for h in hs] for e, hs in some.items()}), {"plain": {}, "expressive": {}}
    )["expressive"]
    del of_melodies["real"]
    assert heard(pieces, some, with_chords=False) == of_melodies
