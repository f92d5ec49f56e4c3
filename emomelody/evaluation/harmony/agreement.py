"""How often two harmonisations of the same melodies agree, beat by beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emomelody.evaluation.harmony.harmonised import CHORDS, Harmonised, Steps
from emomelody.evaluation.statistics import Figures, Rows, share
from emomelody.music.chords import Function

AGREEMENT: Rows = {
    "function": ("function as Bach's, where both have one", "{:.1%}"),
    "both": ("both have a function", "{:.1%}"),
    "root": ("root as Bach's", "{:.1%}"),
    "chord": ("chord as Bach's", "{:.1%}"),
}
MODES = ("major", "minor")
_NONE = -1  # the number of no function
_NUMBERS = {None: _NONE} | {function: number for number, function in enumerate(Function)}
_FUNCTIONS = np.array([[_NUMBERS[chord.function(mode)] for chord in CHORDS] for mode in MODES])  # (2, L)
_ROOTS = np.array([chord.root for chord in CHORDS])  # (L,)


def function_agreement(ours: Sequence[Harmonised], real: Sequence[Harmonised]) -> Figures:
    """Shares of the beats at which the chords of ``ours`` and ``real`` agree, 0 … 1; None where none count.

    The beats are quarter notes, in 6/8 dotted quarters, at which both have a chord. ``both``: where both
    chords have a function in the mode of the real melody; ``function``: of these, where it is the same;
    ``root`` and ``chord``: of all, where the root, or root and quality are the same. Raises ValueError unless
    the melodies are pairwise as long and in the same meter.
    """
    for mine, theirs in zip(ours, real, strict=True):
        if (mine.melody.steps, mine.melody.meter) != (theirs.melody.steps, theirs.melody.meter):
            raise ValueError("only harmonisations of the same melodies can be compared")
    first, second = Steps.of(ours), Steps.of(real)
    at = np.flatnonzero(first.on_beat & (first.label >= 0) & (second.label >= 0))  # (k,)
    modes = np.array([MODES.index(h.mode) for h in real], dtype=np.int64)[first.melody[at]]  # (k,)
    labels = np.stack([first.label[at], second.label[at]])  # (2, k)
    functions, roots = _FUNCTIONS[modes, labels], _ROOTS[labels]  # (2, k) each
    both = (functions != _NONE).all(0)
    return {
        "function": share((functions[0] == functions[1])[both]),
        "both": share(both),
        "root": share(roots[0] == roots[1]),
        "chord": share(labels[0] == labels[1]),
    }
