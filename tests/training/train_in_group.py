"""Trains as ``emomelody train`` does, without dropout, which each process draws for itself.

test_processes.py runs it alone and by torchrun: OUT DATA,MODEL,DTYPE,PRECISION,BATCH_SIZE,EPOCHS ...
It writes one run for each argument to OUT/0, OUT/1 ...
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from emomelody.data.dataset import Split
from emomelody.training.config import TrainConfig
from emomelody.training.trainer import Trainer, load_datasets

out, *runs = sys.argv[1:]
torch.set_num_threads(1)
for number, run in enumerate(runs):
    data, model, dtype, precision, batch_size, epochs = run.split(",")
    torch.set_default_dtype(getattr(torch, dtype))
    split = Split.TUNE if model == "emoreg-va" else Split.RANDOM
    config = TrainConfig(model, int(epochs), int(batch_size), split=split, precision=precision)
    trainer = Trainer(load_datasets(Path(data), model), config, Path(data))
    if model == "emoreg-va":
        trainer.learner.model.dropout.p = 0.0
    folder = Path(out) / str(number)
    if trainer.group.is_main:
        folder.mkdir(parents=True)
    trainer.run(folder)
