"""Write golden.json, the melodies of seed 1 by the bundled weights: python tests/sampling/make_golden.py"""

from __future__ import annotations

import json
from pathlib import Path

from emomelody.emotions.emotion import Emotion
from emomelody.music.tokens import to_tokens
from emomelody.sampling.request import Request
from emomelody.sampling.sampler import sample
from emomelody.weights.checkpoint import bundled_weights, load_checkpoint

golden = {}
for name, path in bundled_weights().items():
    checkpoint = load_checkpoint(path)
    golden[name] = {"checksum": checkpoint.checksum} | {
        e.code: [to_tokens(s.melody).tolist() for s in sample(checkpoint, Request(3, e, seed=1))]
        for e in Emotion
    }
Path(__file__).with_name("golden.json").write_text(json.dumps(golden) + "\n")
