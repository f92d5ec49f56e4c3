"""How the real melodies of a style and meter are distributed: regions of the plane, and plans of tunes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomelody.emotions.emotion import Emotion
from emomelody.emotions.plane import Plane
from emomelody.emotions.plans import Plan, Plans
from emomelody.music.form import Form
from emomelody.music.melody import BARS
from emomelody.music.meter import Meter
from emomelody.music.style import Style
from emomelody.music.tokens import Floats


@dataclass(frozen=True, eq=False)  # compared, and hashed, as an object: arrays have no hash
class StyleDistribution:
    """What sampling in a style and meter starts from."""

    style: Style
    meter: Meter
    plane: Plane  # with the scale of the model's, and the regions of these melodies
    plans: Plans  # none for weights of version 0.2
    closing: tuple[float, ...] = (1.0,) * len(Emotion)  # share of the tunes that end on the tonic, by emotion

    @property
    def name(self) -> str:
        """The style and the meter, e.g. ``folk 6/8``."""
        return f"{self.style} {self.meter}"

    def draw_plan(self, latent: Floats, blocks: int, rng: np.random.Generator) -> Plan:
        """The plan of a tune of so many blocks of four bars near a latent (2,), with latents for its points.

        All of its points have the emotion of the latent.
        """
        if not len(self.plans):
            return _no_plan(np.tile(latent, (blocks, 1)))
        plan = self.plans.draw(latent / self.plane.scale, blocks, rng)
        return Plan(plan.points * self.plane.scale, plan.attributes, plan.form)

    def plan_along(self, latents: Floats, rng: np.random.Generator) -> Plan:
        """A plan for a melody whose blocks of four bars have these latents (K, 2)."""
        if not len(self.plans):
            return _no_plan(latents)
        plan = self.plans.along(latents / self.plane.scale, rng)
        return Plan(latents, plan.attributes, plan.form)

    def complete_plan(
        self, plan: Plan, unknown: NDArray[np.bool_], wanted: Floats, rng: np.random.Generator
    ) -> Plan:
        """``Plans.complete`` of a plan with latents, near the ``wanted`` latents (K, 2)."""
        scaled = Plan(plan.points / self.plane.scale, plan.attributes, plan.form)
        found = self.plans.complete(scaled, unknown, wanted / self.plane.scale, rng)
        return Plan(found.points * self.plane.scale, found.attributes, found.form)

    def to_json(self) -> dict[str, Any]:
        """All but the plans as plain lists, for the metadata of a weights file."""
        return {
            "style": str(self.style),
            "meter": str(self.meter),
            "plane": self.plane.to_json(),
            "closing": self.closing,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], plans: Plans) -> StyleDistribution:
        """Invert ``to_json``. Raises KeyError, TypeError or ValueError for anything else."""
        closing = tuple(map(float, data["closing"]))
        if len(closing) != len(Emotion) or not all(0 <= share <= 1 for share in closing):
            raise ValueError("shares of closing tunes must lie in 0–1")
        return cls(Style(data["style"]), Meter(data["meter"]), Plane.from_json(data["plane"]), plans, closing)


def _no_plan(latents: Floats) -> Plan:
    """Latents (K, 2) without attributes and without repetitions."""
    return Plan(latents, np.zeros((len(latents), 0)), Form.none(BARS * len(latents)))
