"""Loads an app from its folder, the way the Python worker does: decorators in one script, or a folder per function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from durable_status.app.errors import AppError
from durable_status.app.function_folders import function_folders, index_folders
from durable_status.app.functions import App, AppFunction
from durable_status.app.host_checks import check_names, shared_durable_names
from durable_status.app.host_settings import FILE_NAME, HostSettings, expand_settings, read_host_settings
from durable_status.app.importing import import_script
from durable_status.app.index import Indexed, index_functions
from durable_status.app.local_settings import apply_to_environment, read_local_settings
from durable_status.app.places import place_of
from durable_status.app.sdk import silence_sdk

_DEFAULT_SCRIPT = "function_app.py"


def load_app(root: Path, environment: MutableMapping[str, str]) -> App:
    """Load the app in `root`: its settings go into `environment`, its modules become importable from anywhere.

    Raises:
        AppError: the folder holds no app that can be loaded, or none of whose functions can be.
    """
    app = find_app(root, environment)
    if not app.functions:
        raise AppError(" ".join([f"the app in {app.root} has no function that can be loaded.", *app.problems]))
    return app


def find_app(root: Path, environment: MutableMapping[str, str]) -> App:
    """Like `load_app`, but the app may be without a function.

    Raises:
        AppError: the folder holds no app that can be loaded.
    """
    root = root.resolve()
    if not root.is_dir():
        raise AppError(f"there is no folder {root}.")
    local_settings = read_local_settings(root)
    notices = [*local_settings.notices, *apply_to_environment(local_settings, environment)]
    _check_runtime(environment)
    settings = read_host_settings(root, environment)
    silence_sdk()
    indexed = _find_functions(root, environment, notices)
    check_names(indexed.functions)
    functions, problems = [], list(indexed.problems)
    for function in _allowed(indexed.functions, settings, notices):
        try:
            functions.append(_with_settings(function, environment))
        except AppError as error:
            problems.append(f"Function '{function.name}' cannot be loaded{place_of(function.call, root)}: {error}")
    problems += shared_durable_names(functions)
    notices += indexed.notices
    return App(
        root=root,
        settings=settings,
        local_settings=local_settings,
        functions=tuple(functions),
        problems=tuple(problems),
        refused_by_worker=indexed.refused_by_worker,
        notices=(*notices, *settings.notices),
    )


def _check_runtime(environment: Mapping[str, str]) -> None:
    runtime = environment.get("FUNCTIONS_WORKER_RUNTIME") or "python"
    if runtime.casefold() != "python":
        raise AppError(
            f"FUNCTIONS_WORKER_RUNTIME says that this is an app in {runtime}; this host runs Python apps only. "
            f'If it is one, write "FUNCTIONS_WORKER_RUNTIME": "python" into local.settings.json.'
        )


def _find_functions(root: Path, environment: Mapping[str, str], notices: list[str]) -> Indexed:
    script = root / (environment.get("PYTHON_SCRIPT_FILE_NAME") or _DEFAULT_SCRIPT)
    folders = function_folders(root)
    if script.is_file():
        if folders:
            names = ", ".join(folder.name for folder in folders)
            notices.append(f"The folders with function.json are not loaded, because there is {script.name}: {names}.")
        return index_functions(import_script(script), root)
    if folders:
        return index_folders(root, folders)
    raise AppError(
        f"there is no {script.name} in {root}, nor a folder with function.json; name the app's folder with --app."
    )


def _allowed(functions: Iterable[AppFunction], settings: HostSettings, notices: list[str]) -> list[AppFunction]:
    listed = settings.allowed_functions
    if listed is None:
        return list(functions)
    left_out = [function.name for function in functions if function.name.casefold() not in listed]
    if left_out:
        notices.append(f'Not loaded, because "functions" in {FILE_NAME} does not list them: {", ".join(left_out)}.')
    return [function for function in functions if function.name.casefold() in listed]


def _with_settings(function: AppFunction, environment: Mapping[str, str]) -> AppFunction:
    """The function with ``%NAME%`` replaced in its bindings, and switched off if an app setting says so."""

    def expanded(binding: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: expand_settings(value, environment, f"the binding member {key}") if isinstance(value, str) else value
            for key, value in binding.items()
        }

    switch = environment.get(f"AzureWebJobs.{function.name}.Disabled", "")
    return replace(
        function,
        trigger=expanded(function.trigger),
        bindings=tuple(map(expanded, function.bindings)),
        is_disabled=switch.casefold() in ("true", "1"),
    )
