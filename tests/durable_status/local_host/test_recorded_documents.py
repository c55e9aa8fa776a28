"""The status documents that the real extension gave of recorded instances, made again from what it had stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from durable_status.local_host.management.documents import (
    DuplicateEventError,
    HistoryView,
    history_document,
    status_document,
)
from durable_status.local_host.storage.provider import InstanceRow
from durable_status.replay.event_json import event_from_members
from durable_status.replay.events import Event, OrchestrationStatus
from durable_status.replay.ticks import parse_ticks
from durable_status.stored_json import dump_stored
from tests.paths import GOLDENS
from tests.recordings import Members, from_row, rows_of_last_execution
from tests.zones import time_zone

_STORED_AS_JSON = ("OrchestrationInstance", "ParentInstance", "FailureDetails", "ParentTraceContext", "Tags")


def _recorded() -> Iterator[tuple[str, Members]]:
    for path in sorted((GOLDENS / "replay").glob("*.json")):
        if path.name != "functions.json":
            for instance in json.loads(path.read_text(encoding="utf-8"))["instances"]:
                yield f"{path.stem}/{instance['id']}", instance


def _event(row: Members) -> Event:
    members = from_row(row) | {"Timestamp": row["_Timestamp"]}
    return event_from_members(
        {
            name: json.loads(value) if name in _STORED_AS_JSON and isinstance(value, str) else value
            for name, value in members.items()
        }
    )


def _row(row: Members) -> InstanceRow:
    return InstanceRow(
        instance_id=row["PartitionKey"],
        execution_id=row["ExecutionId"],
        name=row["Name"],
        input=row.get("Input"),
        runtime_status=OrchestrationStatus(row["RuntimeStatus"]),
        custom_status=row.get("CustomStatus"),
        output=row.get("Output"),
        created_time=parse_ticks(row["CreatedTime"]),
        last_updated_time=parse_ticks(row["LastUpdatedTime"]),
    )


def _document(instance: Members) -> str:
    final = instance["final"]
    document = status_document(_row(final["instance"]), show_input=True)
    events = [_event(row) for row in rows_of_last_execution(instance)]
    if document["runtimeStatus"] != "Pending":
        try:
            document["historyEvents"] = history_document(events, HistoryView(inputs=True, outputs=True))
        except DuplicateEventError as error:
            return str(error)
    return dump_stored(document)


@pytest.mark.conforms("H1.2-20", "H1.2-23", "H1.2-24")
def test_documents_are_written_member_for_member_as_recorded() -> None:
    different: dict[str, Any] = {}
    kinds: set[str] = set()
    with time_zone("UTC0"):
        for name, instance in _recorded():
            body = instance["final"]["http"]["body"]
            recorded = body["ExceptionMessage"] if "ExceptionMessage" in body else dump_stored(body)
            kinds |= {item["EventType"] for item in body.get("historyEvents") or ()}
            if _document(instance) != recorded:
                different[name] = (_document(instance), recorded)

    assert different == {}
    assert len(kinds) >= 14, "every kind of event was among them"
