"""The shape of the package: one-way imports, short modules, nothing unpickled, light start-up."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import COMMAND, ROOT, Run

import emomelody

PACKAGE = Path(emomelody.__file__).parent
# The table in the package's docstring: what the modules of each package may import, in order.
TABLE = re.findall(r"^    (\w+) +\S.*?\| (.*)$", emomelody.__doc__ or "", re.MULTILINE)
ORDER = [name for name, _ in TABLE]
MAX_LINES = 300  # of a module
MAX_FUNCTION_LINES = 60  # with its docstring and, of a command, its options


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def package_of(module: Path) -> str:
    """The package that a module belongs to, or the name of a module that belongs to none."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(module: Path) -> set[str]:
    """The packages, and the modules outside packages, that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("emomelody"):
            parts = node.module.split(".")
            names |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return names - {"__version__", package_of(module)}


def allowed(name: str, words: str) -> set[str]:
    """What a row of the table allows: names, ``-`` for nothing, or everything above but one."""
    above = set(ORDER[: ORDER.index(name)])
    if words.startswith("everything above but "):
        return above - {words.split()[-1]}
    assert set(words.split()) - {"-"} <= above, "imports go one way"
    return set(words.split()) | {"errors"}


def test_every_package_is_described() -> None:
    assert set(ORDER) == set(map(package_of, modules())) - {"__init__", "__main__"}


@pytest.mark.parametrize(("name", "words"), TABLE)
def test_packages_import_only_what_they_may(name: str, words: str) -> None:
    for module in modules():
        if package_of(module) == name:
            assert imported(module) <= allowed(name, words), module


def test_functions_can_be_read_in_one_sitting() -> None:
    for module in modules():
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= MAX_FUNCTION_LINES, f"{module}: {node.name}"


def test_packages_and_modules_are_small() -> None:
    for package in filter(Path.is_dir, PACKAGE.rglob("*")):
        assert len(list(package.glob("*.py"))) <= 13, package
    for module in modules():
        assert len(module.read_text().splitlines()) <= MAX_LINES, module


def test_only_the_command_line_prints_or_exits() -> None:
    for path in modules():
        if package_of(path) != "cli":
            assert not re.search(r"\b(print|sys\.exit|typer)\b\(?", path.read_text()), path.name


def test_nothing_is_unpickled() -> None:
    for path in modules():
        assert not re.search(r"import pickle|torch\.load|allow_pickle|joblib", path.read_text()), path


def test_help_and_usage_errors_import_nothing_heavy() -> None:
    program = (
        "import sys; from emomelody.cli.app import app\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        "print('heavy', [m for m in ('torch', 'muspy', 'music21', 'matplotlib') if m in sys.modules])"
    )
    for arguments in (["--help"], ["sample", "--help"], ["train", "--help"]):
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "heavy []"


def test_version_help_and_module_call(run: Run) -> None:
    assert run("--version").stdout == f"emomelody {emomelody.__version__}\n"
    assert "sample" in run().stdout
    done = subprocess.run(
        [sys.executable, "-m", "emomelody", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"emomelody {emomelody.__version__}\n"


def test_shell_completion_can_be_shown() -> None:
    environment = {**os.environ, "_EMOMELODY_COMPLETE": "source_bash"}
    done = subprocess.run([COMMAND], env=environment, capture_output=True, text=True, check=False)
    assert "_EMOMELODY_COMPLETE=complete_bash" in done.stdout


def test_usage_errors_are_one_line(run: Run) -> None:
    for arguments in (["sample", "--nope"], ["frobnicate"], ["train"], ["sample", "-n", "0"]):
        stderr = run(*arguments, code=2).stderr
        assert stderr.startswith("emomelody: ")
        assert stderr.count("\n") == 1


def test_a_closed_pipe_ends_the_command_quietly(tmp_path: Path, environment: dict[str, str]) -> None:
    words = ["sample", "-e", "sad", "-m", "emoreg", "-n", "150", "--show"]  # more than a pipe holds
    done = subprocess.run(
        ["bash", "-c", '"$0" "$@" | head -1; exit "${PIPESTATUS[0]}"', COMMAND, *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, "")  # 128 + SIGPIPE
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_quietly(
    number: signal.Signals, code: int, tmp_path: Path, environment: dict[str, str]
) -> None:
    process = subprocess.Popen(
        [COMMAND, "sample", "-e", "sad", "-n", "9999"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not list(tmp_path.glob("samples/.emomelody-*/*.mid")):  # until it has written a melody
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert stderr in ("", "emomelody: stopped\n")  # the second with older versions of Typer
    assert not (tmp_path / "samples").exists()


def test_the_top_level_holds_nothing_else() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    tops = {line.split("/")[0] for line in listed.stdout.splitlines()}
    allowed = {"pyproject.toml", "README.md", "LICENSE", "emomelody", "tests", "weights", "examples"}
    assert {top for top in tops if not top.startswith(".")} <= allowed
