"""Errors that a user can cause. Library code raises them; only ``cli`` prints them and exits."""

from __future__ import annotations

from pathlib import Path


class EmomelodyError(Exception):
    """An error with a message of one line that tells the user what to do."""


class BadInput(EmomelodyError):
    """A file or folder that cannot be used, with its ``path`` and the ``reason`` in plain words."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[BadInput], tuple[Path, str]]:
        """Let pickle restore both arguments when the error crosses a process boundary."""
        return type(self), (self.path, self.reason)


class BadWeights(BadInput):
    """A weights file that is missing, damaged or written by another program."""
