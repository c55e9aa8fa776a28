"""What is done to the SDK in a process that runs its orchestrators itself.

It spares the SDK work that is the same in every call; results stay equal:

- ``dateutil`` guesses the format of every time stamp of every event, which takes most of a replay's time. The format is
  ISO 8601; ``datetime.fromisoformat`` reads it some 200 times as fast.
- Every call of an orchestrator defines the same ``namedtuple`` class, which takes most of a short episode's time.
- Python 3.11 looks up a member of an enum by calling functions, and the SDK does so several times for every event.
- Every input and result, a number or a text mostly, gets a JSON encoder or decoder of its own and two looks at the
  environment.
- Every trigger brings the same spans of time.
- ``isinstance(name, typing.Callable)`` takes longer than the rest of its check, in every call of an activity.

And it keeps the SDK from warning in Python's way.
"""

from __future__ import annotations

import functools
import importlib
import json
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from enum import Enum
from json.encoder import encode_basestring_ascii
from json.scanner import make_scanner
from types import SimpleNamespace
from typing import Any

_MODELS = "azure.durable_functions.models."


@functools.cache  # once per process: a second time would wrap what was wrapped
def speed_up_sdk() -> None:
    """Replace the names at the end of this file; a release of the SDK that has none of them stays as it is."""
    for module_name, replacements in _REPLACED.items():
        module = importlib.import_module(_MODELS + module_name)
        for name, replacement in replacements.items():
            original = getattr(module, name, None)
            if original is not None:
                setattr(module, name, replacement(original))


def silence_sdk() -> None:
    """Keep the SDK's ``UserWarning`` lines from the terminal, where they name no cure.

    There are three in 1.x: an event that came before it was waited for, which is a trap here; folders with
    function.json and an old extension bundle, which `doctor` tells. A filter that the app sets goes before this one.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module=r"azure\.(durable_)?functions\b")


def _values_of(enum: type[Enum]) -> SimpleNamespace:
    """Stands for an enum in a module that compares its members with plain values."""
    return SimpleNamespace(**{name: member.value for name, member in enum.__members__.items()})


def _with_plain_members(enum: type[Enum]) -> type[Enum]:
    """Make the members attributes of their class, as Python 3.12 does."""
    for name, member in enum.__members__.items():
        type.__setattr__(enum, name, member)
    return enum


def _dump_plainly(dump: Callable[[Any], str]) -> Callable[[Any], str]:
    """Spare a value without objects in it what ``df_dumps`` does for those that have some."""

    def dump_value(value: Any) -> str:
        return _DUMP.get(type(value), dump)(value)

    return dump_value


def _load_plainly(load: Callable[..., Any]) -> Callable[..., Any]:
    """Spare a text without objects in it what ``df_loads`` does for those that have some."""
    scan = make_scanner(json.JSONDecoder())  # type: ignore[arg-type]
    gave_notice = False

    def load_value(text: str, expected_type: type | None = None) -> Any:
        nonlocal gave_notice
        if gave_notice and "{" not in text:
            with suppress(StopIteration, ValueError):
                value, end = scan(text, 0)
                if end == len(text) and (expected_type is None or type(value) is expected_type):
                    return value
        gave_notice = gave_notice or expected_type is None  # of the first call that names no type
        return load(text, expected_type=expected_type)

    return load_value


_DUMP: dict[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    int: int.__repr__,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}
_REPLACED: dict[str, dict[str, Callable[[Any], Any]]] = {
    "history.HistoryEvent": {"dt_parse": lambda _: datetime.fromisoformat},
    "TaskOrchestrationExecutor": {
        "namedtuple": functools.cache,
        "HistoryEventType": _values_of,
        "df_loads": _load_plainly,
    },
    "Task": {"TaskState": _with_plain_members, "ReplaySchema": _with_plain_members},
    "actions.CallActivityAction": {"ActionType": _with_plain_members, "df_dumps": _dump_plainly},
    "DurableOrchestrationContext": {
        "HistoryEventType": _values_of,
        "Callable": lambda _: Callable,
        "parse_timespan_attrib": functools.cache,
    },
}
