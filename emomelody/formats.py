"""The formats of a piece's files. What writes them is imported when it is needed: the names cost nothing."""

from __future__ import annotations

from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from emomelody.errors import BadInput, EmomelodyError

if TYPE_CHECKING:
    from emomelody.piece import Piece


class Format(StrEnum):
    """What a melody can be written as; the value is the file's suffix."""

    MIDI = "mid"
    MUSICXML = "musicxml"  # for notation programs
    SVG = "svg"  # the engraved score
    PNG = "png"  # a piano roll
    WAV = "wav"  # sound

    @classmethod
    def of(cls, path: Path) -> Format:
        """The format of a file's name. Raises BadInput for a suffix that is none of them."""
        suffix = path.suffix.lower().removeprefix(".")
        known = {"midi": "mid", "xml": "musicxml"}
        try:
            return cls(known.get(suffix, suffix))
        except ValueError:
            names = ", ".join(f".{name}" for name in cls)
            raise BadInput(path, f"its name must end in one of {names}") from None


def check(formats: tuple[Format, ...], soundfont: Path | None) -> None:
    """Raise EmomelodyError for what cannot be written here, before anything is made."""
    if Format.SVG in formats and find_spec("verovio") is None:
        raise EmomelodyError("svg needs Verovio, which is not installed: pip install 'emomelody[score]'")
    if soundfont:
        from emomelody import audio

        audio.check_soundfont(soundfont)


def encode(piece: Piece, form: Format, soundfont: Path | None = None) -> bytes:
    """A piece as the bytes of a file. Equal pieces are equal bytes.

    Raises EmomelodyError where ``check`` does.
    """
    if form is Format.MIDI:
        from emomelody.midi import to_bytes

        return to_bytes(piece)
    if form is Format.PNG:
        from emomelody.plots import piano_roll

        return piano_roll(piece)
    if form is Format.WAV:
        from emomelody.audio import to_wav

        return to_wav(piece, soundfont)
    check((form,), soundfont)
    from emomelody import score

    return score.to_svg(piece) if form is Format.SVG else score.to_musicxml(piece)
