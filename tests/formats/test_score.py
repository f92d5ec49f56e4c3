"""Scores: note values, MusicXML as music21 reads it back, and the engraved SVG."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pieces import hundred_pieces, pieces_in_other_meters, short_piece

from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.formats import encode as encode_module
from emomelody.formats import score
from emomelody.formats.encode import Format, encode
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.piece import arrange
from emomelody.performance.setting import PLAIN


@given(st.integers(0, 63), st.integers(1, 64), st.sampled_from(Meter), st.booleans())
def test_note_values_fill_the_duration_and_stay_within_bars(
    onset: int, duration: int, meter: Meter, rest: bool
) -> None:
    values = list(score.split_values(onset, duration, meter, rest=rest))
    assert values[0][0] == onset
    assert sum(value for _, value in values) == duration
    for (start, value), (following, _) in itertools.pairwise(values):
        assert start + value == following
    for start, value in values:
        assert start // meter.bar == (start + value - 1) // meter.bar
        if meter is Meter.FOUR_FOUR:
            assert value in ((1, 2, 4, 8, 16) if rest else (1, 2, 3, 4, 6, 8, 12, 16))
        elif meter is Meter.THREE_FOUR:
            assert value in ((1, 2, 4, 12) if rest else (1, 2, 3, 4, 6, 8, 12))
        else:
            assert value in ((1, 2, 4, 6, 12) if rest else (1, 2, 3, 4, 6, 12))
            assert value == 12 or start // 6 == (start + value - 1) // 6  # the middle of the bar is visible


def test_note_values_show_the_middle_of_the_bar_and_ties_cross_barlines() -> None:
    values = [list(score.split_values(n.onset, n.duration)) for n in short_piece().melody.notes]
    assert values == [[(2, 6)], [(8, 4)], [(12, 4), (16, 4)], [(20, 12)], [(32, 16)]]
    assert list(score.split_values(0, 2, rest=True)) == [(0, 2)]
    assert list(score.split_values(5, 6)) == [(5, 3), (8, 3)]


def test_note_values_of_three_four() -> None:
    def split(onset: int, duration: int, rest: bool = False) -> list[int]:
        return [value for _, value in score.split_values(onset, duration, Meter.THREE_FOUR, rest=rest)]

    assert split(0, 12) == [12]  # a dotted half fills the bar
    assert [split(0, 8), split(4, 8), split(0, 6), split(4, 6)] == [[8], [8], [6], [6]]
    assert [split(2, 4), split(6, 4), split(2, 6)] == [[4], [4], [6]]  # off the beat, but without a tie
    assert split(6, 6) == [2, 4]  # not a second dotted quarter, as in 6/8
    assert [split(2, 8), split(2, 10), split(2, 5)] == [[2, 6], [2, 8], [2, 3]]  # tied at the beat
    assert split(8, 20) == [4, 12, 4]
    assert [split(0, 12, rest=True), split(0, 8, rest=True), split(2, 10, rest=True)] == [
        [12],
        [4, 4],
        [2, 4, 4],
    ]


def test_note_values_of_six_eight() -> None:
    def split(onset: int, duration: int, rest: bool = False) -> list[int]:
        return [value for _, value in score.split_values(onset, duration, Meter.SIX_EIGHT, rest=rest)]

    assert split(0, 12) == [12]
    for start in (0, 6):  # whatever lies within a dotted quarter needs no tie, if one note can be that long
        for onset in range(start, start + 6):
            for duration in range(1, start + 7 - onset):
                one = duration in (1, 2, 3, 6) or (duration == 4 and onset % 2 == 0)
                assert len(split(onset, duration)) == (1 if one else 2)
    assert [split(0, 8), split(2, 8), split(4, 8), split(4, 4)] == [[6, 2], [4, 4], [2, 6], [2, 2]]
    assert split(6, 22) == [6, 12, 4]
    assert [split(0, 12, rest=True), split(0, 6, rest=True), split(6, 4, rest=True)] == [[12], [6], [4]]
    assert [split(2, 4, rest=True), split(2, 10, rest=True)] == [[2, 2], [2, 2, 6]]


def test_music21_reads_full_bars_of_other_meters_back_unchanged() -> None:
    from music21 import converter

    for piece in pieces_in_other_meters():
        read = converter.parseData(score.to_musicxml(piece).decode(), format="musicxml", forceSource=True)
        (part,) = read.parts
        (signature,) = part.recurse().getElementsByClass("TimeSignature")
        assert signature.ratioString == piece.melody.meter
        measures = part.getElementsByClass("Measure")
        assert [sum(n.quarterLength for n in m.notesAndRests) for m in measures] == [3] * 8
        notes = [
            Note(int(4 * n.getOffsetInHierarchy(part)), int(4 * n.quarterLength), n.pitch.midi)
            for n in part.stripTies(matchByPitch=False).recurse().notes
        ]
        assert tuple(notes) == piece.melody.notes


def test_beams_join_the_short_notes_of_a_beat() -> None:
    """Three eighths and three eighths in 6/8, quarter by quarter in 3/4."""
    for piece in pieces_in_other_meters():
        root = ElementTree.fromstring(score.to_musicxml(piece))
        step = int(root.findtext(".//divisions") or 0) // 4
        for measure in root.iter("measure"):
            now, beamed, beams = 0, [], []  # of each note or rest: the beat whose beam it may share, or None
            for note in measure.findall("note"):
                short = note.find("rest") is None and note.findtext("type") in ("eighth", "16th")
                beamed.append(now // piece.melody.meter.beat if short else None)
                beams.append(note.findtext("beam"))
                now += int(note.findtext("duration") or 0) // step
            assert now == 12
            for number, (beat, beam) in enumerate(zip(beamed, beams, strict=True)):
                before = beat is not None and [beat] == beamed[max(number - 1, 0) : number]
                after = beat is not None and [beat] == beamed[number + 1 : number + 2]
                expected = {(0, 0): None, (0, 1): "begin", (1, 1): "continue", (1, 0): "end"}[before, after]
                assert beam == expected


def test_a_bar_of_rest_is_a_rest_of_the_measure() -> None:
    for meter in (Meter.THREE_FOUR, Meter.SIX_EIGHT):
        melody = Melody((Note(0, 6, 60),), 30, meter)  # its last bar is filled up
        xml = score.to_musicxml(arrange(melody, title="a", emotion=Emotion.E1, setting=PLAIN)).decode()
        assert xml.count('<rest measure="yes" />') == 2
        assert xml.count("<measure ") == 3


def test_the_tempo_of_a_midi_file_is_printed_as_it_was_meant() -> None:
    for tempo, printed in ((60_000_000 / 454_545, "132"), (66.5, "66.5")):
        melody = Melody((Note(0, 16, 60),), 16)
        setting = replace(PLAIN, tempo=tempo)
        xml = score.to_musicxml(arrange(melody, title="a", emotion=Emotion.E1, setting=setting)).decode()
        assert f"<per-minute>{printed}</per-minute>" in xml


def test_tempos_of_six_eight_count_dotted_quarters() -> None:
    for tempo, printed in ((120, "80"), (100, "67")):
        melody = Melody((Note(0, 6, 60),), 12, Meter.SIX_EIGHT)
        setting = replace(PLAIN, tempo=tempo)
        xml = score.to_musicxml(arrange(melody, title="a", emotion=Emotion.E1, setting=setting)).decode()
        beat = "<beat-unit>quarter</beat-unit><beat-unit-dot />"
        assert f"{beat}<per-minute>{printed}</per-minute>" in re.sub(r"\s*\n\s*", "", xml)
        assert f'<sound tempo="{tempo}" />' in xml  # in quarter notes


def test_an_engraved_jig_has_two_beams_in_a_bar() -> None:
    for meter, beams in {Meter.SIX_EIGHT: 2, Meter.THREE_FOUR: 3}.items():
        eighths = Melody(tuple(Note(2 * i, 2, 60 + i) for i in range(12)), 24, meter)
        piece = arrange(eighths, title="a", emotion=Emotion.E1, setting=PLAIN)
        svg = encode(piece, Format.SVG).decode()
        assert len(re.findall(r'class="measure"', svg)) == 2
        assert len(re.findall(r'class="beam"', svg)) == 2 * beams


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
