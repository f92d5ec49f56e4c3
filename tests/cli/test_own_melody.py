"""``sample`` with a file of the user's: varied, continued, completed, and led to another."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pytest
from conftest import Run

from emomelody.emotions.emotion import Emotion
from emomelody.formats import midi
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.piece import arrange
from emomelody.performance.setting import Setting

OWN = Setting(tonic="F", octave=-1, tempo=84, program=73, velocity=90, note_length=1)
SCALE = (0, 2, 4, 5, 7, 5, 4, 2)  # two bars of quarters


def write_tune(path: Path, bars: int, *, meter: Meter = Meter.FOUR_FOUR, setting: Setting = OWN) -> None:
    """A tune of quarters in F major for flute, an octave lower than it would be sampled."""
    steps = bars * meter.bar
    notes = tuple(Note(4 * n, 4, 60 + SCALE[n % len(SCALE)]) for n in range(steps // 4))
    midi.write(arrange(Melody(notes, steps, meter), title="own", emotion=Emotion.E1, setting=setting), path)


def raw_notes(path: Path) -> list[tuple[int, int, int]]:
    """(tick, end, pitch) of each note, as any program reads the file."""
    now, sounding, found = 0, {}, []
    for message in mido.merge_tracks(mido.MidiFile(path).tracks):
        now += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.note] = now
        elif message.type in ("note_on", "note_off"):
            found.append((sounding.pop(message.note), now, message.note))
    return sorted(found)


@pytest.mark.parametrize("arguments", [("--like", "own.mid"), ("--continue", "own.mid", "--bars", 4)])
def test_what_is_the_files_own_is_kept(tmp_path: Path, run: Run, arguments: tuple[str, ...]) -> None:
    write_tune(tmp_path / "own.mid", 8)
    run("sample", *arguments, "--seed", 1, "-o", "new.mid")
    new, own = midi.read(tmp_path / "new.mid"), midi.read(tmp_path / "own.mid")
    assert (new.keys, new.tempos, new.meter) == (own.keys, own.tempos, own.meter)
    assert {track.program for track in new.tracks} == {73}
    middle = [np.median([note.pitch for note in song.melody().notes]) for song in (new, own)]
    assert abs(middle[0] - middle[1]) <= 7
    assert new.length == (32 if arguments[0] == "--like" else 48)  # quarter notes


def test_options_may_say_otherwise(tmp_path: Path, run: Run) -> None:
    write_tune(tmp_path / "own.mid", 4)
    base = ("sample", "--continue", "own.mid", "--bars", 4, "--seed", 1)
    run(*base, "-o", "same.mid")
    run(*base, "--key", "A", "--tempo", 100, "--octave", 1, "--program", "violin", "-o", "other.mid")
    same, other = midi.read(tmp_path / "same.mid"), midi.read(tmp_path / "other.mid")
    assert other.keys == ((0, "A"),)
    assert other.tempos == ((0, 600_000),)
    assert other.tracks[0].program == 40
    # From F up to A, and an octave more.
    assert {b.pitch - a.pitch for a, b in zip(same.melody().notes, other.melody().notes, strict=True)} == {16}


def test_an_octave_that_cannot_be_is_refused(tmp_path: Path, run: Run) -> None:
    write_tune(tmp_path / "own.mid", 4)  # an octave below the register of sampled melodies
    done = run("sample", "--like", "own.mid", "--octave", -4, "-o", "out", code=2)
    assert "--octave -4 leads too far from the register of own.mid: choose one nearer to 0" in done.stderr


def test_a_continued_file_is_untouched_to_the_tick(tmp_path: Path, run: Run) -> None:
    write_tune(tmp_path / "own.mid", 6)
    done = run("sample", "--continue", "own.mid", "--bars", 5, "-n", 2, "--seed", 1)
    assert done.stdout == "Wrote 2 melodies to samples/ (continuing own.mid, emoreg-va, seed 1)\n"
    own = raw_notes(tmp_path / "own.mid")
    new = [raw_notes(path) for path in sorted((tmp_path / "samples").glob("*.mid"))]
    for notes in new:
        assert notes[: len(own)] == own
        assert len(notes) > len(own)
    assert new[0] != new[1]


def test_a_pickup_stays_before_the_first_bar(tmp_path: Path, run: Run) -> None:
    text = "X:1\nM:3/4\nL:1/4\nQ:1/4=90\nK:G\nD | G2 B | A2 c | B2 d | G3 | G2 B | A2 c | B2 A | G2 |]\n"
    (tmp_path / "waltz.abc").write_text(text)
    run("sample", "--continue", "waltz.abc", "--bars", 4, "--seed", 1, "-o", "new.mid")
    new = midi.read(tmp_path / "new.mid")
    assert (new.meter, new.keys, new.length) == (Meter.THREE_FOUR, ((0, "G"),), 3 * 13)
    line = new.melody().notes
    assert (line[0].onset, line[0].pitch) == (2, 62)
    assert [(note.onset, note.pitch) for note in line[1:4]] == [(3, 67), (5, 71), (6, 69)]


def test_kept_bars_are_untouched_and_the_others_have_the_emotion(tmp_path: Path, run: Run) -> None:
    write_tune(tmp_path / "own.mid", 12)
    arguments = ("sample", "--like", "own.mid", "--keep", "1-4,9-12", "-e", "sad", "--seed", 1)
    run(*arguments, "-o", "filled.mid")
    own, new = raw_notes(tmp_path / "own.mid"), raw_notes(tmp_path / "filled.mid")
    bar = 4 * 480

    def bars(notes: list[tuple[int, int, int]], first: int, last: int) -> list[tuple[int, int, int]]:
        return [note for note in notes if (first - 1) * bar <= note[0] < last * bar]

    for kept in ((1, 4), (9, 12)):
        assert bars(new, *kept) == bars(own, *kept)
    assert 2 <= len(bars(new, 5, 8)) <= 10  # few notes: sad
    assert midi.read(tmp_path / "filled.mid").keys == ((0, "F"), (16, "Fm"), (32, "F"))
    longer = ("sample", "--like", "own.mid", "--keep", "1-2", "--bars", 14, "-o", "longer.mid", "--seed", 1)
    run(*longer)
    assert midi.read(tmp_path / "longer.mid").length == 14 * 4


def test_a_file_is_varied_from_a_bar_on(tmp_path: Path, run: Run) -> None:
    write_tune(tmp_path / "own.mid", 10)
    run("sample", "--like", "own.mid", "--from-bar", 5, "--seed", 1, "-o", "rest.mid")
    assert midi.read(tmp_path / "rest.mid").length == 6 * 4
    stderr = run("sample", "--like", "own.mid", "--from-bar", 11, code=1).stderr
    assert stderr == "emomelody: own.mid: has 10 bars: there is no bar 11\n"


def test_from_one_file_to_another(tmp_path: Path, run: Run) -> None:
    write_tune(tmp_path / "own.mid", 4)
    other = Melody((Note(0, 16, 60), Note(16, 16, 63), Note(32, 16, 67), Note(48, 16, 60)), 64)
    midi.write(arrange(other, title="x", emotion=Emotion.E3, setting=Setting()), tmp_path / "other.mid")
    done = run("sample", "--from", "own.mid", "--to", "other.mid", "--steps", 4, "--seed", 1)
    assert done.stdout == "Wrote 4 melodies to samples/ (from own.mid, emoreg-va, seed 1)\n"
    (described,) = json.loads((tmp_path / "samples" / "samples.json").read_text())["runs"]
    points = np.array([entry["point"] for entry in described["samples"]])
    assert np.diff(points, axis=0) == pytest.approx(np.tile((points[-1] - points[0]) / 3, (3, 1)), abs=2e-4)
    assert described["samples"][0]["emotion"] == "happy"
    assert described["samples"][-1]["emotion"] == "sad"
    write_tune(tmp_path / "waltz.mid", 4, meter=Meter.THREE_FOUR)
    stderr = run("sample", "--from", "own.mid", "--to", "waltz.mid", code=1).stderr
    assert stderr == "emomelody: waltz.mid: in 3/4: it must be in 4/4\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--continue", "own.mid", "-e", "sad", "-n", 2),
        ("--like", "own.mid", "--keep", "2-3"),
        ("--from", "own.mid", "--to", "own.mid", "--steps", 2),
        ("--like", "own.mid", "-e", "angry"),
    ],
)
def test_the_same_files_again(tmp_path: Path, run: Run, arguments: tuple[str, ...]) -> None:
    write_tune(tmp_path / "own.mid", 4)
    run("sample", *arguments, "-o", "a")
    (tmp_path / "own.mid").unlink()
    run("sample", "--again", "a/samples.json", "-o", "b")
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).glob("*.mid")} for folder in "ab"
    )
    assert first == second != {}


@pytest.mark.slow
def test_the_whole_of_a_long_file_is_continued(tmp_path: Path, run: Run) -> None:
    write_tune(tmp_path / "own.mid", 70)
    run("sample", "--continue", "own.mid", "--bars", 2, "--seed", 1, "-o", "new.mid")
    assert midi.read(tmp_path / "new.mid").length == 72 * 4
    done = run("sample", "--like", "own.mid", "--spread", 0, "--seed", 1, "-o", "varied.mid")
    assert "own.mid has 70 bars: the first 64 of them are varied" in done.stderr
    write_tune(tmp_path / "own.mid", 250)
    stderr = run("sample", "--continue", "own.mid", code=1).stderr
    assert stderr == "emomelody: own.mid: 258 bars with the new ones: no more than 256 can be\n"


@pytest.mark.parametrize(("meter", "bars"), [("2/2", 8), ("2/4", 16), ("6/8", 8)])
def test_the_meter_is_written_as_in_the_file(tmp_path: Path, run: Run, meter: str, bars: int) -> None:
    from music21 import converter

    from emomelody.formats import musicxml

    length = {"2/2": "4 E4", "2/4": "2 E2", "6/8": "3 E3"}[meter]
    (tmp_path / "own.abc").write_text(f"X:1\nM:{meter}\nL:1/8\nQ:1/4=100\nK:G\n" + f"G{length} |" * bars)
    run("sample", "--continue", "own.abc", "--bars", 4, "--seed", 1, "--format", "mid,musicxml", "-o", "new")
    (path,) = (tmp_path / "new").glob("*.mid")
    assert [text for _, text in midi.read(path).meters] == [meter]
    assert midi.read(path).tempos == ((0, 600_000),)
    (path,) = (tmp_path / "new").glob("*.musicxml")
    assert [text for _, text in musicxml.read(path).meters] == [meter]
    measures = converter.parse(path).parts[0].getElementsByClass("Measure")
    assert {measure.duration.quarterLength for measure in measures} == {4 * Fraction(meter)}
    assert len(measures) == bars + (8 if meter == "2/4" else 4)


@pytest.mark.slow
def test_the_spread_is_how_much_a_file_is_varied(tmp_path: Path, run: Run) -> None:
    write_tune(tmp_path / "own.mid", 8)
    same = {}
    for spread in (0, 0.1, 0.5):
        run("sample", "--like", "own.mid", "--spread", spread, "--seed", 1, "-o", f"{spread}.mid")
        own, new = set(raw_notes(tmp_path / "own.mid")), set(raw_notes(tmp_path / f"{spread}.mid"))
        same[spread] = len(own & new) / len(own | new)
    assert same[0] == 1
    assert same[0] > same[0.1] > same[0.5]


def test_files_of_this_program_keep_the_register_that_they_sound_in(tmp_path: Path, run: Run) -> None:
    """Happy melodies are played an octave higher than they are sampled."""
    run("sample", "-e", "happy", "--seed", 1, "-o", "happy.mid")
    run("sample", "--like", "happy.mid", "--spread", 0, "-o", "same.mid", "--seed", 1)
    happy, same = (
        [(on, pitch) for on, _, pitch in raw_notes(tmp_path / name)] for name in ("happy.mid", "same.mid")
    )
    assert happy == same


def test_another_key_is_the_nearest_one(tmp_path: Path, run: Run) -> None:
    write_tune(tmp_path / "own.mid", 4)  # in F
    for key, semitones in (("G", 2), ("D", -3), ("C#", -4)):
        arguments = ("--like", "own.mid", "--spread", 0, "--key", key, "--seed", 1, "-o", f"{key}.mid")
        run("sample", *arguments)
        pairs = zip(raw_notes(tmp_path / "own.mid"), raw_notes(tmp_path / f"{key}.mid"), strict=True)
        assert {new[2] - own[2] for own, new in pairs} == {semitones}


def test_what_of_a_file_cannot_be_kept_is_said(tmp_path: Path, run: Run) -> None:
    triplets = "X:1\nM:4/4\nL:1/4\nQ:90\nK:C\n" + "C D E F | (3GAG F E D |" * 4
    (tmp_path / "triplets.abc").write_text(triplets)
    stderr = run("sample", "--like", "triplets.abc", "--seed", 1).stderr
    assert "triplets.abc: 8 of its notes are moved to the sixteenth grid\n" in stderr
    changing = (
        "X:1\nM:4/4\nL:1/4\nQ:90\nK:C\nC D E F | G F E D | C D E F | G4 |\nM:3/4\nC D E | F2 D | C3 |]\n"
    )
    (tmp_path / "changing.abc").write_text(changing)
    stderr = run("sample", "--continue", "changing.abc", "--seed", 1).stderr
    assert "changing.abc: only its first part in 4/4 is used\n" in stderr


def test_a_variation_has_the_pickup_of_its_file(tmp_path: Path, run: Run) -> None:
    text = "X:1\nM:4/4\nL:1/4\nQ:90\nK:G\nD | G A B c | d B A G | A B c A | G3 |]\n"
    (tmp_path / "own.abc").write_text(text)
    run("sample", "--like", "own.abc", "--spread", 0, "--seed", 1, "-o", "same.mid")
    pitches = [pitch for *_, pitch in raw_notes(tmp_path / "same.mid")]
    assert pitches == [62, 67, 69, 71, 72, 74, 71, 69, 67, 69, 71, 72, 69, 67]
