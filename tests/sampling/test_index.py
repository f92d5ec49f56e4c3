"""samples.json: configurations that come back as they were, version 0.1's files, and damaged ones."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import EmotionPath
from emomelody.emotions.words import Word
from emomelody.errors import BadInput
from emomelody.formats.encode import Format
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN, Setting
from emomelody.sampling.request import DecodingConfig, Request, Sample
from emomelody.sampling.runs.generation import GenerationConfig
from emomelody.sampling.runs.index import read_configs, read_runs, to_entry, to_header, write_index, write_run
from emomelody.weights.checkpoint import Checkpoint, bundled_weights, load_checkpoint

# As version 0.1.0 wrote it.
OLD = """{
 "version": "0.1.0",
 "model": "base",
 "checksum": "8b25",
 "seed": 7,
 "num": 2,
 "bars": 4,
 "emotion": "happy",
 "point": null,
 "path": null,
 "like": null,
 "spread": null,
 "temperature": null,
 "top_p": 1.0,
 "setting": {"tonic": "A", "octave": 0, "tempo": 120, "program": 40, "velocity": 90},
 "formats": ["mid", "wav"],
 "soundfont": null,
 "name": "{model} {index}",
 "samples": [
  {"files": ["base 000.mid", "base 000.wav"], "emotion": "happy", "latent": [1.9, 3.7]},
  {"files": ["base 001.mid", "base 001.wav"], "emotion": "happy", "latent": [0.2, 2.8]}
 ]
}
"""


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint(bundled_weights()["emoreg"])


def write(path: Path, checkpoint: Checkpoint, configs: list[GenerationConfig]) -> None:
    with io.StringIO() as text:
        for number, config in enumerate(configs):
            text.write(",\n" if number else "")
            write_run(text, to_header(config, checkpoint), ['{"files": ["a.mid"]}', '{"files": ["b.mid"]}'])
        write_index(path, [], text)


def test_configurations_come_back(tmp_path: Path, checkpoint: Checkpoint) -> None:
    melody = Melody((Note(0, 4, 60), Note(8, 56, 67)))
    jig = Melody((Note(0, 6, 60), Note(6, 42, 67)), 48, Meter.SIX_EIGHT)
    configs = [
        GenerationConfig(
            "emoreg",
            Request(3, Emotion.E2, seed=5, decoding=DecodingConfig(1.5, 0.9)),
            setting=Setting(tonic="F#", octave=None, tempo=90.5, program=40),
            formats=(Format.WAV, Format.MIDI),
            name="{index} {{x}}",
            soundfont=Path("a.sf2"),
            checksum=checkpoint.checksum,
        ),
        GenerationConfig("x", Request(point=(-0.5, 0.25)), checksum=checkpoint.checksum),
        GenerationConfig("x", Request(emotion=Word.AT_EASE), checksum=checkpoint.checksum),
        GenerationConfig(
            "y", Request(path=EmotionPath.parse("calm@0 tense@3")), checksum=checkpoint.checksum
        ),
        GenerationConfig(
            "y",
            Request(path=EmotionPath.parse("-0.5,1e-3@0 happy@4"), bars=5, like=melody, spread=0.3),
            file="song.mid",
            checksum=checkpoint.checksum,
        ),
        GenerationConfig(
            "y", Request(like=jig, meter=Meter.SIX_EIGHT), file="jig.mid", checksum=checkpoint.checksum
        ),
        GenerationConfig(
            "y",
            Request(emotion=Emotion.E1, style=Style.FOLK, meter=Meter.THREE_FOUR, form="AABA", bars=16),
            checksum=checkpoint.checksum,
        ),
    ]
    write(tmp_path / "samples.json", checkpoint, configs)
    assert read_configs(tmp_path / "samples.json") == configs


def test_style_meter_and_form_are_recorded_where_they_are_given(checkpoint: Checkpoint) -> None:
    """So that a run of an earlier version has the same configuration as the same one today."""
    new = {"style", "meter", "form"}
    plain = to_header(GenerationConfig("x", Request(emotion=Emotion.E1)), checkpoint)
    assert not new & set(plain)
    assert plain["bars"] == 4
    request = Request(emotion=Emotion.E1, style=Style.CHORALE, meter=Meter.THREE_FOUR, form="AB")
    header = to_header(GenerationConfig("x", request), checkpoint)
    assert {key: header[key] for key in new} == {"style": "chorale", "meter": "3/4", "form": "AB"}


def test_a_line_holds_a_melody(tmp_path: Path, checkpoint: Checkpoint) -> None:
    path = tmp_path / "samples.json"
    write(path, checkpoint, [GenerationConfig("emoreg", Request(2, Emotion.E1))] * 2)
    text = path.read_text()
    assert text.count('\n    {"files": ["a.mid"]},\n    {"files": ["b.mid"]}\n   ]\n') == 2
    assert len(json.loads(text)["runs"]) == 2


@pytest.mark.parametrize(("meter", "second_beat"), [("4/4", 7.25), ("3/4", 7.3333), ("6/8", 7.5)])
def test_an_entry_counts_the_bars_of_its_meter(meter: str, second_beat: float) -> None:
    m = Meter(meter)
    notes = (*(Note(m.bar * bar, 4, 62) for bar in range(7)), Note(7 * m.bar, m.bar, 60))
    sad = (-0.5, -0.5)
    melody = Melody(notes, 8 * m.bar, m)
    sample = Sample(melody, Emotion.E3, "sad", (sad,) * 8, sad, np.zeros(8 * m.bar, dtype=np.int64), 0)
    piece = arrange(melody, title="a", emotion=Emotion.E3, trajectory=sample.trajectory)
    config = GenerationConfig("x", Request(point=sad, meter=m, form="AB"))
    entry = json.loads(json.dumps(to_entry(piece, sample, config)))
    assert entry["form"] == "AB"
    assert entry.get("meter", "4/4") == meter
    assert ("meter" in entry) == (meter != "4/4")
    assert second_beat in [bar for bar, _ in entry["tempos"]]  # of the ritardando


def test_kept_runs_are_written_as_they_were(tmp_path: Path, checkpoint: Checkpoint) -> None:
    old, new, newer = (tmp_path / name for name in ("old.json", "new.json", "newer.json"))
    old.write_text(OLD)
    runs = read_runs(old)
    with io.StringIO() as text:
        write_run(text, to_header(GenerationConfig("emoreg", Request(1, Emotion.E1)), checkpoint), [])
        write_index(new, runs, text)
        assert read_runs(new)[:1] == runs
        text.truncate(0)
        text.seek(0)
        write_run(text, read_runs(new)[1], [])
        write_index(newer, read_runs(new)[:1], text)
    assert newer.read_bytes() == new.read_bytes()
    for line in OLD.splitlines():
        if "files" in line:
            assert f"    {line.strip()}" in new.read_text().splitlines()


def test_a_file_of_version_0_1_is_one_run(tmp_path: Path) -> None:
    path = tmp_path / "samples.json"
    path.write_text(OLD)
    (config,) = read_configs(path)
    assert config == GenerationConfig(
        "base",
        Request(2, Emotion.E1, seed=7),
        setting=replace(PLAIN, tonic="A", program=40),
        formats=(Format.MIDI, Format.WAV),
        name="{model} {index}",
        checksum="8b25",
        version="0.1.0",
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"setting": {"tonic": "H"}}, "tonic 'H'"),
        ({"setting": {"colour": "red"}}, "not a samples.json that this version can read"),
        ({"seed": "many"}, "not a samples.json"),
        ({"seed": -1}, "seed -1 must be from 0"),
        ({"emotion": "merry"}, "unknown emotion"),
        ({"point": [3, 0], "emotion": None}, "outside the plane"),
        ({"formats": ["mp3"]}, "not a samples.json"),
        ({"formats": []}, "not a samples.json"),
        ({"name": "../{index}"}, "'/'"),
        ({"like": {"file": "a", "notes": [[0, 0, 60]]}}, "not a samples.json"),
        ({"meter": "7/8"}, "not a samples.json"),
        ({"style": "jazz"}, "not a samples.json"),
        ({"form": "ABC"}, "4 bars cannot be divided into 3 sections"),
        ({"form": 3}, "form '3' must be capital letters"),
        ({"like": {"file": "a", "notes": [[0, 4, 60], [60, 4, 60]]}, "meter": "3/4"}, "not a samples.json"),
    ],
)
def test_damaged_configurations(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = tmp_path / "samples.json"
    for damaged in (json.loads(OLD) | change, {"runs": [json.loads(OLD), json.loads(OLD) | change]}):
        path.write_text(json.dumps(damaged))
        with pytest.raises(BadInput, match=reason):
            read_configs(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "not a samples.json"),
        ("{}", "'point' is missing"),
        ("{", "not a samples.json"),
        ('{"runs": 3}', "not a samples.json"),
        ('{"runs": []}', "holds no runs"),
        ("[" * 100_000, "not a samples.json"),
        ("\xff", "not a samples.json"),
    ],
)
def test_other_files(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "samples.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput, match=reason):
        read_configs(path)
    with pytest.raises(BadInput, match="No such file"):
        read_configs(tmp_path / "nothing.json")


@pytest.mark.parametrize("name", ["../a.mid", "/tmp/a.mid", "b/a.mid", "", "samples.json", "..", 3])
def test_a_run_owns_no_files_elsewhere(tmp_path: Path, name: Any) -> None:
    """Files of a run may be removed by --force: they must lie beside their samples.json."""
    path = tmp_path / "samples.json"
    path.write_text(json.dumps({"runs": [{"samples": [{"files": [name]}]}]}))
    with pytest.raises(BadInput, match=r"not a samples\.json"):
        read_runs(path)
