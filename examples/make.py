"""Makes the pictures and sounds of this folder with the shipped weights: python examples/make.py

latent-space.png needs the training data: after emomelody preprocess --windows first -o first, it is the
one that emomelody evaluate --data first --report report draws.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pretty_midi
from scipy.io import wavfile

from emomelody import midi, plots
from emomelody.checkpoint import load_checkpoint, shipped_weights
from emomelody.emotion import Emotion
from emomelody.sample import sample

RATE = 16_000  # samples per second
SEED = 3
HERE = Path(__file__).parent

checkpoint = load_checkpoint(shipped_weights()["emoreg-va"])
melodies = {e: sample(checkpoint, 1, emotion=e, seed=SEED)[0].melody for e in Emotion}
plots.piano_rolls(
    {e: [m] for e, m in melodies.items()}, HERE / "melodies.png", title="one melody per emotion, by emoreg-va"
)
for emotion, melody in melodies.items():
    path = HERE / f"{emotion.title}.mid"
    midi.write(melody, path, name=emotion.title, mode=emotion.mode)
    sound = pretty_midi.PrettyMIDI(str(path)).synthesize(fs=RATE)
    wavfile.write(path.with_suffix(".wav"), RATE, np.int16(sound / np.abs(sound).max() * 24_000))
