"""Engraved scores for a page: pictures that share one font, and where each printed note stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from emomelody.formats.notation.values import split_values
from emomelody.formats.score import to_svg
from emomelody.performance.piece import Piece

_FONT = re.compile(r"<style[^>]*>@font-face.*?</style>", re.DOTALL)
_SIZE = re.compile(r'class="definition-scale".*?viewBox="0 0 (\d+) (\d+)"', re.DOTALL)
_MARGIN = re.compile(r'class="page-margin" transform="translate\((\d+), (\d+)\)"')
_UNUSED = re.compile(r' id="\w+"(?= class=)')  # a quarter of a compressed score
_SYSTEM = re.compile(r'class="system"')
_STAFF = re.compile(r'class="staff">((?:\s*<path d="M\d+ \d+ L\d+ \d+" [^>]*/>){5})')
_NOTE = re.compile(r'class="notehead">\s*<use [^>]*translate\((\d+), \d+\)')


def engrave(pieces: Sequence[Piece]) -> dict[str, Any]:
    """The scores of pieces as SVG without the font that all need, this font, and the places of the notes.

    The places are a list for each piece of [step, left, top, bottom] of each printed note, in shares of the
    picture: where it stands, and its system. Raises ImportError where Verovio is not installed.
    """
    scores = [to_svg(piece).decode("utf-8") for piece in pieces]
    fonts = {font for score in scores for font in _FONT.findall(score)}
    places = [_places(piece, score) for piece, score in zip(pieces, scores, strict=True)]
    return {
        "scores": [_UNUSED.sub("", _FONT.sub("", score)) for score in scores],
        "font": "".join(sorted(fonts)),
        "places": places,
    }


def _places(piece: Piece, score: str) -> list[list[float]]:
    """The step of each printed note, tied ones among them, and where it stands; none if they do not agree."""
    meter = piece.time_signature
    steps = [
        step for note in piece.melody.notes for step, _ in split_values(note.onset, note.duration, meter)
    ]
    found = [*_found(score)]
    if len(found) != len(steps):
        return []
    return [[step, *(round(share, 3) for share in place)] for step, place in zip(steps, found, strict=True)]


def _found(score: str) -> Iterator[tuple[float, float, float]]:
    """The left of each printed note, and the top and bottom of its system, in shares of the picture."""
    size, margin = _SIZE.search(score), _MARGIN.search(score)
    if not size or not margin:
        return
    (width, height), (right, down) = (map(int, match.groups()) for match in (size, margin))
    for system in _SYSTEM.split(score)[1:]:
        lines = [int(y) for staff in _STAFF.findall(system) for y in re.findall(r"M\d+ (\d+) ", staff)]
        if not lines:
            return
        space = (max(lines) - min(lines)) / 2
        top, bottom = min(lines) - space, max(lines) + space
        for note in _NOTE.finditer(system):
            yield (int(note[1]) + right) / width, (top + down) / height, (bottom + down) / height
