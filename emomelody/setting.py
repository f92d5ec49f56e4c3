"""Settings under their name in version 0.1; ``from emomelody import Setting`` gives the same class."""

from emomelody.performance.setting import EXPRESSIVE, Setting

__all__ = ["EXPRESSIVE", "Setting"]
