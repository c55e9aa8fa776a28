"""The functions of an app as values: name, trigger, bindings and what to call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType
from typing import Any, Self

from durable_status.app.errors import AppError
from durable_status.app.host_settings import HostSettings
from durable_status.app.local_settings import LocalSettings

ORCHESTRATION_TRIGGER = "orchestrationTrigger"
ACTIVITY_TRIGGER = "activityTrigger"
ENTITY_TRIGGER = "entityTrigger"
HTTP_TRIGGER = "httpTrigger"
TIMER_TRIGGER = "timerTrigger"
DURABLE_CLIENT = "durableClient"
OLD_DURABLE_CLIENT = "orchestrationClient"  # its name in extension 1.x
HTTP_OUTPUT = "http"

# Where the SDK's wrappers keep what they wrap.
_WRAPPED_MEMBERS = ("orchestrator_function", "entity_function", "client_function")

# The member of a trigger that renames the function for orchestrations.
_NAMING_MEMBERS = {
    ORCHESTRATION_TRIGGER: "orchestration",
    ACTIVITY_TRIGGER: "activity",
    ENTITY_TRIGGER: "entityName",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFunction:
    """One function of an app. Bindings are the members of a function.json binding, enums as upper-case text."""

    name: str
    trigger: Mapping[str, Any]
    bindings: tuple[Mapping[str, Any], ...]
    call: Callable[..., Any]
    is_async: bool
    """Whether it is awaited on the worker's event loop; all others run in a thread."""
    takes_context: bool
    """Whether it has a parameter ``context`` that no binding fills: it gets the invocation context."""
    directory: str = ""
    """The folder that its invocation context names."""
    is_disabled: bool = False
    """Whether a setting switches it off: it is listed, and never called."""

    @classmethod
    def create(
        cls, name: str, bindings: Iterable[Mapping[str, Any]], call: Callable[..., Any], directory: str = ""
    ) -> Self:
        """Make a function of its bindings, one of which is the trigger, and of what to call."""
        all_bindings = tuple(bindings)
        trigger = next(binding for binding in all_bindings if str(binding["type"]).casefold().endswith("trigger"))
        bound = {binding.get("name") for binding in all_bindings}
        return cls(
            name=name,
            trigger=trigger,
            bindings=all_bindings,
            call=call,
            is_async=inspect.iscoroutinefunction(call),
            takes_context="context" in set(_parameters(call)) - bound,
            directory=directory,
        )

    def failing(self, sentence: str) -> Self:
        """The function, each call of which fails with `sentence`."""

        def fail(**_: Any) -> None:
            raise AppError(sentence)

        return replace(self, call=fail, is_async=False, takes_context=False)

    @property
    def trigger_type(self) -> str:
        """The ``type`` of the trigger, such as ``orchestrationTrigger``."""
        kind: str = self.trigger["type"]
        return kind

    @property
    def durable_name(self) -> str:
        """The name orchestrations and clients call it by."""
        member = _NAMING_MEMBERS.get(self.trigger_type, "")
        name: str = self.trigger.get(member) or self.name
        return name

    def bindings_of(self, binding_type: str) -> list[Mapping[str, Any]]:
        """The bindings of one type."""
        return [binding for binding in self.bindings if binding.get("type") == binding_type]

    def bindings_named(self, name: str) -> list[Mapping[str, Any]]:
        """The bindings of that name, of which there should be one."""
        return [binding for binding in self.bindings if binding.get("name") == name]

    @property
    def outputs(self) -> list[Mapping[str, Any]]:
        """The output bindings."""
        return [binding for binding in self.bindings if str(binding.get("direction")).upper() == "OUT"]

    @property
    def foreign_inputs(self) -> list[Mapping[str, Any]]:
        """The bindings with which nothing comes in here: neither the trigger, nor a durable client, nor an output."""
        known = (self.trigger, *self.outputs, *self.bindings_of(DURABLE_CLIENT))
        return [binding for binding in self.bindings if binding not in known]

    @property
    def foreign_outputs(self) -> list[Mapping[str, Any]]:
        """The output bindings that a local host has nothing behind: all but HTTP answers."""
        return [binding for binding in self.outputs if binding["type"] != HTTP_OUTPUT]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A loaded app."""

    root: Path
    settings: HostSettings
    local_settings: LocalSettings
    functions: tuple[AppFunction, ...]
    problems: tuple[str, ...] = ()
    """Functions that cannot be loaded, or not called, a sentence each; the others work."""
    refused_by_worker: tuple[str, ...] = ()
    """Names of functions that the Python worker refuses. On the platform no function of the app is loaded then."""
    notices: tuple[str, ...] = ()
    """What of its settings and files has no effect here, a sentence each."""

    def __repr__(self) -> str:
        return (
            f"<App in {str(self.root)!r}: {', '.join(function.name for function in self.functions) or 'no functions'}>"
        )

    @property
    def loss(self) -> str | None:
        """What the platform does to the whole app because of `refused_by_worker`; None: nothing."""
        if not self.refused_by_worker:
            return None
        names = ", ".join(f"'{name}'" for name in self.refused_by_worker)
        return (
            "On the platform this app has no function at all, because the Python worker gives up on all of them when "
            f"it refuses one: mend {names}."
        )

    def require_all(self) -> None:
        """Refuse the app if the platform would load none of its functions.

        Raises:
            AppError: it names each function that is in the way.
        """
        if self.loss is not None:
            raise AppError(" ".join([*self.problems, self.loss]))


def user_function(call: Callable[..., Any]) -> Callable[..., Any]:
    """The app's own function, without what the SDK's decorators put around it."""
    for member in _WRAPPED_MEMBERS:
        while hasattr(call, member):
            call = getattr(call, member)
    return call


def user_code(call: Callable[..., Any]) -> CodeType | None:
    """The code of the app's own function, without any decorator's; None for what no Python defines."""
    code: CodeType | None = getattr(inspect.unwrap(user_function(call)), "__code__", None)
    return code


def _parameters(call: Callable[..., Any]) -> Iterable[str]:
    try:
        return inspect.signature(call).parameters
    except ValueError:  # a builtin may have none
        return ()


def by_durable_name(functions: Iterable[AppFunction], trigger_type: str) -> dict[str, AppFunction]:
    """The functions with that trigger, by the name orchestrations and clients call them by."""
    return {function.durable_name: function for function in functions if function.trigger_type == trigger_type}
