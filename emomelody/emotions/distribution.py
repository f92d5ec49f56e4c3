"""How the real melodies of a style and meter are distributed: points, attributes and forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from emomelody.emotions.attributes import AttributeDistribution
from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import Plane, quadrants
from emomelody.music.form import Form, FormDistribution
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import Floats


@dataclass(frozen=True, eq=False)  # compared, and hashed, as an object: arrays have no hash
class StyleDistribution:
    """What sampling in a style and meter starts from."""

    style: Style
    meter: Meter
    plane: Plane  # with the scale of the model's, and the regions of these melodies
    attributes: AttributeDistribution | None  # None for weights of version 0.2
    forms: tuple[FormDistribution, FormDistribution]  # of melodies with low and with high arousal
    # Intraclass correlation of valence and of arousal among the windows of one tune and emotion, 0 … 1.
    correlation: tuple[float, float] = (1.0, 1.0)
    closing: tuple[float, ...] = (1.0,) * len(Emotion)  # share of the tunes that end on the tonic, by emotion

    @property
    def name(self) -> str:
        """The style and the meter, e.g. ``folk 6/8``."""
        return f"{self.style} {self.meter}"

    @property
    def has_forms(self) -> bool:
        """Whether the forms of tunes were learned, which version 0.3 and before did not do."""
        return any(forms.counts.any() for forms in self.forms)

    def sample_form(self, arousal: float, bars: int, rng: np.random.Generator) -> Form:
        """A form of that many bars, like those of the melodies whose arousal has the sign of ``arousal``."""
        return self.forms[int(arousal >= 0)].sample(bars, rng)

    def sample_blocks(self, latent: Floats, blocks: int, rng: np.random.Generator) -> Floats:
        """A latent for each block of four bars of a melody at a ``latent`` (2,), (blocks, 2).

        They vary within the emotion's region as those of real tunes do. One that would leave the quadrant is
        that of the melody.
        """
        emotion = Emotion.at(*latent)
        centre, share = self.plane.centre(emotion), np.array(self.correlation)  # (2,) each
        fresh = np.stack([self.plane.sample(emotion, rng) for _ in range(blocks)])  # (blocks, 2)
        varied = centre + np.sqrt(share) * (latent - centre) + np.sqrt(1 - share) * (fresh - centre)
        inside = (quadrants(varied) == emotion.index) & (np.abs(varied) <= self.plane.scale).all(1)
        return np.where(inside[:, None], varied, latent)

    def to_json(self) -> dict[str, Any]:
        """Plain lists, for the metadata of a weights file."""
        return {
            "style": str(self.style),
            "meter": str(self.meter),
            "plane": self.plane.to_json(),
            "attributes": self.attributes and self.attributes.to_json(),
            "forms": [forms.to_json() for forms in self.forms],
            "correlation": self.correlation,
            "closing": self.closing,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> StyleDistribution:
        """Invert ``to_json``. Raises KeyError, TypeError, ValueError or IndexError for anything else."""
        low, high = map(FormDistribution.from_json, data["forms"])
        valence, arousal = map(float, data["correlation"])
        closing = tuple(map(float, data["closing"]))
        if len(closing) != len(Emotion) or not all(0 <= share <= 1 for share in (valence, arousal, *closing)):
            raise ValueError("correlations and shares of closing tunes must lie in 0–1")
        return cls(
            Style(data["style"]),
            Meter(data["meter"]),
            Plane.from_json(data["plane"]),
            AttributeDistribution.from_json(data["attributes"]) if data["attributes"] else None,
            (low, high),
            (valence, arousal),
            closing,
        )
