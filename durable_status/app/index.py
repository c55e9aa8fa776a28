"""Finds the functions of an imported v2 app."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from durable_status.app.checks import check_durable_names, find_problem
from durable_status.app.errors import AppError
from durable_status.app.functions import AppFunction


def index_functions(module: ModuleType) -> tuple[tuple[AppFunction, ...], tuple[str, ...]]:
    """Index the app object of `module`: its functions, and a sentence for each one that cannot be loaded.

    Raises:
        AppError: there is not exactly one app object, or the app as a whole is invalid.
    """
    functions: list[AppFunction] = []
    problems: list[str] = []
    for built in _built_functions(module):
        function = _app_function(built)
        problem = find_problem(function)
        if problem is None:
            functions.append(function)
        else:
            problems.append(f"Function '{function.name}' cannot be loaded: {problem}")
    check_durable_names(functions)
    return tuple(functions), tuple(problems)


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
    except ValueError as error:
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
    bindings = json.loads(built.get_function_json())["bindings"]
    return AppFunction.create(built.get_function_name(), bindings, built.get_user_function())
