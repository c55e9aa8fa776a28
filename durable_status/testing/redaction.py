"""Takes what is private out of a recorded history and keeps its shape: names, ids and times stay.

Texts become as many ``x``, numbers 0; keys, true, false and null stay, and JSON inside a text stays JSON. What an
orchestrator does next may depend on a value that is gone: such a history then tells nothing.
"""

from __future__ import annotations

import json
from typing import Any

_PRIVATE = frozenset({"Input", "Result", "Reason", "Details", "Data", "input", "output", "customStatus"})
_HOLDS_EVENTS = frozenset({"history", "historyEvents", "value"})
_OF_ENTITY_MESSAGES = frozenset({"input", "result"})


def redact(document: Any) -> Any:
    """A copy of a history (parsed JSON, any of the three kinds) without its inputs, results, reasons and statuses."""
    match document:
        case list():
            return [redact(item) for item in document]
        case dict():
            return {name: _member(name, value) for name, value in document.items()}
        case _:
            return document


def _member(name: str, value: Any) -> Any:
    if name in _HOLDS_EVENTS:
        return redact(value)
    if name not in _PRIVATE:
        return value
    message = _entity_message(value)
    if message is not None:
        kept = {key: _hidden(item) if key in _OF_ENTITY_MESSAGES else item for key, item in message.items()}
        return json.dumps(kept)
    return _hidden(value)


def _entity_message(value: Any) -> dict[str, Any] | None:
    """A request to an entity or its response: its ids and times are what the messages are matched by."""
    if not isinstance(value, str) or '"$type"' not in value or "Message" not in value:
        return None
    message = json.loads(value)
    return message if isinstance(message, dict) and "Message" in str(message.get("$type")) else None


def _hidden(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            return 0
        case float():
            return 0.0
        case str():
            return _hidden_text(value)
        case list():
            return [_hidden(item) for item in value]
        case _:
            return {key: _hidden(item) for key, item in value.items()}


def _hidden_text(text: str) -> str:
    try:
        inner = json.loads(text)
    except ValueError:
        return "x" * len(text)
    return json.dumps(_hidden(inner), separators=(",", ":"))
