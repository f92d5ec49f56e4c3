"""The figures that the paper prints, to stand beside ours: its tables 2 and 3.

J. Grekow, "Regulation of the latent space of a variational autoencoder with respect to the emotions of
generated music sequences". Columns are named as in the paper, models as here.
"""

from __future__ import annotations

# Table 2, placement accuracy D_i in percent, e1 … e4.
PLACEMENT: dict[str, tuple[float, float, float, float]] = {
    "base": (24, 20, 23, 25),
    "emoreg": (83, 84, 92, 92),
}
# Table 3, (mean, deviation) for e1 … e4.
Cells = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
METRICS: dict[str, dict[str, Cells]] = {
    "pitch_range": {
        "base": ((8.65, 2.22), (7.85, 1.68), (6.30, 2.15), (6.00, 1.64)),
        "emoreg": ((7.75, 2.14), (8.90, 2.84), (6.00, 1.97), (7.60, 3.72)),
        "training": ((9.32, 2.93), (9.01, 2.14), (6.19, 1.68), (7.44, 1.95)),
    },
    "pitches_used": {
        "base": ((5.80, 1.03), (5.85, 1.24), (4.15, 0.65), (4.05, 0.67)),
        "emoreg": ((5.60, 1.16), (5.55, 1.56), (4.40, 1.07), (4.35, 0.85)),
        "training": ((6.29, 1.36), (6.28, 1.31), (4.57, 0.85), (4.84, 0.91)),
    },
    "in_c_major": {
        "base": ((0.96, 0.10), (0.71, 0.14), (0.75, 0.18), (0.99, 0.03)),
        "emoreg": ((0.93, 0.14), (0.73, 0.23), (0.77, 0.15), (0.98, 0.04)),
        "training": ((0.97, 0.10), (0.72, 0.13), (0.77, 0.13), (0.98, 0.10)),
    },
    "in_c_minor": {
        "base": ((0.69, 0.12), (0.91, 0.15), (0.91, 0.17), (0.72, 0.12)),
        "emoreg": ((0.67, 0.14), (0.90, 0.17), (0.92, 0.12), (0.73, 0.15)),
        "training": ((0.66, 0.12), (0.91, 0.15), (0.92, 0.15), (0.65, 0.15)),
    },
}
