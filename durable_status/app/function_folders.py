"""Finds the functions of the older model: a folder per function, with a function.json and a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from durable_status.app.errors import AppError
from durable_status.app.functions import (
    ACTIVITY_TRIGGER,
    DURABLE_CLIENT,
    ENTITY_TRIGGER,
    HTTP_TRIGGER,
    OLD_DURABLE_CLIENT,
    ORCHESTRATION_TRIGGER,
    TIMER_TRIGGER,
    AppFunction,
)
from durable_status.app.host_checks import find_host_problem
from durable_status.app.importing import import_function_script
from durable_status.app.index import Indexed
from durable_status.app.places import place_of
from durable_status.app.settings_file import read_settings_file
from durable_status.app.worker_checks import find_call_problem, find_worker_problem

FILE_NAME = "function.json"

_DEFAULT_SCRIPTS = ("__init__.py", "main.py")
_DEFAULT_ENTRY_POINT = "main"
_TYPES = {
    name.casefold(): name
    for name in (ORCHESTRATION_TRIGGER, ACTIVITY_TRIGGER, ENTITY_TRIGGER, HTTP_TRIGGER, TIMER_TRIGGER, DURABLE_CLIENT)
} | {OLD_DURABLE_CLIENT.casefold(): DURABLE_CLIENT}


def function_folders(root: Path) -> list[Path]:
    """The folders of `root` that hold a function, in order."""
    return sorted(path.parent for path in root.glob(f"*/{FILE_NAME}"))


def index_folders(root: Path, folders: Sequence[Path]) -> Indexed:
    """Find the function in each folder.

    One whose folder is not in order is not loaded. One whose script is not fails in every call: the worker looks at it
    when it is called. So `refused_by_worker` is empty.
    """
    functions: list[AppFunction] = []
    problems: list[str] = []
    notices: list[str] = []
    for folder in folders:
        try:
            description = read_settings_file(folder / FILE_NAME)
            function, script_problem = _find_function(root, folder, description)
            problem = find_host_problem(function)
        except AppError as error:
            problem = str(error)
        if problem is not None:
            problems.append(f"Function '{folder.name}' cannot be loaded: {problem}")
            continue
        if script_problem is not None:
            problems.append(f"Function '{folder.name}' fails in every call: {script_problem}")
            function = function.failing(script_problem)
        functions.append(function)
        if description.get("disabled"):
            notices.append(
                f'{folder.name}/{FILE_NAME}: "disabled" has no effect; set AzureWebJobs.{folder.name}.Disabled to true '
                "instead."
            )
    return Indexed(functions=tuple(functions), problems=tuple(problems), notices=tuple(notices))


def _find_function(root: Path, folder: Path, description: Mapping[str, Any]) -> tuple[AppFunction, str | None]:
    """The function in `folder`, and what the worker says against its script.

    Raises:
        AppError: the host would not load it.
    """
    bindings = _bindings(description.get("bindings"))
    script = _script(root, folder, description.get("scriptFile"))
    entry_point = str(description.get("entryPoint") or _DEFAULT_ENTRY_POINT)
    try:
        call = getattr(import_function_script(root, script), entry_point, None)
        if not callable(call):
            raise AppError(
                f"{script.relative_to(root)} has no function {entry_point}(); define it, or name another as entryPoint."
            )
    except AppError as error:
        return AppFunction.create(folder.name, bindings, _not_there, str(folder)), str(error)
    function = AppFunction.create(folder.name, bindings, call, str(folder))
    problem = find_worker_problem(function) or find_call_problem(function)
    if problem is not None:
        return function, f"{problem[:-1]}{place_of(call, root)}."
    return function, _spelling_problem(description)


def _spelling_problem(description: Mapping[str, Any]) -> str | None:
    """What the host reads in any case, and the worker in one."""
    kinds = [str(binding.get("type")) for binding in description["bindings"]]
    wrong = next((kind for kind in kinds if kind != HTTP_TRIGGER and kind.casefold() == HTTP_TRIGGER.casefold()), None)
    if wrong is not None:
        return f'{FILE_NAME}: write the type "{wrong}" as "{HTTP_TRIGGER}".'
    if str(description.get("configurationSource")).casefold() == "attributes":
        return f'{FILE_NAME}: "configurationSource": "attributes" is for compiled functions; take it out.'
    return None


def _not_there() -> None:
    """Stands for a function whose script cannot be imported."""


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
