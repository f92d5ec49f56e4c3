"""ABC files are read as they are written: notes, bars, meters and keys, tune by tune."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from conftest import Run
from songs import manifest_rows

from emomelody.data import corpus
from emomelody.data.sources import pieces_in
from emomelody.data.user_tune import read_tune
from emomelody.data.windows import PieceWindows, Windows, cut_windows
from emomelody.errors import BadInput
from emomelody.formats import abc
from emomelody.formats.musicxml import Score
from emomelody.music.meter import Meter

HEADER = "X:1\nT:Song\nM:4/4\nL:1/4\nK:C\n"
C, D, E, F, G, A, B = 60, 62, 64, 65, 67, 69, 71
FOUR_BARS = "CDEF|GABc|cBAG|FEDC|"


def scores(folder: Path, text: str | bytes) -> list[Score]:
    """The tunes of a file with this text."""
    path = folder / "songs.abc"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [abc.read(path, tune) for tune in abc.tunes(path)]


def notes(score: Score) -> list[tuple[int, float]]:
    """(pitch, duration in quarter notes) of each note."""
    return [(note.pitch, float(note.end - note.onset)) for note in score.line]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C2 D/ E3/2 F//", [(C, 2), (D, 0.5), (E, 1.5), (F, 0.25)]),
        ("C, c c' z2 x C", [(48, 1), (72, 1), (84, 1), (C, 1)]),
        ("C>D E<F G>>A", [(C, 1.5), (D, 0.5), (E, 0.5), (F, 1.5), (G, 1.75), (A, 0.25)]),
        ("C-C|D2-|D2 E-F", [(C, 2), (D, 4), (E, 1), (F, 1)]),  # between two pitches it is a slur
        ("(C>)D (E(F)G)", [(C, 1.5), (D, 0.5), (E, 1), (F, 1), (G, 1)]),
        ("C>-D", [(C, 1.5), (D, 0.5)]),
        ("(3CDE F", [(C, 2 / 3), (D, 2 / 3), (E, 2 / 3), (F, 1)]),
        ("(3:2:2C2D E", [(C, 4 / 3), (D, 2 / 3), (E, 1)]),
        ("{de}C {/g}D>{f}E E{f}-E", [(C, 1), (D, 1.5), (E, 0.5), (E, 1), (E, 1)]),
        ("[CEG] [C2c2] [FA]3", [(G, 1), (72, 2), (A, 3)]),
        ("[CE]2-|[CE]2 +CE+", [(E, 4), (E, 1)]),
        ("^F F|F _B =B", [(66, 1), (66, 1), (F, 1), (70, 1), (B, 1)]),  # until the end of the bar
        ('"4"C "Am7"D ">"E !trill!F ~G .A vB uTC "unfinished', [(p, 1) for p in (C, D, E, F, G, A, B, C)]),
        ("C`D % and E\nF\\\nG", [(C, 1), (D, 1), (F, 1), (G, 1)]),
        ("C [L:1/8] D [K:D] F\nL:1/2\nF", [(C, 1), (D, 0.5), (66, 0.5), (66, 2)]),
        ("V:1\nC D\nV:2\nE, F,\nV:1\nE\n[V:2] G,\n[V:1] F", [(C, 1), (D, 1), (E, 1), (F, 1)]),
        ("C & E G | D y2 E\nw:not no-tes\nW:at all", [(C, 1), (D, 1), (E, 1)]),
    ],
)
def test_notes(tmp_path: Path, music: str, expected: list[tuple[int, float]]) -> None:
    (score,) = scores(tmp_path, HEADER + music)
    assert notes(score) == [(pitch, pytest.approx(duration)) for pitch, duration in expected]


def test_repeats_are_kept_as_they_are_written(tmp_path: Path) -> None:
    (score,) = scores(tmp_path, HEADER + "|:CDEF|[1 G4:|[2 A4::B4|1 c4:|2 d4|]")
    assert [pitch for pitch, _ in notes(score)] == [C, D, E, F, G, A, B, 72, 74]
    assert score.bars == tuple((4 * bar, 4) for bar in range(6))


def test_bars_and_pickup(tmp_path: Path) -> None:
    (score,) = scores(tmp_path, HEADER + "G|CDEF|GABc||Z|Z2|c3:|")
    assert score.bars == ((0, 1), (1, 4), (5, 4), (9, 4), (13, 8), (21, 3))
    assert corpus.read(tmp_path / "songs.abc").barlines[:2] == (1, 5)


@pytest.mark.parametrize(
    ("fields", "quarters"),
    [("M:2/4", 0.25), ("M:C|", 0.5), ("M:6/8", 0.5), ("", 0.5), ("M:none", 0.5), ("M:2/4\nL:1/8", 0.5)],
)
def test_the_unit_without_a_field_follows_the_meter(tmp_path: Path, fields: str, quarters: float) -> None:
    (score,) = scores(tmp_path, f"X:1\nT:Song\n{fields}{chr(10) * bool(fields)}K:C\nC")
    assert notes(score) == [(C, quarters)]


@pytest.mark.parametrize(
    ("key", "name", "pitches"),
    [
        ("A", "A major", (66, 68)),
        ("Amix % so it sounds", "A major", (66, 67)),
        ("E Dorian", "E minor", (66, 67)),
        ("Bbm", "Bb minor", (65, 66)),
        ("F#m", "F# minor", (66, 68)),
    ],
)
def test_keys(tmp_path: Path, key: str, name: str, pitches: tuple[int, int]) -> None:
    (score,) = scores(tmp_path, f"X:1\nL:1/4\nK:{key}\nFG")
    assert score.key is not None
    assert score.key.name == name
    assert tuple(pitch for pitch, _ in notes(score)) == pitches


@pytest.mark.parametrize(
    ("tempo", "seconds"),
    [
        ("Q:1/4=60", 4),
        ("Q:1/2=60", 2),
        ("Q:3/8=40", 4),
        ('Q:"Slow" 1/4 = 30', 8),
        ("Q:240", 1),
        ('Q:"Slow"', 2),
        ("Q:0", 2),
    ],
)
def test_tempos(tmp_path: Path, tempo: str, seconds: float) -> None:
    scores(tmp_path, HEADER.replace("K:", f"{tempo}\nK:") + FOUR_BARS)
    assert corpus.read(tmp_path / "songs.abc").seconds(Fraction(0), Fraction(4)) == seconds


def test_a_file_has_several_tunes(tmp_path: Path) -> None:
    text = (
        "A free text.\nL:1/8\n\nX:7\nT:The Cuckoo\nT:The Nest\nK:C\nCD\n\nC D E: text between tunes\n\n"
        "X:9\r\nL:1/4\r\nK:G\r\nFG\r\nX:12\rT:Last\rK:C\rE"
    )
    assert [notes(score) for score in scores(tmp_path, text)] == [
        [(C, 0.5), (D, 0.5)],
        [(66, 1), (G, 1)],
        [(E, 0.5)],
    ]
    names = [tune.name for tune in abc.tunes(tmp_path / "songs.abc")]
    assert names == ["tune 7 (The Cuckoo)", "tune 9", "tune 12 (Last)"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    scores(tmp_path, HEADER.replace("Song", "Été à Moté").encode(encoding) + b"C")
    assert abc.tunes(tmp_path / "songs.abc")[0].title == "Été à Moté"


def test_tunes_with_the_same_number_are_counted(tmp_path: Path) -> None:
    scores(tmp_path, f"{HEADER}C\n\n{HEADER}D\n\n{HEADER}E")
    assert [tune.number for tune in abc.tunes(tmp_path / "songs.abc")] == [1, 2, 3]


@pytest.mark.parametrize("data", [b"", b"\0\1\2", b"la la la", b"T:No number\nK:C\nCDEF"])
def test_a_file_without_a_tune_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadInput, match="holds no ABC tune: a tune begins with"):
        scores(tmp_path, data)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="larger than 2 MB"):
        scores(tmp_path, HEADER + "C" * 2_000_000)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("X:1\nT:Song\nM:4/4\n", "no K: field"),
        (HEADER, "no notes"),
        (HEADER + "z4|z4|", "no notes"),
        (HEADER + "C'''''''", "outside MIDI's range"),
        (HEADER.replace("M:4/4", "M:none") + "C|Z|", "rest of whole bars"),
        (HEADER.replace("L:1/4", "L:1/x") + "C", "damaged tune"),
        (HEADER.replace("M:4/4", "M:four") + "C", "damaged tune"),
        (HEADER + "C" * 50_000, "longer than 50,000 characters"),
    ],
)
def test_damaged_tunes_are_refused_for_a_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        scores(tmp_path, text)


def windows_of(path: Path) -> PieceWindows:
    found = cut_windows(pieces_in(path)[0], Windows.ALL)
    assert isinstance(found, PieceWindows)
    return found


def song(folder: Path, meter: str, music: str) -> Path:
    path = folder / "song.abc"
    path.write_text(HEADER.replace("4/4", meter) + music)
    return path


@pytest.mark.parametrize("meter", ["4/4", "C", "C|", "2/2"])
def test_cut_time_is_read_in_fours(tmp_path: Path, meter: str) -> None:
    found = windows_of(song(tmp_path, meter, "G|" + FOUR_BARS * 2))
    assert [(w.first_bar, w.bars, w.melody.steps, w.melody.meter) for w in found.windows] == [
        (1, 4, 64, Meter.FOUR_FOUR),
        (5, 4, 64, Meter.FOUR_FOUR),
    ]
    assert found.windows[0].melody == found.windows[1].melody


def test_two_bars_of_two_four_are_one(tmp_path: Path) -> None:
    cut = FOUR_BARS.replace("EF", "|EF").replace("Bc", "|Bc").replace("AG", "|AG").replace("DC", "|DC")
    assert cut.count("|") == 8
    found = windows_of(song(tmp_path, "2/4", "G|" + cut * 2))
    plain = windows_of(song(tmp_path, "4/4", "G|" + FOUR_BARS * 2))
    assert found.windows == plain.windows


@pytest.mark.parametrize(
    ("meter", "bar"), [(Meter.THREE_FOUR, "CDE|"), (Meter.SIX_EIGHT, "C/D/E/F/G/A/|"), (None, "C4D/|")]
)
def test_other_meters(tmp_path: Path, meter: Meter | None, bar: str) -> None:
    found = windows_of(song(tmp_path, meter or "9/8", "G|" + bar * 8))
    if meter is None:
        assert found.skipped == {"piece in 9/8": 1}
        assert not found.windows
        return
    assert [(w.first_bar, w.melody.steps, w.melody.meter) for w in found.windows] == [
        (1, 48, meter),
        (5, 48, meter),
    ]


def test_windows_beyond_a_change_of_meter_are_skipped(tmp_path: Path) -> None:
    found = windows_of(song(tmp_path, "4/4", FOUR_BARS + "[M:3/4]" + "CDE|" * 8))
    assert len(found.windows) == 1
    assert set(found.skipped) == {"window not in 4/4"}
    alone = windows_of(song(tmp_path, "9/8", "C4D/|" * 4 + "[M:3/4]" + "CDE|" * 8))
    assert {w.melody.meter for w in alone.windows} == {Meter.THREE_FOUR}


def test_one_piece_is_the_first_tune(tmp_path: Path) -> None:
    path = tmp_path / "songs.abc"
    path.write_text(f"{HEADER}{FOUR_BARS}\n\n{HEADER.replace('X:1', 'X:2')}{'dddd|' * 4}")
    first, second = abc.tunes(path)
    assert read_tune(path).melody == read_tune(path, tune=first).melody
    assert [note.pitch for note in read_tune(path).melody.notes][:4] == [C, D, E, F]
    assert {note.pitch for note in read_tune(path, tune=second).melody.notes} == {D}
    path.write_text(f"X:3\nT:Lost\n\n{HEADER}{FOUR_BARS}")
    with pytest.raises(BadInput, match=r"songs.abc: tune 3 \(Lost\): no K: field"):
        read_tune(path)


def test_a_damaged_tune_is_listed_and_the_others_are_written(tmp_path: Path, run: Run) -> None:
    good, other = HEADER + FOUR_BARS, HEADER.replace("X:1", "X:3") + FOUR_BARS.replace("C", "E")
    (tmp_path / "songs.abc").write_text(f"{good}\n\nX:2\nT:[b]roken\n\n{other}")
    (tmp_path / "empty.abc").touch()
    done = run("preprocess", "songs.abc", "empty.abc", code=1)
    assert "songs.abc: tune 2 ([b]roken): no K: field" in done.stderr
    assert "empty.abc: holds no ABC tune" in done.stderr
    assert "2 sources could not be used" in done.stderr
    rows = manifest_rows(tmp_path / "data")
    assert [(row["source"], row["style"], row["meter"]) for row in rows] == [
        ("songs.abc#1", "own", "4/4"),
        ("songs.abc#3", "own", "4/4"),
    ]
    assert [Path(row["file"]).name for row in rows] == ["songs-1-b001.mid", "songs-3-b001.mid"]


# A reading of its own: the letters of the notes, and what is between barlines.
NO_NOTES = re.compile(r'^[A-Za-z]:(?![|:]).*$|%.*$|"[^"]*"|\{[^}]*\}|![^!\s]*!|\[[A-Z]:[^]]*\]', re.MULTILINE)
NOTE = re.compile(r"(\[[^]|]*\]|[A-Ga-g][,']*)[\d/<>]*(-?)")
BARLINE = re.compile(r"\||::|\[\d")


def natural(note: str) -> int:
    """The pitch of a note, or of the highest in a chord, without accidentals."""
    letters = re.findall(r"([A-Ga-g])([,']*)", note)
    return max(
        {"c": C, "d": D, "e": E, "f": F, "g": G, "a": A, "b": B}[letter.lower()]
        + 12 * (letter.islower() + marks.count("'") - marks.count(","))
        for letter, marks in letters
    )


def test_two_hundred_tunes_have_the_notes_and_bars_that_are_written() -> None:
    tunes = corpus.folk_tunes()
    assert len(tunes) == 4248
    one_voice = [(path, tune) for path, tune in tunes[::20] if "V:" not in tune.text]
    for path, tune in one_voice:
        music = NO_NOTES.sub("", re.split(r"\nK:.*", tune.text, maxsplit=1)[1])
        written = [(natural(note), tie) for note, tie in NOTE.findall(music)]
        onsets = [
            pitch
            for n, (pitch, _) in enumerate(written)
            if n == 0 or written[n - 1] != (pitch, "-")  # else tied to the note before it
        ]
        score = abc.read(path, tune)
        assert len(score.line) == len(onsets), tune
        assert all(abs(note.pitch - pitch) <= 2 for note, pitch in zip(score.line, onsets, strict=True)), tune
        bars = [bar for bar in BARLINE.split(music) if NOTE.search(bar) or re.search("[zx]", bar)]
        assert len(score.bars) == len(bars), tune
    assert len(one_voice) >= 200
