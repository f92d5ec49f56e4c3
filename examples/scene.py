"""Write music for a scene that begins sad and ends happy: python examples/scene.py

Twelve bars for flute in D, sad up to bar 5 and happy from bar 9 on. Tempo, loudness, register and note length
follow the emotion. The result is written as MIDI, as a score and as sound.
"""

from __future__ import annotations

import emomelody

model = emomelody.load("emoreg-va")
(melody,) = model.sample(path="sad@0 sad@4 happy@8", bars=12, seed=1)
setting = emomelody.Setting(tonic="D", program="flute")
print(melody.roll(setting))
for file in ("scene.mid", "scene.musicxml", "scene.wav"):
    melody.write(file, setting)
for bar in (0, 4, 8):
    valence, arousal = melody.trajectory[bar]
    print(f"bar {bar + 1}: valence {valence:+.2f}, arousal {arousal:+.2f}")
