"""The names that programs written for version 0.1 import; ``from emomelody import Setting`` is the same."""

from emomelody.performance.setting import EXPRESSIVE, Setting

__all__ = ["EXPRESSIVE", "Setting"]
