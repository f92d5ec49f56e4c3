"""A listening test whose listeners are simulated: their answers follow known probabilities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from emomelody.emotions.emotion import Emotion

TITLES = [emotion.title for emotion in Emotion]
# By system: the probabilities (4, 4) of the answered emotion (columns) for the requested one (rows).
CONFUSION = {
    "emoreg": np.array([[40, 30, 20, 10], [25, 35, 30, 10], [5, 15, 50, 30], [20, 10, 35, 35]]) / 100,
    "emoreg-va": np.array([[80, 10, 2, 8], [15, 60, 20, 5], [1, 4, 90, 5], [10, 0, 20, 70]]) / 100,
    "real": np.array([[75, 15, 5, 5], [20, 50, 25, 5], [5, 5, 80, 10], [30, 5, 15, 50]]) / 100,
}
HUMAN = {"emoreg": 0.3, "emoreg-va": 0.55, "real": 0.7}  # the probability of being taken for human
MUSICAL = {"emoreg": 3, "emoreg-va": 5, "real": 6}  # the mean, of answers one lower, the same or one higher
MELODIES = 5  # per system and emotion


def melodies(systems: tuple[str, ...] = tuple(CONFUSION)) -> list[dict[str, Any]]:
    """What the files say of the melodies themselves; the listener judge takes relaxed melodies for sad."""
    found: list[dict[str, Any]] = []
    for system in systems:
        for emotion in Emotion:
            for number in range(MELODIES):
                size = (number + 1) / MELODIES
                point = None if system == "real" else [emotion.valence * size, emotion.arousal * size]
                predicted = "sad" if emotion is Emotion.E4 else emotion.title
                found.append(
                    {
                        "melody": f"m{len(found):03}",
                        "system": system,
                        "emotion": emotion.title,
                        "point": point,
                        "predicted": predicted,
                    }
                )
    return found


def answer(melody: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A listener's answer to a melody."""
    system, requested = melody["system"], TITLES.index(melody["emotion"])
    valence, arousal = np.clip(rng.normal(melody["point"] or (0, 0), 0.3), -1, 1).tolist()
    return {
        "emotion": TITLES[rng.choice(4, p=CONFUSION[system][requested])],
        "valence": valence,
        "arousal": arousal,
        "musical": MUSICAL[system] + int(rng.integers(-1, 2)),
        "human": bool(rng.random() < HUMAN[system]),
    }


def file_of(listener: str, heard: list[dict[str, Any]], rng: np.random.Generator) -> dict[str, Any]:
    """What a listener sends who has answered for all of these melodies, in an order of their own."""
    order = rng.permutation(len(heard))
    return {
        "format": "emomelody listening test",
        "version": 1,
        "test": "5eed",
        "listener": listener,
        "total": len(heard),
        "answers": [heard[i] | {"answer": answer(heard[i], rng)} for i in order],
    }


def write_test(folder: Path, listeners: int, seed: int, systems: tuple[str, ...] = tuple(CONFUSION)) -> Path:
    """The folder with the files of so many listeners, ``00.json`` and on."""
    rng, heard = np.random.default_rng(seed), melodies(systems)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(listeners):
        text = json.dumps(file_of(f"listener {number}", heard, rng))
        (folder / f"{number:02}.json").write_text(text, encoding="utf-8")
    return folder
