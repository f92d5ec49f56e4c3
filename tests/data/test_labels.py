"""Labels come from a CSV file, else from folder names, else from the rule."""

from __future__ import annotations

from pathlib import Path

import damage
import pytest
from conftest import Run
from songs import G_MAJOR, manifest_rows, write_song

from emomelody.data.labels import read_labels
from emomelody.data.sources import find_sources
from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput

CALM_MINOR = [60, 62, 63, 65, 67, 63, 62, 60]  # in C minor


def test_labels_come_from_csv_then_folder_then_rule(tmp_path: Path, run: Run) -> None:
    songs = tmp_path / "songs"
    write_song(songs / "Relaxed" / "a.mid", G_MAJOR * 2)
    write_song(songs / "Relaxed" / "b.mid", G_MAJOR * 2)
    write_song(songs / "other" / "c.mid", CALM_MINOR, key="Cm", length=8)
    (tmp_path / "labels.csv").write_text("file,emotion\nRelaxed/b.mid,Q2\nd.mid,sad\n")
    stderr = run("preprocess", "songs", "--labels", "labels.csv").stderr
    assert "labels.csv: no file for 1 name, e.g. d.mid" in stderr
    (tmp_path / "wrong.csv").write_text("file,emotion\nsongs/other/c.mid,Q2\n")
    wrong = run("preprocess", "songs", "--labels", "wrong.csv", "-o", "none", code=1).stderr
    assert "wrong.csv: names no file in songs, e.g. songs/other/c.mid: give paths from there on" in wrong
    assert not (tmp_path / "none").exists()
    assert "labels: 1 melody from labels.csv, 1 from folder names, 1 from the rule" in stderr
    found = {row["source"]: (row["emotion"], row["label_from"]) for row in manifest_rows(tmp_path / "data")}
    assert found == {
        "Relaxed/a.mid": ("e4", "folder"),
        "Relaxed/b.mid": ("e2", "csv"),
        "other/c.mid": ("e3", "rule"),
    }


def test_no_word_of_other_labels_where_the_csv_file_has_all(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "a.mid", G_MAJOR * 2)
    (tmp_path / "labels.csv").write_text("file,emotion\na.mid,sad\n")
    assert "labels" not in run("preprocess", "a.mid", "--labels", "labels.csv").stderr


def test_the_nearest_folder_that_is_named_after_an_emotion_counts(tmp_path: Path) -> None:
    write_song(tmp_path / "sad" / "songs" / "happy" / "piano" / "a.mid", G_MAJOR)
    for given, emotion in (("sad", Emotion.E1), ("sad/songs/happy/piano", None)):
        (source,) = find_sources([tmp_path / given], {}).sources
        assert (source.label and source.label.emotion) is emotion, "folders above the given one do not count"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("file,emotion\na.mid,gloomy\n", "line 2: unknown emotion 'gloomy'"),
        ("file,emotion\na.mid,sad\n\nb.mid\n", "line 4: no emotion"),
        ("name,emotion\na.mid,sad\n", "line 1: the columns must be file,emotion or file,valence,arousal$"),
        ("file,valence\na.mid,1\n", "line 1: the columns must be"),
        ("file,emotion,valence,arousal\na.mid,sad,-1,-1\n", "line 1: the columns must be"),
        ("file,emotion\n", "has no labels"),
        ("file,valence,arousal\n", "has no labels"),
        ("", "line 1: the columns must be"),
        ("file,valence,arousal\na.mid,0.5,0.5\nb.mid,much,0.5\n", "line 3: valence 'much' is not a number"),
        ("file,valence,arousal\na.mid,0.5,1.01\n", "line 2: arousal 1.01 is not a number from -1 to 1"),
        ("file,valence,arousal\na.mid,-inf,0\n", "line 2: valence -inf is not a number from -1 to 1"),
        ("file,valence,arousal\na.mid,0,nan\n", "line 2: arousal nan is not a number from -1 to 1"),
        ("file,valence,arousal\na.mid,0, \n", "line 2: no arousal"),
        ("file,valence,arousal\na.mid,0\n", "line 2: no arousal"),
        ("file,valence,arousal\n,0,0\n", "line 2: no file"),
        ("file,valence,arousal\na.mid,0,5,0,3\n", "line 2: more cells than columns"),
    ],
)
def test_wrong_labels_name_their_line(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(BadInput, match=reason):
        read_labels(tmp_path / "labels.csv")


def test_valence_and_arousal_can_be_given_as_numbers(tmp_path: Path, run: Run) -> None:
    for name in ("a", "b", "c"):
        write_song(tmp_path / "songs" / "sad" / f"{name}.mid", G_MAJOR * 4)
    (tmp_path / "labels.csv").write_text("valence,file,arousal\n-0.25,a.mid,1e-1\n1,sad/b.mid,0,\n")
    run("preprocess", "songs", "--labels", "labels.csv")
    columns = ("emotion", "valence", "arousal", "label_from", "arousal_by")
    found = {row["source"]: [row[name] for name in columns] for row in manifest_rows(tmp_path / "data")}
    assert found == {
        "sad/a.mid": ["e2", "-0.25", "0.1", "csv", ""],
        "sad/b.mid": ["e1", "1.0", "0.0", "csv", ""],
        "sad/c.mid": ["e3", "", "", "folder", ""],
    }


def test_a_wrong_label_ends_the_command_before_it_writes(tmp_path: Path, run: Run) -> None:
    write_song(tmp_path / "a.mid", G_MAJOR * 2)
    (tmp_path / "labels.csv").write_text("file,emotion\na.mid,gloomy\n")
    stderr = run("preprocess", "a.mid", "--labels", "labels.csv", code=1).stderr
    assert "labels.csv: line 2: unknown emotion 'gloomy'" in stderr
    assert not (tmp_path / "data").exists()
    assert "--labels needs a SOURCE" in run("preprocess", "--labels", "labels.csv", code=2).stderr


def test_a_path_out_of_the_folder_in_a_csv_file_is_not_followed(tmp_path: Path, run: Run) -> None:
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "good.mid").write_bytes(damage.song())
    (tmp_path / "labels.csv").write_text('file,emotion\n"../../good.mid",sad\n"good.mid",angry\n')
    run("preprocess", "songs", "--labels", "labels.csv")
    (row,) = manifest_rows(tmp_path / "data")
    assert row["file"].startswith("e2/")
