"""Melodies with a given emotion, from compact conditional variational autoencoders.

The packages, and what each may import of the others (``errors`` always; a test checks it):

    errors       the errors that a user can cause      | -
    files        files written whole or not at all     | -
    workers      threads and processes                 | -
    music        emotion, melody, tokens, key, plane   | -
    performance  key, tempo, loudness, register        | music
    setting      names for programs to import          | performance
    formats      MIDI, MusicXML, ABC, pictures, sound  | files music performance
    data         corpora, windows, labels, splits      | files workers music performance formats
    weights      weights files, without torch          | files music
    models       the CVAEs in torch                    | music weights
    training     the training loop, resuming           | files music formats data weights models
    sampling     requests, decoding, samples.json      | files workers music performance formats weights
    evaluation   figures, judges, tables, the report   | everything above but training
    api          the Python interface                  | everything above but training
    cli          the commands; alone prints and exits  | everything above but api
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emomelody.performance.setting import EXPRESSIVE, PLAIN, Setting

if TYPE_CHECKING:
    from pathlib import Path

    from emomelody.api import Model

__version__ = "0.3.0"
__all__ = ["EXPRESSIVE", "PLAIN", "Setting", "__version__", "load"]


def load(name: str | Path = "emoreg-va") -> Model:
    """The model of that name (base, emoreg, emoreg-va), of a weights file or of a run folder.

    Raises BadWeights, an EmomelodyError, for one that is missing or damaged.
    """
    from emomelody.api import load as load_model

    return load_model(name)
