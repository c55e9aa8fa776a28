"""Finds the functions of the older model: a folder per function, with a function.json and a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from durable_status.app.checks import check_durable_names, find_problem
from durable_status.app.errors import AppError
from durable_status.app.functions import (
    ACTIVITY_TRIGGER,
    DURABLE_CLIENT,
    ENTITY_TRIGGER,
    HTTP_TRIGGER,
    ORCHESTRATION_TRIGGER,
    TIMER_TRIGGER,
    AppFunction,
)
from durable_status.app.importing import import_function_script
from durable_status.app.settings_file import read_settings_file

FILE_NAME = "function.json"

_DEFAULT_SCRIPTS = ("__init__.py", "main.py")
_DEFAULT_ENTRY_POINT = "main"
_TYPES = {
    name.casefold(): name
    for name in (ORCHESTRATION_TRIGGER, ACTIVITY_TRIGGER, ENTITY_TRIGGER, HTTP_TRIGGER, TIMER_TRIGGER, DURABLE_CLIENT)
} | {"orchestrationclient": DURABLE_CLIENT}  # its name in extension 1.x


def function_folders(root: Path) -> list[Path]:
    """The folders of `root` that hold a function, in order."""
    return sorted(path.parent for path in root.glob(f"*/{FILE_NAME}"))


def index_folders(
    root: Path, folders: Sequence[Path], environment: Mapping[str, str]
) -> tuple[tuple[AppFunction, ...], tuple[str, ...]]:
    """Load the function in each folder; a sentence for each one that cannot be loaded.

    Raises:
        AppError: two functions have the same durable name.
    """
    functions: list[AppFunction] = []
    problems: list[str] = []
    for folder in folders:
        try:
            function = _load_function(root, folder, environment)
            problem = find_problem(function)
        except AppError as error:
            problem = str(error)
        if problem is None:
            functions.append(function)
        else:
            problems.append(f"Function '{folder.name}' cannot be loaded: {problem}")
    check_durable_names(functions)
    return tuple(functions), tuple(problems)


def _load_function(root: Path, folder: Path, environment: Mapping[str, str]) -> AppFunction:
    description = read_settings_file(folder / FILE_NAME)
    bindings = _bindings(description.get("bindings"))
    script = _script(root, folder, description.get("scriptFile"))
    entry_point = str(description.get("entryPoint") or _DEFAULT_ENTRY_POINT)
    call = getattr(import_function_script(root, script), entry_point, None)
    if not callable(call):
        raise AppError(
            f"{script.relative_to(root)} has no function {entry_point}(); define it, or name another as entryPoint."
        )
    function = AppFunction.create(folder.name, bindings, call)
    return replace(function, is_disabled=_is_disabled(description.get("disabled"), environment))


def _bindings(listed: object) -> list[dict[str, Any]]:
    if not isinstance(listed, list) or not all(isinstance(binding, dict) for binding in listed):
        raise AppError(f'{FILE_NAME}: "bindings" must be a list of objects.')
    bindings = [_canonical(binding) for binding in listed]
    triggers = [binding["type"] for binding in bindings if binding["type"].casefold().endswith("trigger")]
    if len(triggers) != 1:
        found = ", ".join(triggers) or "none"
        raise AppError(f"{FILE_NAME}: a function has exactly one trigger among its bindings; this one has {found}.")
    return bindings


def _canonical(binding: Mapping[str, Any]) -> dict[str, Any]:
    """A binding as a v2 app's decorators would describe it: known types in their spelling, enums in upper case."""
    kind = str(binding.get("type", ""))
    canonical = dict(binding) | {"type": _TYPES.get(kind.casefold(), kind)}
    canonical["direction"] = str(binding.get("direction") or "in").upper()
    if "authLevel" in canonical:
        canonical["authLevel"] = str(binding["authLevel"]).upper()
    if isinstance(binding.get("methods"), list):
        canonical["methods"] = [str(method).upper() for method in binding["methods"]]
    return canonical


def _script(root: Path, folder: Path, script_file: object) -> Path:
    candidates: Iterable[str] = [str(script_file)] if script_file else _DEFAULT_SCRIPTS
    if any(not name.endswith(".py") for name in candidates):
        raise AppError(f"scriptFile '{script_file}' is no Python file; this host runs Python apps only.")
    for name in candidates:
        script = (folder / name).resolve()
        if script.is_file():
            break
    else:
        raise AppError(f"there is no {' or '.join(candidates)} in {folder.name}; name the script as scriptFile.")
    if not script.is_relative_to(root):
        raise AppError(f"scriptFile '{script_file}' must be inside the app's folder.")
    return script


def _is_disabled(value: object, environment: Mapping[str, str]) -> bool:
    """A truth value, or the name of the app setting that holds it."""
    if isinstance(value, bool):
        return value
    setting = str(value or "").strip("%")
    return environment.get(setting, setting).casefold() in ("true", "1")
