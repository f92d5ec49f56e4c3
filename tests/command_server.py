"""Runs the installed command in forks of one process that has already imported what the command imports.

Importing torch, muspy, music21 and scikit-learn takes three seconds, which is most of what a small command
takes. The ``run`` fixture in conftest.py starts this server once per worker and sends it requests.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

# What the commands import, apart from the package's own modules.
LIBRARIES = (
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "music21.converter",
    "music21.corpus",
    "muspy",
    "pretty_midi",
    "pydantic.type_adapter",
    "rich.progress",
    "rich.table",
    "safetensors.numpy",
    "scipy.io.wavfile",
    "scipy.sparse.csgraph",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.mixture",
    "sklearn.model_selection",
    "torch",
    "torch._dynamo",  # by its optimisers
)
# These read the environment, the terminal or the signals when they are imported: each fork imports them.
NOT_YET = ("typer", "emomelody.cli", "emomelody.__main__")


def preload() -> None:
    """Import what does not depend on the environment of a call."""
    for name in LIBRARIES:
        importlib.import_module(name)
    import emomelody

    top = Path(emomelody.__file__).parent
    for file in sorted(top.rglob("*.py")):
        name = ".".join(file.relative_to(top.parent).with_suffix("").parts)
        if not name.startswith(NOT_YET):
            importlib.import_module(name.removesuffix(".__init__"))
    assert not [name for name in sys.modules if name.startswith(NOT_YET)]
    gc.collect()
    gc.freeze()  # so that the forks' garbage collection touches, and copies, no memory of this process


def become(request: dict[str, Any]) -> None:
    """Give this process the folder, environment, arguments and threads of a call."""
    import numpy as np
    import threadpoolctl
    import torch

    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["arguments"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    np.random.seed()  # the forks would share its state; ``random`` sees to that itself
    if request["threads"] != 1:
        torch.set_num_threads(request["threads"])
        threadpoolctl.threadpool_limits(request["threads"])


def serve(control: socket.socket) -> dict[str, Any] | None:
    """Answer requests with exit codes. Returns a request in the fork that is to run it, and None at the end.

    A request is a byte with four files: a JSON object, and the command's stdin, stdout and stderr.
    """
    control.sendall(b"ready\n")
    while True:
        message, files, _, _ = socket.recv_fds(control, 1, 4)
        if not message:
            return None
        child = os.fork()
        if child == 0:
            control.close()
            with os.fdopen(files[0], encoding="utf-8") as file:
                request = json.load(file)
            for target, source in enumerate(files[1:]):
                os.dup2(source, target)
                os.close(source)
            become(request)
            return request
        for descriptor in files:
            os.close(descriptor)
        _, status = os.waitpid(child, 0)
        control.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def run_script(path: str) -> None:
    """Run the installed script as Python runs it; after ``sys.exit`` its modules are not taken apart.

    That takes a quarter of a second with so many of them. What else Python does at the end is done here.
    """
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)


if __name__ == "__main__":
    connection = socket.socket(fileno=int(sys.argv[1]))
    preload()
    if serve(connection):
        run_script(sys.argv[0])
