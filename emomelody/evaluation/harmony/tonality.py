"""What chords add to the key that is found, and to the emotion that is heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from emomelody.emotions.emotion import Emotion
from emomelody.evaluation.emotion import CALM_LEVELS, lowest_shares, mean_share
from emomelody.evaluation.harmony.harmonised import Harmonised
from emomelody.evaluation.statistics import Figures, Rows
from emomelody.music.tokens import Floats, Tokens, stacked, to_tokens
from emomelody.music.tonality import MINOR, find_keys
from emomelody.performance.listeners import Played, gain, rate
from emomelody.performance.piece import Piece

TONALITY: Rows = {
    "tonic": ("requested tonic found in the melody", "{:.1%}"),
    "tonic_chords": ("… in melody and chords", "{:.1%}"),
    "mode": ("requested mode found in the melody", "{:.1%}"),
    "mode_chords": ("… in melody and chords", "{:.1%}"),
}
Accompanied = Mapping[Emotion, Sequence[tuple[Piece, Sequence[Played]]]]  # by requested emotion


def keys(harmonised: Sequence[Harmonised], *, with_chords: bool) -> Tokens:
    """The keys 0–23 that a key finder finds in N melodies alone or in melodies and chords, (N,)."""
    tokens = stacked([to_tokens(h.melody) for h in harmonised])
    return find_keys(tokens, chords=[h.chords for h in harmonised] if with_chords else None)


def tonality(harmonised: Mapping[Emotion, Sequence[Harmonised]]) -> Figures:
    """The shares of melodies whose tonic (C) and mode a key finder finds, without and with their chords.

    Each is the mean of the emotions that have melodies; None if none has.
    """
    shares: dict[str, dict[str, float]] = {key: {} for key in TONALITY}
    for emotion, some in harmonised.items():
        if not some:
            continue
        minor = np.array([h.mode == "minor" for h in some])
        for suffix in ("", "_chords"):
            found = keys(some, with_chords=bool(suffix))
            shares[f"tonic{suffix}"][emotion.code] = float((found % MINOR == 0).mean())
            shares[f"mode{suffix}"][emotion.code] = float(((found >= MINOR) == minor).mean())
    return {key: mean_share(of_emotions) for key, of_emotions in shares.items()}


def heard(
    accompanied: Accompanied, harmonised: Mapping[Emotion, Sequence[Harmonised]], *, with_chords: bool
) -> Figures:
    """The shares of melodies in which listeners would hear the requested emotion, by emotion and ``all``.

    As ``evaluate_listeners`` has them, of pieces that are the ``harmonised`` melodies as they are played, in
    the same order. With chords, the mode that is heard is that of melody and chords, and the level that of
    melody and accompaniment together; notes per second, pitch and note length remain the melody's.
    """
    right: dict[str, Floats] = {}  # shares by level, (L,) each
    for emotion, some in accompanied.items():
        if not some:
            continue
        major = keys(harmonised[emotion], with_chords=with_chords) < MINOR  # (N,)
        gains = [gain(piece, accompaniment) for piece, accompaniment in some] if with_chords else []
        ratings = rate([piece for piece, _ in some], major, CALM_LEVELS, gains)  # (L, N, 4)
        right[emotion.code] = (ratings.argmax(2) == emotion.index).mean(1)
    return dict(lowest_shares(right))
