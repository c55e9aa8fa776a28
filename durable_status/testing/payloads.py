"""Values as the platform's texts: what a client sends, what an orchestrator gives."""

from __future__ import annotations

import json
from typing import Any

from durable_status.app.python_worker import activity_input
from durable_status.stored_json import dump_stored

_SHOWN = 60


def start_text(value: Any) -> str | None:
    """The stored input of an instance that the SDK's client starts: JSON text inside a JSON text; None is no input."""
    return None if value is None else dump_stored(client_text(value))


def client_text(value: Any) -> str:
    """What the SDK's client makes of a value; custom objects go through their to_json."""
    from azure.durable_functions.models.utils.df_serialization import df_dumps

    text: str = df_dumps(value)
    return text


def given_input(array_text: str) -> str | None:
    """The JSON text that the orchestrator gave, out of the array of one that the host makes of it."""
    (given,) = json.loads(array_text)
    return given if given is None or isinstance(given, str) else dump_stored(given)


def child_input(stored: str | None) -> Any:
    """What a sub-orchestration gets as its input: the JSON text in the stored JSON text."""
    text = json.loads(stored or "null")
    return activity_input(text) if isinstance(text, str) else text


def shown(text: str | None) -> str:
    """A JSON text in one short line, for people."""
    line = " ".join((text if text is not None else "null").split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."


def shown_value(value: Any) -> str:
    """A value in one short line, for people."""
    try:
        return shown(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError):
        return shown(repr(value))
