"""A tune of the user's is read as a whole, in C, from its first whole bar on."""

from __future__ import annotations

from pathlib import Path

import pytest
from songs import G_MAJOR, write_score, write_song

from emomelody.data.user_tune import read_tune
from emomelody.errors import BadInput
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter


def test_the_pickup_is_apart(tmp_path: Path) -> None:
    tune = read_tune(write_score(tmp_path / "song.musicxml"))
    assert tune.key is not None and tune.key.name == "D minor"
    assert tune.melody.bars == 8
    assert [note.pitch + 2 for note in tune.melody.notes[:4]] == [74, 72, 70, 69]
    assert tune.pickup == Melody((Note(12, 4, 69 - 2),), 16)


def test_a_tune_is_in_one_of_the_meters(tmp_path: Path) -> None:
    waltz = write_song(tmp_path / "waltz.mid", G_MAJOR * 3, beats=3)
    assert (read_tune(waltz).melody.meter, read_tune(waltz).melody.bars) == (Meter.THREE_FOUR, 8)
    with pytest.raises(BadInput, match=r"waltz.mid: in 3/4: it must be in 4/4"):
        read_tune(waltz, (Meter.FOUR_FOUR,))
    with pytest.raises(BadInput, match=r"five.mid: in 5/4: it must be in 4/4 or 3/4 or 6/8"):
        read_tune(write_song(tmp_path / "five.mid", G_MAJOR * 4, beats=5))
