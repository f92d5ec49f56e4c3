"""Make the melodies, scores, sounds and pictures of this folder: python examples/make.py

Each model gets four MIDI files per emotion, and a score and a sound of the first one. ``tunes`` gets a whole
tune of sixteen bars per style and emotion, as MIDI and as a score; ``chords`` a melody with chords per
emotion, with its sound; ``plane.html`` a melody for each of 7 × 7 points of the plane.
latent-space.png is not made here, because it needs the training data. It is one of the report's pictures:

    emomelody preprocess --windows first -o first
    emomelody evaluate -m emoreg --data first --report report
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import emomelody
from emomelody.emotions.emotion import Emotion
from emomelody.formats.piano_roll import piano_rolls

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
        melodies = model.sample(emotion, n=MELODIES, seed=SEED, bars=4)
        for number, melody in enumerate(melodies):
            melody.write(folder / f"{emotion.title}-{number}.mid")
        melodies[0].write(folder / f"{emotion.title}-0.svg")
        (folder / f"{emotion.title}-0.wav").write_bytes(melodies[0].audio(rate=RATE))
        first[emotion] = [melodies[0].melody]

piano_rolls(first, HERE / "melodies.png", title=f"One melody per emotion by {MODELS[-1]}")

page = ["--grid", "7", "--seed", str(SEED), "-o", "plane.html", "--force"]
subprocess.run([sys.executable, "-m", "emomelody", "sample", *page], cwd=HERE, check=True)

TUNES = {
    ("chorale", "happy"): "4/4",
    ("chorale", "angry"): "4/4",
    ("chorale", "sad"): "3/4",
    ("chorale", "relaxed"): "4/4",
    ("folk", "happy"): "6/8",
    ("folk", "angry"): "4/4",
    ("folk", "sad"): "3/4",
    ("folk", "relaxed"): "6/8",
}  # meters
(HERE / "tunes").mkdir(exist_ok=True)
for (style, title), meter in TUNES.items():
    (tune,) = emomelody.load().sample(title, seed=SEED, bars=16, style=style, meter=meter)
    for suffix in ("mid", "svg"):
        tune.write(HERE / "tunes" / f"{style}-{title}.{suffix}")

(HERE / "chords").mkdir(exist_ok=True)
for emotion in Emotion:
    (melody,) = emomelody.load().sample(emotion, seed=SEED, chords=True)
    for suffix in ("mid", "svg"):
        melody.write(HERE / "chords" / f"{emotion.title}.{suffix}")
    (HERE / "chords" / f"{emotion.title}.wav").write_bytes(melody.audio(rate=RATE))
