"""Writes golden.json, what the shipped weights make of seed 1: python tests/make_golden.py"""

from __future__ import annotations

import json
from pathlib import Path

from emomelody.checkpoint import load_checkpoint, shipped_weights
from emomelody.emotion import Emotion
from emomelody.sample import Request, sample
from emomelody.tokens import to_tokens

golden = {}
for name, path in shipped_weights().items():
    checkpoint = load_checkpoint(path)
    golden[name] = {"checksum": checkpoint.checksum} | {
        e.code: [to_tokens(s.melody).tolist() for s in sample(checkpoint, Request(3, e, seed=1))]
        for e in Emotion
    }
Path(__file__).with_name("golden.json").write_text(json.dumps(golden) + "\n")
