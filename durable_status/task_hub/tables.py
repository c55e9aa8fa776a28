"""Rows as values, and the typed JSON in which the table service takes and answers them (storage.md §2.2, §3.2).

A column has one type in all tables of a hub, so a row is a plain mapping: text, whole number or truth. A time is text,
too, in UTC with all seven digits of fraction, which ``datetime`` cannot hold. A column without a value is absent: the
service drops nulls, and keeps the old value when one is merged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Value = str | int | bool
Row = dict[str, Value]
"""Columns by name. A row to store has its keys, never the service's own Timestamp and ETag."""

_TIMES = (
    "_Timestamp",
    "FireAt",
    "ScheduledStartTime",
    "CheckpointCompletedTimestamp",
    "CreatedTime",
    "LastUpdatedTime",
    "CompletedTime",
    "OwnedSince",
    "LastRenewal",
    "ExpiresAt",
)
_NUMBERS = ("EventId", "TaskScheduledId", "TimerId", "Generation")
_TRUTHS = ("IsPlayed", "IsCheckpointComplete", "GenerateNewTrace", "IsDraining")
_TEXTS = (
    *("PartitionKey", "RowKey", "ExecutionId", "EventType", "Name", "Version", "Input", "Output", "Result", "Reason"),
    *("Details", "Data", "FailureDetails", "Correlation", "CustomStatus", "RuntimeStatus", "OrchestrationStatus"),
    *(
        "TaskHubName",
        "Tags",
        "InstanceId",
        "ClientSpanId",
        "OrchestrationInstance",
        "ParentInstance",
        "SourceInstanceId",
    ),
    *("ParentTraceContext", "ParentExecutionId", "SourceInstanceId", "State", "CurrentOwner", "NextOwner"),
)
_COLUMNS = {
    **dict.fromkeys(_TIMES, "a time"),
    **dict.fromkeys(_NUMBERS, "a 32-bit number"),
    **dict.fromkeys(_TRUTHS, "a truth"),
    **dict.fromkeys(_TEXTS, "text"),
}
_TYPE = "@odata.type"
_SERVICE_TIME = "Timestamp"  # when the service stored the row
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?Z?")


_FITS: dict[str, Callable[[Value], bool]] = {
    "a time": lambda value: isinstance(value, str) and _TIME.fullmatch(value) is not None,
    "a 32-bit number": lambda value: type(value) is int and -(2**31) <= value < 2**31,
    "a truth": lambda value: isinstance(value, bool),
    "text": lambda value: isinstance(value, str),
}


def time_text(text: str) -> str:
    """A UTC time with all seven digits, as columns hold it; text without a zone is UTC.

    Raises:
        ValueError: `text` is no such time.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"not a UTC time with up to seven digits of fraction: {text!r}")
    return f"{found[1]}.{(found[2] or '').ljust(7, '0')}Z"


def short_time_text(text: str) -> str:
    """A column's time as events and messages write it: without the zeros that end the fraction."""
    return time_text(text)[:-1].rstrip("0").rstrip(".") + "Z"


def is_time(column: str) -> bool:
    """Whether a column holds times."""
    return _COLUMNS.get(column) == "a time"


def row_json(row: Mapping[str, Value]) -> dict[str, Any]:
    """A row as JSON for the table service: numbers, texts and truths speak for themselves, times are marked.

    Raises:
        ValueError: a value is not of its column's type.
    """
    written: dict[str, Any] = {}
    for name, value in row.items():
        _check(name, value)
        if is_time(name):
            written[name + _TYPE] = "Edm.DateTime"
        written[name] = value
    return written


def read_row(members: Mapping[str, Any]) -> Row:
    """A row as the table service answers it.

    Columns of types that a hub never writes are left out: other tools may add some.

    Raises:
        ValueError: a value is not of its column's type.
    """
    row: Row = {}
    for name, value in members.items():
        if "odata." in name or name == _SERVICE_TIME or not isinstance(value, str | int):
            continue
        _check(name, value)
        row[name] = time_text(str(value)) if is_time(name) else value
    return row


def _check(name: str, value: Value) -> None:
    expected = _COLUMNS.get(name)
    if expected is not None and not _FITS[expected](value):
        raise ValueError(f"the column {name} holds {expected}, not {value!r}: this is no row of a task hub.")
