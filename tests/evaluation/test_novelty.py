"""Distances to the nearest melody and shared passages, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from emomelody.evaluation.novelty import (
    longest_passages,
    nearest_distances,
    shared_passages,
)
from emomelody.music.fingerprints import fingerprints
from emomelody.music.melody import Melody, Note
from emomelody.music.tokens import Tokens, to_tokens


def melody(*notes: tuple[int, int, int], steps: int = 16) -> Melody:
    return Melody(tuple(Note(*note) for note in notes), steps)


def tokens(*melodies: Melody) -> Tokens:
    return np.stack([to_tokens(m) for m in melodies])


SCALE = melody((0, 4, 60), (4, 4, 62), (8, 4, 64), (12, 4, 65))
OTHER = melody((0, 8, 70), (8, 8, 50))


def test_copies_in_any_transposition_are_at_distance_0() -> None:
    copies = tokens(SCALE, SCALE.transposed(30), SCALE.transposed(-60), OTHER)
    assert nearest_distances(copies, tokens(OTHER, SCALE)).tolist() == [0, 0, 0, 0]


def test_the_distance_is_that_of_the_best_transposition() -> None:
    # A fifth higher all but the last note: one step differs, not three.
    moved = melody((0, 4, 67), (4, 4, 69), (8, 4, 71), (12, 4, 60))
    # Two quarters made one half note: its onset is missing on step 4.
    joined = melody((0, 8, 60), (8, 4, 64), (12, 4, 65))
    # A rest of two steps at the end.
    shortened = melody((0, 4, 60), (4, 4, 62), (8, 4, 64), (12, 2, 65))
    assert nearest_distances(tokens(moved, joined, shortened), tokens(SCALE)).tolist() == [1, 1, 2]


def test_silence_is_compared_by_its_rests() -> None:
    assert nearest_distances(tokens(melody()), tokens(SCALE, melody((0, 1, 60)))).tolist() == [1]
    assert nearest_distances(tokens(SCALE), tokens(melody())).tolist() == [16]


def test_passages_are_blind_to_key_and_place_but_not_to_rhythm() -> None:
    later = melody((4, 4, 72), (8, 4, 74), (12, 4, 76))
    slower = melody((0, 8, 60), (8, 8, 62))
    lonely = melody((3, 2, 60))
    found = longest_passages([SCALE, later, slower, lonely, melody()], [SCALE, OTHER])
    assert found.tolist() == [4, 3, 1, 1, 0]


def test_passages_do_not_run_from_one_melody_into_the_next() -> None:
    # OTHER falls by 20 semitones; SCALE's first step is 2 up: together they are in neither.
    both = melody((0, 8, 70), (8, 4, 50), (12, 4, 52))
    assert longest_passages([both], [OTHER, SCALE]).tolist() == [2]


def tune(*pitches: int, steps: int = 2) -> list[tuple[int, int, int]]:
    return [(steps * n, steps, pitch) for n, pitch in enumerate(pitches)]


def test_tunes_share_passages_in_any_transposition_and_at_any_speed() -> None:
    rng = np.random.default_rng(0)
    first, second = (rng.integers(55, 80, 20).tolist() for _ in range(2))
    known = tokens(melody(*tune(*first), steps=80), melody(*tune(*second), steps=80))
    higher = [pitch + 3 for pitch in first]
    some = {
        "sixteen intervals": (tune(90, *higher[2:19], 30), [1, 1]),
        "fifteen": (tune(90, *higher[2:18], 30), [1, 0]),
        "seven": (tune(90, *higher[2:10], 30), [0, 0]),
        "slower": (tune(*higher, steps=4), [1, 1]),
        "another rhythm": ([(3 * n + n % 2, 1, pitch) for n, pitch in enumerate(higher)], [0, 0]),
        "nothing": ([], [0, 0]),
    }
    for notes, expected in some.values():
        found = shared_passages(tokens(melody(*notes, steps=80)), known)
        assert [found[f"shared_{n}"] for n in (8, 16)] == expected
    assert shared_passages(None, known) == {"shared_8": None, "shared_16": None}
    assert shared_passages(known, known[:1])["shared_16"] == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_against_a_slow_computation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, many = (rng.choice([60, 62, 64, 128, 129], (n, 8)) for n in (6, 9))

    def distance(a: Tokens, b: Tokens, shift: int) -> int:
        return sum((x != y and not (max(x, y) < 128 and x + shift == y)) or (x == y < 128 and shift != 0)
                   for x, y in zip(a.tolist(), b.tolist(), strict=True))  # fmt: skip

    expected = [min(distance(a, b, shift) for b in many for shift in range(-12, 13)) for a in one]
    assert nearest_distances(one, many).tolist() == expected


def test_fingerprints_are_equal_in_every_transposition_and_only_there() -> None:
    rhythm = melody((0, 3, 60), (4, 4, 62), (8, 4, 64), (12, 4, 65))
    found = fingerprints(tokens(SCALE, SCALE.transposed(-20), OTHER, rhythm, melody())).tolist()
    assert found[0] == found[1]
    assert len(set(found)) == 4
