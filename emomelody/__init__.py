"""Melodies with a given emotion, from compact conditional variational autoencoders.

The packages, and what each may import of the others (``errors`` always; a test checks it):

    errors       what a user can cause                                            | -
    files        files written whole or not at all                                | -
    workers      threads and processes, with results in order                     | -
    music        emotions, melodies, tokens, keys, the plane                      | -
    performance  how a melody is played: key, tempo, loudness, register           | music
    setting      the names that programs import                                   | performance
    formats      files in and out: MIDI, MusicXML, score, piano roll, audio       | files music performance
    data         corpora, windows, labels, the data folder, splits                | files workers music performance formats
    models       the CVAEs in torch, their losses, weights files                  | files music
    training     the training loop, how each model is trained, resuming           | files music formats data models
    sampling     requests, decoding, candidates, the folder that sample writes    | files workers music performance formats models
    evaluation   figures, judges, tables, the report                              | files workers music performance formats data models sampling
    api          the Python interface                                             | files music performance formats data models sampling evaluation
    cli          the commands; alone prints and exits                             | files workers music performance formats data models training sampling evaluation
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emomelody.api import Model

__version__ = "0.1.0"


def load(name: str) -> Model:
    """The model of that name: see ``api.load``, which is imported here only when it is needed."""
    from emomelody.api import load as load_model

    return load_model(name)
