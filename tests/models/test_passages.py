"""What the decoder reads of passages, against plain loops."""

from __future__ import annotations

import pytest
from tiny import random_passages

from emomelody.music.meter import Meter


@pytest.mark.parametrize("meter", Meter)
def test_previous_tokens_and_agreement(meter: Meter) -> None:
    passages = random_passages(meter, 20, 2)
    previous = passages.previous()
    agreed = passages.agreed(previous)
    for row in range(20):
        classes, repeated = passages.classes[row].tolist(), passages.repeated[row].tolist()
        assert previous[row].tolist() == [int(passages.first[row]), *classes[:-1]]
        expected = []
        for step in range(8 * meter.bar):
            first = step - step % meter.bar  # of the bar
            expected.append(classes[first:step] == repeated[first:step])
        assert agreed[row].tolist() == expected
    assert 0.2 < agreed.float().mean() < 0.8  # both occur
