"""The file names in a folder of samples: which are taken, and which earlier runs a new one replaces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emomelody.errors import BadInput, EmomelodyError
from emomelody.sampling.runs.index import INDEX_NAME, RecordedRun, files, melody_files, read_runs

# Keys in which two runs of the same melodies may differ: the checksum tells which model it was.
_NOT_MELODIES = ("version", "model", "num", "formats", "soundfont", "page", "samples")


class FolderNames:
    """The names taken in a folder, by its runs and by other files, and those that new runs claim.

    Raises BadInput for a folder that cannot be read, and for a samples.json of another program, unless
    ``force`` is given, which replaces it.
    """

    def __init__(self, folder: Path, *, force: bool) -> None:
        self._folder, self._force = folder, force
        try:
            self._on_disk = {path.name: path.is_dir() for path in folder.iterdir()}
        except OSError as error:
            raise BadInput(folder, f"cannot be read ({error.strerror or error})") from error
        self._runs = self._read_runs()
        self._owners: dict[str, dict[int, list[str]]] = {}  # title → run → its files of that title
        for number, run in enumerate(self._runs):
            for name in files(run):
                self._owners.setdefault(Path(name).stem, {}).setdefault(number, []).append(name)
        self._claimed: dict[str, Mapping[str, Any]] = {}  # title → the last run that claimed it
        self._new: set[str] = set()  # their files
        self._replaced: set[int] = set()  # runs

    def _read_runs(self) -> list[RecordedRun]:
        if INDEX_NAME not in self._on_disk:
            return []
        if self._on_disk[INDEX_NAME]:
            raise BadInput(self._folder / INDEX_NAME, "is a folder: choose another --out")
        try:
            return read_runs(self._folder / INDEX_NAME)
        except BadInput as error:
            if self._force:
                return []
            reason = f"{error.reason}: choose another --out, or replace it with --force"
            raise BadInput(error.path, reason) from error

    def claim(self, title: str, header: Mapping[str, Any]) -> None:
        """Take the names of a melody for a new run; with ``force`` mark the runs that it replaces.

        A title is taken where one of its files in the run's formats exists, or where an earlier run has it
        for another melody, in any format. Raises EmomelodyError for a taken one.
        """
        names = melody_files(title, header["formats"])
        claimed = self._claimed.get(title)
        if claimed and (self._new.intersection(names) or not _same_melodies(claimed, header)):
            raise EmomelodyError(
                f"name '{header['name']}' is the same for several melodies: add {{emotion}} or {{seed}}"
            )
        self._claimed[title] = header
        self._new.update(names)
        taken = self._taken(names)
        for number, owned in self._owners.get(title, {}).items():
            if set(owned) & set(names) or not _same_melodies(self._runs[number], header):
                taken += owned
                self._replaced.add(number)
        self._refuse(taken)

    def claim_page(self, name: str) -> None:
        """Take the name of a page; with ``force`` mark the runs that have it. Raises as ``claim`` does."""
        self._new.add(name)
        self._replaced.update(number for number, run in enumerate(self._runs) if run.get("page") == name)
        self._refuse(self._taken([name]))

    def _taken(self, names: list[str]) -> list[str]:
        for name in names:
            if self._on_disk.get(name):
                raise BadInput(self._folder / name, "is a folder: choose another --out or --name")
        return [name for name in names if name in self._on_disk]

    def _refuse(self, taken: list[str]) -> None:
        if taken and not self._force:
            raise EmomelodyError(
                f"{self._folder / taken[0]} is there already: choose another --out or --name, or add --force"
            )

    @property
    def kept(self) -> list[RecordedRun]:
        """The earlier runs that stay."""
        return [run for number, run in enumerate(self._runs) if number not in self._replaced]

    def remove_replaced(self) -> list[RecordedRun]:
        """Remove what only replaced runs own of the files; return these runs."""
        runs = [self._runs[number] for number in sorted(self._replaced)]
        replaced = {name for run in runs for name in files(run)}
        for name in replaced.difference(self._new, *map(files, self.kept)):
            path = self._folder / name
            if path.is_file() or path.is_symlink():
                path.unlink()
        return runs


def _same_melodies(run: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    """Whether two runs write the same melodies, maybe in other formats or numbers."""
    one, two = ({k: v for k, v in h.items() if k not in _NOT_MELODIES} for h in (run, header))
    return one == two


def check_file(path: Path, *, force: bool) -> None:
    """Raise EmomelodyError where a melody cannot be written to this file.

    That is where its folder is missing, where it exists and ``force`` is not given, and where it belongs to
    a run in the folder's samples.json, which would no longer be true.
    """
    if not path.parent.is_dir():
        raise BadInput(path, f"cannot be written: there is no folder {path.parent}")
    index = path.parent / INDEX_NAME
    if path.name in _owned_files(index):
        raise BadInput(path, f"belongs to a run in {index}: choose another name")
    if path.exists() and not force:
        raise EmomelodyError(f"{path} is there already: choose another --out, or add --force")


def _owned_files(index: Path) -> set[str]:
    """The files of all runs in a samples.json; none where it is missing or another program's."""
    try:
        return {name for run in read_runs(index) for name in files(run)}
    except BadInput:
        return set()
