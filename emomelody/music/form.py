"""Form: which earlier bar each bar of a tune repeats, and how exactly.

A recurrent network does not repeat by itself what it played eight bars ago. So the form is a plan: for each
bar the bar that it refers to and the kind of the repetition, which the decoder gets as an input together with
the notes of that bar. It is the form of a real tune, or spelled out in letters, such as AABA.

N tunes, M bars, P steps of a bar, S = 25 states: none, or one of eight lags with one of three kinds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from emomelody.errors import EmomelodyError
from emomelody.music.tokens import REST, Floats, Tokens

# Bars back, the preferred first where several bars are equally similar: phrases have two, four or eight bars.
LAGS = (8, 4, 16, 2, 1, 12, 6, 3)
LEAST_SIMILARITY = 0.5  # F1 of the onsets, with their pitches, of a varied repetition
LEAST_ONSETS = 2  # of a bar whose rhythm can recur
_LETTERS = re.compile(r"[A-Z]{1,64}")


class Repetition(IntEnum):
    """How a bar repeats an earlier one."""

    NONE = 0
    RHYTHM = 1  # its onsets
    VARIED = 2  # most of its onsets with their pitches
    EXACT = 3


KINDS = len(Repetition)
STATES = 1 + len(LAGS) * (KINDS - 1)


@dataclass(frozen=True)
class Form:
    """The form of a tune of M bars, or of several, (…, M)."""

    lags: Tokens  # (…, M), how many bars back the repeated bar is; 0 for none
    kinds: Tokens  # (…, M), values of ``Repetition``

    @classmethod
    def stack(cls, forms: Sequence[Form]) -> Form:
        """The forms of N tunes of as many bars, (N, M)."""
        return cls(np.stack([form.lags for form in forms]), np.stack([form.kinds for form in forms]))

    def __getitem__(self, chosen: NDArray[np.int64] | slice) -> Form:
        """The forms of these tunes of several, or these bars of one."""
        return Form(self.lags[chosen], self.kinds[chosen])

    @classmethod
    def of(cls, tokens: Tokens, bar: int) -> Form:
        """The form of a tune (M P,) of bars of ``bar`` steps.

        Of the bars at ``LAGS``, the one that is repeated most exactly counts.
        """
        bars = tokens.reshape(-1, bar)  # (M, P)
        scores = np.zeros((len(bars), len(LAGS)))
        kinds = np.zeros((len(bars), len(LAGS)), dtype=np.int64)
        for column, lag in enumerate(LAGS):
            if lag < len(bars):
                kinds[lag:, column], similarity = _compare(bars[lag:], bars[:-lag])
                scores[lag:, column] = kinds[lag:, column] + 0.5 * similarity
        best = scores.argmax(1)  # (M,), the first of equals
        chosen = kinds[np.arange(len(bars)), best]
        return cls(np.where(chosen > 0, np.array(LAGS)[best], 0), chosen)

    @classmethod
    def none(cls, bars: int) -> Form:
        """The form of a tune in which nothing is repeated."""
        return cls(np.zeros(bars, dtype=np.int64), np.zeros(bars, dtype=np.int64))

    @classmethod
    def from_states(cls, states: Tokens) -> Form:
        """Invert ``states``."""
        lag, kind = np.divmod(np.maximum(states - 1, 0), KINDS - 1)
        return cls(np.where(states > 0, np.array(LAGS)[lag], 0), np.where(states > 0, kind + 1, 0))

    @property
    def states(self) -> Tokens:
        """The state of each bar, (M,), 0 … S − 1."""
        lag = np.array([LAGS.index(lag) if lag else 0 for lag in self.lags.tolist()])
        return np.where(self.lags > 0, 1 + lag * (KINDS - 1) + self.kinds - 1, 0)

    def extended(self, other: Form) -> Form:
        """This form, continued by ``other`` where that one is longer, or cut to its length."""
        bars = len(other.lags)
        return Form(
            *(
                np.concatenate([mine[:bars], theirs[len(mine) :]])
                for mine, theirs in ((self.lags, other.lags), (self.kinds, other.kinds))
            )
        )

    def where(self, bars: NDArray[np.bool_], other: Form) -> Form:
        """This form with the repetitions of another one in some of its bars, (M,)."""
        return Form(np.where(bars, other.lags, self.lags), np.where(bars, other.kinds, self.kinds))

    def without(self, bars: NDArray[np.bool_]) -> Form:
        """This form without the repetitions of some of its bars, (M,)."""
        return Form(np.where(bars, 0, self.lags), np.where(bars, Repetition.NONE, self.kinds))

    def departures(self, tokens: Tokens, bar: int, first: int) -> Tokens:
        """How many bars from ``first`` on do not follow these forms (N, M) in melodies so far (N, T), (N,).

        They repeat their bar in another way than planned, or equal an earlier bar without a plan to.
        """
        bars = tokens.reshape(len(tokens), -1, bar)  # (N, M so far, P)
        melody, count = np.arange(len(bars)), np.zeros(len(bars), dtype=np.int64)
        for number in range(first, bars.shape[1]):
            own, lags, planned = bars[:, number], self.lags[:, number], self.kinds[:, number]
            kinds, _ = _compare(own, bars[melody, number - lags])
            equal = (bars[:, :number] == own[:, None]).all(2).any(1) & (own < REST).any(1)
            count += ((lags > 0) & (kinds != planned)) | (equal & (planned != Repetition.EXACT))
        return count

    def with_sections(self, letters: str) -> Form:
        """This form with sections of equal length that repeat as the letters, such as ``AABA``, say.

        A section repeats the latest one of its letter exactly, but for its last bar, which is varied where it
        is not the only one. A new section keeps the repetitions within itself. Raises EmomelodyError as
        ``section_length`` does.
        """
        length = section_length(letters, len(self.lags))
        lags, kinds = self.lags.copy(), self.kinds.copy()
        for number, letter in enumerate(letters):
            bars = slice(number * length, (number + 1) * length)
            before = letters.rfind(letter, 0, number)
            if before >= 0:
                lags[bars], kinds[bars] = (number - before) * length, Repetition.EXACT
                if length > 1:
                    kinds[bars.stop - 1] = Repetition.VARIED
            else:
                outside = lags[bars] > np.arange(length)
                lags[bars][outside], kinds[bars][outside] = 0, Repetition.NONE
        return Form(lags, kinds)


def section_length(letters: str, bars: int) -> int:
    """The bars of each section of a tune of that many bars.

    Raises EmomelodyError for anything but capital letters, and where the sections cannot be equally long.
    """
    if not _LETTERS.fullmatch(str(letters)):
        raise EmomelodyError(f"form '{letters}' must be capital letters, one a section, such as AABA")
    length, rest = divmod(bars, len(letters))
    if rest or not length:
        raise EmomelodyError(
            f"form {letters}: {bars} bars cannot be divided into {len(letters)} sections of equal length"
        )
    return length


def _compare(bars: Tokens, earlier: Tokens) -> tuple[Tokens, Floats]:
    """The kind of each repetition and the similarity 0 … 1, (M,) each, of bars (M, P) and earlier ones."""
    onsets, before = bars < REST, earlier < REST
    counts = onsets.sum(1)
    common = ((bars == earlier) & onsets).sum(1)
    similarity = 2 * common / np.maximum(counts + before.sum(1), 1)  # F1
    same_rhythm = (onsets == before).all(1) & (counts >= LEAST_ONSETS)
    exact = (bars == earlier).all(1) & (counts > 0)
    conditions = [exact, similarity >= LEAST_SIMILARITY, same_rhythm]
    kinds = np.select(conditions, [Repetition.EXACT, Repetition.VARIED, Repetition.RHYTHM], Repetition.NONE)
    return kinds.astype(np.int64), similarity
