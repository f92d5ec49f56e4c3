"""A piece as sound: a WAV file by pretty_midi, or by FluidSynth with a SoundFont, and a player for it."""

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
RINGING = 1.0  # seconds after the melody's end
_PEAK = 0.9  # of full scale, at velocity 127
# The amplitudes of a tone's partials: a plain sine an octave or two down is not heard on small speakers.
_PARTIALS = (1.0, 0.5, 0.3, 0.2, 0.12, 0.08)
FLUIDSYNTH = "fluidsynth"
# Programs that play a WAV file and return when it is over, with the options that keep them quiet.
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
    """A piece as a WAV file of 16 bits, a second longer than the melody, its peak set by its velocities.

    Without a SoundFont all programs sound alike, a soft tone of six partials. Raises EmomelodyError where
    FluidSynth is missing or fails, BadInput for a file that is no SoundFont.
    """
    from scipy.io import wavfile

    sound = _by_fluidsynth(piece, soundfont, rate) if soundfont else _by_pretty_midi(piece, rate)
    length = round((piece.seconds + RINGING) * rate)
    padding = [(0, max(0, length - len(sound)))] + [(0, 0)] * (sound.ndim - 1)
    sound = np.pad(sound[:length], padding)  # (samples,) or (samples, channels)
    peak = float(np.abs(sound).max())
    if peak > 0:
        # A synthesiser's level grows with the square of the velocity.
        sound = sound * (_PEAK * (max(piece.velocities) / 127) ** 2 / peak)
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, np.round(sound * 32_767).astype(np.int16))
    return buffer.getvalue()


def check_soundfont(path: Path) -> None:
    """Raise EmomelodyError where FluidSynth is not installed, BadInput where the file is no SoundFont."""
    if shutil.which(FLUIDSYNTH) is None:
        raise EmomelodyError(
            "--soundfont needs FluidSynth, and the program fluidsynth is not there: install it"
            " (apt install fluidsynth, brew install fluid-synth), or leave --soundfont out"
        )
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise BadInput(path, error.strerror or str(error)) from error
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise BadInput(path, "not a SoundFont (.sf2 or .sf3)")


def find_player() -> tuple[str, ...]:
    """The command of a player of this system. Raises EmomelodyError where there is none."""
    for command in _PLAYERS:
        if shutil.which(command[0]):
            return command
    names = ", ".join(command[0] for command in _PLAYERS)
    raise EmomelodyError(f"--play finds no player on this system: install one of {names}")


def play(wav: bytes, player: tuple[str, ...]) -> None:
    """Play a WAV file to its end. Raises EmomelodyError where the player fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "melody.wav"
        path.write_bytes(wav)
        _call([*player, str(path)])


def _by_pretty_midi(piece: Piece, rate: int) -> NDArray[np.floating[Any]]:
    """Samples (N,)."""
    import pretty_midi

    song = pretty_midi.PrettyMIDI(io.BytesIO(midi.to_bytes(piece)))
    return np.asarray(song.synthesize(fs=rate, wave=_tone)) if piece.melody.notes else np.zeros(1)


def _tone(phase: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """The waveform of a tone at phases (N,) in radians."""
    parts = (weight * np.sin(n * phase) for n, weight in enumerate(_PARTIALS, 1))
    return np.asarray(np.sum(list(parts), axis=0))


def _by_fluidsynth(piece: Piece, soundfont: Path, rate: int) -> NDArray[np.floating[Any]]:
    """Samples (N, 2), not yet scaled."""
    check_soundfont(soundfont)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "melody.mid", Path(folder) / "samples.raw"
        source.write_bytes(midi.to_bytes(piece))
        # Floating point, so that no gain clips.
        options = ("-n", "-i", "-q", "-r", str(rate), "-O", "float", "-T", "raw", "-F", str(target))
        said = _call([FLUIDSYNTH, *options, str(soundfont.absolute()), str(source)])
        sound = np.fromfile(target, dtype=np.float32) if target.exists() else np.zeros(0)
    # It takes the system's own SoundFont for one that it cannot read, and calls that a success.
    if "Failed to load" in said or (piece.melody.notes and not sound.any()):
        raise BadInput(soundfont, f"FluidSynth makes no sound with it ({said})")
    return sound.reshape(-1, 2)


def _call(command: list[str]) -> str:
    """Run a program; returns the last line it said. Raises EmomelodyError where it fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        raise EmomelodyError(f"{command[0]} cannot be run ({error.strerror or error})") from error
    said = (done.stderr.strip() or done.stdout.strip() or "it does not say why").splitlines()[-1]
    if done.returncode:
        raise EmomelodyError(f"{command[0]} failed: {said}")
    return said
