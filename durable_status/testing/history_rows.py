"""Rows of the History table of a task hub, as the table service answers them, made into events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from durable_status.replay.event_json import event_from_members
from durable_status.replay.events import Event, EventType, OrchestrationStatus
from durable_status.testing.errors import HarnessError

_NUMBERS = {kind.name.title().replace("_", ""): kind.value for kind in EventType}
_SENTINEL = "sentinel"
_BLOB = "BlobName"
_NOT_OF_THE_EVENT = ("PartitionKey", "RowKey", "ExecutionId", "Timestamp", "_Timestamp")
_OBJECTS = ("OrchestrationInstance", "ParentInstance", "ParentTraceContext", "Tags")


def histories_in_rows(rows: Sequence[Mapping[str, Any]], source: str) -> Iterator[tuple[str, tuple[Event, ...]]]:
    """The instances in `rows`, and each one's events: those of its latest execution (others are leftovers).

    Raises:
        HarnessError: a text that replay needs is in a blob.
    """
    by_instance: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_instance.setdefault(row["PartitionKey"], []).append(row)
    for key, own in by_instance.items():
        own.sort(key=lambda row: str(row["RowKey"]))
        execution = _current_execution(own)
        events = [
            event_from_members(_members(row, source))
            for row in own
            if row["RowKey"] != _SENTINEL and row.get("ExecutionId") == execution
        ]
        instance_id = _instance_id(own, key)
        if events and not instance_id.startswith("@"):  # an entity's state is no replay
            yield instance_id, tuple(events)


def _current_execution(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The execution of the sentinel row, which every checkpoint writes; else that of the first row."""
    marked = [row for row in rows if row["RowKey"] == _SENTINEL] or list(rows)
    return marked[0].get("ExecutionId")


def _instance_id(rows: Sequence[Mapping[str, Any]], key: str) -> str:
    for row in rows:
        if row.get("OrchestrationInstance"):
            return str(json.loads(row["OrchestrationInstance"])["InstanceId"])
    return key


def _members(row: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A row with the member names and forms of the wire."""
    members: dict[str, Any] = {}
    for name, value in row.items():
        if name in _NOT_OF_THE_EVENT or "odata" in name:
            continue
        if name.endswith(_BLOB) and name.removesuffix(_BLOB) in ("Input", "Result", "Reason", "Details"):
            _check_not_needed(row, name, source)
            continue
        members[name] = json.loads(value) if name in _OBJECTS and isinstance(value, str) else value
    members["EventType"] = _NUMBERS[row["EventType"]]
    members["Timestamp"] = row["_Timestamp"]
    if "OrchestrationStatus" in members:
        members["OrchestrationStatus"] = OrchestrationStatus(members["OrchestrationStatus"]).number
    return members


def _check_not_needed(row: Mapping[str, Any], column: str, source: str) -> None:
    if row["EventType"] in ("TaskScheduled", "SubOrchestrationInstanceCreated", "ExecutionCompleted"):
        return
    raise HarnessError(
        f"{source}: the {column.removesuffix(_BLOB)} of the {row['EventType']} row {row['RowKey']} is in the blob "
        f"{row[column]}; put its text into the row and remove {column}."
    )
