"""What a function is called with, by the names of its bindings, and what it leaves in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.functions import Out

from durable_status.app.functions import DURABLE_CLIENT, HTTP_OUTPUT, AppFunction
from durable_status.app.links import Links

_RETURN = "$return"


class Output(Out[Any]):  # type: ignore[misc]  # the SDK is untyped
    """An output binding that the function sets instead of returning it."""

    def __init__(self) -> None:
        self._value: Any = None

    def __repr__(self) -> str:
        return f"<Output {self._value!r}>"

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


def arguments_of(function: AppFunction, trigger_value: Any, links: Links) -> dict[str, Any]:
    """The arguments of a call by name: the trigger's value, the durable clients and the outputs."""
    arguments: dict[str, Any] = {function.trigger["name"]: trigger_value}
    for binding in function.bindings_of(DURABLE_CLIENT):
        arguments[binding["name"]] = links.client_binding(binding.get("taskHub"), binding.get("connectionName"))
    return arguments | outputs_of(function)


def outputs_of(function: AppFunction) -> dict[str, Output]:
    """A new output for each output binding that is a parameter."""
    return {binding["name"]: Output() for binding in function.outputs if binding["name"] != _RETURN}


def returned_or_set(function: AppFunction, returned: Any, arguments: Mapping[str, Any]) -> Any:
    """The result of an HTTP function: what it returned, or what it set in its HTTP output."""
    names = [binding["name"] for binding in function.bindings_of(HTTP_OUTPUT) if binding["name"] in arguments]
    return arguments[names[0]].get() if returned is None and names else returned
