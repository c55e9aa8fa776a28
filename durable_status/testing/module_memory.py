"""What an app keeps in the variables of its modules, so that a fresh process can be played.

Best effort: module variables of plain types and the caches of `functools` are put back to what they were; attributes of
classes and what lives in libraries are not.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Self

_PLAIN = (type(None), bool, int, float, str, bytes, tuple, frozenset, dict, list, set)
_FOLDERS_OF_OTHERS = frozenset({"site-packages", "dist-packages", "durable_status", "tests"})


class ModuleMemory:
    """The variables of an app's modules at one moment."""

    def __init__(self, kept: dict[ModuleType, dict[str, Any]]) -> None:
        self._kept = kept

    @classmethod
    def of_app(cls, root: Path) -> Self:
        """Keep the plain variables of the modules that were loaded from `root`."""
        return cls({module: _plain_variables(module) for module in _modules_in(root)})

    def restore(self) -> None:
        """Put them back; what has come since goes."""
        for module, variables in self._kept.items():
            for name, value in list(vars(module).items()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
                elif isinstance(value, _PLAIN) and not name.startswith("__") and name not in variables:
                    delattr(module, name)
            for name, value in variables.items():
                _put_back(module, name, value)


def _plain_variables(module: ModuleType) -> dict[str, Any]:
    return {
        name: copy.deepcopy(value)
        for name, value in vars(module).items()
        if isinstance(value, _PLAIN) and not name.startswith("__")
    }


def _put_back(module: ModuleType, name: str, value: Any) -> None:
    """Containers keep their identity: other modules may have imported them."""
    current = getattr(module, name, None)
    fresh = copy.deepcopy(value)
    if isinstance(current, list) and isinstance(fresh, list):
        current[:] = fresh
    elif (isinstance(current, dict) and isinstance(fresh, dict)) or (
        isinstance(current, set) and isinstance(fresh, set)
    ):
        current.clear()
        current.update(fresh)
    else:
        setattr(module, name, fresh)


def _modules_in(root: Path) -> Iterator[ModuleType]:
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(root):
            folders = Path(file).relative_to(root).parts[:-1]
            if not _FOLDERS_OF_OTHERS.intersection(folders):
                yield module
