"""The arguments and options of ``emomelody train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emomelody.cli.options import choice, real_number, seed_number, whole_number

MODEL, TRAINING, OUTPUT = "Data and model", "Training", "Output and resuming"  # panels of the help

DataArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="DATA",
        help="A folder with e1 … e4 of MIDI files, as made by preprocess; with --from also tunes as they are:"
        " a file or folder of MIDI, MusicXML and ABC.",
        show_default=False,
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="NAME",
        help="Fine-tune these weights of emoreg-va, instead of training from scratch: emoreg-va, a weights"
        " file or a run folder. They learn the style of DATA, by default 'own', beside those that they know.",
        show_default=False,
        rich_help_panel=MODEL,
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        parser=choice("base", "emoreg", "emoreg-va"),
        metavar="NAME",
        help="emoreg-va, or one of the paper's models: base (CVAE-Base) or emoreg (CVAE-EmoReg).",
        rich_help_panel=MODEL,
    ),
]
SplitOption = Annotated[
    str,
    typer.Option(
        parser=choice("tune", "random"),
        metavar="NAME",
        help="How a fifth of the melodies is held out: tune (no tune is in both parts), or random (as in"
        " the paper).",
        rich_help_panel=MODEL,
    ),
]
SeedOption = Annotated[
    int,
    typer.Option(
        parser=seed_number,
        metavar="N",
        help="Seed of the initial weights, the order of melodies, the noise, and the split if DATA has no"
        " manifest. The same seed gives the same weights on the same machine.",
        rich_help_panel=MODEL,
    ),
]
EpochsOption = Annotated[
    int | None,
    typer.Option(
        parser=whole_number(1),
        metavar="N",
        help="Passes over the training melodies.",
        show_default="emoreg-va 12,760 updates, at most 60 epochs; --from 3,000, at most 30; else 12,600",
        rich_help_panel=TRAINING,
    ),
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(
        parser=whole_number(1),
        metavar="N",
        help="Melodies of four bars per update.",
        show_default="emoreg-va 64, with --from 16; else 16",
        rich_help_panel=TRAINING,
    ),
]
LrOption = Annotated[
    float | None,
    typer.Option(
        parser=real_number(0, above=True),
        metavar="X",
        help="Learning rate.",
        show_default="emoreg-va 0.003, with --from 0.001; else 0.001",
        rich_help_panel=TRAINING,
    ),
]
EmotionWeightOption = Annotated[
    float,
    typer.Option(
        parser=real_number(0),
        metavar="X",
        help="For emoreg: final factor of the emotion losses. It grows from 1 over the last 30 % of the"
        " epochs.",
        rich_help_panel=TRAINING,
    ),
]
DeviceOption = Annotated[
    str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1 …", rich_help_panel=TRAINING)
]
PrecisionOption = Annotated[
    str,
    typer.Option(
        parser=choice("auto", "float32", "bfloat16"),
        metavar="NAME",
        help="Precision of matrix products: float32, bfloat16 (CPU only), or auto (bfloat16 on processors"
        " with instructions for it, where it is faster). After 50 updates, two processes of torchrun agree"
        " with one to about 1e-5 in float32 and to about 0.04 in bfloat16.",
        rich_help_panel=TRAINING,
    ),
]
OutOption = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        metavar="FOLDER",
        help="The folder in which the run's folder is made.",
        rich_help_panel=OUTPUT,
    ),
]
ResumeOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Continue the interrupted run in this run folder to its last epoch, with its options. Give"
        " DATA only if it was moved.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
