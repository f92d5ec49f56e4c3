"""The names and formats of a piece's files. What writes them is imported only when it is needed."""

from __future__ import annotations

import re
import string
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from emomelody.errors import BadInput, EmomelodyError
from emomelody.performance.piece import Piece

NAME = "{emotion}-s{seed}-{index}"
_ALIASES = {"midi": "mid", "xml": "musicxml"}
_FIELDS = ("emotion", "seed", "index", "model")
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"/\\|?*]')  # on one system or another
_MAX_NAME = 200  # bytes: file systems take 255, and a suffix comes after it


class Format(StrEnum):
    """What a melody can be written as; the value is the file's suffix."""

    MIDI = "mid"
    MUSICXML = "musicxml"  # for notation programs
    SVG = "svg"  # the engraved score
    PNG = "png"  # a piano roll
    WAV = "wav"  # sound

    @classmethod
    def parse(cls, text: str) -> Format:
        """Return the format with this name, in any case; ``midi`` and ``xml`` are accepted too.

        Raises EmomelodyError, which lists the formats, for an unknown name.
        """
        name = text.strip().lower()
        try:
            return cls(_ALIASES.get(name, name))
        except ValueError:
            *others, last = cls
            raise EmomelodyError(f"unknown format '{text}': use {', '.join(others)} or {last}") from None

    @classmethod
    def of(cls, path: Path) -> Format:
        """Return the format that a file's suffix names. Raises BadInput for an unknown suffix."""
        try:
            return cls.parse(path.suffix.removeprefix("."))
        except EmomelodyError:
            names = ", ".join(f".{name}" for name in cls)
            raise BadInput(path, f"its name must end in one of {names}") from None


def parse_formats(text: str) -> tuple[Format, ...]:
    """Return the formats in a comma-separated list such as ``mid,wav``, each once, in order.

    Raises EmomelodyError for an unknown name.
    """
    return tuple(dict.fromkeys(map(Format.parse, text.split(","))))


def file_name(template: str, *, emotion: str, seed: int, index: int, model: str) -> str:
    """The name of a melody's files by a template, which knows the fields ``_FIELDS`` in braces.

    Raises EmomelodyError for what is no template, or no name of a file on every system.
    """
    values = {"emotion": emotion, "seed": str(seed), "index": f"{index:03d}", "model": model}
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise EmomelodyError(f"name '{template}' cannot be read ({error})") from error
    name = ""
    for text, field, form, conversion in parts:
        if field is not None and (field not in values or form or conversion):
            known = ", ".join(f"{{{known}}}" for known in _FIELDS)
            raise EmomelodyError(f"name '{template}' has a field that is none of {known}")
        name += text + (values[field] if field is not None else "")
    found = _FORBIDDEN.search(name)
    if found:
        raise EmomelodyError(
            f"name '{template}' has a {found[0]!r}, which not every system allows in file names"
        )
    if not name.strip(". ") or name[0] == "." or name != name.strip() or name[-1] == ".":
        raise EmomelodyError(f"name '{template}' is empty, or begins or ends with a dot or space")
    if len(name.encode("utf-8", "surrogatepass")) > _MAX_NAME:
        raise EmomelodyError(f"name '{template}' is longer than {_MAX_NAME} bytes")
    return name


def check(formats: tuple[Format, ...], soundfont: Path | None) -> None:
    """Raise EmomelodyError for what cannot be written here, before anything is made."""
    if Format.SVG in formats and find_spec("verovio") is None:
        raise EmomelodyError("svg needs Verovio, which is not installed: pip install 'emomelody[score]'")
    if soundfont:
        from emomelody.formats import audio

        audio.check_soundfont(soundfont)


def encode(piece: Piece, form: Format, soundfont: Path | None = None) -> bytes:
    """A piece as the bytes of a file. Equal pieces are equal bytes.

    Raises EmomelodyError where ``check`` does.
    """
    if form is Format.MIDI:
        from emomelody.formats.midi import to_bytes

        return to_bytes(piece)
    if form is Format.PNG:
        from emomelody.formats.piano_roll import piano_roll

        return piano_roll(piece)
    if form is Format.WAV:
        from emomelody.formats.audio import to_wav

        return to_wav(piece, soundfont)
    check((form,), soundfont)
    from emomelody.formats import score

    return score.to_svg(piece) if form is Format.SVG else score.to_musicxml(piece)
