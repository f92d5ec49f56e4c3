"""The latent plane: placement of points in its quadrants, and where each emotion lies on it.

A *point* is (valence, arousal) in [−1, 1]²; a *latent* is what the model sees, the point times the
plane's scale. Both are in the order of the latent space: z(0) valence, z(1) arousal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.errors import EmomelodyError
from emomelody.music.emotion import Emotion

Floats = NDArray[np.float64]
SAMPLES_PER_EXAMPLE = 20  # of each posterior, to which the regions are fitted
COMPONENTS = 8  # Gaussians per emotion
EDGE_PERCENTILE = 99  # of |μ| on each axis: outliers do not set the scale
_TRIES = 10_000
# The emotion index by whether valence and arousal are at least 0, (2, 2).
_QUADRANTS = np.array([[Emotion.at(v, a).index for a in (-1, 1)] for v in (-1, 1)])


def quadrants(latents: Floats) -> NDArray[np.int64]:
    """The emotion index 0–3 of each latent, (N, 2) → (N,), as ``Emotion.at`` has it."""
    positive = (latents >= 0).astype(np.int64)  # (N, 2)
    return _QUADRANTS[positive[:, 0], positive[:, 1]]


def placement(means: Floats, labels: NDArray[np.int64]) -> Floats:
    """Equation (9), D_i as a share of 1, (4,): the part of the examples labelled e_i that lies in quadrant i.

    ``means`` (N, 2) are latent means, ``labels`` (N,) 0–3. NaN for an emotion without examples.
    """
    hit = quadrants(means) == labels
    return np.array([hit[labels == e.index].mean() if (labels == e.index).any() else np.nan for e in Emotion])


@dataclass(frozen=True)
class Region:
    """A mixture of K Gaussians: where the training melodies of one emotion lie in its quadrant."""

    weights: Floats  # (K,)
    means: Floats  # (K, 2)
    covariances: Floats  # (K, 2, 2)

    @cached_property
    def reached(self) -> Floats:
        """The distribution function of the components, (K,)."""
        reached = self.weights.cumsum()
        return np.asarray(reached / reached[-1])

    @cached_property
    def factors(self) -> Floats:
        """The Cholesky factors of the covariances, (K, 2, 2)."""
        return np.asarray(np.linalg.cholesky(self.covariances))


@dataclass(frozen=True)
class Plane:
    """The scale of each axis and the regions of e1–e4."""

    scale: tuple[float, float]  # latent units at valence 1, at arousal 1
    regions: tuple[Region, ...]  # 4

    @classmethod
    def fit(cls, means: Floats, log_variances: Floats, labels: NDArray[np.int64], seed: int) -> Plane:
        """The plane of the training examples' posteriors, (N, 2) each, and their labels (N,).

        The regions are Gaussian mixtures (scikit-learn) fitted to draws from the posteriors that lie in
        the label's quadrant. They hold no point of any single melody.
        """
        edge = np.maximum(np.percentile(np.abs(means), EDGE_PERCENTILE, axis=0), 1e-3)
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal((SAMPLES_PER_EXAMPLE, *means.shape))
        draws = (means + np.exp(0.5 * log_variances) * noise).reshape(-1, 2)  # (20 N, 2)
        drawn_labels = np.tile(labels, SAMPLES_PER_EXAMPLE)
        inside = (np.abs(draws) <= edge).all(1)
        usable = inside & (quadrants(draws) == drawn_labels)
        regions = tuple(
            _fit_region(draws[usable & (drawn_labels == e.index)], e, edge, seed) for e in Emotion
        )
        return cls((float(edge[0]), float(edge[1])), regions)

    def draw(self, emotion: Emotion, rng: np.random.Generator) -> Floats:
        """A latent (2,) from the emotion's region, always inside its quadrant and the plane."""
        region = self.regions[emotion.index]
        for _ in range(_TRIES):
            component = np.searchsorted(region.reached, rng.random(), side="right")
            # By the Cholesky factor, which unlike other roots is the same on every machine.
            latent = region.means[component] + region.factors[component] @ rng.standard_normal(2)
            in_quadrant = Emotion.at(*latent) is emotion and bool((latent != 0).all())
            if in_quadrant and (np.abs(latent) <= self.scale).all():
                return np.asarray(latent, dtype=np.float64)
        raise EmomelodyError(f"the weights place nothing in the quadrant of {emotion.title}")

    def centre(self, emotion: Emotion) -> Floats:
        """The middle (2,) of the emotion's region."""
        region = self.regions[emotion.index]
        return np.asarray(region.weights @ region.means)

    def to_latent(self, point: tuple[float, float]) -> Floats:
        """The latent (2,) of a point (valence, arousal)."""
        return np.array(point) * self.scale

    def to_point(self, latent: Floats) -> tuple[float, float]:
        """The point (valence, arousal) of a latent (2,)."""
        valence, arousal = (latent / self.scale).tolist()
        return valence, arousal

    def to_json(self) -> dict[str, Any]:
        """The plane as plain lists, for the weights' metadata."""
        return {
            "scale": list(self.scale),
            "regions": [
                {
                    "weights": r.weights.tolist(),
                    "means": r.means.tolist(),
                    "covariances": r.covariances.tolist(),
                }
                for r in self.regions
            ],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plane:
        """The inverse of ``to_json``. Raises KeyError, TypeError or ValueError for anything else."""
        valence, arousal = map(float, data["scale"])
        regions = tuple(
            Region(*(np.array(r[name], dtype=float) for name in ("weights", "means", "covariances")))
            for r in data["regions"]
        )
        if len(regions) != len(Emotion):
            raise ValueError("a plane has four regions")
        if not (0 < valence < np.inf and 0 < arousal < np.inf):
            raise ValueError("a plane's scale is above 0")
        for region in regions:
            _check_region(region)
        return cls((valence, arousal), regions)


def _check_region(region: Region) -> None:
    """Raise ValueError for what nothing can be drawn from."""
    count = len(region.weights)
    if region.means.shape != (count, 2) or region.covariances.shape != (count, 2, 2):
        raise ValueError("a region's means and covariances are one for each weight")
    if not (np.isfinite(region.means).all() and np.isfinite(region.covariances).all()):
        raise ValueError("a region holds values that are not finite")
    if not ((region.weights >= 0).all() and abs(region.weights.sum() - 1) < 1e-6):
        raise ValueError("a region's weights are shares of 1")
    try:
        np.linalg.cholesky(region.covariances)
    except np.linalg.LinAlgError as error:
        raise ValueError("a region's covariance is none") from error


def _fit_region(draws: Floats, emotion: Emotion, edge: Floats, seed: int) -> Region:
    from sklearn.mixture import GaussianMixture

    if len(draws) < 2:  # nothing of this emotion in its quadrant: its middle stands in
        middle = np.array([emotion.valence, emotion.arousal]) * edge / 2
        return Region(np.ones(1), middle[None], np.diag((edge / 4) ** 2)[None])
    mixture = GaussianMixture(
        min(COMPONENTS, len(draws)), random_state=seed, reg_covar=1e-4 * float(edge.min()) ** 2
    ).fit(draws)
    weights = mixture.weights_ / mixture.weights_.sum()
    return Region(weights, mixture.means_, mixture.covariances_)
