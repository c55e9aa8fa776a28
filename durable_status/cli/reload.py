"""Notices changed files of an app and imports it again, in this process: instances in memory stay, too."""

from __future__ import annotations

import asyncio
import importlib
import linecache
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType

from watchfiles import Change, DefaultFilter, awatch

from durable_status.app.functions import App
from durable_status.cli.output import echo
from durable_status.errors import DurableStatusError

_WATCHED = (".py", ".json")
_PACKAGE = "__app__"
_NOT_THE_APPS = ("site-packages", ".venv", "venv")
_GATHER_MILLISECONDS = 200  # editors write a file in several steps


class _Filter(DefaultFilter):
    ignore_dirs = (*DefaultFilter.ignore_dirs, ".durable-status", ".python_packages", *_NOT_THE_APPS)

    def __call__(self, change: Change, path: str) -> bool:
        return path.endswith(_WATCHED) and super().__call__(change, path)


async def changes(root: Path, stopped: asyncio.Event) -> AsyncIterator[list[str]]:
    """The files that changed, each time some did, until `stopped`."""
    watcher = awatch(root, watch_filter=_Filter(), stop_event=stopped, debounce=_GATHER_MILLISECONDS, step=50)
    async for found in watcher:
        yield sorted(os.path.relpath(path, root) for _, path in found)


def load_again(root: Path, shell: dict[str, str], load: Callable[[], App]) -> App | None:
    """Import the app anew, in the environment of the `shell`; None if it cannot be: the old one goes on.

    What is wrong is said in one line.
    """
    old_modules = _modules_of(root)
    old_environment = dict(os.environ)
    for name in old_modules:
        del sys.modules[name]
    importlib.invalidate_caches()
    linecache.checkcache()
    _set_environment(shell)
    try:
        return load()
    except DurableStatusError as error:
        echo(f"Not loaded: {error} The version before goes on.", err=True)
        for name in _modules_of(root):
            del sys.modules[name]
        sys.modules.update(old_modules)
        _set_environment(old_environment)
        return None


def _modules_of(root: Path) -> dict[str, ModuleType]:
    """The imported modules whose files are the app's own."""
    return {
        name: module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == _PACKAGE or _is_own(root, getattr(module, "__file__", None))
    }


def _is_own(root: Path, file: str | None) -> bool:
    if not file or not Path(file).is_relative_to(root):
        return False
    inner = Path(file).relative_to(root).parts
    # The library itself may lie in the app's folder: it is what runs.
    return inner[0] != "durable_status" and not any(part in _NOT_THE_APPS for part in inner)


def _set_environment(environment: dict[str, str]) -> None:
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
