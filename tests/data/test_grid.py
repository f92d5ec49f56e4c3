"""Onsets on the sixteenth grid, beside it as a whole, or without relation to it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from songs import G_MAJOR, write_notes

from emomelody.data import grid
from emomelody.data.sources import Source
from emomelody.data.windows import PieceWindows, Windows, cut_windows
from emomelody.music.melody import TimedNote

BEATS = np.arange(64.0)


def humanised(onsets: NDArray[np.float64], deviation: float, seed: int = 0) -> NDArray[np.float64]:
    """Onsets with a normal deviation in milliseconds at 120 BPM."""
    return onsets + np.random.default_rng(seed).normal(0, deviation / 500, len(onsets))


def windows_of(path: Path) -> PieceWindows:
    found = cut_windows(Source(path), Windows.ALL)
    assert isinstance(found, PieceWindows)
    return found


@pytest.mark.parametrize("late", [-0.11, -0.08, 0.0625, 0.1, 0.115])
@pytest.mark.parametrize("deviation", [0, 10, 20])
def test_a_delay_as_a_whole_is_found(late: float, deviation: float) -> None:
    assert grid.offset(humanised(BEATS + late, deviation)) == pytest.approx(late, abs=0.02)


def test_onsets_on_the_grid_around_it_or_swung_have_none() -> None:
    swung = np.concatenate([BEATS, BEATS + 2 / 3])
    for onsets in (BEATS, humanised(BEATS, 15), swung, np.arange(96) / 3):
        assert grid.offset(onsets) == 0


def played(notes: int, seed: int) -> NDArray[np.float64]:
    """Onsets of a rhythm played freely: the tempo is not the file's, and drifts."""
    random = np.random.default_rng(seed)
    rhythm = random.choice([0.5, 1, 2], size=notes)
    return np.cumsum(rhythm * np.exp(np.cumsum(random.normal(0, 0.03, notes))) * random.uniform(0.7, 1.4))


def test_what_is_played_without_a_beat_is_told_from_what_is_humanised() -> None:
    found = [grid.has_beat(played(128, seed)) for seed in range(100)]
    assert sum(found) <= 6
    random = np.random.default_rng(0)
    rhythms = [np.cumsum(random.choice([0.5, 1, 2], size=64)) for _ in range(100)]
    assert all(grid.has_beat(humanised(rhythm, 20, n)) for n, rhythm in enumerate(rhythms))


def test_long_notes_triplets_and_swing_follow_the_beat() -> None:
    swung = np.concatenate([BEATS, BEATS + 2 / 3])
    for onsets in (4 * BEATS[:8], np.arange(96) / 3, swung, humanised(swung, 10)):
        assert grid.has_beat(onsets)


def test_a_piece_played_without_a_beat_is_skipped_as_a_whole(tmp_path: Path) -> None:
    onsets = [Fraction(round(960 * time), 960) for time in played(128, 1)]
    notes = [TimedNote(onset, onset + Fraction(1, 4), 60 + n % 12) for n, onset in enumerate(onsets)]
    found = windows_of(write_notes(tmp_path / "a.mid", notes))
    assert found.skipped == {"piece played without a beat": 1}
    assert not found.windows


def test_a_late_file_gives_the_melodies_of_one_on_time(tmp_path: Path) -> None:
    pitches = G_MAJOR * 4
    on_time = [TimedNote(Fraction(n), Fraction(n + 1), pitch) for n, pitch in enumerate(pitches)]
    expected = windows_of(write_notes(tmp_path / "a.mid", on_time)).windows
    assert len(expected) == 2
    for late in (Fraction(1, 10), Fraction(-1, 10)):
        notes = [TimedNote(max(Fraction(0), n.onset + late), n.end + late, n.pitch) for n in on_time]
        found = windows_of(write_notes(tmp_path / "late.mid", notes))
        assert found.windows == expected
        assert not found.skipped
