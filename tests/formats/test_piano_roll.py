"""Piano rolls as pictures: their size, colours and pitch scale."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from numpy.typing import NDArray
from pieces import quarters

from emomelody.emotions.emotion import Emotion
from emomelody.formats import piano_roll
from emomelody.formats.plots import COLOURS
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.performance.piece import arrange

Picture = NDArray[np.float32]


def draw(
    bars: int, trajectory: Sequence[tuple[float, float]] = (), pitches: range = range(60, 72)
) -> Picture:
    """Draw a happy piece of quarter notes; returns the picture (height, width, 4)."""
    notes = tuple(Note(4 * i, 4, pitches[i % len(pitches)]) for i in range(4 * bars))
    piece = arrange(Melody(notes, 16 * bars), title="a", emotion=Emotion.E1, trajectory=trajectory)
    return imread(io.BytesIO(piano_roll.piano_roll(piece)))


def mask(picture: Picture, colour: str) -> NDArray[np.bool_]:
    """Return which pixels have the colour, (height, width)."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return (np.abs(picture[..., :3] - rgb) < 0.01).all(-1)


def colours(picture: Picture) -> set[Emotion]:
    return {emotion for emotion in Emotion if mask(picture, COLOURS[emotion]).any()}


def below_axes(picture: Picture) -> Picture:
    """Cut off everything above the lower edge of the axes, a dark line from side to side."""
    dark = (picture[..., :3] < 0.8).all(-1).mean(1) > 0.9
    return picture[np.flatnonzero(dark)[-1] + 1 :]


@pytest.mark.slow
def test_long_melodies_have_eight_bars_a_row_and_a_readable_height() -> None:
    heights = {bars: draw(bars).shape[0] for bars in (4, 8, 12, 16, 32)}
    assert heights[4] < heights[12] == heights[16] < 2 * heights[4]
    assert 1.7 < heights[8] / heights[4] < 2
    assert heights[32] < 1500
    assert draw(32, pitches=range(36, 84)).shape[0] < 2500  # four octaves, as with changes of register
    assert len({draw(bars).shape[1] for bars in (4, 8, 32)}) == 1


def test_notes_have_the_colour_of_the_emotion_at_their_bar() -> None:
    happy, angry, sad, neutral = (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.0, 0.0)
    assert colours(draw(4)) == {Emotion.E1}
    assert colours(draw(4, [sad] * 4)) == {Emotion.E3}
    assert colours(draw(4, [sad, sad, angry, happy])) == {Emotion.E3, Emotion.E2, Emotion.E1}
    assert colours(draw(4, [neutral] * 4)) == set()


def test_a_legend_names_the_colours_where_the_emotion_changes() -> None:
    plain, path = draw(4, [(-0.5, -0.5)] * 4), draw(4, [(-0.5, -0.5)] * 2 + [(0.5, 0.5)] * 2)
    assert path.shape == plain.shape
    assert colours(below_axes(path)) == {Emotion.E3, Emotion.E1}
    assert colours(below_axes(plain)) == set()


def test_lines_show_the_bars_and_beats_of_the_meter() -> None:
    # The lines are counted in a row of pixels below the upper edge, where there are no notes.
    for meter, bars, beats in ((Meter.FOUR_FOUR, 4, 16), (Meter.THREE_FOUR, 4, 12), (Meter.SIX_EIGHT, 4, 8)):
        melody = Melody((Note(0, 4, 60), Note(4, 1, 64)), bars * meter.bar, meter)
        picture = imread(io.BytesIO(piano_roll.piano_roll(arrange(melody, title="a", emotion=Emotion.E1))))
        row = picture[np.flatnonzero((picture[..., :3] < 0.8).all(-1).mean(1) > 0.9)[0] + 8, :, :3].mean(-1)
        lines = np.flatnonzero((row[1:] < 0.95) & (row[:-1] >= 0.95))
        assert len(lines) == beats + 1
        dark = np.flatnonzero((row[1:] < 0.7) & (row[:-1] >= 0.7))
        assert len(dark) == bars + 1


def test_melodies_side_by_side_have_one_pitch_scale(tmp_path: Path) -> None:
    melodies = {Emotion.E1: [quarters(60)], Emotion.E2: [quarters(60, 72, 84)]}
    piano_roll.piano_rolls(melodies, tmp_path / "a.png", title="a")
    picture = imread(tmp_path / "a.png")
    thickness = [mask(picture, COLOURS[emotion]).sum(0).max() for emotion in melodies]
    assert thickness[0] == pytest.approx(thickness[1], abs=1)  # pixels


def test_a_melody_without_notes_has_a_picture() -> None:
    assert piano_roll.piano_roll(arrange(Melody(()), title="a", emotion=Emotion.E4))
