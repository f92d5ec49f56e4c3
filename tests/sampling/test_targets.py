"""From requests to latents and forms."""

from __future__ import annotations

import numpy as np
from tiny import tiny_checkpoint

from emomelody.emotions.path import EmotionPath
from emomelody.music.form import Form
from emomelody.music.melody import Melody, Note
from emomelody.music.meter import Meter
from emomelody.sampling.request import Request
from emomelody.sampling.targets import Target

# Quarter notes in 3/4: the third bar is the first one again, and all have one rhythm.
PITCHES = [*(60, 62, 70), *(72, 71, 62), *(60, 62, 70), *(71, 72, 60)]
TUNE = Melody(tuple(Note(4 * n, 4, pitch) for n, pitch in enumerate(PITCHES)), 48, Meter.THREE_FOUR)


def form_of(request: Request) -> Form:
    rng = np.random.default_rng(0)
    target = Target.of(tiny_checkpoint(), request)
    return target.plan(request, target.sample_latents(rng), rng).form


def test_a_variation_has_the_form_of_its_melody() -> None:
    own = form_of(Request(like=TUNE, spread=0, meter=Meter.THREE_FOUR))
    assert own.lags.tolist() == [0, 1, 2, 2]
    assert own.kinds.tolist() == [0, 1, 3, 1]
    longer = form_of(Request(like=TUNE, spread=0, meter=Meter.THREE_FOUR, bars=8))
    assert longer.lags[:4].tolist() == own.lags.tolist()
    assert longer.lags[4:].any()  # in the tiny model's style, bars after the fourth repeat one
    assert form_of(Request(like=TUNE, meter=Meter.THREE_FOUR, form="AB")).lags.tolist() == [0, 1, 0, 0]


def test_a_bar_does_not_repeat_one_of_another_emotion() -> None:
    """From sad to happy, sixteen bars: the way crosses both axes in the middle."""
    path = EmotionPath.parse("sad@0 happy@15")
    request = Request(path=path, bars=16, form="AAAA")
    form = form_of(request)
    assert form.lags[4:7].tolist() == [4] * 3  # still sad
    assert form.lags[9:12].tolist() == [0] * 3  # happy, while four bars before were sad
    assert form.lags[13:].tolist() == [4] * 3
