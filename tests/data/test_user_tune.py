"""A tune of the user's is read as a whole, in C, from its first whole bar on."""

from __future__ import annotations

from pathlib import Path

import mido
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


def test_a_pickup_in_a_bar_of_its_own_meter(tmp_path: Path) -> None:
    """As MuseScore writes it: 1/4, then 3/4."""
    track = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=1, denominator=4)])
    track.append(mido.MetaMessage("key_signature", key="D"))
    for number, pitch in enumerate([69] + [74, 76, 78] * 4):
        if number == 1:
            track.append(mido.MetaMessage("time_signature", numerator=3, denominator=4))
        track.append(mido.Message("note_on", note=pitch))
        track.append(mido.Message("note_off", note=pitch, time=480))
    file = mido.MidiFile(type=0, ticks_per_beat=480)
    file.tracks.append(track)
    file.save(tmp_path / "waltz.mid")
    tune = read_tune(tmp_path / "waltz.mid")
    assert (tune.melody.meter, tune.melody.bars, tune.remarks) == (Meter.THREE_FOUR, 4, ())
    assert tune.pickup == Melody((Note(8, 4, 69 - 74 + tune.melody.notes[0].pitch),), 12, Meter.THREE_FOUR)
