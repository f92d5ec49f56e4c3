"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emomelody.errors import BadInput


def read_limited(path: Path, most: int) -> bytes:
    """The bytes of a file. Raises BadInput for more than ``most``, or what is no file that can be read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
            raise BadInput(path, "is not a file")
        if status.st_size > most:
            raise BadInput(path, f"larger than {most // 1_000_000} MB")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise BadInput(path, getattr(error, "strerror", None) or str(error)) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, or leave what was there. Raises BadInput where it cannot be written."""
    temporary = path.with_name(path.name + ".part")
    try:
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(path, f"cannot be written ({error.strerror or error})") from error


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder to write files into, which are moved into ``folder``, made where missing, in the end.

    Files may lie in folders of their own, whose are moved first, by their names in each folder. Where the
    block or a write fails, ``folder`` is left as it was. Raises BadInput, for its name, where it cannot be
    written to.
    """
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".emomelody-", dir=folder))
        try:
            yield stage
            for top, _, names in os.walk(stage, topdown=False):
                target = folder / Path(top).relative_to(stage)
                if target != folder and target.is_symlink():
                    raise BadInput(target, "is a link out of the folder: remove it")
                target.mkdir(exist_ok=True)
                for name in sorted(names):
                    Path(top, name).replace(target / name)
        finally:
            shutil.rmtree(stage)
    except OSError as error:
        raise BadInput(folder, f"cannot be written to ({error.strerror or error})") from error
    finally:
        for parent in missing:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
