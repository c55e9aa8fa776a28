"""Checks functions as the Python worker does when it loads an app: parameters, annotations, directions (host.md §1).

In an app with decorators, one function that the worker refuses costs the platform all of them. In the older model it
costs every call of that function. `find_call_problem` is about functions that load and fail in each call in any case.
"""

from __future__ import annotations

import collections.abc
import inspect
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from durable_status.app.functions import (
    ACTIVITY_TRIGGER,
    ENTITY_TRIGGER,
    HTTP_OUTPUT,
    HTTP_TRIGGER,
    ORCHESTRATION_TRIGGER,
    AppFunction,
)

_RETURN = "$return"
_CONTEXT = "context"
_TEXTS = (str, bytes)
_NO_GENERICS = (tuple, collections.abc.Callable)  # the worker excludes these two of typing's generics

_Binding = Mapping[str, Any]


def find_worker_problem(function: AppFunction) -> str | None:
    """The first reason for which the worker would refuse the function."""
    return next(_problems(function), None)


def find_call_problem(function: AppFunction) -> str | None:
    """Why every call of the function fails on the platform, although it loads."""
    if function.trigger_type == HTTP_TRIGGER and trigger_is_text(function):
        return f"'{function.trigger['name']}' must be annotated func.HttpRequest, or not at all."
    if function.trigger_type == ACTIVITY_TRIGGER and any(
        binding["type"] == HTTP_OUTPUT for binding in function.bindings_named(_RETURN)
    ):
        return "an activity returns to its orchestration; take its http output out."
    # The SDK's decorator awaits what the function returns; the older model has no decorator.
    wrapped = getattr(function.call, "client_function", None)
    if wrapped is not None and not inspect.iscoroutinefunction(inspect.unwrap(wrapped)):
        return "a function with a durable client must be `async def`, without yield."
    return None


def trigger_is_text(function: AppFunction) -> bool:
    """Whether the function is annotated to have its trigger as the host's text, without a converter."""
    return _hints(function).get(function.trigger["name"]) in _TEXTS


def _problems(function: AppFunction) -> Iterator[str]:
    try:
        # The worker asks for the file; for a builtin or an object there is none.
        inspect.getfile(function.call)
        signature, hints = inspect.signature(function.call), _hints(function)
    except (TypeError, ValueError):
        yield "it is no function of Python code; write a `def` that calls it."
        return
    except Exception as error:
        yield f"its annotations cannot be read: {type(error).__name__}: {error}."
        return
    yield from _direction_problems(function)
    bound = {str(binding.get("name")): binding for binding in function.bindings if binding.get("name") != _RETURN}
    parameters = set(signature.parameters)
    yield from _parameter_problems(function, parameters, set(bound))
    if _CONTEXT in parameters - set(bound):
        yield from _context_problems(hints)
    for name, hint in hints.items():
        if name in bound:
            yield from _annotation_problems(name, hint, bound[name])
    yield from _return_problems(function, hints)


def _hints(function: AppFunction) -> dict[str, Any]:
    return typing.get_type_hints(function.call)


def _direction_problems(function: AppFunction) -> Iterator[str]:
    for binding in function.bindings:
        direction = str(binding.get("direction")).upper()
        if direction == "INOUT":
            yield f"the binding '{binding.get('name')}' has the direction inout, which Python has not; use in or out."
        elif binding.get("name") == _RETURN and direction != "OUT":
            yield f"the binding '{_RETURN}' must have the direction out."


def _parameter_problems(function: AppFunction, parameters: set[str], bound: set[str]) -> Iterator[str]:
    missing = bound - parameters
    if missing:
        hint = ""
        # The SDK wraps them in a function whose one parameter is called "context".
        if function.trigger_type in (ORCHESTRATION_TRIGGER, ENTITY_TRIGGER) and parameters == {_CONTEXT}:
            hint = ' For orchestrators and entities the name must be "context": context_name="context".'
        yield f"the bindings {sorted(missing)} are declared but are not parameters of the Python function.{hint}"
    surplus = parameters - bound - {_CONTEXT}
    if surplus:
        yield f"the parameters {sorted(surplus)} have no binding."


def _context_problems(hints: Mapping[str, Any]) -> Iterator[str]:
    """The worker looks at the name of the class, nothing else."""
    hint = hints.get(_CONTEXT)
    if hint is not None and not (isinstance(hint, type) and hint.__name__ == "Context"):
        yield "the parameter 'context' must be annotated func.Context, or not at all."


def _annotation_problems(name: str, hint: Any, binding: _Binding) -> Iterator[str]:
    is_output = str(binding.get("direction")).upper() == "OUT"
    inner = _inside_out(hint)
    if inner is None and _is_out(hint):
        yield f"the annotation of '{name}' must say what it is an Out of, such as func.Out[str]."
        return
    if is_output and inner is None:
        yield f"'{name}' is an output: its annotation must be func.Out[...], not {_called(hint)}."
    elif inner is not None and not is_output:
        yield f"'{name}' is an input: its annotation must not be func.Out."
    given = hint if inner is None else inner
    if not isinstance(given, type) and not _is_typing_generic(given):
        yield (
            f"the annotation of '{name}' must be a class such as list, or a generic of typing such as "
            f"typing.List[int], not {_called(given)}."
        )
    elif not _is_accepted(str(binding["type"]), given, is_output=is_output):
        yield f"the annotation of '{name}' ({_called(given)}) does not go with its binding {binding['type']}."


def _return_problems(function: AppFunction, hints: Mapping[str, Any]) -> Iterator[str]:
    """Only what a `$return` binding takes away is looked at."""
    bindings = function.bindings_named(_RETURN)
    if not bindings or "return" not in hints:
        return
    hint, kind = hints["return"], str(bindings[0]["type"])
    if not isinstance(hint, type) or not _is_accepted(kind, hint, is_output=True):
        wanted = "func.HttpResponse or str" if kind == HTTP_OUTPUT else "what its output takes"
        yield f"the function returns {wanted}, not {_called(hint)}; correct the annotation or leave it out."


def _is_accepted(kind: str, hint: Any, *, is_output: bool) -> bool:
    """What the converters of azure.functions say of an annotation, which the worker asks, too."""
    from azure.functions import get_binding_registry  # the app's own SDK

    converter = get_binding_registry().get(kind)
    if not is_output and hint in _TEXTS and not (converter is not None and converter.has_implicit_output()):
        return True
    if converter is None:  # the worker's generic binding
        return isinstance(hint, type) and issubclass(hint, (*_TEXTS, bytearray) if is_output else _TEXTS)
    check = converter.check_output_type_annotation if is_output else converter.check_input_type_annotation
    try:
        return bool(check(hint))
    except (TypeError, AttributeError):  # they ask `issubclass`, which takes classes only
        return False


def _is_typing_generic(hint: Any) -> bool:
    """Whether it is a generic that typing itself makes of a class, bare or with arguments; list[int] is none."""
    origin = typing.get_origin(hint)
    return isinstance(origin, type) and type(hint).__module__ == "typing" and origin not in _NO_GENERICS


def _is_out(hint: Any) -> bool:
    """By the name of the class, as the worker does it."""
    found = typing.get_origin(hint) or hint
    return isinstance(found, type) and found.__name__ == "Out"


def _inside_out(hint: Any) -> Any:
    arguments = typing.get_args(hint)
    return arguments[0] if _is_out(hint) and arguments else None


def _called(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)
