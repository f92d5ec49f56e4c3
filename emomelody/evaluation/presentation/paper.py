"""The paper's figures, for comparison: its tables 2 and 3, and figures of its published outputs.

J. Grekow, "Regulation of the latent space of a variational autoencoder with respect to the emotions of
generated music sequences". Shares are 0 … 1.
"""

from __future__ import annotations

# Table 2: placement accuracy D_i of e1 … e4. The paper prints percent.
PLACEMENT: dict[str, tuple[float, float, float, float]] = {
    "base": (0.24, 0.20, 0.23, 0.25),
    "emoreg": (0.83, 0.84, 0.92, 0.92),
}
# Published outputs: measured on the 80 melodies that the paper's authors published for each model, in
# https://github.com/grekowj/musgenvae, not in the paper. ``mean_gap`` and ``worst_gap`` are
# |Δμ|/σ over the 16 cells of table 3. ``within_4`` and ``exact`` compare tokens (Hamming distance) without
# transposition. ``classifier`` is the share of melodies with the requested emotion, by a random forest fitted
# on the paper's training set.
PUBLISHED: dict[str, dict[str, float]] = {
    "base": {"mean_gap": 0.30, "worst_gap": 0.87, "within_4": 0.64, "exact": 0.15, "classifier": 0.93},
    "emoreg": {"mean_gap": 0.23, "worst_gap": 0.56, "within_4": 0.76, "exact": 0.19, "classifier": 0.85},
}
# Table 3: (mean, deviation) of e1 … e4.
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
