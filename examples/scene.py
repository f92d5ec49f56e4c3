"""Music for a scene that starts in sadness and ends well: python examples/scene.py

Twelve bars for a flute, sad up to the fifth and happy from the ninth on, played as their emotion asks; as
MIDI, score and sound.
"""

from __future__ import annotations

from dataclasses import replace

import emomelody
from emomelody.performance.setting import EXPRESSIVE

model = emomelody.load("emoreg-va")
(melody,) = model.sample(path="sad@0 sad@4 happy@8", bars=12, seed=1)
setting = replace(EXPRESSIVE, tonic="D", program=73)
print(melody.roll(setting))
for file in ("scene.mid", "scene.musicxml", "scene.wav"):
    melody.write(file, setting)
for bar in (0, 4, 8):
    valence, arousal = melody.trajectory[bar]
    print(f"bar {bar + 1}: valence {valence:+.2f}, arousal {arousal:+.2f}")
