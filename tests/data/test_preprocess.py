"""``preprocess`` through the installed command, on small pieces whose outcome is worked out by hand."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import mido
import numpy as np
import pytest
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st

from emomelody.data import corpus, windows
from emomelody.data.dataset import Split, load
from emomelody.data.tunes import group_tunes, hold_out
from emomelody.formats import midi
from emomelody.music.emotion import Emotion
from emomelody.music.key import Key
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange

RHYTHMS = [(4, 4, 4, 4), (8, 8), (16,), (2,) * 8, (6, 2, 8)]  # of a bar, in steps
G_MAJOR = [67, 69, 71, 72, 74, 72, 71, 69]  # quarter notes


def write_piece(
    path: Path,
    pitches: list[int],
    *,
    key: str | None = "G",
    beats: int = 4,
    length: int = 4,
) -> Path:
    """A MIDI file of equal notes, ``length`` ticks each, at 4 ticks per quarter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    track = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=beats, denominator=4)])
    if key:
        track.append(mido.MetaMessage("key_signature", key=key))
    for pitch in pitches:
        track.append(mido.Message("note_on", note=pitch))
        track.append(mido.Message("note_off", note=pitch, time=length))
    file = mido.MidiFile(type=0, ticks_per_beat=4)
    file.tracks.append(track)
    file.save(path)
    return path


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def read(folder: Path, row: dict[str, str]) -> Melody:
    return midi.read_melody(folder / row["file"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(RHYTHMS), min_size=4, max_size=13), st.randoms())
def test_windows_are_the_piece_cut_at_barlines(bars: list[tuple[int, ...]], random: Random) -> None:
    durations = [duration for bar in bars for duration in bar]
    onsets = [sum(durations[:i]) for i in range(len(durations))]
    notes = [Note(o, d, random.randint(48, 84)) for o, d in zip(onsets, durations, strict=True)]
    piece = arrange(Melody(tuple(notes), 16 * len(bars)), title="a", emotion=Emotion.E1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.mid"
        midi.write(piece, path)
        found = windows.cut_windows(windows.Source(path), windows.Windows.ALL)
    assert isinstance(found, windows.PieceWindows)
    # Of the last one half must sound.
    assert [w.first_bar for w in found.windows] == list(range(1, len(bars), 4))
    for number, window in enumerate(found.windows):
        start = 64 * number
        inside = [n for n in notes if start <= n.onset < start + 64]
        assert window.melody.notes == tuple(Note(n.onset - start, n.duration, n.pitch) for n in inside)


def test_a_piece_becomes_windows_in_c(tmp_path: Path, run: Run) -> None:
    write_piece(tmp_path / "songs" / "walk.mid", G_MAJOR * 4)
    done = run("preprocess", "songs")
    rows = manifest(tmp_path / "data")
    assert [row["bars"] for row in rows] == ["1-4", "5-8"]
    assert {row["key"] for row in rows} == {"G major"}
    assert {row["transposition"] for row in rows} == {"-7"}
    assert {(row["emotion"], row["label_from"], row["source"]) for row in rows} == {
        ("e1", "rule", "walk.mid")
    }
    assert [n.pitch for n in read(tmp_path / "data", rows[1]).notes] == [p - 7 for p in G_MAJOR * 2]
    assert "pieces read" in done.stdout


def test_a_window_knows_the_one_before_it_in_its_piece(tmp_path: Path, run: Run) -> None:
    write_piece(tmp_path / "songs" / "march.mid", G_MAJOR * 6)
    write_piece(tmp_path / "songs" / "walk.mid", G_MAJOR * 4)
    run("preprocess", "songs")
    dataset = load(tmp_path / "data")
    found = {
        file.stem: dataset.files[n].stem if n >= 0 else None
        for file, n in zip(dataset.files, dataset.previous, strict=True)
    }
    assert found == {
        "march-b001": None,
        "march-b005": "march-b001",
        "march-b009": "march-b005",
        "walk-b001": None,
        "walk-b005": "walk-b001",
    }


def test_first_takes_one_window(tmp_path: Path, run: Run) -> None:
    write_piece(tmp_path / "songs" / "walk.mid", G_MAJOR * 4)
    run("preprocess", "songs", "--windows", "first", "-o", "one")
    assert [row["bars"] for row in manifest(tmp_path / "one")] == ["1-4"]


def test_labels_come_from_csv_then_folder_then_rule(tmp_path: Path, run: Run) -> None:
    songs = tmp_path / "songs"
    calm_minor = [60, 62, 63, 65, 67, 63, 62, 60]  # in C minor, half notes
    write_piece(songs / "Relaxed" / "a.mid", G_MAJOR * 2)
    write_piece(songs / "Relaxed" / "b.mid", G_MAJOR * 2)
    write_piece(songs / "other" / "c.mid", calm_minor, key="Cm", length=8)
    (tmp_path / "labels.csv").write_text("file,emotion\nRelaxed/b.mid,Q2\nd.mid,sad\n")
    stderr = run("preprocess", "songs", "--labels", "labels.csv").stderr
    assert "1 labels match no file, e.g. d.mid" in stderr
    found = {row["source"]: (row["emotion"], row["label_from"]) for row in manifest(tmp_path / "data")}
    assert found == {"a.mid": ("e4", "folder"), "b.mid": ("e2", "csv"), "c.mid": ("e3", "rule")}


def test_a_wrong_label_names_its_line(tmp_path: Path, run: Run) -> None:
    write_piece(tmp_path / "a.mid", G_MAJOR * 2)
    (tmp_path / "labels.csv").write_text("file,emotion\na.mid,gloomy\n")
    stderr = run("preprocess", "a.mid", "--labels", "labels.csv", code=1).stderr
    assert "labels.csv: line 2: unknown emotion 'gloomy'" in stderr
    assert not (tmp_path / "data").exists()


def test_a_key_that_is_not_written_is_found(tmp_path: Path, run: Run) -> None:
    write_piece(tmp_path / "a.mid", [p + 2 for p in G_MAJOR] * 2, key=None)  # sounds in A major
    run("preprocess", "a.mid")
    assert manifest(tmp_path / "data")[0]["key"] == "A major"


def test_good_files_go_through_beside_bad_ones(tmp_path: Path, run: Run) -> None:
    songs = tmp_path / "songs"
    write_piece(songs / "good.mid", G_MAJOR * 4)
    (songs / "text [").mkdir()
    (songs / "text [" / "b].mid").write_text("do re mi")  # a path that rich would read as markup
    (songs / "broken.mxl").write_bytes(b"PK\x03\x04 and no more")
    (songs / "broken.xml").write_text("<score-partwise><part></score-partwise>")
    write_piece(songs / "waltz.mid", G_MAJOR * 4, beats=3)
    done = run("preprocess", "songs", code=1)
    assert len(manifest(tmp_path / "data")) == 2
    assert "text [/b].mid: not a MIDI file" in done.stderr
    assert "broken.mxl: damaged MusicXML" in done.stderr
    assert "broken.xml: damaged MusicXML" in done.stderr
    assert "3 of the sources could not be used" in done.stderr
    assert "piece not in 4/4" in done.stdout


def test_triplets_and_silence_are_left_out_and_counted(tmp_path: Path, run: Run) -> None:
    file = mido.MidiFile(type=0, ticks_per_beat=12)
    track = mido.MidiTrack()
    for _ in range(48):
        track += [mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=4)]
    file.tracks.append(track)
    file.save(tmp_path / "triplets.mid")
    write_piece(tmp_path / "short.mid", G_MAJOR[:3])
    stderr = run("preprocess", "triplets.mid", "short.mid", code=1).stderr
    assert "no melody is left" in stderr
    assert "window off the sixteenth grid: 1" in stderr
    assert "window with more rest than sound: 1" in stderr


def test_a_folder_in_use_is_refused_without_force(tmp_path: Path, run: Run) -> None:
    write_piece(tmp_path / "a.mid", G_MAJOR * 4)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("mine")
    assert "data: is not empty" in run("preprocess", "a.mid", code=1).stderr
    run("preprocess", "a.mid", "--force")
    run("preprocess", "a.mid", "--force", "--windows", "first")
    assert (tmp_path / "data" / "thesis.txt").read_text() == "mine"
    files = sorted(p.name for p in (tmp_path / "data").rglob("*.mid"))
    assert files == ["a-b001.mid"]  # what the first run wrote is gone
    (tmp_path / "bad.mid").write_text("no midi")
    run("preprocess", "bad.mid", "--force", code=1)
    assert (tmp_path / "data" / "e1" / "a-b001.mid").exists()  # a failing run takes nothing away


def test_sources_that_are_missing_or_empty(tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty").mkdir()
    assert "nowhere: no such file or folder" in run("preprocess", "nowhere", code=1).stderr
    assert "empty: holds no .mid" in run("preprocess", "empty", code=1).stderr


def test_the_number_of_processes_changes_nothing(tmp_path: Path, run: Run) -> None:
    for number in range(6):
        write_piece(tmp_path / "songs" / f"{number}.mid", [p + number for p in G_MAJOR] * 3)
    run("preprocess", "songs", "-o", "one", "--jobs", "1")
    run("preprocess", "songs", "-o", "two", "--jobs", "2")
    one, two = (
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MusicXML in D minor: a pickup, a tie over the barline into bar 5, a second part below."""
    from music21 import key, meter, note, stream, tie

    top = stream.Part()
    pickup = stream.Measure(number=0)
    pickup.append([meter.TimeSignature("4/4"), key.Key("d"), note.Note(69, quarterLength=1)])
    pickup.paddingLeft = 3
    top.append(pickup)
    for number in range(1, 9):
        bar = stream.Measure(number=number)
        for beat in range(4):
            bar.append(note.Note([74, 72, 70, 69][beat], quarterLength=1))
        top.append(bar)
    measures = list(top.getElementsByClass(stream.Measure))
    first, second = measures[4].notes[-1], measures[5].notes[0]
    first.pitch.midi = second.pitch.midi = 77
    first.tie, second.tie = tie.Tie("start"), tie.Tie("stop")
    below = stream.Part([note.Note(50, quarterLength=4) for _ in range(8)])
    path = tmp_path_factory.mktemp("score") / "song.musicxml"
    stream.Score([top, below]).write("musicxml", path)
    return path


def test_a_score_is_read_with_pickup_ties_and_key(score: Path) -> None:
    piece = corpus.read(score)
    assert piece.key == Key("D minor", 2, "minor")
    assert piece.barlines == tuple(Fraction(1 + 4 * bar) for bar in range(8))
    assert piece.line[0].pitch == 69
    tied = [n for n in piece.line if n.pitch == 77]
    assert [(n.onset, n.end) for n in tied] == [(Fraction(16), Fraction(18))]


def test_windows_of_a_score(tmp_path: Path, run: Run, score: Path) -> None:
    run("preprocess", score, "-o", "all")
    rows = manifest(tmp_path / "all")
    assert [row["bars"] for row in rows] == ["1-4", "5-8"]
    second = read(tmp_path / "all", rows[1])
    assert second.notes[0] == Note(0, 4, 77 - 2)  # held over the barline: its onset comes first
    run("preprocess", score, "-o", "first", "--windows", "first")
    (row,) = manifest(tmp_path / "first")
    melody = read(tmp_path / "first", row)
    assert row["bars"] == "0-3"
    assert [n.pitch + 2 for n in melody.notes[:3]] == [69, 74, 72]


def test_half_speed_stretches_two_bars_to_four(score: Path) -> None:
    source = windows.Source(score, both_speeds=True)
    made = windows.cut_windows(source, windows.Windows.ALL)
    assert isinstance(made, windows.PieceWindows)
    half = [w for w in made.windows if w.half_speed]
    assert [(w.first_bar, w.bars) for w in half] == [(1, 2), (3, 2), (5, 2), (7, 2)]
    assert half[0].melody.notes[0] == Note(0, 8, 72)
    assert half[0].emotion is Emotion.E3


def test_tunes_are_told_in_any_key_and_at_any_speed() -> None:
    rng = np.random.default_rng(0)
    one, other = (rng.integers(55, 75, 30).tolist() for _ in range(2))
    lines = [one, other, [p + 5 for p in one], one[:9], other[10:25], [60, 62], [65, 67], [60, 61]]
    assert group_tunes(lines) == [0, 1, 0, 0, 1, 2, 2, 3]


def test_no_tune_is_on_both_sides_of_the_split() -> None:
    labels, tunes = np.repeat(np.arange(4), 100), np.arange(400) // 4
    held_out = hold_out(labels, tunes, 0)
    assert not set(tunes[held_out]) & set(tunes[~held_out])
    assert [held_out[labels == label].sum() for label in range(4)] == [20] * 4
    assert (hold_out(labels, tunes, 0) == held_out).all()
    assert not (hold_out(labels, tunes, 1) == held_out).all()
    assert hold_out(labels, None, 0).sum() == 80


def test_the_papers_layout_loads_without_a_manifest(small_data: Path) -> None:
    dataset = load(small_data)
    assert len(dataset) == 40
    assert dataset.held_out is None
    assert np.bincount(dataset.labels).tolist() == [10] * 4
    assert 6 <= dataset.split(Split.TUNE, 0).sum() <= 10
