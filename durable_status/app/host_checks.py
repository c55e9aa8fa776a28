"""Checks functions as the Functions host does when it loads an app: names, binding names, routes (host.md §1).

What it refuses is one function; the others work. What the Python worker refuses is in `worker_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from durable_status.app.errors import AppError
from durable_status.app.functions import (
    ACTIVITY_TRIGGER,
    ENTITY_TRIGGER,
    HTTP_TRIGGER,
    ORCHESTRATION_TRIGGER,
    AppFunction,
)

_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE | re.ASCII)
_BINDING_NAME = re.compile(r"(?!.*__)(?:[a-zA-Z_][a-zA-Z0-9_]{0,127}|\$return)")


def find_host_problem(function: AppFunction) -> str | None:
    """The first reason for which the host would refuse the function."""
    return next(_problems(function), None)


def check_names(functions: Iterable[AppFunction]) -> None:
    """Refuse two functions whose names differ in case only: the Functions host never starts with them.

    Raises:
        AppError: there are two.
    """
    seen: dict[str, str] = {}
    for function in functions:
        other = seen.setdefault(function.name.casefold(), function.name)
        if other != function.name:
            raise AppError(
                f"the names of the functions '{other}' and '{function.name}' differ in case only, and the Functions "
                "host does not start with them; rename one."
            )


def shared_durable_names(functions: Iterable[AppFunction]) -> list[str]:
    """A sentence for each two functions of one kind under one name: the platform loads both and calls one of them."""
    seen: dict[tuple[str, str], str] = {}
    sentences = []
    for function in functions:
        if function.trigger_type not in (ORCHESTRATION_TRIGGER, ACTIVITY_TRIGGER, ENTITY_TRIGGER):
            continue
        key = (function.trigger_type, function.durable_name.casefold())
        if key in seen:
            sentences.append(
                f"The functions '{seen[key]}' and '{function.name}' are both registered as "
                f"'{function.durable_name}': only '{function.name}' is called. "
                f"Give each {function.trigger_type} a name of its own."
            )
        seen[key] = function.name
    return sentences


def _problems(function: AppFunction) -> Iterator[str]:
    if _FUNCTION_NAME.fullmatch(function.name) is None or function.name.casefold() == "host":
        yield "the name must start with a letter, hold letters, digits, '_' and '-' only, and not be 'host'."
    names = [str(binding.get("name", "")) for binding in function.bindings]
    for name in names:
        if _BINDING_NAME.fullmatch(name) is None:
            yield (
                f"The binding name {name} is invalid. Please assign a valid name to the binding: a letter or '_', then "
                "at most 127 letters, digits and '_', and no two '_' in a row."
            )
    if any(str(binding.get("direction")).upper() != "OUT" for binding in function.bindings_named("$return")):
        yield "the binding '$return' must have the direction out."
    if len({name.casefold() for name in names}) < len(names):
        yield "two bindings have the same name."
    if function.trigger_type == ORCHESTRATION_TRIGGER and function.durable_name.startswith("@"):
        yield "an orchestration's name must not start with '@'."
    if function.trigger_type == HTTP_TRIGGER:
        route = str(function.trigger.get("route") or function.name).lstrip("/")
        if route.casefold().startswith(("admin", "runtime")):
            yield f"the route '{route}' conflicts with the host's own; it must not start with 'admin' or 'runtime'."
