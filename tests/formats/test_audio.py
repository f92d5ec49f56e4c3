"""Sound files: length, pitch and loudness, with and without a SoundFont."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pieces import hundred_pieces, short_piece
from scipy.io import wavfile

from emomelody.emotions.emotion import Emotion
from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats import audio
from emomelody.music.melody import Melody
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN


def read_wav(data: bytes) -> tuple[int, np.ndarray]:
    rate, samples = wavfile.read(io.BytesIO(data))
    return rate, samples.astype(float) / 32768


@pytest.mark.slow
def test_sound_has_the_right_length_pitch_and_loudness() -> None:
    for piece in hundred_pieces()[:10]:
        rate, samples = read_wav(audio.to_wav(piece))
        assert len(samples) / rate == pytest.approx(piece.seconds + 1, abs=1e-4)
        assert 0.05 < np.abs(samples).max() < 0.95
        first = piece.melody.notes[0]
        seconds = 60 / piece.tempos[0][1] / 4
        tone = samples[round(first.onset * seconds * rate) : round(first.end * seconds * rate)]
        spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), 4 * rate))
        assert np.argmax(spectrum) / 4 == pytest.approx(440 * 2 ** ((first.pitch - 69) / 12), rel=0.02)
    loud, soft = (read_wav(audio.to_wav(short_piece(replace(PLAIN, velocity=v))))[1] for v in (120, 60))
    assert np.abs(loud).max() / np.abs(soft).max() == pytest.approx(4, rel=0.01)  # 12 dB


def test_a_melody_without_notes_is_silence() -> None:
    piece = arrange(Melody(()), title="nothing", emotion=Emotion.E4, setting=PLAIN)
    rate, samples = read_wav(audio.to_wav(piece))
    assert len(samples) == 9 * rate
    assert not samples.any()


def soundfont() -> Path:
    folder = Path("/usr/share/sounds")
    found = [*folder.glob("sf2/*.sf2"), *folder.glob("sf3/*.sf3")]
    if not found or shutil.which("fluidsynth") is None:
        pytest.skip("FluidSynth and a SoundFont are not installed here")
    return found[0]


def test_a_soundfont_gives_each_program_its_sound() -> None:
    font = soundfont()
    flute, cello = (read_wav(audio.to_wav(short_piece(replace(PLAIN, program=p)), font))[1] for p in (73, 42))
    assert flute.shape == cello.shape == (9 * audio.RATE, 2)
    assert 0.05 < np.abs(flute).max() < 0.95
    assert np.abs(flute - cello).max() > 0.05


def test_a_file_that_is_not_a_soundfont_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sf2").write_bytes(b"RIFF1234sfbkgarbage")
    (tmp_path / "b.sf2").write_bytes(b"nothing of the kind")
    if shutil.which("fluidsynth"):
        with pytest.raises(BadInput, match="makes no sound with it"):
            audio.to_wav(short_piece(), tmp_path / "a.sf2")
        with pytest.raises(BadInput, match="not a SoundFont"):
            audio.to_wav(short_piece(), tmp_path / "b.sf2")
    else:
        with pytest.raises(EmomelodyError, match="needs FluidSynth"):
            audio.to_wav(short_piece(), tmp_path / "a.sf2")
