"""Where the notes of an engraved score stand."""

from __future__ import annotations

from itertools import pairwise

import pytest

from emomelody.emotions.emotion import Emotion
from emomelody.formats.page.scores import engrave
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.piece import arrange

pytest.importorskip("verovio", reason="needs Verovio: pip install '.[score]'")


@pytest.mark.parametrize("meter", Meter)
def test_each_printed_note_has_its_place(meter: Meter) -> None:
    steps = 16 * meter.bar
    held = meter.bar + meter.bar // 2  # over a bar line: tied
    notes = (*(Note(4 * n, 4, 60 + n % 12) for n in range(steps // 4 - 6)), Note(steps - 24, held, 67))
    piece = arrange(Melody(notes, steps, meter), title="scale", emotion=Emotion.E1)
    made = engrave([piece, piece])
    assert "@font-face" in made["font"]
    assert all("@font-face" not in score for score in made["scores"])
    places, again = made["places"]
    assert places == again
    onsets = [place[0] for place in places]
    assert {note.onset for note in notes} <= set(onsets)
    assert onsets == sorted(onsets)
    assert len(onsets) > len(notes)
    systems = [place[2:] for place in places]
    assert systems == sorted(systems)
    assert len({tuple(system) for system in systems}) > 1
    for one, other in pairwise(places):
        assert 0 < one[2] < one[3] < 1
        assert one[1] < other[1] or one[2] < other[2]  # to the right, or in the next system
