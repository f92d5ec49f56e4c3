"""The two-sample tests of a system, beside those of real held-out melodies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from emomelody.data.tunes import FOLDS
from emomelody.evaluation.sets import MelodySet, RealMelodies
from emomelody.evaluation.statistics import Figures
from emomelody.evaluation.two_sample.classifiers import classifier_test
from emomelody.evaluation.two_sample.discrepancy import discrepancy_test

TESTED_BARS = (4, 16)
FEWEST = 50  # melodies of either set: fewer make intervals too wide to say anything
CLASSIFIERS = {
    "forest": "random forest",
    "regression": "logistic regression",
    "network": "neural network",
}


def evaluate_two_sample(generated: Mapping[int, MelodySet], real: RealMelodies) -> Figures:
    """Can generated melodies be told from real ones? By classifiers that see the notes only.

    A classifier two-sample test (D. Lopez-Paz and M. Oquab, "Revisiting Classifier Two-Sample Tests", 2017).
    Each classifier learns to tell generated from real melodies in four folds and scores those of the fifth;
    no tune is in two folds. The figure is the area under the ROC curve (AUC), the mean of the folds: 0.5
    where the classifier can only guess, 1 where it is always right, whatever the numbers of melodies. Its
    95 % interval is that of a bootstrap over real and generated tunes, and half as wide again because the
    classifiers of the folds share what they learn from (C. Nadeau and Y. Bengio 2003).

    Where a model makes whole tunes, those of four bars are all windows of its tunes of sixteen, so that
    beginnings, middles and ends occur as in the real ones. The real ones of four bars are all windows of the
    data, those of sixteen the last four windows of each piece; windows in which a piece ends early are left
    out. Every emotion that both sides have weighs the same on either, in fitting and in the AUC, whatever
    the numbers of its melodies: a classifier does not profit from telling emotions apart, and no melody is
    left out for being of a common emotion.

    The classifiers are a random forest (scikit-learn, 100 trees) on descriptors of a melody: counts, pitches,
    intervals, durations, onsets in the bar, pitch classes, contour, repetition; logistic regression on the
    n-grams, one to four notes long, of duration and interval, of scale degree, and of the onset in the bar;
    and a small network of convolutions and a GRU on the tokens, which is trained on up to 1,000 melodies of
    each emotion on either side. MMD² is the squared maximum mean discrepancy of the descriptors (A. Gretton
    et al., "A Kernel Two-Sample Test", 2012), of up to 250 melodies of each emotion on either side, 0 for
    equal distributions; p is the share of permutations of the tunes with so large a value.

    "Real held-out melodies" are those of a fifth of the tunes, against all other real melodies. Fewer than 50
    melodies of a length are not tested.
    """
    figures: Figures = {}
    for bars in (b for b in TESTED_BARS if b in generated):
        tests = two_sample_test(generated[bars], real.sets[bars])
        if tests:
            figures[str(bars)] = tests | {"real": real.held_out_test(bars, two_sample_test)}
    return figures


def two_sample_test(first: MelodySet, second: MelodySet) -> Figures | None:
    """The tests of two sets, of the emotions that both have; None of too few melodies."""
    both = np.intersect1d(first.labels, second.labels)
    first, second = (side[np.isin(side.labels, both)] for side in (first, second))
    if not (_enough(first) and _enough(second)):
        return None
    return {
        **classifier_test(first, second),
        "mmd": discrepancy_test(first, second),
        "melodies": len(first),
        "others": len(second),
    }


def _enough(melodies: MelodySet) -> bool:
    """Whether a set is large enough, and of enough tunes for the folds."""
    return len(melodies) >= FEWEST and len(np.unique(melodies.tunes)) >= FOLDS
