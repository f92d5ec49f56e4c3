"""Windows are what is between barlines, in C, on the grid; other bars are skipped for a reason."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs import G_MAJOR, write_score, write_song

from emomelody.data.sources import Slow, Source
from emomelody.data.windows import (
    FULL_SPEED,
    HALF_SPEED,
    QUARTER_SPEED,
    PieceWindows,
    Windows,
    cut_windows,
)
from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput
from emomelody.formats import midi
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN

RHYTHMS = [(4, 4, 4, 4), (8, 8), (16,), (2,) * 8, (6, 2, 8)]  # of a bar, in steps


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_score(tmp_path_factory.mktemp("score") / "song.musicxml")


def windows_of(path: Path, windows: Windows = Windows.ALL, *, slow: Slow | None = None) -> PieceWindows:
    found = cut_windows(Source(path, slow=slow), windows)
    assert isinstance(found, PieceWindows)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(RHYTHMS), min_size=4, max_size=13), st.randoms())
def test_windows_are_cut_at_barlines(bars: list[tuple[int, ...]], random: Random) -> None:
    durations = [duration for bar in bars for duration in bar]
    onsets = [sum(durations[:i]) for i in range(len(durations))]
    notes = [Note(o, d, random.randint(48, 84)) for o, d in zip(onsets, durations, strict=True)]
    piece = arrange(Melody(tuple(notes), 16 * len(bars)), title="a", emotion=Emotion.E1, setting=PLAIN)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.mid"
        midi.write(piece, path)
        found = windows_of(path)
    # Half of the last window must sound.
    assert [w.first_bar for w in found.windows] == list(range(1, len(bars), 4))
    for number, window in enumerate(found.windows):
        start = 64 * number
        inside = [n for n in notes if start <= n.onset < start + 64]
        assert window.melody.notes == tuple(Note(n.onset - start, n.duration, n.pitch) for n in inside)


def test_windows_are_transposed_to_c(tmp_path: Path) -> None:
    found = windows_of(write_song(tmp_path / "a.mid", G_MAJOR * 2))
    assert found.transposition == -7
    assert [n.pitch for n in found.windows[0].melody.notes] == [p - 7 for p in G_MAJOR * 2]


def test_a_low_line_is_transposed_up_and_one_of_all_pitches_is_refused(tmp_path: Path) -> None:
    low = windows_of(write_song(tmp_path / "low.mid", [5, 7, 9, 11] * 4))
    assert low.transposition == 5
    wide = cut_windows(Source(write_song(tmp_path / "wide.mid", [0, 127] * 8)), Windows.ALL)
    assert isinstance(wide, BadInput)
    assert "cannot be transposed to C" in wide.reason


def test_half_speed_stretches_two_bars_to_four(score: Path) -> None:
    half = [w for w in windows_of(score, slow=Slow.ALL).windows if w.speed == HALF_SPEED]
    assert [(w.first_bar, w.bars) for w in half] == [(1, 2), (3, 2), (5, 2), (7, 2)]
    assert half[0].melody.notes[0] == Note(0, 8, 72)
    assert {w.seconds for w in half} == {8.0}  # two bars at 120 BPM, at half the speed


@pytest.mark.parametrize(
    ("length", "speed", "bars"),  # of a note, in sixteenths; of the slow version
    [(8, None, 0), (4, HALF_SPEED, 2), (2, QUARTER_SPEED, 1), (1, QUARTER_SPEED, 1)],
)
def test_a_passage_of_a_fast_piece_is_slowed_down(
    tmp_path: Path, length: int, speed: Fraction | None, bars: int
) -> None:
    """Quarter notes are 16 in four bars, and 8 at half speed; sixteenths are 64, 32, and 16 at a quarter."""
    song = write_song(tmp_path / "a.mid", G_MAJOR * (32 // length) * 2, length=length)  # 32 bars
    for slow, first in ((Slow.BEGINNING, 1), (Slow.END, 33 - 4 * bars)):
        found = windows_of(song, slow=slow).windows
        assert [w.first_bar for w in found if w.speed == FULL_SPEED] == list(range(1, 33, 4))
        slowed = [(w.first_bar, w.speed, w.bars) for w in found if w.speed != FULL_SPEED]
        assert slowed == [(first + n * bars, speed, bars) for n in range(4 if speed else 0)]


def test_a_window_lasts_as_long_as_the_tempos_in_it_say(tmp_path: Path) -> None:
    song = write_song(tmp_path / "a.mid", G_MAJOR * 6, tempos={0: 60, 16: 120, 24: 240})
    assert [w.seconds for w in windows_of(song).windows] == [16.0, 6.0, 4.0]


def test_the_first_window_begins_with_the_pickup(score: Path) -> None:
    (window,) = windows_of(score, Windows.FIRST).windows
    assert window.first_bar == 0
    assert [n.pitch + 2 for n in window.melody.notes[:3]] == [69, 74, 72]


def test_a_note_tied_into_a_window_begins_with_it(score: Path) -> None:
    _, second = windows_of(score).windows
    assert second.melody.notes[0] == Note(0, 4, 77 - 2)


def test_a_score_without_a_meter_is_in_fours_and_one_that_says_so_is_free(
    tmp_path: Path, score: Path
) -> None:
    written = score.read_text()
    path = tmp_path / "a.musicxml"
    path.write_text(re.sub("<time.*?</time>", "", written, flags=re.DOTALL))
    assert windows_of(path).windows == windows_of(score).windows
    path.write_text(re.sub("<time.*?</time>", "<time><senza-misura/></time>", written, flags=re.DOTALL))
    assert windows_of(path).skipped == {"piece in free meter": 1}


def write_triplets(path: Path) -> Path:
    file = mido.MidiFile(type=0, ticks_per_beat=12)
    track = mido.MidiTrack()
    for _ in range(48):
        track += [mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=4)]
    file.tracks.append(track)
    file.save(path)
    return path


def test_windows_are_skipped_for_a_reason(tmp_path: Path) -> None:
    triplets = windows_of(write_triplets(tmp_path / "triplets.mid"))
    assert triplets.skipped == {"window off the sixteenth grid": 1}
    short = windows_of(write_song(tmp_path / "short.mid", G_MAJOR[:3]))
    assert short.skipped == {"window with more rest than sound": 1}
    five = windows_of(write_song(tmp_path / "five.mid", G_MAJOR * 4, beats=5))
    assert five.skipped == {"piece in 5/4": 1}
    for found in (triplets, short, five):
        assert not found.windows
