"""The two-sample tests of a system, beside those of real held-out melodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from emomelody.data.tunes import FOLDS
from emomelody.evaluation.reference import MelodySet, matched
from emomelody.evaluation.statistics import Figures
from emomelody.evaluation.two_sample.classifiers import classifier_test
from emomelody.evaluation.two_sample.discrepancy import discrepancy_test
from emomelody.music.meter import Meter

TESTED_BARS = (4, 16)
FEWEST = 50  # melodies of either set: fewer make intervals too wide to say anything
CLASSIFIERS = {
    "forest": "random forest",
    "regression": "logistic regression",
    "network": "neural network",
}


def evaluate_two_sample(
    generated: Mapping[int, MelodySet],
    real: Mapping[int, MelodySet],
    held_out: Callable[[int], Figures | None],
    meter: Meter = Meter.FOUR_FOUR,
) -> Figures:
    """Can generated melodies be told from real ones? By classifiers that see the notes only.

    A classifier two-sample test (D. Lopez-Paz and M. Oquab, "Revisiting Classifier Two-Sample Tests", 2017).
    Each classifier learns to tell generated from real melodies in four folds and scores those of the fifth;
    no tune is in two folds. The figure is the area under the ROC curve (AUC), the mean of the folds: 0.5
    where the classifier can only guess, 1 where it is always right, whatever the numbers of melodies. Its
    95 % interval is that of a bootstrap over tunes and generated melodies, and half as wide again because the
    classifiers of the folds share what they learn from (C. Nadeau and Y. Bengio 2003).

    The classifiers are a random forest (scikit-learn, 100 trees) on descriptors of a melody: counts, pitches,
    intervals, durations, onsets in the bar, pitch classes, contour, repetition; logistic regression on the
    n-grams, one to four notes long, of duration and interval, of scale degree, and of the onset in the bar;
    and a small network of convolutions and a GRU on the tokens. MMD² is the squared maximum mean discrepancy
    of the descriptors (A. Gretton et al., "A Kernel Two-Sample Test", 2012), 0 for equal distributions; p is
    the share of permutations of the tunes with so large a value.

    The generated melodies are taken in the real ones' shares of the four emotions. Real melodies of sixteen
    bars are all runs of successive windows of one piece and one mode. "Real held-out melodies" are those of a
    fifth of the tunes, against all other real melodies. Fewer than 50 melodies of a length are not tested.
    """
    figures: Figures = {}
    for bars in (b for b in TESTED_BARS if b in generated):
        ours, theirs = matched(generated[bars], real[bars])
        if _enough(ours, theirs):
            figures[str(bars)] = _test(ours, theirs, None, meter) | {"real": held_out(bars)}
    return figures


def held_out_test(
    real: MelodySet, held_out: NDArray[np.bool_], meter: Meter = Meter.FOUR_FOUR
) -> Figures | None:
    """The tests of the held-out melodies, as ``held_out`` (N,) says, against all others; None of too few."""
    ours, theirs = real[held_out], real[~held_out]
    return _test(ours, theirs, ours.tunes, meter) if _enough(ours, theirs) else None


def _test(first: MelodySet, second: MelodySet, tunes: NDArray[np.int64] | None, meter: Meter) -> Figures:
    arguments = (first.tokens, second.tokens, second.tunes, meter)
    return {
        **classifier_test(*arguments, generated_tunes=tunes),
        "mmd": discrepancy_test(*arguments, generated_tunes=tunes),
        "melodies": len(first),
        "others": len(second),
    }


def _enough(*sets: MelodySet) -> bool:
    """Whether sets of melodies are large enough, and of enough tunes for the folds."""
    return all(len(some) >= FEWEST and len(np.unique(some.tunes)) >= FOLDS for some in sets)
