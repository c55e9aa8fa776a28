"""Imports the modules of an app under the names the Python worker gives them, and says plainly what is in the way."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from durable_status.app.errors import AppError
from durable_status.app.places import file_and_line

# The worker's package for the older model: the app's folder, so that `from ..shared import x` works in a function.
_PACKAGE = "__app__"


def import_script(script: Path) -> ModuleType:
    """Import under the file's stem: custom objects in payloads record that module name.

    Raises:
        AppError: it cannot be imported.
    """
    make_importable(script.parent)
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    loader = spec.loader
    try:
        _run(script, script.parent, lambda: loader.exec_module(module))
    except AppError:
        del sys.modules[script.stem]
        raise
    return module


def import_function_script(root: Path, script: Path) -> ModuleType:
    """Import a script of the older model as ``__app__.<folder>``, or ``__app__.<folder>.<file>``.

    Raises:
        AppError: it cannot be imported.
    """
    make_importable(root)
    package = sys.modules.get(_PACKAGE)
    if package is None or list(package.__path__) != [str(root)]:
        for name in [name for name in sys.modules if name.startswith(f"{_PACKAGE}.")]:
            del sys.modules[name]  # of another app in this process
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(root)]
        sys.modules[_PACKAGE] = package
    parts = [_PACKAGE, *script.relative_to(root).with_suffix("").parts]
    if parts[-1].casefold() == "__init__":
        del parts[-1]
    name = ".".join(parts)
    _run(script, root, lambda: importlib.import_module(name))
    return sys.modules[name]


def make_importable(root: Path) -> None:
    """Put the app's folder first on the import path, and after it the packages that were installed into it."""
    installed = root / ".python_packages" / "lib" / "site-packages"
    for folder in (installed, root):
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def _run(script: Path, root: Path, load: Callable[[], object]) -> None:
    try:
        load()
    except ModuleNotFoundError as error:
        raise AppError(_missing_module(script, root, error)) from error
    except (Exception, SystemExit) as error:
        name = script.relative_to(root)
        raise AppError(f"{name} cannot be imported: {_one_line(error)}{_place(root, error)}") from error


def _missing_module(script: Path, root: Path, error: ModuleNotFoundError) -> str:
    missing = (error.name or "").partition(".")[0]
    requirements = root / "requirements.txt"
    if not requirements.is_file():
        cure = f"{sys.executable} -m pip install {missing}"
    else:
        cure = f"{sys.executable} -m pip install -r {requirements}"
    name, place = script.relative_to(root), _place(root, error)
    return f"{name} needs the module '{error.name}', which is not installed{place}. Run: {cure}"


def _one_line(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {' '.join(text.split())}".rstrip(": ")


def _place(root: Path, error: BaseException) -> str:
    """Where in the app it happened: the innermost line that is the app's own."""
    if isinstance(error, SyntaxError) and error.filename:
        return file_and_line(root, error.filename, error.lineno or 0)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(root):
            return file_and_line(root, frame.filename, frame.lineno or 0)
    return ""
