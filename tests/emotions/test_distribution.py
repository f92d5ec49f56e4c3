"""What sampling in a style and meter starts from, in JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tiny import CLOSING, tiny_checkpoint

from emomelody.emotions.distribution import StyleDistribution
from emomelody.music.form import Form, FormDistribution


def test_it_survives_json_with_and_without_attributes() -> None:
    for known in tiny_checkpoint().styles:
        for style in (known, replace(known, attributes=None)):
            data = json.loads(json.dumps(style.to_json()))
            again = StyleDistribution.from_json(data)
            assert json.dumps(again.to_json()) == json.dumps(style.to_json())
            assert (again.style, again.meter, again.plane.scale) == (style.style, style.meter, (1.5, 0.5))
            assert (again.attributes is None) == (style.attributes is None)
            assert (again.correlation, again.closing) == ((0.25, 0.5), CLOSING)
    assert known.name == "folk 6/8"


def test_damage_is_refused() -> None:
    data = tiny_checkpoint().styles[0].to_json()
    for damage in (
        {"style": "punk"},
        {"meter": "5/4"},
        {"forms": data["forms"][:1]},
        {"forms": [{"places": [10**7], "counts": [1]}] * 2},
        {"plane": {}},
        {"attributes": {"names": []}},
        {"closing": [1.0, 0.5]},
        {"closing": [float("nan")] * 4},
        {"correlation": [0.5, -0.1]},
    ):
        with pytest.raises((ValueError, IndexError, KeyError, TypeError)):
            StyleDistribution.from_json(data | damage)


def test_forms_depend_on_the_side_of_the_arousal() -> None:
    repeating = Form(np.array([0, 1]), np.array([0, 3]))
    low, high = (FormDistribution.fit([(form, True)]) for form in (Form.none(2), repeating))
    style = replace(tiny_checkpoint().styles[0], forms=(low, high))
    for arousal, lags in ((-0.1, [0, 0]), (0.0, [0, 1]), (np.float64(0.3), [0, 1]), (np.float64(-1), [0, 0])):
        assert style.sample_form(arousal, 2, np.random.default_rng(0)).lags.tolist() == lags
