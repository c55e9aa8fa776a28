"""A custom status in a few words, and how far it says that its instance is: for bars and tables.

What a status says itself goes before what its "progress" says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeGuard

from durable_status.errors import StatusDecodeError
from durable_status.offloaded import Offloaded
from durable_status.stored_json import Json

COLOURS = {"Completed": "green", "Failed": "red", "Terminated": "red", "Canceled": "red", "Suspended": "yellow"}

_LONGEST_TEXT = 60
_MOST_STEPS = 10**9  # whose number has a place in a line


def steps_of(status: Json) -> tuple[int, int | None] | None:
    """How many steps are done, and of how many; None where a status does not say it, or does not mean it."""
    for part in _parts(status):
        done, total = part.get("done"), part.get("total")
        if _is_count(done) and (total is None or _is_count(total)):
            return done, total
    return None


def status_text(status: Json) -> str:
    """A custom status in a few words: its stage and message, or itself if it has no such members."""
    match status:
        case None:
            return ""
        case str():
            text = status
        case _:
            text = _stage(status) or _reference(status) or json.dumps(status, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _parts(status: Json) -> Iterator[Mapping[str, Any]]:
    """The status, and then its progress."""
    if isinstance(status, dict):
        yield status
        nested = status.get("progress")
        if isinstance(nested, dict):
            yield nested


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _MOST_STEPS


def _stage(status: Json) -> str | None:
    """Stage and message of the first part that has a stage, and the end; None if that is not what the status is."""
    parts = list(_parts(status))
    part = next((part for part in parts if isinstance(part.get("stage"), str)), None)
    if part is None or (len(parts) == 1 and steps_of(status) is None):
        return None
    arrival = next(filter(None, (_arrival(part.get("eta")) for part in parts)), None)
    return " ".join(str(word) for word in (part["stage"], part.get("message"), arrival) if word)


def _arrival(eta: Any) -> str:
    try:
        return f"until {datetime.fromisoformat(eta).astimezone():%H:%M:%S}"
    except (TypeError, ValueError, OverflowError):
        return ""


def _reference(status: Json) -> str | None:
    try:
        offloaded = Offloaded.from_json(status)
    except StatusDecodeError:
        return None
    return None if offloaded is None else f"(in storage, {offloaded.size:,} bytes)"
