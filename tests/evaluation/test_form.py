"""Form, on melodies whose recurrences can be counted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.evaluation.form import FORM, evaluate_form, form, form_counts, split_half_bands
from emomelody.evaluation.sets import MelodySet
from emomelody.music.meter import Meter
from emomelody.music.notes import Notes
from emomelody.music.tokens import HOLD, REST, Tokens, from_tokens


def phrase(*pitches: int, steps: int = 4) -> Tokens:
    """Notes of equal length without rests."""
    return np.concatenate([[pitch, *[HOLD] * (steps - 1)] for pitch in pitches])


A = phrase(60, 62, 64, 65, 67, 64, 69, 65, 60, 67, 62, 71, 72, 60, 64, 61)  # four bars, no motif twice
B = phrase(72, 71, 67, 62, 60, 69, 65, 64, 70, 63, 61, 66, 68, 67, 60, 65)
AABA = np.concatenate([A, A, B, A])[None]


def random_tokens(count: int, steps: int, seed: int = 0) -> Tokens:
    """Melodies of few pitches with holds and rests anywhere, so that much recurs."""
    rng = np.random.default_rng(seed)
    return rng.choice([60, 62, 64, REST, HOLD, HOLD], (count, steps))


def test_notes_are_those_of_the_melodies() -> None:
    tokens = random_tokens(30, 48)
    notes = Notes.of(tokens)
    found = zip(notes.melody, notes.onset, notes.duration, notes.pitch, strict=True)
    expected = [
        (n, note.onset, note.duration, note.pitch)
        for n, row in enumerate(tokens)
        for note in from_tokens(row).notes
    ]
    assert [tuple(map(int, note)) for note in found] == expected


def test_aaba_recurs_as_counted() -> None:
    found = form(AABA)
    assert found["bar"] == pytest.approx(8 / 15)  # of the bars from the second on, two As
    assert (found["bar_4"], found["bar_8"]) == (pytest.approx(4 / 12), pytest.approx(4 / 8))
    assert found["bar_1"] == found["bar_2"] == 0
    assert "bar_16" not in found
    assert found["rhythm"] == found["rhythm_8"] == 1
    # Motifs end at 60 of the 64 notes. Within the 2nd and the 4th A 12 have occurred before, and none
    # else, but those four that lead from A to A do not, and those from B to A neither.
    assert found["motif"] == pytest.approx(24 / 60)
    assert set(found) <= set(FORM)


def test_transposed_phrases_have_the_same_motifs_but_other_bars() -> None:
    higher = np.where(A < REST, A + 2, A)
    found = form(np.concatenate([A, higher])[None])
    assert found["motif"] == pytest.approx(12 / 28)
    assert found["bar"] == 0


def test_motifs_by_a_second_count() -> None:
    tokens = random_tokens(20, 64, seed=1)
    happens, can = form_counts(tokens)["motif"]
    for row, hits, places in zip(tokens, happens, can, strict=True):
        notes = from_tokens(row).notes
        motifs = [
            tuple((b.pitch - a.pitch, b.onset - a.onset) for a, b in pairwise(some))
            for some in (notes[i - 4 : i + 1] for i in range(4, len(notes)))
        ]
        assert places == len(motifs)
        assert hits == sum(motif in motifs[:i] for i, motif in enumerate(motifs))


def test_bars_without_an_onset_are_not_counted() -> None:
    bar = phrase(60, 62, 64, 65)
    tokens = np.concatenate([bar, np.full(16, HOLD), bar, np.full(16, HOLD), np.full(16, REST), bar])[None]
    found = form(tokens)
    assert found["bar"] == 1  # two, of two
    assert (found["bar_1"], found["bar_2"]) == (0, 0.5)
    held = np.concatenate([bar, [HOLD], bar[1:], bar])[None]  # the second bar begins with a hold
    assert form(held)["bar"] == 0.5
    assert form(np.full((2, 32), REST))["bar"] is None


def test_ends_of_phrases_and_melodies() -> None:
    closing = np.concatenate([phrase(64, 62, 64, 62), phrase(67, 60, steps=8)])  # two bars
    open_end = np.concatenate([phrase(64, 62, 64, 62), phrase(65, 64, 67, 66)])
    tokens = np.stack([np.concatenate([open_end, closing]), np.concatenate([closing, open_end])])
    found = form(tokens)
    assert found["phrase_end"] == 0.5
    assert found["phrase_inside"] == pytest.approx(1 / 6)
    assert found["long_end"] == found["tonic_end"] == found["tonic_or_dominant_end"] == 0.5
    on_dominant = phrase(60, 67, steps=32)[None]
    assert form(on_dominant)["tonic_end"] == 0
    assert form(on_dominant)["tonic_or_dominant_end"] == 1


def test_other_meters_have_other_bars() -> None:
    waltz = np.concatenate([phrase(60, 62, 64), phrase(65, 64, 62), phrase(60, 62, 64)])[None]
    assert form(waltz, Meter.THREE_FOUR)["bar_2"] == 1
    with pytest.raises(EmomelodyError, match="36 steps are not whole bars of 16 steps"):
        form(waltz)


def test_split_half_bands_are_those_of_tunes() -> None:
    def band(tokens: Tokens, tunes: Tokens) -> float | None:
        return split_half_bands(form_counts(tokens), np.full(20, 0.1), tunes)["bar"]

    alike = np.repeat(AABA, 20, axis=0)
    assert band(alike, np.arange(20)) == pytest.approx(0)
    mixed = np.concatenate([alike[:10], np.tile(B, (10, 4))])
    by_tune = band(mixed, np.repeat([0, 1], 10))
    assert by_tune == pytest.approx(12 / 15 - 8 / 15)  # B recurs from the fifth bar on
    assert 0 < (band(mixed, np.arange(20)) or 0) < by_tune
    assert band(alike, np.zeros(20, dtype=int)) is None


def test_the_block_has_real_melodies_beside() -> None:
    generated = {bars: MelodySet.generated({Emotion.E1: random_tokens(6, bars * 16)}) for bars in (16, 32)}
    real = MelodySet(AABA.repeat(4, 0), np.zeros(4, dtype=int), np.arange(4))
    figures = evaluate_form(generated, {16: real, 32: real[np.array([], dtype=int)]})
    assert figures["16"]["real"]["bar"] == form(AABA)["bar"]
    assert figures["16"]["split_half"]["bar"] == 0
    assert figures["16"]["motif"] == form(generated[16].tokens)["motif"]
    assert figures["32"]["real"]["bar"] is None and figures["32"]["split_half"]["bar"] is None
    assert figures["32"]["melodies"] == 6


def test_real_melodies_have_the_weight_of_the_generated_ones_of_their_emotion() -> None:
    """Ten happy tunes whose bars recur and one sad tune without any recurrence."""
    through = phrase(*range(40, 104))[None]
    tokens = np.concatenate([AABA.repeat(10, 0), through])
    real = MelodySet(tokens, np.repeat([0, 2], [10, 1]), np.arange(11))
    generated = MelodySet.generated({Emotion.E1: AABA.repeat(2, 0), Emotion.E3: through.repeat(2, 0)})
    longer = dict.fromkeys((16, 32), generated)
    figures = evaluate_form(longer, {16: real, 32: real})["16"]
    assert figures["bar"] == figures["real"]["bar"] == pytest.approx(8 / 30)
