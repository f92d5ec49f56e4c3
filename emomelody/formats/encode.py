"""The formats and names of a piece's files. The module that writes a format is imported when it is used."""

from __future__ import annotations

import re
import string
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from emomelody.errors import BadInput, EmomelodyError
from emomelody.performance.piece import Piece

NAME = "{emotion}-s{seed}-{index}"
VARIATION_NAME = "{source}-{emotion}-s{seed}-{index}"
_ALIASES = {"midi": "mid", "xml": "musicxml"}
_FIELDS = ("emotion", "seed", "index", "model", "source")
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"/\\|?*]')  # on at least one operating system
_MAX_NAME = 200  # bytes; file systems allow 255, including the suffix


class Format(StrEnum):
    """A file format for melodies; the value is the suffix of the file."""

    MIDI = "mid"
    MUSICXML = "musicxml"  # for notation programs
    SVG = "svg"  # the engraved score
    PNG = "png"  # a piano roll
    WAV = "wav"  # sound
    HTML = "html"  # a page to see and hear one or several melodies

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


def file_name(
    template: str, *, emotion: str, seed: int, index: int, model: str, source: Path | None = None
) -> str:
    """Fill in a template for the name of a melody's files, without suffix.

    The fields ``{emotion}``, ``{seed}``, ``{index}`` (three digits), ``{model}`` and, for variations of a
    file, ``{source}`` (its name) may be used. Raises EmomelodyError for other fields, and for a result that
    is not a valid file name on every system.
    """
    values = {"emotion": emotion, "seed": str(seed), "index": f"{index:03d}", "model": model}
    if source:
        values["source"] = _FORBIDDEN.sub("_", source.stem).strip(". ")
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise EmomelodyError(f"name '{template}' is not a valid template ({error})") from error
    name = ""
    for text, field, form, conversion in parts:
        if field == "source" and not source:
            raise EmomelodyError(f"name '{template}' has {{source}}, but there is no file to vary")
        if field is not None and (field not in values or form or conversion):
            known = ", ".join(f"{{{known}}}" for known in _FIELDS)
            raise EmomelodyError(f"name '{template}' has an unknown field: use {known}")
        name += text + (values[field] if field is not None else "")
    found = _FORBIDDEN.search(name)
    if found:
        raise EmomelodyError(
            f"name '{template}' has a {found[0]!r}, which not every system allows in file names"
        )
    if not name.strip(". ") or name[0] == "." or name != name.strip() or name[-1] == ".":
        raise EmomelodyError(
            f"name '{template}' gives an empty file name, or one that begins or ends with a dot or space"
        )
    if len(name.encode("utf-8", "surrogatepass")) > _MAX_NAME:
        raise EmomelodyError(f"name '{template}' gives a file name longer than {_MAX_NAME} bytes")
    return name


def check(formats: tuple[Format, ...], soundfont: Path | None) -> None:
    """Raise EmomelodyError, before any work, where a format needs a program that is not installed."""
    if Format.SVG in formats and find_spec("verovio") is None:
        raise EmomelodyError("svg needs Verovio, which is not installed: pip install 'emomelody[score]'")
    if soundfont:
        from emomelody.formats import audio

        audio.check_soundfont(soundfont)


def encode(piece: Piece, form: Format, soundfont: Path | None = None) -> bytes:
    """Encode a piece as the bytes of a file. Equal pieces give equal bytes.

    ``soundfont`` is used for WAV only. Raises EmomelodyError where ``check`` does.
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
    if form is Format.HTML:
        from emomelody.formats.page.player import player_page

        return player_page([piece], heading=piece.title)
    check((form,), soundfont)
    from emomelody.formats import score

    return score.to_svg(piece) if form is Format.SVG else score.to_musicxml(piece)
