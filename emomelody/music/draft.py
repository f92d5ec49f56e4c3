"""Drafts: melodies of which some bars are kept and the others are still to be composed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emomelody.errors import EmomelodyError
from emomelody.music.melody import BARS, Melody
from emomelody.music.tokens import HOLD, Tokens, to_tokens

# Instead of a token at a step that is to be composed: anything, or anything but a hold, which would lengthen
# the last note of a kept bar.
OPEN, NO_HOLD = -1, -2
_BARS = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True)
class Draft:
    """A melody of whole bars, each of which is ``kept`` or open.

    Raises ValueError where no bar is kept or none is open, or the numbers of bars differ.
    """

    melody: Melody  # what its open bars hold counts for nothing
    kept: tuple[bool, ...]  # (M,)

    def __post_init__(self) -> None:
        if len(self.kept) * self.melody.meter.bar != self.melody.steps:
            raise ValueError(
                f"{len(self.kept)} bars are not {self.melody.steps} steps of {self.melody.meter}"
            )
        if all(self.kept) or not any(self.kept):
            raise ValueError("a draft has bars that are kept and bars that are open")

    @classmethod
    def continued(cls, melody: Melody, bars: int) -> Draft:
        """A melody, and so many open bars after it."""
        kept = melody.bars
        return cls(melody.beginning(kept + bars), (True,) * kept + (False,) * bars)

    @classmethod
    def keeping(cls, melody: Melody, text: str, bars: int | None = None) -> Draft:
        """A melody of so many bars (default: its own) that keeps those of a text such as ``1-4,9-12``.

        Raises EmomelodyError for a text that does not name some of its bars, and for one that names all.
        """
        bars = bars or melody.bars
        kept = parse_bars(text, min(bars, melody.bars))
        if len(kept) == bars:
            raise EmomelodyError(f"bars {text} are all bars of the melody: none is left to compose")
        return cls(melody.beginning(bars), tuple(number + 1 in kept for number in range(bars)))

    @property
    def bars(self) -> int:
        """M, the number of bars."""
        return len(self.kept)

    @property
    def open_blocks(self) -> NDArray[np.bool_]:
        """Which blocks of four bars are not kept as a whole, (K,); so the last one if it is shorter."""
        padded = np.pad(np.array(self.kept), (0, -self.bars % BARS))
        return np.asarray(~padded.reshape(-1, BARS).all(1))

    def tokens(self) -> Tokens:
        """The tokens (T,) of the kept bars, elsewhere ``OPEN`` or ``NO_HOLD``.

        A note of a kept bar keeps its whole duration. Of a note that begins in an open bar, the part in a
        kept one begins anew.
        """
        sounding = to_tokens(self.melody)  # (T,)
        kept = np.repeat(self.kept, self.melody.meter.bar)  # (T,)
        tokens = np.where(kept, sounding, OPEN)
        for step in (np.flatnonzero(kept[1:] != kept[:-1]) + 1).tolist():
            if kept[step] and sounding[step] == HOLD:
                tokens[step] = sounding[:step][sounding[:step] != HOLD][-1]
            elif not kept[step]:
                lasts = ~kept[step:] & np.logical_and.accumulate(sounding[step:] == HOLD)
                end = step + int(lasts.sum())
                tokens[step:end] = HOLD
                if end < len(tokens) and not kept[end]:
                    tokens[end] = NO_HOLD
        return tokens


def parse_bars(text: str, bars: int) -> set[int]:
    """The numbers of bars in a text such as ``1-4,9-12``, from 1 to ``bars``.

    Raises EmomelodyError for a text that is no such list.
    """
    numbers: set[int] = set()
    if not isinstance(text, str):
        raise EmomelodyError(f"bars {text!r} are not a text such as 1-4,9")
    for part in text.split(","):
        found = _BARS.fullmatch(part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last <= bars:
            raise EmomelodyError(f"bars '{text}' are not from 1 to {bars}: write e.g. 1-4 or 1-4,9")
        numbers.update(range(first, last + 1))
    return numbers
