"""Makes the melodies, scores, sounds and pictures of this folder: python examples/make.py

Of each model four melodies per emotion as MIDI files, and of the first one the score and, played as its
emotion asks, the sound. latent-space.png needs the training data: after
emomelody preprocess --windows first -o first, it is the one that
emomelody evaluate -m emoreg --data first --report report draws.
"""

from __future__ import annotations

from pathlib import Path

import emomelody
from emomelody.formats import piano_roll
from emomelody.formats.audio import to_wav
from emomelody.music.emotion import Emotion
from emomelody.performance.setting import EXPRESSIVE

MODELS = ("base", "emoreg", "emoreg-va")
MELODIES = 4  # per emotion and model
SEED = 3
RATE = 16_000  # samples per second: small files
HERE = Path(__file__).parent

for name in MODELS:
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    model = emomelody.load(name)
    for emotion in Emotion:
        melodies = model.sample(emotion, n=MELODIES, seed=SEED)
        for number, melody in enumerate(melodies):
            melody.write(folder / f"{emotion.title}-{number}.mid")
        first = melodies[0]
        first.write(folder / f"{emotion.title}-0.svg")
        sound = to_wav(first.arrange(EXPRESSIVE), rate=RATE)
        (folder / f"{emotion.title}-0.wav").write_bytes(sound)

piano_roll.piano_rolls(
    {e: [model.sample(e, seed=SEED)[0].melody] for e in Emotion},
    HERE / "melodies.png",
    title="one melody per emotion, by emoreg-va",
)
