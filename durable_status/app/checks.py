"""Checks functions as the Python worker and the Functions host do when they load an app (http.md §5.1-5.3)."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterable, Iterator
from typing import Any

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

_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE)
_BINDING_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return")
_RETURN = "$return"


def find_problem(function: AppFunction) -> str | None:
    """The first reason for which the worker or the host would refuse the function."""
    return next(_problems(function), None)


def check_durable_names(functions: Iterable[AppFunction]) -> None:
    """Refuse two functions of one kind under one name.

    Raises:
        AppError: there are two.
    """
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


def _problems(function: AppFunction) -> Iterator[str]:
    if _FUNCTION_NAME.fullmatch(function.name) is None or function.name.casefold() == "host":
        yield "the name must start with a letter, hold letters, digits, '_' and '-' only, and not be 'host'."
    names = [str(binding.get("name", "")) for binding in function.bindings]
    for name in names:
        if _BINDING_NAME.fullmatch(name) is None:
            yield (
                f"The binding name {name} is invalid. Please assign a valid name to the binding: "
                "a letter, then letters and digits."
            )
    if len({name.casefold() for name in names}) < len(names):
        yield "two bindings have the same name."
    yield from _parameter_problems(function, names)
    if function.trigger_type == ORCHESTRATION_TRIGGER and function.durable_name.startswith("@"):
        yield "an orchestration's name must not start with '@'."
    if function.trigger_type == HTTP_TRIGGER:
        route = str(function.trigger.get("route") or function.name).lstrip("/")
        if route.casefold().startswith(("admin", "runtime")):
            yield f"the route '{route}' conflicts with the host's own; it must not start with 'admin' or 'runtime'."


def _parameter_problems(function: AppFunction, names: list[str]) -> Iterator[str]:
    parameters = inspect.signature(function.call).parameters
    bound = {name for name in names if name != _RETURN}
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
    # The SDK's decorator awaits the function it wraps; the older model has no decorator.
    wrapped = getattr(function.call, "client_function", None)
    if wrapped is not None and not inspect.iscoroutinefunction(inspect.unwrap(wrapped)):
        yield "a function with a durable client must be `async def`."
    yield from _annotation_problems(function, bound)


def _annotation_problems(function: AppFunction, bound: set[str]) -> Iterator[str]:
    if function.trigger_type not in (ACTIVITY_TRIGGER, HTTP_TRIGGER, TIMER_TRIGGER):
        return  # the worker sees the SDK's own wrapper, not the user's annotations
    try:
        hints = typing.get_type_hints(function.call)
    except Exception as error:
        yield f"its annotations cannot be read: {error}"
        return
    expected = _expected_classes(function)
    for name in sorted(bound & set(hints)):
        hint = hints[name]
        if name in expected and _is_class(hint) and not issubclass(hint, expected[name]):
            wanted = expected[name][0].__name__
            yield f"the annotation of '{name}' must be {wanted}, not {hint.__name__}."
        elif not _is_class(hint) and not _is_out(hint):
            yield f"the annotation of '{name}' must be a plain class such as list or dict, not {hint}."
    yield from _context_problems(function, hints)
    returned = hints.get("return", type(None))
    if function.trigger_type == HTTP_TRIGGER and returned is not type(None) and not _is_http_result(returned):
        name = returned.__name__ if _is_class(returned) else returned
        yield f"an HTTP function returns func.HttpResponse or str, not {name}."


def _context_problems(function: AppFunction, hints: dict[str, Any]) -> Iterator[str]:
    if not function.takes_context or "context" not in hints:
        return
    from azure.functions import Context  # the app's own SDK

    if not _is_class(hints["context"]) or not issubclass(hints["context"], Context):
        yield "the parameter 'context' must be annotated func.Context, or not at all."


def _expected_classes(function: AppFunction) -> dict[str, tuple[type, ...]]:
    """The classes the worker's converters accept, by parameter."""
    from azure.functions import HttpRequest, TimerRequest

    expected: dict[str, tuple[type, ...]] = {}
    triggers: dict[str, type] = {HTTP_TRIGGER: HttpRequest, TIMER_TRIGGER: TimerRequest}
    if function.trigger_type in triggers:
        expected[function.trigger["name"]] = (triggers[function.trigger_type],)
    for binding in function.bindings_of(DURABLE_CLIENT):
        expected[binding["name"]] = (str, bytes)
    return expected


def _is_class(hint: object) -> typing.TypeGuard[type[Any]]:
    return isinstance(hint, type) and typing.get_origin(hint) is None


def _is_out(hint: object) -> bool:
    from azure.functions import Out

    return typing.get_origin(hint) is Out or hint is Out


def _is_http_result(hint: object) -> bool:
    from azure.functions import HttpResponse

    return _is_class(hint) and issubclass(hint, (HttpResponse, str))
