"""A whole HTML document, with a content security policy that forbids every request.

The policy allows the document's own scripts and styles, by their hashes, and pictures inside it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Part:
    """A part of a page: HTML, the style sheets and scripts that it needs, and data for these, by id."""

    body: str
    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    def __add__(self, other: Part) -> Part:
        return Part(
            self.body + other.body,
            self.styles + other.styles,
            self.scripts + other.scripts,
            {**self.data, **other.data},
        )


@cache
def static(name: str) -> str:
    """The text of a file in ``static``."""
    return (files(__package__) / "static" / name).read_text(encoding="utf-8")


def document(title: str, part: Part) -> str:
    """The page of a title (plain text) and a part."""
    style = "".join(part.styles)
    # One function around all scripts: they see each other, and nothing else of the page does.
    script = '(() => {\n"use strict";\n' + "\n".join(part.scripts) + "})();\n" if part.scripts else ""
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{part.body}\n"
        + "".join(map(_data, part.data, part.data.values()))
        + f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _data(name: str, data: Any) -> str:
    """Data as JSON in which nothing ends the element that it stands in."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>\n'


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
