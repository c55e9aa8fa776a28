"""Finds the functions of an imported v2 app and checks them as the Python worker and the Functions host do."""

from __future__ import annotations

import inspect
import json
import logging
import re
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from durable_status.app.errors import AppError
from durable_status.app.functions import (
    ACTIVITY_TRIGGER,
    DURABLE_CLIENT,
    ENTITY_TRIGGER,
    HTTP_TRIGGER,
    ORCHESTRATION_TRIGGER,
    AppFunction,
)

_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE)
_BINDING_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return")
_OUT = "OUT"


def index_functions(module: ModuleType) -> tuple[tuple[AppFunction, ...], tuple[str, ...]]:
    """Index the app object of `module`: its functions, and a sentence for each one that cannot be loaded.

    Raises:
        AppError: there is not exactly one app object, or the app as a whole is invalid.
    """
    functions: list[AppFunction] = []
    problems: list[str] = []
    for built in _built_functions(module):
        function = _app_function(built)
        problem = _find_problem(function)
        if problem is None:
            functions.append(function)
        else:
            problems.append(f"Function '{function.name}' cannot be loaded: {problem}")
    _check_durable_names(functions)
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


def _find_problem(function: AppFunction) -> str | None:
    """The first reason for which the worker or the host would refuse the function."""
    return next(_problems(function), None)


def _problems(function: AppFunction) -> Iterator[str]:
    if _FUNCTION_NAME.fullmatch(function.name) is None or function.name.casefold() == "host":
        yield "the name must start with a letter, hold letters, digits, '_' and '-' only, and not be 'host'."
    names = [str(binding.get("name", "")) for binding in function.bindings]
    for name in names:
        if _BINDING_NAME.fullmatch(name) is None:
            yield f"The binding name {name} is invalid. Please assign a valid name to the binding."
    if len({name.casefold() for name in names}) < len(names):
        yield "two bindings have the same name."
    yield from _parameter_problems(function, names)
    if function.trigger_type == ORCHESTRATION_TRIGGER and function.durable_name.startswith("@"):
        yield "an orchestration's name must not start with '@'."
    if function.trigger_type == HTTP_TRIGGER:
        route = str(function.trigger.get("route") or function.name)
        if route.casefold().startswith(("admin", "runtime")):
            yield f"the route '{route}' conflicts with the host's own; it must not start with 'admin' or 'runtime'."


def _parameter_problems(function: AppFunction, names: list[str]) -> Iterator[str]:
    parameters = inspect.signature(function.call).parameters
    bound = {name for name, binding in zip(names, function.bindings, strict=True) if name != "$return"}
    # The SDK wraps orchestrators and entities in a function whose one parameter is called "context".
    missing = bound - set(parameters)
    if missing:
        hint = ""
        if function.trigger_type in (ORCHESTRATION_TRIGGER, ENTITY_TRIGGER):
            hint = ' For orchestrators and entities context_name must be "context".'
        yield f"the bindings {sorted(missing)} are declared but are not parameters of the Python function.{hint}"
    surplus = set(parameters) - bound - {"context"}
    if surplus:
        yield f"the parameters {sorted(surplus)} have no binding."
    if function.bindings_of(DURABLE_CLIENT) and not function.is_async:
        yield "a function with a durable client must be `async def`."
    yield from _annotation_problems(function, bound)


def _annotation_problems(function: AppFunction, bound: set[str]) -> Iterator[str]:
    if function.trigger_type not in (ACTIVITY_TRIGGER, HTTP_TRIGGER):
        return
    try:
        hints = typing.get_type_hints(function.call)
    except Exception as error:
        yield f"its annotations cannot be read: {error}"
        return
    for name in sorted(bound & set(hints)):
        if not isinstance(hints[name], type) or typing.get_origin(hints[name]) is not None:
            yield f"the annotation of '{name}' must be a plain class such as list or dict, not {hints[name]}."
    returned = hints.get("return")
    if function.trigger_type == HTTP_TRIGGER and returned in (dict, list, int, float, bytes, bool):
        yield f"an HTTP function returns func.HttpResponse or str, not {returned.__name__}."


def _check_durable_names(functions: list[AppFunction]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for function in functions:
        if function.trigger_type not in (ORCHESTRATION_TRIGGER, ACTIVITY_TRIGGER, ENTITY_TRIGGER):
            continue
        key = (function.trigger_type, function.durable_name.casefold())
        if key in seen:
            raise AppError(
                f"The functions '{seen[key]}' and '{function.name}' are both registered as "
                f"'{function.durable_name}'; each {function.trigger_type} needs a name of its own."
            )
        seen[key] = function.name
