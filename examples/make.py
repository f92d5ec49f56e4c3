"""Make the melodies, scores, sounds and pictures of this folder: python examples/make.py

Each model gets four MIDI files per emotion, and a score and a sound of the first one.
latent-space.png is not made here, because it needs the training data. It is one of the report's pictures:

    emomelody preprocess --windows first -o first
    emomelody evaluate -m emoreg --data first --report report
"""

from __future__ import annotations

from pathlib import Path

import emomelody
from emomelody.formats.piano_roll import piano_rolls
from emomelody.music.emotion import Emotion

MODELS = ("base", "emoreg", "emoreg-va")
MELODIES = 4  # per emotion and model
SEED = 3
RATE = 16_000  # samples per second; keeps the sound files small
HERE = Path(__file__).parent

first = {}  # the first melody of each emotion by the last model
for name in MODELS:
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    model = emomelody.load(name)
    for emotion in Emotion:
        melodies = model.sample(emotion, n=MELODIES, seed=SEED)
        for number, melody in enumerate(melodies):
            melody.write(folder / f"{emotion.title}-{number}.mid")
        melodies[0].write(folder / f"{emotion.title}-0.svg")
        (folder / f"{emotion.title}-0.wav").write_bytes(melodies[0].audio(rate=RATE))
        first[emotion] = [melodies[0].melody]

piano_rolls(first, HERE / "melodies.png", title=f"One melody per emotion by {MODELS[-1]}")
