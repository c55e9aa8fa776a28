"""Loads an app from its folder, the way the Python worker does, and says plainly what is in the way."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from types import ModuleType

from durable_status.app.errors import AppError
from durable_status.app.functions import App
from durable_status.app.host_settings import read_host_settings
from durable_status.app.index import index_functions
from durable_status.app.local_settings import apply_to_environment, read_local_settings

_DEFAULT_SCRIPT = "function_app.py"


def load_app(root: Path, environment: MutableMapping[str, str]) -> App:
    """Load the app in `root`: its settings go into `environment`, its modules become importable from anywhere.

    Raises:
        AppError: the folder holds no app that can be loaded.
    """
    root = root.resolve()
    if not root.is_dir():
        raise AppError(f"there is no folder {root}.")
    local_settings = read_local_settings(root)
    apply_to_environment(local_settings, environment)
    settings = read_host_settings(root, environment)
    script = root / environment.get("PYTHON_SCRIPT_FILE_NAME", _DEFAULT_SCRIPT)
    if not script.is_file():
        raise AppError(f"there is no {script.name} in {root}; name the app's folder with --app.")
    functions, problems = index_functions(_import_script(script))
    return App(root=root, settings=settings, local_settings=local_settings, functions=functions, problems=problems)


def _import_script(script: Path) -> ModuleType:
    """Import under the file's stem: custom objects in payloads record that module name."""
    root = str(script.parent)
    if root not in sys.path:
        sys.path.insert(0, root)
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        raise AppError(_missing_module(script, error)) from error
    except (Exception, SystemExit) as error:
        raise AppError(f"{script.name} cannot be imported: {_one_line(error)}{_place(script.parent, error)}") from error
    return module


def _missing_module(script: Path, error: ModuleNotFoundError) -> str:
    missing = (error.name or "").partition(".")[0]
    requirements = script.parent / "requirements.txt"
    if not requirements.is_file():
        cure = f"{sys.executable} -m pip install {missing}"
    else:
        cure = f"{sys.executable} -m pip install -r {requirements}"
    place = _place(script.parent, error)
    return f"{script.name} needs the module '{error.name}', which is not installed{place}. Run: {cure}"


def _one_line(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {' '.join(text.split())}".rstrip(": ")


def _place(root: Path, error: BaseException) -> str:
    """Where in the app it happened: the innermost line that is the app's own."""
    if isinstance(error, SyntaxError) and error.filename:
        return _file_and_line(root, error.filename, error.lineno or 0)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(root):
            return _file_and_line(root, frame.filename, frame.lineno or 0)
    return ""


def _file_and_line(root: Path, file: str, line: int) -> str:
    path = Path(file)
    return f" ({path.relative_to(root) if path.is_relative_to(root) else path}, line {line})"
