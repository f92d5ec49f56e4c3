"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emomelody.errors import BadInput


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, or leave what was there. Raises OSError where it cannot be written."""
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder to write files into, which are moved into ``folder`` in the end; made where missing.

    Where the block or a write fails, ``folder`` is left as it was. Raises BadInput, for its name, where it
    cannot be written to.
    """
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".emomelody-", dir=folder))
        try:
            yield stage
            for path in sorted(stage.iterdir()):
                path.replace(folder / path.name)
        finally:
            shutil.rmtree(stage)
    except OSError as error:
        raise BadInput(folder, f"cannot be written to ({error.strerror or error})") from error
    finally:
        for parent in missing:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
