"""Sources are found and read: melody, barlines and key."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from conftest import Run
from songs import G_MAJOR, write_score, write_song

from emomelody.data import corpus
from emomelody.errors import BadInput
from emomelody.music.key import Key


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_score(tmp_path_factory.mktemp("score") / "song.musicxml")


def test_a_score_is_read_with_pickup_ties_and_key(score: Path) -> None:
    piece = corpus.read(score)
    assert piece.key == Key("D minor", 2, "minor")
    assert piece.barlines == tuple(Fraction(1 + 4 * bar) for bar in range(8))
    assert piece.line[0].pitch == 69
    tied = [n for n in piece.line if n.pitch == 77]
    assert [(n.onset, n.end) for n in tied] == [(Fraction(16), Fraction(18))]


def test_a_key_that_is_not_written_is_found(tmp_path: Path) -> None:
    path = write_song(tmp_path / "a.mid", [p + 2 for p in G_MAJOR] * 2, key=None)
    assert corpus.read(path).key.name == "A major"


def test_files_are_found_in_folders_by_their_suffix(tmp_path: Path) -> None:
    names = ["a.mid", "B.MIDI", "inner/c.musicxml", "inner/d.xml", "e.mxl"]
    for name in [*names, "notes.txt", "f.wav"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = corpus.find_files(tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in found) == sorted(names)


def test_sources_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="nowhere: no such file or folder"):
        corpus.find_files(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"empty: holds no \.mid"):
        corpus.find_files(tmp_path / "empty")


def test_a_text_file_is_neither_midi_nor_musicxml(tmp_path: Path, run: Run) -> None:
    (tmp_path / "notes.txt").write_text("do re mi")
    for arguments in (["preprocess", "notes.txt"], ["sample", "--like", "notes.txt"]):
        assert "notes.txt: not a MIDI or MusicXML file" in run(*arguments, code=1).stderr
