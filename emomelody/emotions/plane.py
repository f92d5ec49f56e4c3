"""The latent plane: its quadrants, its scale, and the region in which each emotion lies.

A *point* is (valence, arousal) in [−1, 1]². A *latent* is the model's own coordinate, the point times the
plane's scale. Both put valence first, as the latent space does: z(0) is valence, z(1) arousal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.errors import EmomelodyError
from emomelody.music.tokens import Floats

SAMPLES_PER_EXAMPLE = 20  # drawn from each posterior to fit the regions
COMPONENTS = 8  # Gaussians per emotion
EDGE_PERCENTILE = 99  # of |μ| on each axis: the plane's edge, so that outliers do not set the scale
_MAX_TRIES = 10_000  # of rejection sampling
# The class index by whether valence and arousal are at least 0, (2, 2).
_QUADRANTS = np.array([[Emotion.at(v, a).index for a in (-1, 1)] for v in (-1, 1)])


def quadrants(latents: Floats) -> NDArray[np.int64]:
    """Return the class index 0–3 of each latent, (N, 2) → (N,). Same convention as ``Emotion.at``."""
    positive = (latents >= 0).astype(np.int64)  # (N, 2)
    return _QUADRANTS[positive[:, 0], positive[:, 1]]


def placement(means: Floats, labels: NDArray[np.int64]) -> Floats:
    """Placement accuracy, the paper's equation (9): D_i as a share of 1, (4,).

    D_i is the share of the examples labelled e_i whose latent mean lies in quadrant i; NaN for an emotion
    without examples. ``means`` (N, 2) are latent means, ``labels`` (N,) class indices 0–3.
    """
    hit = quadrants(means) == labels
    return np.array([hit[labels == e.index].mean() if (labels == e.index).any() else np.nan for e in Emotion])


@dataclass(frozen=True)
class Region:
    """A mixture of K Gaussians: the distribution of one emotion's training melodies in its quadrant."""

    weights: Floats  # (K,)
    means: Floats  # (K, 2)
    covariances: Floats  # (K, 2, 2)

    @cached_property
    def cumulative_weights(self) -> Floats:
        """The cumulative sum of the weights, (K,), ending at 1."""
        cumulative = self.weights.cumsum()
        return np.asarray(cumulative / cumulative[-1])

    @cached_property
    def cholesky_factors(self) -> Floats:
        """The Cholesky cholesky_factors of the covariances, (K, 2, 2)."""
        return np.asarray(np.linalg.cholesky(self.covariances))


@dataclass(frozen=True)
class Plane:
    """The scale of both axes and the regions of e1–e4."""

    scale: tuple[float, float]  # latent units per unit of valence, of arousal
    regions: tuple[Region, ...]  # four, by class index

    @classmethod
    def fit(
        cls,
        means: Floats,
        log_variances: Floats,
        labels: NDArray[np.int64],
        seed: int,
        scale: tuple[float, float] | None = None,
    ) -> Plane:
        """Fit the plane to the posteriors of N training examples.

        ``means`` and ``log_variances`` are (N, 2), ``labels`` (N,). The regions are Gaussian mixtures
        (scikit-learn) of samples from the posteriors, of those that lie in the quadrant of their label. A
        region does not contain the point of any single melody. The ``scale``, where it is not given, is that
        of the examples.
        """
        found = np.maximum(np.percentile(np.abs(means), EDGE_PERCENTILE, axis=0), 1e-3)
        edge = found if scale is None else np.array(scale)
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal((SAMPLES_PER_EXAMPLE, *means.shape))
        samples = (means + np.exp(0.5 * log_variances) * noise).reshape(-1, 2)  # (20 N, 2)
        sample_labels = np.tile(labels, SAMPLES_PER_EXAMPLE)
        inside = (np.abs(samples) <= edge).all(1)
        usable = inside & (quadrants(samples) == sample_labels)
        regions = tuple(
            _fit_region(samples[usable & (sample_labels == e.index)], e, edge, seed) for e in Emotion
        )
        return cls((float(edge[0]), float(edge[1])), regions)

    def sample(self, emotion: Emotion, rng: np.random.Generator) -> Floats:
        """Sample a latent (2,) from the emotion's region, always inside its quadrant and the plane's edge.

        Raises EmomelodyError where the region has next to nothing there, as after a failed training.
        """
        region = self.regions[emotion.index]
        for _ in range(_MAX_TRIES):
            component = np.searchsorted(region.cumulative_weights, rng.random(), side="right")
            # The Cholesky factor is the same on every machine, unlike other matrix square roots.
            latent = region.means[component] + region.cholesky_factors[component] @ rng.standard_normal(2)
            in_quadrant = Emotion.at(*latent) is emotion and bool((latent != 0).all())
            if in_quadrant and (np.abs(latent) <= self.scale).all():
                return np.asarray(latent, dtype=np.float64)
        raise EmomelodyError(
            f"the weights have no region for {emotion.title}: train longer, or choose another model"
        )

    def centre(self, emotion: Emotion) -> Floats:
        """Return the mean (2,) of the emotion's region."""
        region = self.regions[emotion.index]
        return np.asarray(region.weights @ region.means)

    def to_latent(self, point: tuple[float, float]) -> Floats:
        """Convert a point (valence, arousal) to its latent (2,)."""
        return np.array(point) * self.scale

    def to_point(self, latent: Floats) -> tuple[float, float]:
        """Convert a latent (2,) to its point (valence, arousal)."""
        valence, arousal = (latent / self.scale).tolist()
        return valence, arousal

    def to_json(self) -> dict[str, Any]:
        """Return the plane as plain lists, for the metadata of a weights file."""
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
        """Invert ``to_json``. Raises KeyError, TypeError or ValueError for anything else."""
        valence, arousal = map(float, data["scale"])
        regions = tuple(
            Region(*(np.array(r[name], dtype=float) for name in ("weights", "means", "covariances")))
            for r in data["regions"]
        )
        if len(regions) != len(Emotion):
            raise ValueError(f"a plane needs {len(Emotion)} regions")
        if not (0 < valence < np.inf and 0 < arousal < np.inf):
            raise ValueError("the scale of a plane must be above 0")
        for region in regions:
            _check_region(region)
        return cls((valence, arousal), regions)


def _check_region(region: Region) -> None:
    """Raise ValueError for a region that cannot be sampled from."""
    count = len(region.weights)
    if region.means.shape != (count, 2) or region.covariances.shape != (count, 2, 2):
        raise ValueError("a region needs one mean and one covariance for each weight")
    if not (np.isfinite(region.means).all() and np.isfinite(region.covariances).all()):
        raise ValueError("a region has values that are not finite")
    if not ((region.weights >= 0).all() and abs(region.weights.sum() - 1) < 1e-6):
        raise ValueError("the weights of a region must sum to 1")
    try:
        np.linalg.cholesky(region.covariances)
    except np.linalg.LinAlgError as error:
        raise ValueError("a covariance of a region is not positive definite") from error


def _fit_region(samples: Floats, emotion: Emotion, edge: Floats, seed: int) -> Region:
    """Fit a region to samples (N, 2) of the emotion; ``edge`` (2,) is the plane's scale."""
    from sklearn.mixture import GaussianMixture

    if len(samples) < 2:  # the emotion never lies in its quadrant: use the middle of the quadrant
        middle = np.array([emotion.valence, emotion.arousal]) * edge / 2
        return Region(np.ones(1), middle[None], np.diag((edge / 4) ** 2)[None])
    mixture = GaussianMixture(
        min(COMPONENTS, len(samples)), random_state=seed, reg_covar=1e-4 * float(edge.min()) ** 2
    ).fit(samples)
    weights = mixture.weights_ / mixture.weights_.sum()
    return Region(weights, mixture.means_, mixture.covariances_)
