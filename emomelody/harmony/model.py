"""A model of the chords under a melody: a conditional random field, learned from Bach's chorales.

J. Lafferty, A. McCallum and F. Pereira (ICML 2001). A sequence of chords is the likelier, the better each
chord fits the features of its slot (``slots``), and each pair of successive chords the mode:

    log p(chords | melody) = Σ fit[mode, chord] · features + Σ moves[mode, before, chord]
                             + Σ stays[mode] · features, where a chord stays        − log Z

Every term can be read off the weights. Sequences are sampled exactly: forward sums, then chords from the last
to the first.

S slots, F features, K chords; mode 0 is major, 1 minor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.harmony.slots import FEATURES, features, slot_length
from emomelody.music.chords import Chord, Quality, TimedChord, joined
from emomelody.music.melody import Melody
from emomelody.music.tokens import Floats, Tokens, to_tokens
from emomelody.music.tonality import ALBRECHT_SHANAHAN, MINOR, chord_totals, pitch_class_totals

MODES = ("major", "minor")
# Nats by which triads are favoured over sevenths and diminished chords, for each unit of valence above
# NEUTRAL, at which they are as frequent as learned.
TENSION, NEUTRAL = 0.4, -0.5
IMPOSSIBLE = -1e9  # nats
CLASH = 3.5  # nats by which a note outside the chord that sounds throughout a slot counts more than learned
# Of so many sequences of chords, the first CLEAR_ONES count whose key is clear: its correlation exceeds that
# of any other by CLEAR. As few chords make a key clear, the most varied of these is taken.
CANDIDATES, CLEAR, CLEAR_ONES = 32, 0.2, 2
_TRIADS = (Quality.MAJOR, Quality.MINOR)


@dataclass(frozen=True, eq=False)  # compared as an object: arrays have no hash
class HarmonyModel:
    """The weights of the model. Raises ValueError for arrays of other shapes than the chords ask for."""

    chords: tuple[Chord, ...]  # K, in C
    fit: Floats  # (2, K, F)
    moves: Floats  # (2, K, K), from the chord of the row to that of the column
    stays: Floats  # (2, F)

    def __post_init__(self) -> None:
        count = len(self.chords)
        for name, shape in shapes(count).items():
            array = getattr(self, name)
            if array.shape != shape or not np.isfinite(array).all():
                raise ValueError(f"harmony.{name} is {array.shape} or not finite, expected {shape}")

    @classmethod
    def of(cls, names: Sequence[str], arrays: Mapping[str, Floats]) -> HarmonyModel:
        """The model of chords with these names. Raises LookupError, ValueError for missing arrays."""
        chords = tuple(map(Chord.parse, names))
        return cls(chords, **{name: arrays[name] for name in shapes(len(chords))})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Its arrays by name, as they are stored."""
        return {name: getattr(self, name).astype(np.float32) for name in shapes(len(self.chords))}

    def harmonise(
        self, melody: Melody, modes: Sequence[str], valences: Sequence[float], rng: np.random.Generator
    ) -> tuple[TimedChord, ...]:
        """Chords for a melody in C, with the mode and the valence −1 … 1 of each bar.

        They begin with the first bar and end with the last, and no chord begins after the last note. A bar
        before the last that equals an earlier one in its mode has the same chords. The last chord is a triad,
        as 96 % of Bach's are, and that of the tonic where the melody ends on it. None for a melody without
        notes.
        """
        if not melody.notes:
            return ()
        length = slot_length(melody)
        # The slots to that in which the last note begins.
        found = features(melody, length)[: melody.notes[-1].onset // length + 1]  # (S, F)
        bars = np.minimum(np.arange(len(found)) * length // melody.meter.bar, melody.bars - 1)
        minor = np.array([mode == "minor" for mode in modes])[bars].astype(int)  # (S,)
        scores, stays = self._scores(found, minor)
        scores -= self._costs(found, np.asarray(valences)[bars])
        self._close(scores, melody, MODES[minor[-1]])
        sums = self._forward(scores, stays, minor)
        alike = _alike(melody, length, minor)
        draws = self._sample(sums, stays, minor, rng.random((CANDIDATES, len(found))))[:, alike]  # (N, S)
        candidates = [self._timed(draw, length, melody.steps) for draw in draws]
        clear = _clearness(melody, candidates, MODES[minor[0]])  # (N,)
        chosen = np.flatnonzero(clear >= CLEAR)[:CLEAR_ONES].tolist() or [int(clear.argmax())]
        best: int = max(chosen, key=lambda number: _variety(draws[number]))
        return candidates[best]

    def _timed(self, numbers: Tokens, length: int, steps: int) -> tuple[TimedChord, ...]:
        """Chords (S,) of slots of ``length`` steps, the last of which lasts until ``steps``."""
        last = (len(numbers) - 1) * length
        return joined(
            TimedChord(onset, length if onset < last else steps - onset, self.chords[number])
            for onset, number in zip(range(0, last + 1, length), numbers.tolist(), strict=True)
        )

    def log_likelihood(self, found: Floats, mode: str, chords: Tokens) -> float:
        """log p in nats of chords (S,), numbers of ``chords``, for the features (S, F) of a melody."""
        minor = np.full(len(found), MODES.index(mode))
        scores, stays = self._scores(found, minor)
        last = self._forward(scores, stays, minor)[-1]
        total = scores[np.arange(len(chords)), chords].sum()
        for slot in range(1, len(chords)):
            total += self._pairs(stays, minor, slot)[chords[slot - 1], chords[slot]]
        return float(total - np.logaddexp.reduce(last))

    def _scores(self, found: Floats, minor: Tokens) -> tuple[Floats, Floats]:
        """How well each chord fits each slot, (S, K), and how well a chord stays in it, (S,)."""
        return np.einsum("skf,sf->sk", self.fit[minor], found), (self.stays[minor] * found).sum(1)

    def _costs(self, found: Floats, valences: Floats) -> Floats:
        """What is added to what is learned: the costs (S, K) of sevenths and clashes, by valences (S,)."""
        tense = np.array([chord.quality not in _TRIADS for chord in self.chords])  # (K,)
        foreign = np.array([~np.isin(range(12), chord.pitch_classes) for chord in self.chords])  # (K, 12)
        clashes = found[:, :12] @ foreign.T  # (S, K)
        return np.asarray(TENSION * (valences[:, None] - NEUTRAL) * tense + CLASH * clashes)

    def _pairs(self, stays: Floats, minor: Tokens, slot: int) -> Floats:
        """The scores (K, K) of the chords of the slot before and of a slot."""
        return np.asarray(self.moves[minor[slot]] + stays[slot] * np.eye(len(self.chords)))

    def _forward(self, scores: Floats, stays: Floats, minor: Tokens) -> Floats:
        """The log sums over all chords before, for each chord of each slot, (S, K)."""
        sums = scores.copy()
        for slot in range(1, len(scores)):
            sums[slot] += np.logaddexp.reduce(sums[slot - 1][:, None] + self._pairs(stays, minor, slot), 0)
        return sums

    def _sample(self, sums: Floats, stays: Floats, minor: Tokens, uniforms: Floats) -> Tokens:
        """Sequences of chords (N, S) by the log sums (S, K) and uniforms (N, S) in 0 … 1."""
        drawn = [_choose(sums[-1:], uniforms[:, -1])]
        for slot in range(len(sums) - 1, 0, -1):
            before = sums[slot - 1] + self._pairs(stays, minor, slot)[:, drawn[-1]].T  # (N, K)
            drawn.append(_choose(before, uniforms[:, slot - 1]))
        return np.stack(drawn[::-1], 1)

    def _close(self, scores: Floats, melody: Melody, mode: str) -> None:
        """Allow nothing but a triad in the last slot, of the tonic where the last note is the tonic.

        Elsewhere it is not that of the other mode.
        """
        tonic, other = (Chord(0, quality) for quality in (_TRIADS if mode == "major" else _TRIADS[::-1]))
        closes = melody.notes[-1].pitch % 12 == tonic.root and tonic in self.chords
        final = {tonic} if closes else {c for c in self.chords if c.quality in _TRIADS} - {other}
        scores[-1, [chord not in final for chord in self.chords]] = IMPOSSIBLE


def shapes(chords: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the arrays of a model of so many chords."""
    return {"fit": (2, chords, FEATURES), "moves": (2, chords, chords), "stays": (2, FEATURES)}


def _clearness(melody: Melody, candidates: Sequence[Sequence[TimedChord]], mode: str) -> Floats:
    """By how much C's key is clearer than any other, in a melody with each of N sequences of chords, (N,).

    By Albrecht and Shanahan's profiles.
    """
    totals = chord_totals(candidates) + pitch_class_totals(to_tokens(melody)[None])  # (N, 12)
    correlations = ALBRECHT_SHANAHAN.correlations(totals)  # (N, 24)
    own = MINOR if mode == "minor" else 0
    return np.asarray(correlations[:, own] - np.delete(correlations, own, 1).max(1))


def _variety(numbers: Tokens) -> float:
    """The entropy in nats of how often each chord occurs among numbers (S,)."""
    shares = np.bincount(numbers)[np.unique(numbers)] / len(numbers)
    return float(-(shares * np.log(shares)).sum())


def _choose(logs: Floats, uniforms: Floats) -> Tokens:
    """The chords (N,) that uniforms (N,) in 0 … 1 choose by unnormalised log probabilities (N or 1, K)."""
    sums = np.cumsum(np.exp(logs - logs.max(1, keepdims=True)), 1)
    below = (sums <= uniforms[:, None] * sums[:, -1:]).sum(1)
    return np.asarray(np.minimum(below, logs.shape[1] - 1))


def _alike(melody: Melody, length: int, minor: Tokens) -> Tokens:
    """For each slot, (S,), the first slot in the same place of a bar with the same notes and mode.

    A slot of the last bar, with its close, is like no other.
    """
    bar = melody.meter.bar
    tokens = np.pad(to_tokens(melody), (0, -melody.steps % bar))
    first: dict[tuple[bytes, int], int] = {}
    alike = np.arange(len(minor))
    for slot in range(len(minor)):
        number, place = divmod(slot * length, bar)
        if number < (len(minor) - 1) * length // bar:
            key = tokens[number * bar : (number + 1) * bar].tobytes(), int(minor[slot])
            alike[slot] = (first.setdefault(key, number) * bar + place) // length
    return alike
