"""The errors a user can cause. Library code raises them; only ``cli`` prints them and exits."""

from __future__ import annotations

from pathlib import Path


class EmomelodyError(Exception):
    """Anything that can be said to a user in one line."""


class BadInput(EmomelodyError):
    """A file that cannot be used: its ``path`` and the ``reason``, in words a person understands."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[BadInput], tuple[Path, str]]:
        """Travel between worker processes with both arguments."""
        return type(self), (self.path, self.reason)


class BadWeights(BadInput):
    """A weights file that is missing, damaged or not ours."""
