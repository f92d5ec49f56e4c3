"""Melodies to hear: generated ones, each beside the training melody that is nearest and beside a real one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.path import Point
from emomelody.emotions.rule import valence_and_arousal
from emomelody.evaluation.novelty import nearest_melodies
from emomelody.evaluation.reference import ReferenceSet
from emomelody.evaluation.statistics import Melodies
from emomelody.music.melody import Melody
from emomelody.music.tokens import to_tokens

OF_EACH = 2  # generated melodies of each emotion


@dataclass(frozen=True)
class Example:
    """A melody in C, its emotion and its point as the rule measures it, cut to the plane."""

    title: str
    about: str
    melody: Melody
    emotion: Emotion
    point: Point


def find_examples(name: str, melodies: Melodies, reference: ReferenceSet) -> tuple[Example, ...]:
    """The first melodies that a system generated for each emotion, each beside two real ones.

    They are the nearest training melody (``nearest_melodies``), and a held-out melody of the emotion, or any
    of it where none is held out. All are played alike, in their emotion. Points are those that the rule
    measures.
    """
    dataset, examples = reference.dataset, []
    for emotion in Emotion:
        own = dataset.labels == emotion.index
        held_out = np.flatnonzero(own & reference.held_out)
        real = np.random.default_rng(0).permutation(held_out if len(held_out) else np.flatnonzero(own))
        with_notes = [melody for melody in melodies[emotion] if melody.notes]
        for number, melody in enumerate(with_notes[:OF_EACH]):
            title = f"{name} {emotion.title} {number + 1}"
            examples.append(_example(title, f"generated, {emotion.title}", melody, emotion))
            seen = np.flatnonzero(reference.seen)
            (row,), (distance,) = nearest_melodies(to_tokens(melody)[None], dataset.tokens[seen])
            nearest, label = reference.melodies[seen[row]], [*Emotion][dataset.labels[seen[row]]]
            about = f"the nearest training melody, {label.title}: {distance} of {melody.steps} steps differ"
            examples.append(_example(f"{title}, nearest", about, nearest, label))
            if number < len(real):
                another = reference.melodies[real[number]]
                about = f"a real melody that is {emotion.title}"
                examples.append(_example(f"{title}, real", about, another, emotion))
    return tuple(examples)


def _example(title: str, about: str, melody: Melody, emotion: Emotion) -> Example:
    valence, arousal = valence_and_arousal([melody])[0].clip(-1, 1)
    return Example(title, about, melody, emotion, (float(valence), float(arousal)))
