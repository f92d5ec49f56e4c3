"""Sources are found and read: melody, barlines and key."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import damage
import mido
import pytest
from conftest import Run
from songs import G_MAJOR, write_score, write_song

from emomelody.data import corpus
from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput
from emomelody.formats import midi
from emomelody.formats.score import to_musicxml
from emomelody.music.key import Key
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN, Setting


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


C_MAJOR = [60, 64, 67, 65, 62, 67, 71, 60]
A_MINOR = [69, 72, 76, 74, 71, 68, 69, 69]
D_MAJOR = [pitch + 2 for pitch in C_MAJOR]


@pytest.mark.parametrize(
    ("pitches", "written", "key"),
    [
        (C_MAJOR, "C", "C major"),
        (A_MINOR, "C", "A minor"),
        (D_MAJOR, "C", "D major"),
        ([60, 63, 67, 65, 62, 67, 71, 60], "C", "C minor"),
        ([69, 72, 76, 74, 71, 69, 64, 60], "C", "C major"),  # its notes are like A minor, its end is not
        (A_MINOR, "Am", "A minor"),
        ([p - 2 for p in A_MINOR], "Bb", "G minor"),
        ([p - 2 for p in A_MINOR], "F", "F major"),  # other keys are as they are written
        (D_MAJOR, "F#m", "F# minor"),
    ],
)
def test_a_written_key_of_midi_is_compared_with_the_notes(
    tmp_path: Path, pitches: list[int], written: str, key: str
) -> None:
    assert corpus.read(write_song(tmp_path / "a.mid", pitches * 2, key=written)).key.name == key


@pytest.mark.parametrize("setting", [PLAIN, Setting()])
def test_the_programs_own_files_are_in_the_key_that_they_say(tmp_path: Path, setting: Setting) -> None:
    notes = tuple(Note(4 * n, 4, pitch) for n, pitch in enumerate(D_MAJOR * 2))
    midi.write(arrange(Melody(notes), title="a", emotion=Emotion.E1, setting=setting), tmp_path / "a.mid")
    piece = corpus.read(tmp_path / "a.mid")
    assert piece.key.name == "C major"
    assert [note.pitch for note in piece.line] == [note.pitch for note in notes]


def test_a_tempo_lasts_until_the_next_and_before_the_first_it_is_120(tmp_path: Path) -> None:
    path = write_song(tmp_path / "a.mid", G_MAJOR * 2, tempos={4: 60, 8: 240})
    piece = corpus.read(path)
    assert [piece.seconds(Fraction(4 * bar), Fraction(4 * bar + 4)) for bar in range(4)] == [2, 4, 1, 1]
    assert piece.seconds(Fraction(2), Fraction(9)) == Fraction("5.25")
    assert corpus.read(write_song(path, G_MAJOR * 2)).seconds(Fraction(0), Fraction(16)) == 8


@pytest.mark.parametrize(
    ("meters", "notated", "barlines"),  # the beat on which each meter begins, in a piece of 32 beats
    [
        ({}, "4/4", [0, 4, 8]),
        ({0: 1, 1: 3}, "3/4", [1, 4, 7]),  # a pickup
        ({4: 3}, "3/4", [4, 7, 10]),  # a bar to count in
        ({0: 4, 16: 3}, "4/4", [0, 4, 8, 12]),
        ({0: 5}, "5/4", []),
    ],
)
def test_a_piece_is_in_fours_or_in_its_longest_meter(
    tmp_path: Path, meters: dict[int, int], notated: str, barlines: list[int]
) -> None:
    path = write_song(tmp_path / "a.mid", G_MAJOR * 4)
    file = mido.MidiFile(path)
    file.tracks[0].pop(0)
    changes = mido.MidiTrack()
    for last, beat in pairwise([0, *meters]):
        changes.append(
            mido.MetaMessage("time_signature", numerator=meters[beat], denominator=4, time=4 * (beat - last))
        )
    file.type = 1
    file.tracks.append(changes)
    file.save(path)
    piece = corpus.read(path)
    assert piece.notated == notated
    assert list(piece.barlines[: len(barlines)]) == barlines


def test_a_piece_has_the_program_of_its_melody(tmp_path: Path) -> None:
    violin = Setting(program="violin")
    piece = arrange(damage.MELODY, title="a", emotion=Emotion.E1, setting=violin)
    midi.write(piece, tmp_path / "a.mid")
    (tmp_path / "a.musicxml").write_bytes(to_musicxml(piece))
    (tmp_path / "a.abc").write_text("X:1\nK:C\nCDEF|\n")
    assert corpus.read(tmp_path / "a.mid").program == 40
    assert corpus.read(tmp_path / "a.musicxml").program == 40
    assert corpus.read(tmp_path / "a.abc").program == 0


SOUND = '<sound tempo="{}"/>'
MARK = (
    "<direction><direction-type><metronome><beat-unit>half</beat-unit><per-minute>{}</per-minute>"
    "</metronome></direction-type></direction>"
)


@pytest.mark.parametrize(
    ("direction", "seconds"),
    [
        (SOUND.format("60"), 16),
        (
            f"<direction><direction-type><words>Slow</words></direction-type>{SOUND.format(40)}</direction>",
            24,
        ),
        (MARK.format("60"), 8),
        (MARK.format("15"), 32),
        (MARK.format("as you like"), 8),
        (SOUND.format("0"), 8),
        (SOUND.format("-80"), 8),
        ("", 8),
    ],
)
def test_a_score_has_the_tempo_of_its_sound_or_metronome_mark(
    tmp_path: Path, direction: str, seconds: int
) -> None:
    text = to_musicxml(arrange(damage.MELODY, title="a", emotion=Emotion.E1, setting=PLAIN)).decode()
    text = re.sub(r"<direction\b.*?</direction>", "", text, flags=re.DOTALL)
    assert "tempo" not in text
    path = tmp_path / "a.musicxml"
    path.write_text(text.replace("</attributes>", f"</attributes>{direction}", 1))
    assert corpus.read(path).seconds(Fraction(0), Fraction(16)) == seconds


def test_files_are_found_in_folders_by_their_suffix(tmp_path: Path) -> None:
    names = ["a.mid", "B.MIDI", "inner/c.musicxml", "inner/d.xml", "e.mxl", "inner/f.abc"]
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


def test_a_text_file_is_refused(tmp_path: Path, run: Run) -> None:
    (tmp_path / "notes.txt").write_text("do re mi")
    for arguments in (["preprocess", "notes.txt"], ["sample", "--like", "notes.txt"]):
        assert "notes.txt: not a MIDI, MusicXML or ABC file" in run(*arguments, code=1).stderr
