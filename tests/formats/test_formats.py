"""The files of a melody, read back by programs that did not write them."""

from __future__ import annotations

import io
import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pretty_midi
import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import wavfile

from emomelody.data.windows import first_window
from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats import audio, midi, piano_roll, score
from emomelody.formats import encode as encode_module
from emomelody.formats.encode import Format, encode
from emomelody.models.checkpoint import bundled_weights, load_checkpoint
from emomelody.music.emotion import Emotion
from emomelody.music.key import note_name, spell
from emomelody.music.melody import Melody, Note
from emomelody.music.path import EmotionPath
from emomelody.performance.piece import Piece, arrange
from emomelody.performance.setting import EXPRESSIVE, PLAIN, Setting
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample

KEYS = ("C", "G", "D", "A", "E", "B", "F", "Bb", "Eb", "Ab", "Db", "F#", "C#", "G#")


def pieces() -> Iterator[Piece]:
    """A hundred of them: generated ones of each emotion, and random ones with pickups, rests and syncopes."""
    checkpoint = load_checkpoint(bundled_weights()["emoreg-va"])
    made = [s for e in Emotion for s in sample(checkpoint, Request(15, e, seed=1))]
    made += sample(checkpoint, Request(10, path=EmotionPath.parse("sad@0 happy@4"), bars=6, seed=1))
    for number, s in enumerate(made):
        setting = Setting(KEYS[number % len(KEYS)], octave=None, tempo=None, velocity=None, program=number)
        yield arrange(
            s.melody, title=f"m{number}", emotion=s.emotion, trajectory=s.trajectory, setting=setting
        )
    rng = np.random.default_rng(0)
    for number in range(30):
        notes, step = [], int(rng.integers(0, 15))
        while step < 60:
            duration = int(rng.integers(1, 15))
            notes.append(Note(step, min(duration, 64 - step), int(rng.integers(55, 80))))
            step += duration + int(rng.choice([0, 0, 1, 2, 5, 19]))
        setting = Setting(KEYS[number % len(KEYS)])
        emotion = list(Emotion)[number % 4]
        yield arrange(Melody(tuple(notes)), title=f"r{number}", emotion=emotion, setting=setting)


@pytest.fixture(scope="module")
def hundred() -> list[Piece]:
    return list(pieces())


def by_hand(setting: Setting = PLAIN, emotion: Emotion = Emotion.E3) -> Piece:
    """A pickup rest, a dotted quarter, a note over the barline, and an empty last bar."""
    notes = (Note(2, 6, 60), Note(8, 4, 63), Note(12, 8, 67), Note(20, 12, 68), Note(32, 16, 60))
    return arrange(
        Melody(notes), title="by-hand", emotion=emotion, trajectory=[(-0.5, -0.5)], setting=setting
    )


@pytest.mark.slow
def test_a_hundred_scores_are_read_back_by_music21(hundred: list[Piece]) -> None:
    from music21 import converter

    assert len(hundred) == 100
    for piece in hundred:
        read = converter.parseData(score.to_musicxml(piece).decode(), format="musicxml", forceSource=True)
        (part,) = read.parts
        measures = part.getElementsByClass("Measure")
        assert [m.duration.quarterLength for m in measures] == [4] * (piece.melody.steps // 16)
        assert all(sum(n.quarterLength for n in m.notesAndRests) == 4 for m in measures)
        found = [
            Note(int(4 * n.getOffsetInHierarchy(part)), int(4 * n.quarterLength), n.pitch.midi)
            for n in part.stripTies(matchByPitch=False).recurse().notes
        ]
        assert tuple(found) == piece.melody.notes
        signatures = part.recurse().getElementsByClass("Key")
        keys = [k.tonic.name.replace("-", "b") + ("m" if k.mode == "minor" else "") for k in signatures]
        assert keys == [key for _, key in piece.keys]
        tempos = [mark.getQuarterBPM() for mark in part.recurse().getElementsByClass("MetronomeMark")]
        assert tempos[0] == pytest.approx(piece.tempos[0][1])
        assert read.metadata.bestTitle == piece.title


def test_our_own_scores_are_read_back(tmp_path: Path, hundred: list[Piece]) -> None:
    """Among them a natural that is tied twice, its sign shown once."""
    notes = (Note(0, 8, 68), Note(8, 4, 67), Note(12, 36, 69), Note(56, 8, 60))
    piece = arrange(Melody(notes), title="tied", emotion=Emotion.E3)
    for number, some in enumerate([piece, *hundred[:5]]):
        path = tmp_path / f"{number}.musicxml"
        path.write_bytes(score.to_musicxml(some))
        read = first_window(path)
        semitones = some.melody.notes[0].pitch - read.notes[0].pitch  # it is read in C
        assert read.transposed(semitones) == some.melody


@pytest.mark.slow
def test_a_hundred_midi_files_are_read_by_two_readers(hundred: list[Piece]) -> None:
    for piece in hundred:
        data = midi.to_bytes(piece)
        theirs = pretty_midi.PrettyMIDI(io.BytesIO(data))
        (instrument,) = theirs.instruments
        assert (instrument.program, instrument.name) == (piece.program, piece.title)
        assert [n.velocity for n in instrument.notes] == list(piece.velocities)
        _, tempos = theirs.get_tempo_changes()
        assert tempos == pytest.approx([tempo for _, tempo in piece.tempos], rel=1e-5)
        assert theirs.get_end_time() <= piece.seconds + 1e-3
        assert len(theirs.key_signature_changes) == len(piece.keys)

        other = symusic.Score.from_midi(data)
        (track,) = other.tracks
        ticks = other.ticks_per_quarter // 4
        notes = [Note(n.time // ticks, n.duration // ticks, n.pitch) for n in track.notes]
        assert tuple(notes) == piece.melody.notes
        assert (track.program, track.name) == (piece.program, piece.title)
        assert [(t.time // ticks, t.qpm) for t in other.tempos] == [
            (step, pytest.approx(tempo, rel=1e-5)) for step, tempo in piece.tempos
        ]
        (meter,) = other.time_signatures
        assert (meter.numerator, meter.denominator) == (4, 4)


@given(st.integers(0, 63), st.integers(1, 64), st.booleans())
def test_values_fill_a_note_and_stay_within_bars(onset: int, duration: int, rest: bool) -> None:
    values = list(score.split_values(onset, duration, rest=rest))
    assert values[0][0] == onset
    assert sum(value for _, value in values) == duration
    for (start, value), (following, _) in itertools.pairwise(values):
        assert start + value == following
    for start, value in values:
        assert start // 16 == (start + value - 1) // 16
        assert value in ((1, 2, 4, 8, 16) if rest else (1, 2, 3, 4, 6, 8, 12, 16))


def test_a_score_is_written_as_musicians_do() -> None:
    """A note from the second eighth on shows the middle of the bar, one over the barline is tied."""
    values = [list(score.split_values(n.onset, n.duration)) for n in by_hand().melody.notes]
    assert values == [[(2, 6)], [(8, 4)], [(12, 4), (16, 4)], [(20, 12)], [(32, 16)]]
    assert list(score.split_values(0, 2, rest=True)) == [(0, 2)]
    assert list(score.split_values(5, 6)) == [(5, 3), (8, 3)]


def test_pitches_are_spelt_as_their_key_has_them() -> None:
    for key, names in {
        "C": "C4 C♯4 D4 E♭4 E4 F4 F♯4 G4 G♯4 A4 B♭4 B4",
        "Cm": "C4 D♭4 D4 E♭4 E4 F4 F♯4 G4 A♭4 A4 B♭4 B4",
        "Am": "C4 C♯4 D4 D♯4 E4 F4 F♯4 G4 G♯4 A4 B♭4 B4",
        "E": "B♯3 C♯4 D4 D♯4 E4 E♯4 F♯4 G4 G♯4 A4 A♯4 B4",
        "Ebm": "C4 D♭4 D4 E♭4 F♭4 F4 G♭4 G4 A♭4 A4 B♭4 C♭5",
    }.items():
        assert [note_name(pitch, key) for pitch in range(60, 72)] == names.split()


def test_a_spelt_pitch_sounds_as_it_did() -> None:
    natural = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
    for tonic in KEYS:
        for mode in ("major", "minor"):
            for pitch in range(128):
                letter, alteration, octave = spell(pitch, Setting(tonic).key(mode))
                assert 12 * (octave + 1) + natural[letter] + alteration == pitch


def test_the_score_holds_what_the_melody_is_for() -> None:
    xml = score.to_musicxml(by_hand(Setting("A", program=71))).decode()
    for part in (
        '<miscellaneous-field name="emotion">sad<',
        '<miscellaneous-field name="valence">-0.5000<',
        "<words>sad</words>",
        "<midi-program>72</midi-program>",
        "<part-name>Clarinet</part-name>",
        "<bar-style>light-heavy</bar-style>",
    ):
        assert part in xml
    assert "transpose" not in xml  # a clarinet's part sounds as it is written here


def test_the_clef_follows_the_register() -> None:
    notes = tuple(Note(8 * i, 8, 62) for i in range(24))
    trajectory = [(-0.5, 0.5)] * 4 + [(-0.5, -0.5)] * 4 + [(0.5, -0.5)] * 4
    piece = arrange(
        Melody(notes, 192), title="a", emotion=Emotion.E2, trajectory=trajectory, setting=EXPRESSIVE
    )
    assert [octave for _, octave in piece.octaves] == [-2, -1, 0]
    xml = score.to_musicxml(piece).decode()
    clefs = re.findall(r'<measure [^>]*number="(\d+)">|<sign>(\w)</sign>', xml)
    at = [(clefs[i - 1][0], sign) for i, (_, sign) in enumerate(clefs) if sign]
    assert at == [("1", "F"), ("9", "G")]


@pytest.mark.parametrize("form", Format)
def test_equal_pieces_are_equal_files(form: Format) -> None:
    assert encode(by_hand(), form) == encode(by_hand(), form)


def test_an_engraved_score_has_its_notes_bars_and_signature() -> None:
    svg = encode(by_hand(Setting("A"), Emotion.E1), Format.SVG).decode()
    ElementTree.fromstring(svg)
    # The trajectory is in minor, as is the signature of A minor: none.
    assert len(re.findall(r'class="note"', svg)) == 6  # one of the five is tied
    assert len(re.findall(r'class="measure"', svg)) == 4
    assert len(re.findall(r'class="tie"', svg)) == 1
    assert "keyAccid" not in svg
    svg = encode(by_hand(Setting("C")), Format.SVG).decode()
    assert len(re.findall(r'class="keyAccid"', svg)) == 3
    assert "by-hand" in svg
    assert 'fill="white"' in svg


def test_a_long_score_is_one_page() -> None:
    notes = tuple(Note(4 * i, 4, 60 + i % 12) for i in range(256))
    piece = arrange(Melody(notes, 1024), title="long", emotion=Emotion.E1)
    svg = encode(piece, Format.SVG).decode()
    assert len(re.findall(r'class="measure"', svg)) == 64
    assert len(re.findall(r'class="system"', svg)) > 8


def test_a_missing_engraver_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode_module, "find_spec", lambda name: None)
    with pytest.raises(EmomelodyError, match=r"pip install 'emomelody\[score\]'"):
        encode(by_hand(), Format.SVG)


def test_piano_rolls_are_as_high_as_their_melody_is_long() -> None:
    from matplotlib.image import imread

    notes = tuple(Note(4 * i, 4, 60 + i % 12) for i in range(64))
    short, long = (
        imread(io.BytesIO(piano_roll.piano_roll(arrange(Melody(some, steps), title="a", emotion=Emotion.E1))))
        for some, steps in ((notes[:16], 64), (notes, 256))
    )
    assert long.shape[1] == short.shape[1]
    assert 3 < long.shape[0] / short.shape[0] < 4
    # The colour of happy: something is drawn.
    assert (np.abs(short[..., :3] - np.array([0xE6, 0x9F, 0x00]) / 255) < 0.01).all(-1).any()


def sound(data: bytes) -> tuple[int, np.ndarray]:
    rate, samples = wavfile.read(io.BytesIO(data))
    return rate, samples.astype(float) / 32768


@pytest.mark.slow
def test_sound_has_the_right_length_pitch_and_loudness(hundred: list[Piece]) -> None:
    for piece in hundred[:10]:
        rate, samples = sound(audio.to_wav(piece))
        assert len(samples) / rate == pytest.approx(piece.seconds + 1, abs=1e-4)
        assert 0.05 < np.abs(samples).max() < 0.95
        first = piece.melody.notes[0]
        seconds = 60 / piece.tempos[0][1] / 4
        heard = samples[round(first.onset * seconds * rate) : round(first.end * seconds * rate)]
        spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard)), 4 * rate))
        assert np.argmax(spectrum) / 4 == pytest.approx(440 * 2 ** ((first.pitch - 69) / 12), rel=0.02)
    loud, soft = (sound(audio.to_wav(by_hand(Setting(velocity=v))))[1] for v in (120, 60))
    assert np.abs(loud).max() / np.abs(soft).max() == pytest.approx(4, rel=0.01)  # 12 dB


def test_silence_is_a_sound_too() -> None:
    piece = arrange(Melody(()), title="nothing", emotion=Emotion.E4)
    rate, samples = sound(audio.to_wav(piece))
    assert len(samples) == 9 * rate
    assert not samples.any()
    assert score.to_musicxml(piece)
    assert piano_roll.piano_roll(piece)


def soundfont() -> Path:
    folder = Path("/usr/share/sounds")
    found = [*folder.glob("sf2/*.sf2"), *folder.glob("sf3/*.sf3")]
    if not found or shutil.which("fluidsynth") is None:
        pytest.skip("FluidSynth and a SoundFont are not installed here")
    return found[0]


def test_a_soundfont_gives_each_program_its_sound() -> None:
    font = soundfont()
    flute, cello = (sound(audio.to_wav(by_hand(Setting(program=p)), font))[1] for p in (73, 42))
    assert flute.shape == cello.shape == (9 * audio.RATE, 2)
    assert 0.05 < np.abs(flute).max() < 0.95
    assert np.abs(flute - cello).max() > 0.05


def test_what_is_no_soundfont_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sf2").write_bytes(b"RIFF1234sfbkgarbage")
    (tmp_path / "b.sf2").write_bytes(b"nothing of the kind")
    if shutil.which("fluidsynth"):
        with pytest.raises(BadInput, match="makes no sound with it"):
            audio.to_wav(by_hand(), tmp_path / "a.sf2")
        with pytest.raises(BadInput, match="not a SoundFont"):
            audio.to_wav(by_hand(), tmp_path / "b.sf2")
    else:
        with pytest.raises(EmomelodyError, match="needs FluidSynth"):
            audio.to_wav(by_hand(), tmp_path / "a.sf2")
