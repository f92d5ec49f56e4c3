"""The metrics of chords, on harmonies that can be counted by hand and by a second count."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise
from math import cos, dist, log, nan, pi, sin

import numpy as np
import pytest
from evaluation.harmony.harmonies import harmonised, random_harmony

from emomelody.evaluation.harmony.harmonised import Harmonised
from emomelody.evaluation.harmony.metrics import METRICS, metrics, tonal_centroids
from emomelody.music.chords import Chord, Quality, TimedChord
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.music.tokens import HOLD, to_tokens


def measured(one: Harmonised) -> dict[str, float]:
    return {name: float(values[0]) for name, values in metrics([one]).items()}


def centroid(*pitch_classes: int) -> list[float]:
    """The tonal centroid by the formulas of Harte, Sandler and Gasser."""
    circles = [(1.0, 7 * pi / 6), (1.0, 3 * pi / 2), (0.5, 2 * pi / 3)]
    return [
        sum(radius * turn(p * angle) for p in pitch_classes) / len(pitch_classes)
        for turn in (sin, cos)
        for radius, angle in circles
    ]


def test_tonal_centroids_lie_on_the_circles() -> None:
    assert tonal_centroids(np.eye(12)) == pytest.approx(np.array([centroid(p) for p in range(12)]))
    assert tonal_centroids(np.eye(12))[0] == pytest.approx([0, 0, 0, 1, 1, 0.5])
    # All twelve notes, and the three of a circle of major thirds, lie around its centre.
    assert tonal_centroids(np.ones((1, 12))) == pytest.approx(np.zeros((1, 6)))
    assert tonal_centroids(np.eye(12)[[0, 4, 8]].sum(0, keepdims=True))[0, [2, 5]] == pytest.approx([0, 0])


def test_chords_by_hand() -> None:
    found = measured(harmonised("60 60 60 60", "C C F G"))
    assert found["che"] == pytest.approx(0.5 * log(2) + 0.5 * log(4))
    assert found["cc"] == 3
    c, f, g = centroid(0, 4, 7), centroid(5, 9, 0), centroid(7, 11, 2)
    assert found["ctd"] == pytest.approx((0 + dist(c, f) + dist(f, g)) / 3)
    assert found["rhythm"] == 3 / 4
    # The length of the chords that are written does not matter, only what sounds at the beats.
    whole = Harmonised(
        Melody((Note(0, 16, 60),), 16),
        tuple(TimedChord(*at, Chord.parse(n)) for *at, n in ((0, 8, "C"), (8, 4, "F"), (12, 4, "G"))),
        "major",
    )
    again = measured(whole)
    assert [again[key] for key in ("che", "cc", "ctd", "rhythm")] == [
        found[key] for key in ("che", "cc", "ctd", "rhythm")
    ]


def test_a_beat_of_six_eight_is_a_dotted_quarter() -> None:
    found = measured(harmonised("60 60", "C G", meter=Meter.SIX_EIGHT, steps=6))
    assert found["che"] == pytest.approx(log(2))  # at two beats, not at three
    assert found["rhythm"] == pytest.approx(2 / 3)
    assert measured(harmonised("60 60 60", "C C G", meter=Meter.THREE_FOUR))["che"] == pytest.approx(
        log(3) - 2 / 3 * log(2)
    )


def test_notes_by_hand() -> None:
    # D over C steps to E, A leaps to F, B flat over C is the last note: one of three is proper.
    found = measured(harmonised("60 62 64 69 65 70", "C C C C F C"))
    assert found["chord_tones"] == pytest.approx(3 / 6)
    assert found["ctnctr"] == pytest.approx(4 / 6)
    # A third away is not proper, nor is a step to the first note of the next melody.
    two = [harmonised("62", "C"), harmonised("60", "C")]
    assert metrics(two)["ctnctr"].tolist() == [0, 1]
    assert measured(harmonised("62 65", "C F"))["ctnctr"] == 0.5
    # A rest between does not matter.
    assert measured(harmonised("62 - 64", "C C C"))["ctnctr"] == 1
    # A note over two chords counts with both.
    held = Harmonised(Melody((Note(0, 8, 64),), 8), harmonised("-", "C F").chords, "major")
    assert measured(held)["chord_tones"] == 0.5


def test_consonance_by_hand() -> None:
    # C over C: unison with C, a minor sixth above E, a fourth above G.
    assert measured(harmonised("60", "C"))["pcs"] == pytest.approx((1 + 1 + 0) / 3)
    # F sharp over C: tritone, second, major seventh.
    assert measured(harmonised("66", "C"))["pcs"] == -1
    # Both, the second for three times as long; a rest and a note without a chord count nothing.
    melody = Melody((Note(0, 1, 60), Note(1, 3, 66), Note(8, 4, 66)), 12)
    chords = (TimedChord(0, 8, Chord(0, Quality.MAJOR)),)
    found = measured(Harmonised(melody, chords, "major"))
    assert found["pcs"] == pytest.approx((2 / 3 - 3) / 4)
    c = centroid(0, 4, 7)
    assert found["mctd"] == pytest.approx((dist(centroid(0), c) + 3 * dist(centroid(6), c)) / 4)


def test_the_distance_of_a_chord_of_four_notes() -> None:
    found = measured(harmonised("60 60", "G7 C"))
    assert found["ctd"] == pytest.approx(dist(centroid(7, 11, 2, 5), centroid(0, 4, 7)))


@pytest.mark.parametrize(
    ("chords", "mode", "cadence", "tonic"),
    [
        ("C G C", "major", 1, 1),
        ("C F C", "major", 1, 1),
        ("C Dm C C", "major", 1, 1),
        ("G7 Am", "major", 0, 0),  # a deceptive cadence: the function is the tonic's, the chord is not
        ("Am C", "major", 0, 1),
        ("D7 C", "major", 0, 1),  # of no function
        ("C", "major", 0, 1),
        ("G Cm", "minor", 1, 1),
        ("G C", "minor", 1, 1),  # with the major third
        ("F C7", "major", 0, 0),
        ("C G", "major", 0, 0),
    ],
)
def test_ends(chords: str, mode: str, cadence: int, tonic: int) -> None:
    found = measured(harmonised("60", chords, mode=mode))
    assert (found["cadence"], found["tonic_end"]) == (cadence, tonic)


def test_what_says_nothing_is_nan() -> None:
    silent = harmonised("- -", "C G")
    bare = harmonised("60 62", "- -")
    for_silent, for_bare = measured(silent), measured(bare)
    of_notes = {"ctnctr", "chord_tones", "pcs", "mctd"}
    assert {name for name, value in for_silent.items() if np.isnan(value)} == of_notes
    assert all(np.isnan(value) for value in for_bare.values())
    # One chord has no distance to another; and one melody's last chord none to the next one's first.
    single = metrics([harmonised("60", "C"), harmonised("60", "G")])
    assert np.isnan(single["ctd"]).all() and single["che"].tolist() == [0, 0]
    assert all(len(values) == 0 for values in metrics([]).values())


def second_count(one: Harmonised) -> dict[str, float]:
    """All metrics, step by step and note by note."""
    melody, pitch = one.melody, None
    at: list[tuple[int | None, Chord | None]] = []  # what sounds at each step
    for step, token in enumerate(to_tokens(melody).tolist()):
        pitch = token if token < 128 else pitch if token == HOLD else None
        chord = next((c.chord for c in one.chords if c.onset <= step < c.end), None)
        at.append((pitch, chord))
    beats = [c for _, c in at[:: melody.meter.beat] if c]
    counts = Counter(beats)
    both = [(p % 12, c.pitch_classes) for p, c in at if p is not None and c is not None]
    tones, proper, pairs = 0, 0, 0
    for number, note in enumerate(melody.notes):
        following = melody.notes[number + 1] if number + 1 < len(melody.notes) else None
        last = None
        for _, chord in at[note.onset : note.end]:
            if chord is not None and chord != last:
                pairs += 1
                tones += note.pitch % 12 in chord.pitch_classes
                if note.pitch % 12 not in chord.pitch_classes and following:
                    proper += abs(following.pitch - note.pitch) <= 2
            last = chord
    changes = [b for a, b in pairwise([None, *(c for _, c in at)]) if b and a != b]
    points = {"+": (0, 3, 4, 7, 8, 9), "0": (5,)}

    def consonance(pitch_class: int, chord: tuple[int, ...]) -> float:
        intervals = [(pitch_class - note) % 12 for note in chord]
        return sum(1 if i in points["+"] else 0 if i in points["0"] else -1 for i in intervals) / len(chord)

    def mean(values: list[float]) -> float:
        return sum(values) / len(values) if values else nan

    return {
        "che": -sum(n / len(beats) * log(n / len(beats)) for n in counts.values()) if beats else nan,
        "cc": len(counts) or nan,
        "ctd": mean(
            [dist(centroid(*a.pitch_classes), centroid(*b.pitch_classes)) for a, b in pairwise(beats)]
        ),
        "ctnctr": (tones + proper) / pairs if pairs else nan,
        "chord_tones": tones / pairs if pairs else nan,
        "pcs": mean([consonance(p, c) for p, c in both]),
        "mctd": mean([dist(centroid(p), centroid(*c)) for p, c in both]),
        "rhythm": 4 * len(changes) / sum(c is not None for _, c in at) if changes else nan,
    }


def test_metrics_by_a_second_count() -> None:
    rng = np.random.default_rng(0)
    some = [random_harmony(rng, meter) for meter in Meter for _ in range(20)]
    found = metrics(some)
    for number, one in enumerate(some):
        for name, value in second_count(one).items():
            assert found[name][number] == pytest.approx(value, nan_ok=True), name
    assert set(found) == set(METRICS)


def test_a_thousand_melodies_take_seconds() -> None:
    rng = np.random.default_rng(1)
    some = [random_harmony(rng) for _ in range(1000)]
    start = time.perf_counter()
    metrics(some)
    assert time.perf_counter() - start < 5
