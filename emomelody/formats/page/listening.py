"""A listening test: people say what they hear in melodies, without knowing where these are from."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from emomelody import __version__
from emomelody.formats.page.document import Part, document, static
from emomelody.formats.page.player import sound_data
from emomelody.performance.piece import Piece

_SCRIPTS = ("clock.js", "audio.js", "files.js", "drawing.js", "listening.js")
_STYLES = ("page.css", "player.css", "listening.css")


def listening_page(pieces: Sequence[Piece], facts: Sequence[Mapping[str, Any]], *, heading: str) -> bytes:
    """The page of a test with a heading, in which every listener hears the pieces in another order.

    The ``facts`` of each piece, such as its system, go into the file of answers, and are not shown.
    """
    hidden = json.dumps([*map(dict, facts)]).encode("utf-8")
    melodies = [*map(sound_data, pieces)]
    content = json.dumps(melodies).encode("utf-8") + hidden
    data = {
        "test": hashlib.sha256(content).hexdigest()[:16],
        "melodies": melodies,
        "hidden": base64.b64encode(hidden).decode("ascii"),
    }
    body = (
        f'<h1>{escape(heading)}</h1>\n{static("listening.html")}<p class="made">emomelody {__version__}</p>'
    )
    return document(
        heading, Part(body, tuple(map(static, _STYLES)), tuple(map(static, _SCRIPTS)), {"test": data})
    ).encode("utf-8")
