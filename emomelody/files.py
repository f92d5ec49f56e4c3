"""Reading files within a size limit, and writing files completely or not at all, one process at a time."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from emomelody.errors import BadInput

LOCK_NAME = ".emomelody.lock"


def read_limited(path: Path, max_bytes: int) -> bytes:
    """Read a file. Raises BadInput where it is larger than ``max_bytes`` or cannot be read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe would block
            raise BadInput(path, "is not a file")
        if status.st_size > max_bytes:
            raise BadInput(path, f"larger than {max_bytes // 1_000_000} MB")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise BadInput(path, getattr(error, "strerror", None) or str(error)) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file completely, or keep the old one. Raises BadInput where it cannot be written."""
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
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes that lock ``folder`` waiting until the block ends.

    ``folder`` is created where it is missing, and removed where the block leaves it empty. Raises BadInput
    where ``folder`` is a file or cannot be written to.
    """
    path = folder / LOCK_NAME
    with _made(folder):
        try:
            lock = FileLock(path).acquire()
        except OSError as error:
            raise BadInput(folder, f"cannot be written to ({error.strerror or error})") from error
        with lock:
            try:
                yield
            finally:
                # While it is held: whoever waits for it sees that it is gone, and makes a new one.
                with suppress(OSError):
                    path.unlink()


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder whose files are moved into ``folder`` when the block ends.

    ``folder`` is created where it is missing. Subfolders are moved before the files beside them, files in
    alphabetical order. Where the block raises, ``folder`` stays as it was. Raises BadInput where ``folder``
    is a file or cannot be written to.
    """
    with _made(folder), _stage(folder) as stage:
        yield stage


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Create a folder and its parents; remove at the end those that were created and are empty."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(folder, "is a file: choose another folder")
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(folder, f"cannot be written to ({error.strerror or error})") from error
        yield
    finally:
        for parent in missing:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()


@contextmanager
def _stage(folder: Path) -> Iterator[Path]:
    """The temporary folder of ``staged``."""
    try:
        stage = Path(tempfile.mkdtemp(prefix=".emomelody-", dir=folder))
        try:
            yield stage
            for top, _, names in os.walk(stage, topdown=False):
                target = folder / Path(top).relative_to(stage)
                if target != folder and target.is_symlink():
                    raise BadInput(target, "is a link to another folder: remove it")
                target.mkdir(exist_ok=True)
                for name in sorted(names):  # as text: paths take as long as the moving
                    os.replace(f"{top}/{name}", f"{target}/{name}")  # noqa: PTH105
        finally:
            shutil.rmtree(stage)
    except OSError as error:
        raise BadInput(folder, f"cannot be written to ({error.strerror or error})") from error
