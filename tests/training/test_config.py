"""Which precision a run takes."""

from __future__ import annotations

import pytest
import torch

from emomelody.errors import EmomelodyError
from emomelody.models import gru
from emomelody.training.config import choose_precision

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("pays", [True, False])
def test_auto_follows_the_processor(monkeypatch: pytest.MonkeyPatch, pays: bool) -> None:
    monkeypatch.setattr(gru, "bfloat16_pays", lambda: pays)
    assert choose_precision("auto", CPU) == ("bfloat16" if pays else "float32")
    assert choose_precision("auto", GPU) == "float32"
    for name in ("float32", "bfloat16"):
        assert choose_precision(name, CPU) == name


def test_precisions_that_cannot_be() -> None:
    with pytest.raises(EmomelodyError, match="bfloat16 is for the CPU"):
        choose_precision("bfloat16", GPU)
    with pytest.raises(EmomelodyError, match="unknown precision 'half'"):
        choose_precision("half", CPU)
