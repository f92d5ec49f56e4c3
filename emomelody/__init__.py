"""Melodies with a given emotion, from compact conditional variational autoencoders.

The packages, and what each may import of the others (``errors`` always; a test checks it):

    errors       errors that users cause    | -
    files        files, whole or not at all | -
    workers      threads and processes      | -
    music        melody, meter, key, form   | -
    emotions     Russell's plane, the rule  | music
    performance  tempo, loudness, register  | music emotions
    harmony      chords of a melody         | music
    setting      names for programs         | performance
    formats      MIDI, MusicXML, ABC, sound | files music emotions performance
    data         corpora, windows, splits   | files workers music emotions performance harmony formats
    weights      weights files, no torch    | files music emotions harmony
    models       the CVAEs in torch         | music emotions weights
    training     the loop, resuming         | files music emotions harmony formats data weights models
    sampling     requests, decoders         | files workers music emotions performance harmony formats weights
    evaluation   figures, judges, report    | everything above but training
    api          the Python interface       | everything above but training
    cli          alone prints and exits     | everything above but api
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emomelody.performance.setting import EXPRESSIVE, PLAIN, Setting

if TYPE_CHECKING:
    from pathlib import Path

    from emomelody.api import Model

__version__ = "0.9.0"
__all__ = ["EXPRESSIVE", "PLAIN", "Setting", "__version__", "load"]


def load(name: str | Path = "emoreg-va") -> Model:
    """The model of that name (base, emoreg, emoreg-va), of a weights file or of a run folder.

    Raises BadWeights, an EmomelodyError, for one that is missing or damaged.
    """
    from emomelody.api import load as load_model

    return load_model(name)
