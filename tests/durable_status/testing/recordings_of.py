"""One history in the three forms in which a history can be recorded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from durable_status.local_host.management.documents import HistoryView, history_document
from durable_status.replay.event_json import event_text
from durable_status.replay.events import Event, EventType, ExecutionStarted, OrchestrationStatus

_NAMES = {kind.value: kind.name.title().replace("_", "") for kind in EventType}


def as_trigger(events: Sequence[Event], instance_id: str = "order") -> dict[str, Any]:
    """The body of a trigger, as the recorder keeps it."""
    return {"instanceId": instance_id, "history": [json.loads(event_text(event)) for event in events]}


def as_export(events: Sequence[Event], instance_id: str = "order") -> dict[str, Any]:
    """A status document with its history, as the management API writes it."""
    started = next(event for event in events if isinstance(event, ExecutionStarted))
    history = history_document(events, HistoryView(inputs=True, outputs=True))
    return {"name": started.name, "instanceId": instance_id, "historyEvents": json.loads(json.dumps(history))}


def as_rows(events: Sequence[Event], instance_id: str = "order") -> list[dict[str, Any]]:
    """Rows of the History table."""
    return [_row(json.loads(event_text(event)), number, instance_id) for number, event in enumerate(events)]


def _row(members: dict[str, Any], number: int, instance_id: str) -> dict[str, Any]:
    row = {name: value for name, value in members.items() if value is not None}
    row |= {"PartitionKey": instance_id, "RowKey": f"{number:016X}", "ExecutionId": "one"}
    row["EventType"] = _NAMES[members["EventType"]]
    row["_Timestamp"] = row.pop("Timestamp")
    if "OrchestrationStatus" in row:
        row["OrchestrationStatus"] = list(OrchestrationStatus)[row["OrchestrationStatus"]].value
    for name in ("OrchestrationInstance", "ParentInstance"):
        if name in row:
            row[name] = json.dumps(row[name])
    return row
