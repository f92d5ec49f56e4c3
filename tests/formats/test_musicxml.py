"""MusicXML files as the program reads them."""

from __future__ import annotations

from pathlib import Path

from pieces import hundred_pieces

from emomelody.data.windows import first_window
from emomelody.formats import score
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange


def test_the_programs_own_scores_are_read_back(tmp_path: Path) -> None:
    """The first has a natural that is tied twice and shows its sign once."""
    notes = (Note(0, 8, 68), Note(8, 4, 67), Note(12, 36, 69), Note(56, 8, 60))
    piece = arrange(Melody(notes), title="tied", emotion=Emotion.E3)
    for number, some in enumerate([piece, *hundred_pieces()[:5]]):
        path = tmp_path / f"{number}.musicxml"
        path.write_bytes(score.to_musicxml(some))
        read = first_window(path)
        semitones = some.melody.notes[0].pitch - read.notes[0].pitch  # reading transposes to C
        assert read.transposed(semitones) == some.melody
