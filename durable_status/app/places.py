"""Says where in an app something stands."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from durable_status.app.functions import user_code, user_function


def place_of(call: Callable[..., Any], root: Path) -> str:
    """File and line of a function of the app in `root`, in brackets after a blank; nothing if it has none."""
    code = user_code(call)
    return "" if code is None else file_and_line(root, code.co_filename, code.co_firstlineno)


def folder_of(call: Callable[..., Any]) -> str:
    """The folder of the file that defines a function; empty for what no file defines."""
    try:
        return str(Path(inspect.getfile(user_function(call))).resolve().parent)
    except TypeError:
        return ""


def file_and_line(root: Path, file: str, line: int) -> str:
    """A place in brackets, after a blank."""
    path = Path(file)
    return f" ({path.relative_to(root) if path.is_relative_to(root) else path}, line {line})"
