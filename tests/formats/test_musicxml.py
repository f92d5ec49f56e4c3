"""MusicXML files as the program reads them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from music21 import converter
from pieces import hundred_pieces

from emomelody.data import corpus
from emomelody.data.user_tune import read_tune
from emomelody.emotions.emotion import Emotion
from emomelody.formats import musicxml, score
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange


def test_the_programs_own_scores_are_read_back(tmp_path: Path) -> None:
    """The first has a natural that is tied twice and shows its sign once."""
    notes = (Note(0, 8, 68), Note(8, 4, 67), Note(12, 36, 69), Note(56, 8, 60))
    piece = arrange(Melody(notes), title="tied", emotion=Emotion.E3)
    for number, some in enumerate([piece, *hundred_pieces()[:5]]):
        path = tmp_path / f"{number}.musicxml"
        path.write_bytes(score.to_musicxml(some))
        read = read_tune(path).melody.beginning(some.melody.bars)
        semitones = some.melody.notes[0].pitch - read.notes[0].pitch  # reading transposes to C
        assert read.transposed(semitones) == some.melody


def test_the_first_part_alone_is_read_as_music21_reads_it_with_the_others() -> None:
    for path in corpus.chorales()[:200:40]:
        ours, whole = musicxml.read(path), musicxml._read_parsed(path, converter.parse(path))
        assert len(ours.sounding) < len(whole.sounding)
        assert replace(ours, sounding=whole.sounding) == whole


def test_the_key_of_a_score_that_writes_none_is_found_in_all_parts(tmp_path: Path) -> None:
    whole = converter.parse(corpus.chorales()[0])
    path = tmp_path / "keyless.musicxml"
    whole.write("musicxml", path)
    text = path.read_text()
    assert "<mode>" in text
    path.write_text(re.sub("<mode>.*</mode>", "", text))
    assert musicxml.read(path).key is None
    assert len(musicxml.read(path).sounding) == len(musicxml._read_parsed(path, whole).sounding)
