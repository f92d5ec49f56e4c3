"""The formats of a piece's files, by name and suffix."""

from __future__ import annotations

from pathlib import Path

import pytest
from pieces import short_piece

from emomelody.errors import BadInput, EmomelodyError
from emomelody.formats.encode import NAME, VARIATION_NAME, Format, encode, file_name, parse_formats


def test_formats_are_parsed_in_any_case_and_by_their_aliases() -> None:
    for text, form in {
        "mid": Format.MIDI,
        "MIDI": Format.MIDI,
        "xml": Format.MUSICXML,
        "MusicXML": Format.MUSICXML,
        " Wav ": Format.WAV,
    }.items():
        assert Format.parse(text) is form


def test_a_list_of_formats_keeps_its_order_and_drops_repetitions() -> None:
    assert parse_formats("wav") == (Format.WAV,)
    assert parse_formats("mid,wav") == (Format.MIDI, Format.WAV)
    assert parse_formats("svg, MIDI,mid") == (Format.SVG, Format.MIDI)


@pytest.mark.parametrize(("text", "unknown"), [("mp3", "mp3"), ("mid,mp3", "mp3"), ("", ""), ("mid,", "")])
def test_an_unknown_format_is_refused_with_the_list_of_formats(text: str, unknown: str) -> None:
    with pytest.raises(EmomelodyError) as raised:
        parse_formats(text)
    assert str(raised.value) == f"unknown format '{unknown}': use mid, musicxml, svg, png, wav or html"


def test_a_file_name_gives_its_format() -> None:
    assert Format.of(Path("a.MIDI")) is Format.MIDI
    assert Format.of(Path("b/a.xml")) is Format.MUSICXML
    with pytest.raises(BadInput, match=r"a\.mp3: its name must end in one of \.mid, \.musicxml"):
        Format.of(Path("a.mp3"))


@pytest.mark.parametrize("form", Format)
def test_equal_pieces_are_equal_files(form: Format) -> None:
    assert encode(short_piece(), form) == encode(short_piece(), form)


def test_a_template_gives_the_file_name() -> None:
    fields = {"emotion": "sad", "seed": 7, "index": 3, "model": "base"}
    for template, name in {
        NAME: "sad-s7-003",
        "{model} {emotion}": "base sad",
        "цвет-{index}": "цвет-003",
        "{{x}}{seed}": "{x}7",
        VARIATION_NAME: "my _song_-sad-s7-003",
    }.items():
        assert file_name(template, **fields, source=Path("songs/.my <song>.mid")) == name


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("a/{index}", "'/'"),
        ("..\\{index}", r"'\\\\'"),
        ("a\n{index}", r"'\\n'"),
        ("a:{index}", "':'"),
        ("{nothing}", "unknown field: use {emotion}, {seed}, {index}, {model}, {source}"),
        ("{index:03d}", "unknown field"),
        ("{source}", "there is no file to vary"),
        ("{emotion.title}", "unknown field"),
        ("{", "not a valid template"),
        ("", "an empty file name"),
        ("..", "an empty file name"),
        (".{index}", "begins or ends with a dot"),
        ("a ", "ends with a dot or space"),
        ("x" * 201, "longer than 200 bytes"),
    ],
)
def test_a_template_that_gives_no_valid_file_name_is_refused(template: str, reason: str) -> None:
    with pytest.raises(EmomelodyError, match=reason):
        file_name(template, emotion="sad", seed=7, index=3, model="base")
