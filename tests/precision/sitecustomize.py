"""Forces whether training takes bfloat16 on the CPU, in every process of the tests: ``pytest --bfloat16 on``.

Python imports a ``sitecustomize`` from its path when it starts; conftest.py puts this folder there. So the
commands that are tests' subprocesses follow the option as well.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from types import ModuleType

VARIABLE = "EMOMELODY_TESTS_BFLOAT16"
MODULE = "emomelody.models.gru"


class _Patch(importlib.abc.MetaPathFinder):
    """Finds ``emomelody.models.gru`` as usual, and replaces its ``bfloat16_pays`` once it is loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert isinstance(spec.loader, importlib.machinery.SourceFileLoader)
        load = spec.loader.exec_module

        def load_and_replace(module: ModuleType) -> None:
            load(module)
            assert callable(module.bfloat16_pays)
            module.bfloat16_pays = lambda: os.environ[VARIABLE] == "on"  # type: ignore[attr-defined]

        spec.loader.exec_module = load_and_replace  # type: ignore[method-assign]
        return spec


if os.environ.get(VARIABLE) in ("on", "off") and MODULE not in sys.modules:
    sys.meta_path.insert(0, _Patch())
