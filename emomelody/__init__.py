"""Melodies with a given emotion, from compact conditional variational autoencoders.

The package in the order of its imports: a module may import only modules above it (a test checks that).

    errors      what a user can cause
    files       files written whole or not at all
    workers     threads and processes
    emotion     e1–e4, their names, quadrants and signs
    melody      notes and melodies on the sixteenth grid
    setting     key, octave, tempo and sound, as asked for
    expression  how a place on the plane is played
    piece       a melody as its files have it
    tokens      the pitch-based representation and the vocabulary
    midi        MIDI files ↔ notes
    corpus      the sources: MIDI, MusicXML, music21's chorales
    plane       points, latents, quadrants; placement accuracy; where each emotion lies
    features    what a melody measures
    tunes       which melodies are the same tune; splits that respect it
    judges      which emotion a melody has: the labelling rule, a classifier
    novelty     whether melodies are new
    distances   how far sets of melodies are apart
    manifest    manifest.csv
    preprocess  the transformations, the labels, the data folder
    dataset     the data folder → arrays
    gru         the recurrence
    model       the CVAEs
    va          the model of continuous valence and arousal
    losses      the terms of the loss
    parallel    training in several processes
    recipes     how each model is trained
    container   tensors and a description in a file
    checkpoint  weights files
    plots       pictures
    score       a piece as MusicXML, engraved
    audio       a piece as sound
    formats     the files of a piece
    roll        a piece as characters
    train       the loop
    trajectory  ways over the plane
    compose     how emoreg-va draws a melody
    sample      emotion or point → melodies
    export      the folder that sample writes
    real        the real melodies that systems are measured against
    paper       the figures that the paper prints
    evaluate    every figure, as a dictionary
    tables      what the commands show
    report      the same as a page to look at
    api         the Python interface
    cli         the commands; alone prints and exits
    __main__    python -m emomelody
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
