"""Finds the functions of an imported v2 app."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from durable_status.app.errors import AppError
from durable_status.app.functions import DURABLE_CLIENT, OLD_DURABLE_CLIENT, AppFunction
from durable_status.app.host_checks import find_host_problem
from durable_status.app.places import folder_of, place_of
from durable_status.app.worker_checks import find_call_problem, find_worker_problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """What was found of an app."""

    functions: tuple[AppFunction, ...]
    problems: tuple[str, ...]
    refused_by_worker: tuple[str, ...] = ()
    """See `App.refused_by_worker`."""
    notices: tuple[str, ...] = ()


def index_functions(module: ModuleType, root: Path) -> Indexed:
    """Index the app object of `module`, whose files are below `root`.

    Raises:
        AppError: there is not exactly one app object, or the app as a whole is invalid.
    """
    functions: list[AppFunction] = []
    problems: list[str] = []
    refused: list[str] = []
    for built in _built_functions(module):
        function = _app_function(built)
        problem = _retry_problem(built) or find_worker_problem(function)
        if problem is not None:
            refused.append(function.name)
        else:
            problem = find_host_problem(function)
        if problem is not None:
            problems.append(f"Function '{function.name}' cannot be loaded{place_of(function.call, root)}: {problem}")
            continue
        problem = find_call_problem(function)
        if problem is not None:
            problems.append(f"Function '{function.name}' fails in every call{place_of(function.call, root)}: {problem}")
            function = function.failing(problem)
        functions.append(function)
    return Indexed(functions=tuple(functions), problems=tuple(problems), refused_by_worker=tuple(refused))


def _built_functions(module: ModuleType) -> list[Any]:
    from azure.functions import FunctionRegister  # the app's own SDK, importable only once its packages are there

    found = {name: value for name, value in vars(module).items() if isinstance(value, FunctionRegister)}
    file = f"{module.__name__}.py"
    if not found:
        raise AppError(f"{file} has no app object; it needs one, such as `app = df.DFApp()` at the top level.")
    if len(found) > 1:
        raise AppError(f"{file} has more than one app object ({', '.join(found)}); the platform takes exactly one.")
    (app,) = found.values()
    try:
        with _without_notes():
            functions: list[Any] = app.get_functions()
    except Exception as error:
        raise AppError(f"{file}: {error}") from error
    return functions


@contextmanager
def _without_notes() -> Iterator[None]:
    """Keep the SDK from warning, that an auth level has no effect in an app without HTTP functions."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)


def _app_function(built: Any) -> AppFunction:
    bindings = [_canonical(binding) for binding in json.loads(built.get_function_json())["bindings"]]
    call = built.get_user_function()
    return AppFunction.create(built.get_function_name(), bindings, call, folder_of(call))


def _canonical(binding: dict[str, Any]) -> dict[str, Any]:
    """A binding with the client's old name replaced, which a generic binding may bring."""
    is_client = str(binding.get("type")).casefold() in (DURABLE_CLIENT.casefold(), OLD_DURABLE_CLIENT.casefold())
    return binding | {"type": DURABLE_CLIENT} if is_client else binding


def _retry_problem(built: Any) -> str | None:
    """What the worker makes of a retry policy, it makes when it loads the function."""
    policy = built.get_settings_dict("retry_policy")
    if not policy:
        return None
    try:
        int(policy["max_retry_count"])
    except (KeyError, TypeError, ValueError):
        return f"the retry policy's max_retry_count must be a whole number, not {policy.get('max_retry_count')!r}."
    is_fixed = policy.get("strategy") == "fixed_delay"
    for name in ("delay_interval",) if is_fixed else ("minimum_interval", "maximum_interval"):
        try:
            time.strptime(policy.get(name), "%H:%M:%S")
        except (TypeError, ValueError):
            return f'the retry policy\'s {name} must be a time such as "00:00:05", not {policy.get(name)!r}.'
    return None
