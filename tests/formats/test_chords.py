"""Files of melodies with chords: the chords are in them, and the melody is what it was."""

from __future__ import annotations

import io
import itertools
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mido
import numpy as np
import pytest
import symusic
from matplotlib.image import imread
from numpy.typing import NDArray
from pieces import pieces_with_chords, under_each_bar, without_chords
from scipy.io import wavfile

from emomelody.data.user_tune import read_tune
from emomelody.emotions.emotion import Emotion
from emomelody.formats import audio, midi, musicxml
from emomelody.formats.encode import Format, encode
from emomelody.formats.piano_roll import piano_roll
from emomelody.formats.score import to_musicxml
from emomelody.formats.text_roll import to_text
from emomelody.music.chords import Chord, Quality, TimedChord
from emomelody.music.features import metrics
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.setting import PLAIN, Setting

MUSESCORE = shutil.which("musescore3")
NOTES = (Note(2, 6, 60), Note(8, 4, 63), Note(12, 8, 67), Note(20, 12, 68), Note(32, 16, 60))
PLACES = {0: "Cm", 6: "Fm7", 16: "G7", 24: "Bdim7", 32: "Cm", 42: "Dm7b5", 48: "Abmaj7", 56: "Cm"}
CLOSE = ((0, "A"), (1, "B"), (8, "C"))
IN_A = ["Am", "Dm7", "E7", "G#dim7", "Am", "Bm7b5", "Fmaj7", "Am"]


def piece_in_a() -> Piece:
    """A melody in A minor with a pickup rest and a bar of rest; chords change inside notes and rests."""
    starts = [*PLACES, 64]
    chords = [
        TimedChord(start, end - start, Chord.parse(PLACES[start]))
        for start, end in itertools.pairwise(starts)
    ]
    return arrange(
        Melody(NOTES),
        title="chords",  # as the track is called
        emotion=Emotion.E3,
        trajectory=[(-0.5, -0.5)],
        setting=Setting("A", program=73, chords_program="nylon"),
        chords=chords,
    )


def every_piece() -> list[Piece]:
    return [*pieces_with_chords(), piece_in_a()]


def tracks_of(data: bytes) -> list[bytes]:
    return data.split(b"MTrk")[1:]


def test_the_chords_are_a_track_of_their_own_that_two_readers_read(tmp_path: Path) -> None:
    for piece in every_piece():
        data = midi.to_bytes(piece)
        conductor, melody, _chords = tracks_of(data)
        assert [conductor, melody] == tracks_of(midi.to_bytes(without_chords(piece)))
        (tmp_path / "a.mid").write_bytes(data)
        ours = midi.read(tmp_path / "a.mid").tracks[1]
        assert (ours.name, ours.program) == ("chords", piece.accompaniment_program)
        (_, theirs) = symusic.Score.from_midi(data).tracks
        assert (theirs.name, theirs.program) == ("chords", piece.accompaniment_program)
        played = piece.accompaniment
        expected = sorted(
            (p.note.onset * 120, round(p.note.duration * 120 * p.length), p.note.pitch) for p in played
        )
        assert sorted((n.time, n.duration, n.pitch) for n in theirs.notes) == expected
        assert sorted((n.onset * 480, (n.end - n.onset) * 480, n.pitch) for n in ours.notes) == expected
        assert sorted(n.velocity for n in theirs.notes) == sorted(p.velocity for p in played)
        channels = [m.channel for m in mido.MidiFile(tmp_path / "a.mid").tracks[2] if m.type == "note_on"]
        assert set(channels) == {1}
        assert mido.MidiFile(tmp_path / "a.mid").length == pytest.approx(piece.seconds, abs=1e-3)


def without_event(path: Path) -> Path:
    """The file without what this program alone writes, as other programs save it."""
    file = mido.MidiFile(path)
    for track in file.tracks:
        track[:] = [message for message in track if message.type != "sequencer_specific"]
    file.save(path.with_name("saved.mid"))
    return path.with_name("saved.mid")


def test_the_melody_is_read_back_and_not_the_chords(tmp_path: Path) -> None:
    for piece in every_piece():
        midi.write(piece, tmp_path / "with.mid")
        midi.write(without_chords(piece), tmp_path / "without.mid")
        steps = piece.melody.steps
        one, other = (midi.read_melody(tmp_path / name, steps) for name in ("with.mid", "without.mid"))
        assert one == other
        first, second = (read_tune(tmp_path / name) for name in ("with.mid", "without.mid"))
        assert replace(first, path=None) == replace(second, path=None)
        if piece.title != "chords":
            saved = midi.read(without_event(tmp_path / "with.mid")).melody()
            assert [note.pitch for note in saved.notes] == [note.pitch for note in piece.melody.notes]
            assert saved.program == piece.program


def sound(piece: Piece, soundfont: Path | None = None) -> NDArray[np.float64]:
    _, samples = wavfile.read(io.BytesIO(audio.to_wav(piece, soundfont)))
    return samples / 32768


def strength(samples: NDArray[np.float64], pitch: int, seconds: float) -> float:
    """The amplitude of a pitch's fundamental in the 0.4 s from a second on."""
    part = samples[round(seconds * audio.RATE) :][: round(0.4 * audio.RATE)]
    wave = np.exp(-2j * np.pi * 440 * 2 ** ((pitch - 69) / 12) * np.arange(len(part)) / audio.RATE)
    return float(2 * abs(np.hanning(len(part)) * part @ wave) / len(part))


def test_a_sound_file_has_both_and_does_not_clip() -> None:
    melody = Melody((Note(0, 16, 76), Note(48, 16, 79)))
    chords = under_each_bar(melody, "C", "F", "G7", "C")
    loud, soft = (
        arrange(
            melody,
            title="a",
            emotion=Emotion.E3,
            setting=replace(PLAIN, velocity=velocity),
            chords=chords,
        )
        for velocity in (127, 64)
    )
    samples = sound(loud)
    assert np.abs(samples).max() == pytest.approx(0.9, abs=0.01)
    assert np.abs(samples).max() / np.abs(sound(soft)).max() == pytest.approx((127 / 64) ** 2, rel=0.01)
    sounding = [played.note.pitch for played in loud.accompaniment if played.note.onset == 16]  # a rest
    assert len(sounding) == 4
    assert min(strength(samples, pitch, 2.1) for pitch in sounding) > 5 * strength(samples, 54, 2.1)
    # The melody is clearly the loudest.
    first = [played.note.pitch for played in loud.accompaniment if played.note.onset == 0]
    assert strength(samples, 76, 0.1) > 1.5 * max(strength(samples, pitch, 0.1) for pitch in first)


def test_arousal_is_still_louder_with_chords() -> None:
    peaks: dict[bool, list[float]] = {True: [], False: []}
    for piece in pieces_with_chords():
        samples = sound(piece)
        assert np.abs(samples).max() <= 1
        level = np.sqrt((samples[: round(piece.seconds * audio.RATE)] ** 2).mean())
        peaks[piece.emotion.arousal > 0].append(float(level))
    assert min(peaks[True]) > max(peaks[False])


def soundfont() -> Path:
    found = sorted(Path("/usr/share/sounds").glob("sf[23]/*.sf[23]"))
    if not found or shutil.which("fluidsynth") is None:
        pytest.skip("FluidSynth and a SoundFont are not installed here")
    return found[0]


def test_a_soundfont_plays_the_chords_too() -> None:
    piece = piece_in_a()
    samples = sound(piece, soundfont())
    assert 0.01 < np.abs(samples).max() <= 1
    assert np.abs(samples - sound(without_chords(piece), soundfont())).max() > 0.01


def test_chords_without_a_melody_sound() -> None:
    melody = Melody(())
    piece = arrange(melody, title="a", emotion=Emotion.E1, chords=under_each_bar(melody, "C", "F"))
    assert 0.05 < np.abs(sound(piece)).max() < 1


def harmonies(piece: Piece) -> list[tuple[float, str]]:
    """The chord symbols of the written score: steps and names, as the file says them."""
    root = ElementTree.fromstring(to_musicxml(piece))
    found: list[tuple[float, str]] = []
    bar = piece.time_signature.bar
    for number, measure in enumerate(root.iter("measure")):
        now, step = 0.0, int(root.findtext(".//divisions") or 0) / 4
        for element in measure:
            if element.tag == "note":
                now += int(element.findtext("duration") or 0) / step
            elif element.tag == "harmony":
                alter = {"1": "#", "-1": "b", None: ""}[element.findtext("root/root-alter")]
                kind: Any = element.find("kind")
                name = f"{element.findtext('root/root-step')}{alter}{kind.get('text', '')}"
                offset = int(element.findtext("offset") or 0) / step
                found.append((number * bar + now + offset, name))
    return found


def test_a_score_has_a_chord_symbol_at_each_change() -> None:
    assert harmonies(piece_in_a()) == list(zip(PLACES, IN_A, strict=True))
    for piece in pieces_with_chords():
        expected = [(t.onset, t.chord.name(piece.key_at(t.onset))) for t in piece.chords]
        assert harmonies(piece) == expected


@pytest.mark.parametrize("meter", [Meter.THREE_FOUR, Meter.SIX_EIGHT])
def test_chord_symbols_of_other_meters_are_in_their_bars(meter: Meter) -> None:
    melody = Melody(tuple(Note(5 * n, 5, 60 + n) for n in range(9)), 48, meter)
    chords = under_each_bar(melody, "C", "F", "G7")
    piece = arrange(melody, title="a", emotion=Emotion.E1, setting=PLAIN, chords=chords)
    assert harmonies(piece) == [(0, "C"), (12, "F"), (24, "G7"), (36, "C")]


def test_music21_reads_each_quality_as_the_notes_it_has() -> None:
    from music21 import converter, harmony

    names = [Chord(root, quality) for quality in Quality for root in (0, 6)]
    melody = Melody((Note(0, 4, 60),), 16 * len(names))
    chords = [TimedChord(16 * n, 16, chord) for n, chord in enumerate(names)]
    piece = arrange(melody, title="a", emotion=Emotion.E1, setting=PLAIN, chords=chords)
    read = converter.parseData(to_musicxml(piece).decode(), format="musicxml", forceSource=True)
    symbols = read.recurse().getElementsByClass(harmony.ChordSymbol)
    for symbol, chord in zip(symbols, names, strict=True):
        assert {pitch.pitchClass for pitch in symbol.pitches} == set(chord.pitch_classes)


def test_a_score_with_chord_symbols_is_read_as_one_without(tmp_path: Path) -> None:
    path = tmp_path / "a.musicxml"
    for piece in every_piece()[::2]:
        path.write_bytes(to_musicxml(piece))
        with_chords, tune = musicxml.read(path), read_tune(path)
        keyless = re.sub(rb"<mode>.*</mode>", b"", path.read_bytes())
        path.write_bytes(to_musicxml(without_chords(piece)))
        assert with_chords == musicxml.read(path)
        assert tune == read_tune(path)
        path.write_bytes(keyless)
        assert musicxml.read(path).sounding == with_chords.sounding


def texts(svg: bytes, kind: str) -> list[str]:
    """The text of all elements of a class in an engraved score."""
    groups = [g for g in ElementTree.fromstring(svg).iter() if kind in (g.get("class") or "").split()]
    return ["".join("".join(group.itertext()).split()) for group in groups]


def test_an_engraved_score_shows_the_chords_above_the_words() -> None:
    pytest.importorskip("verovio", reason="needs Verovio: pip install '.[score]'")
    piece = piece_in_a()
    svg = encode(piece, Format.SVG)
    shown = texts(svg, "harm")
    assert len(shown) == len(IN_A)
    assert [re.sub(r"[^ -~]", "#", name) for name in shown] == IN_A  # the font has its own sharp
    heights = {
        kind: [
            float(text.get("y") or 0)
            for group in ElementTree.fromstring(svg).iter()
            if group.get("class") == kind
            for text in group.iter()
            if text.tag.endswith("}text")
        ]
        for kind in ("harm", "tempo", "dir")
    }
    space = 200  # the height of a line of text, in the picture's units
    assert max(heights["harm"]) + space < min(heights["tempo"] + heights["dir"])


def saved_by_musescore(score: bytes, folder: Path) -> ElementTree.Element:
    """A score in MusicXML as MuseScore reads it, saved as MusicXML again."""
    path, saved = folder / "a.musicxml", folder / "b.musicxml"
    path.write_bytes(score)
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(folder)}
    subprocess.run([str(MUSESCORE), "-o", saved, path], env=environment, capture_output=True, check=True)
    return ElementTree.parse(saved).getroot()


@pytest.mark.slow
@pytest.mark.skipif(MUSESCORE is None, reason="MuseScore 3 is not installed here")
def test_musescore_opens_a_score_with_chords(tmp_path: Path) -> None:
    root = saved_by_musescore(to_musicxml(piece_in_a()), tmp_path)
    assert [h.findtext("root/root-step") for h in root.iter("harmony")] == [name[0] for name in IN_A]
    assert [n.findtext("pitch/step") for n in root.iter("note") if n.find("pitch") is not None] == list(
        "ACEEFA"
    )


@pytest.mark.slow
@pytest.mark.skipif(MUSESCORE is None, reason="MuseScore 3 is not installed here")
def test_musescore_prints_one_tempo_where_a_tune_slows_down(tmp_path: Path) -> None:
    melody = Melody(tuple(Note(8 * n, 8, 60 + 2 * (n % 3)) for n in range(16)), 128)
    score = to_musicxml(arrange(melody, title="a", emotion=Emotion.E3, trajectory=[(-0.5, -0.5)]))
    assert score.count(b"<sound tempo=") > 5
    root = saved_by_musescore(score, tmp_path)
    assert len([*root.iter("metronome")]) == 1
    assert len([*root.iter("sound")]) >= 5


def test_a_text_roll_names_each_chord_above_its_step() -> None:
    lines = to_text(piece_in_a(), metrics(piece_in_a().melody)).splitlines()
    assert lines[2] == "      Am    Dm7        E7      G♯dim7   Am        Bm7b5  Fmaj7   Am"
    assert "│" in lines[3]
    close = replace(piece_in_a(), chords=tuple(TimedChord(n, 1, Chord.parse(f"{c}m7b5")) for n, c in CLOSE))
    lines = to_text(close, metrics(close.melody)).splitlines()
    assert lines[2:4] == ["       Bm7b5", "      Am7b5   Cm7b5"]


def test_a_piano_roll_names_the_chords_above_its_rows() -> None:
    for piece in pieces_with_chords()[:2]:
        plain, named = (imread(io.BytesIO(piano_roll(each))) for each in (without_chords(piece), piece))
        assert named.shape[1] == plain.shape[1]
        assert named.shape[0] > plain.shape[0]
        unnamed = imread(io.BytesIO(piano_roll(replace(piece, chords=(piece.chords[0],)))))
        dark = [(picture[..., :3] < 0.3).all(-1).sum() for picture in (unnamed, named)]
        assert dark[1] > dark[0] + 20 * (len(piece.chords) - 1)  # pixels of letters
