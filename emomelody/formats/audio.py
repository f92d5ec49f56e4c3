"""Writing a piece as a WAV file, with pretty_midi or with FluidSynth and a SoundFont, and playing it."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats import midi
from emomelody.performance.piece import Piece

RATE = 44_100  # samples per second
RINGING = 1.0  # seconds of sound after the end of the melody
_PEAK = 0.9  # of full scale, at velocity 127
# Amplitudes of the partials of a tone: on small speakers a pure sine in the low octaves would be inaudible.
_PARTIALS = (1.0, 0.5, 0.3, 0.2, 0.12, 0.08)
FLUIDSYNTH = "fluidsynth"
# Programs that play a WAV file to its end and then exit, with the options that keep them quiet.
_PLAYERS = (
    ("afplay",),  # macOS
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("play", "-q"),  # SoX
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
    ("mpv", "--no-video", "--really-quiet"),
)


def to_wav(piece: Piece, soundfont: Path | None = None, rate: int = RATE) -> bytes:
    """Synthesise a piece as a 16-bit WAV file, ``RINGING`` seconds longer than the melody.

    ``rate`` is in samples per second. The loudest velocity sets the peak level, which is that of melody and
    chords together, so that nothing clips. Without a SoundFont every program has the same soft tone of six
    partials. Raises EmomelodyError where FluidSynth is missing or fails, and BadInput for a file that is not
    a SoundFont.
    """
    from scipy.io import wavfile

    sound = _by_fluidsynth(piece, soundfont, rate) if soundfont else _by_pretty_midi(piece, rate)
    length = round((piece.seconds + RINGING) * rate)
    padding = [(0, max(0, length - len(sound)))] + [(0, 0)] * (sound.ndim - 1)
    sound = np.pad(sound[:length], padding)  # (samples,) or (samples, channels)
    peak = float(np.abs(sound).max())
    if peak > 0:
        # The level of a synthesiser grows with the square of the velocity.
        sound = sound * (_PEAK * (_loudest(piece) / 127) ** 2 / peak)
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, np.round(sound * 32_767).astype(np.int16))
    return buffer.getvalue()


def check_soundfont(path: Path) -> None:
    """Raise EmomelodyError where FluidSynth is missing, BadInput where the file is not a SoundFont."""
    if shutil.which(FLUIDSYNTH) is None:
        raise EmomelodyError(
            "--soundfont needs FluidSynth, which is not installed: apt install fluidsynth,"
            " brew install fluid-synth, or leave --soundfont out"
        )
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise BadInput(path, error.strerror or str(error)) from error
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise BadInput(path, "not a SoundFont (.sf2 or .sf3)")


def find_player() -> tuple[str, ...]:
    """Return the command of an installed player of WAV files. Raises EmomelodyError where there is none."""
    for command in _PLAYERS:
        if shutil.which(command[0]):
            return command
    names = ", ".join(command[0] for command in _PLAYERS)
    raise EmomelodyError(f"--play finds no player on this system: install one of {names}")


def play(wav: bytes, player: tuple[str, ...]) -> None:
    """Play the bytes of a WAV file to the end. Raises EmomelodyError where the player fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "melody.wav"
        path.write_bytes(wav)
        _call([*player, str(path)])


def _by_pretty_midi(piece: Piece, rate: int) -> NDArray[np.floating[Any]]:
    """Synthesise samples (N,) with pretty_midi, not yet scaled."""
    import pretty_midi

    song = pretty_midi.PrettyMIDI(io.BytesIO(midi.to_bytes(piece)))
    if not song.instruments:
        return np.zeros(1)
    if piece.accompaniment:
        # pretty_midi's level grows with the velocity, not with its square: the chords would be too loud.
        loudest = _loudest(piece)
        for note in song.instruments[-1].notes:
            note.velocity *= note.velocity / loudest
    return np.asarray(song.synthesize(fs=rate, wave=_tone))


def _loudest(piece: Piece) -> int:
    """The highest velocity of a piece with notes."""
    return max((*piece.velocities, *(played.velocity for played in piece.accompaniment)))


def _tone(phase: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return the waveform of a tone at phases (N,) in radians."""
    parts = (weight * np.sin(n * phase) for n, weight in enumerate(_PARTIALS, 1))
    return np.asarray(np.sum(list(parts), axis=0))


def _by_fluidsynth(piece: Piece, soundfont: Path, rate: int) -> NDArray[np.floating[Any]]:
    """Synthesise samples (N, 2) with FluidSynth, not yet scaled."""
    check_soundfont(soundfont)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "melody.mid", Path(folder) / "samples.raw"
        source.write_bytes(midi.to_bytes(piece))
        # Floating point, so that nothing clips before it is scaled.
        options = ("-n", "-i", "-q", "-r", str(rate), "-O", "float", "-T", "raw", "-F", str(target))
        message = _call([FLUIDSYNTH, *options, str(soundfont.absolute()), str(source)])
        sound = np.fromfile(target, dtype=np.float32) if target.exists() else np.zeros(0)
    # FluidSynth exits with success even where it cannot load the SoundFont and uses the system's own.
    if "Failed to load" in message or ((piece.melody.notes or piece.accompaniment) and not sound.any()):
        raise BadInput(soundfont, f"FluidSynth makes no sound with it ({message})")
    return sound.reshape(-1, 2)


def _call(command: list[str]) -> str:
    """Run a program and return the last line it printed. Raises EmomelodyError where it fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        raise EmomelodyError(f"{command[0]} cannot be run ({error.strerror or error})") from error
    message = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
    if done.returncode:
        raise EmomelodyError(f"{command[0]} failed: {message}")
    return message
