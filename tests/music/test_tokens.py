"""Tokens and vocabularies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from pieces import melodies

from emomelody.music.melody import Melody, Note
from emomelody.music.tokens import HOLD, REST, Vocabulary, from_tokens, stacked, to_tokens


@settings(deadline=None)
@given(melodies())
def test_tokens_convert_back_to_the_melody(melody: Melody) -> None:
    assert from_tokens(to_tokens(melody)) == melody


@settings(deadline=None)  # the first example imports muspy
@given(melodies())
def test_tokens_agree_with_muspy(melody: Melody) -> None:
    import muspy

    if not melody.notes:
        return
    notes = [muspy.Note(n.onset, n.pitch, n.duration) for n in melody.notes]
    theirs = muspy.to_pitch_representation(
        muspy.Music(resolution=4, tracks=[muspy.Track(notes=notes)]), use_hold_state=True
    )[:, 0]
    assert to_tokens(melody)[: len(theirs)].tolist() == theirs.tolist()


def test_tokens_of_the_papers_example() -> None:
    """Figure 2: a quarter note E4 is its pitch and three holds."""
    tokens = to_tokens(Melody((Note(0, 4, 64),), 6))
    assert tokens.tolist() == [64, HOLD, HOLD, HOLD, REST, REST]


def test_a_hold_without_a_note_is_a_rest() -> None:
    tokens = np.array([HOLD, 60, HOLD, REST, HOLD, 60, 60])
    assert from_tokens(tokens).notes == (Note(1, 2, 60), Note(5, 1, 60), Note(6, 1, 60))
    assert from_tokens(np.full(64, HOLD)) == Melody(())


def test_unknown_pitches_move_by_octaves() -> None:
    vocabulary = Vocabulary((60, 62, 64, 72))
    classes, moved = vocabulary.encode(np.array([60, 48, 84, 61, REST, HOLD]))
    assert vocabulary.decode(classes).tolist() == [60, 60, 72, 60, REST, HOLD]
    assert moved == 3
    assert len(vocabulary) == 6


@pytest.mark.parametrize("pitches", [(), (62, 60), (60, 60), (-1, 60), (60, 128)])
def test_a_vocabulary_needs_different_ascending_midi_pitches(pitches: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        Vocabulary(pitches)


def test_lines_of_different_lengths_are_stacked_with_rests_after_them() -> None:
    lines = [np.array([60, HOLD, 62]), np.array([70]), np.array([], dtype=np.int64)]
    assert stacked(lines).tolist() == [[60, HOLD, 62], [70, REST, REST], [REST, REST, REST]]
    assert stacked([]).shape == (0, 0)
