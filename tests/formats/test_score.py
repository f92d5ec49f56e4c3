"""Scores: note values, MusicXML as music21 reads it back, and the engraved SVG."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import hundred_pieces, short_piece

from emomelody.errors import EmomelodyError
from emomelody.formats import encode as encode_module
from emomelody.formats import score
from emomelody.formats.encode import Format, encode
from emomelody.music.emotion import Emotion
from emomelody.music.melody import Melody, Note
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN


@given(st.integers(0, 63), st.integers(1, 64), st.booleans())
def test_note_values_fill_the_duration_and_stay_within_bars(onset: int, duration: int, rest: bool) -> None:
    values = list(score.split_values(onset, duration, rest=rest))
    assert values[0][0] == onset
    assert sum(value for _, value in values) == duration
    for (start, value), (following, _) in itertools.pairwise(values):
        assert start + value == following
    for start, value in values:
        assert start // 16 == (start + value - 1) // 16
        assert value in ((1, 2, 4, 8, 16) if rest else (1, 2, 3, 4, 6, 8, 12, 16))


def test_note_values_show_the_middle_of_the_bar_and_ties_cross_barlines() -> None:
    values = [list(score.split_values(n.onset, n.duration)) for n in short_piece().melody.notes]
    assert values == [[(2, 6)], [(8, 4)], [(12, 4), (16, 4)], [(20, 12)], [(32, 16)]]
    assert list(score.split_values(0, 2, rest=True)) == [(0, 2)]
    assert list(score.split_values(5, 6)) == [(5, 3), (8, 3)]


@pytest.mark.slow
def test_music21_reads_a_hundred_scores_back_unchanged() -> None:
    from music21 import converter

    assert len(hundred_pieces()) == 100
    for piece in hundred_pieces():
        read = converter.parseData(score.to_musicxml(piece).decode(), format="musicxml", forceSource=True)
        (part,) = read.parts
        measures = part.getElementsByClass("Measure")
        assert [m.duration.quarterLength for m in measures] == [4] * (piece.melody.steps // 16)
        assert all(sum(n.quarterLength for n in m.notesAndRests) == 4 for m in measures)
        notes = [
            Note(int(4 * n.getOffsetInHierarchy(part)), int(4 * n.quarterLength), n.pitch.midi)
            for n in part.stripTies(matchByPitch=False).recurse().notes
        ]
        assert tuple(notes) == piece.melody.notes
        signatures = part.recurse().getElementsByClass("Key")
        keys = [k.tonic.name.replace("-", "b") + ("m" if k.mode == "minor" else "") for k in signatures]
        assert keys == [key for _, key in piece.keys]
        tempos = [mark.getQuarterBPM() for mark in part.recurse().getElementsByClass("MetronomeMark")]
        assert tempos[0] == pytest.approx(piece.tempos[0][1])
        assert read.metadata.bestTitle == piece.title


def test_a_score_carries_the_emotion_point_and_instrument() -> None:
    xml = score.to_musicxml(short_piece(replace(PLAIN, tonic="A", program=71))).decode()
    for part in (
        '<miscellaneous-field name="emotion">sad<',
        '<miscellaneous-field name="valence">-0.5000<',
        "<words>sad</words>",
        "<midi-program>72</midi-program>",
        "<part-name>Clarinet</part-name>",
        "<bar-style>light-heavy</bar-style>",
    ):
        assert part in xml
    assert "transpose" not in xml  # a clarinet's part is written at concert pitch


def test_the_clef_follows_the_register() -> None:
    notes = tuple(Note(8 * i, 8, 62) for i in range(24))
    trajectory = [(-0.5, 0.5)] * 4 + [(-0.5, -0.5)] * 4 + [(0.5, -0.5)] * 4
    piece = arrange(Melody(notes, 192), title="a", emotion=Emotion.E2, trajectory=trajectory)
    assert [octave for _, octave in piece.octaves] == [-1, 0]
    xml = score.to_musicxml(piece).decode()
    clefs = re.findall(r'<measure [^>]*number="(\d+)">|<sign>(\w)</sign>', xml)
    at = [(clefs[i - 1][0], sign) for i, (_, sign) in enumerate(clefs) if sign]
    assert at == [("1", "F"), ("5", "G")]


def test_an_engraved_score_has_the_notes_bars_and_signature() -> None:
    svg = encode(short_piece(replace(PLAIN, tonic="A"), Emotion.E1), Format.SVG).decode()
    ElementTree.fromstring(svg)
    # The trajectory is in minor, and A minor has no accidentals.
    assert len(re.findall(r'class="note"', svg)) == 6  # one of the five notes is split by a tie
    assert len(re.findall(r'class="measure"', svg)) == 4
    assert len(re.findall(r'class="tie"', svg)) == 1
    assert "keyAccid" not in svg
    svg = encode(short_piece(), Format.SVG).decode()
    assert len(re.findall(r'class="keyAccid"', svg)) == 3
    assert "by-hand" in svg


def test_an_engraved_score_has_a_white_background_without_a_frame() -> None:
    svg = encode(short_piece(), Format.SVG).decode()
    # Verovio's style sheet gives every rect a black outline, except where an inline style forbids it.
    assert re.search(r"<style[^>]*>[^<]*\brect \{stroke:currentColor\}", svg)
    page, *_ = (e for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("}rect"))
    assert page.attrib == {"width": "100%", "height": "100%", "fill": "white", "style": "stroke: none"}


def test_a_long_score_is_one_page() -> None:
    notes = tuple(Note(4 * i, 4, 60 + i % 12) for i in range(256))
    piece = arrange(Melody(notes, 1024), title="long", emotion=Emotion.E1)
    svg = encode(piece, Format.SVG).decode()
    assert len(re.findall(r'class="measure"', svg)) == 64
    assert len(re.findall(r'class="system"', svg)) > 8


def test_a_missing_verovio_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encode_module, "find_spec", lambda name: None)
    with pytest.raises(EmomelodyError, match=r"pip install 'emomelody\[score\]'"):
        encode(short_piece(), Format.SVG)
