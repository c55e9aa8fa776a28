"""Recordings of instances cut at a moment: the hub as it was when a host stopped there, and what was still to come.

Of a recorded instance all is known that its hub held after each commit: rows of the history only grow, and custom
statuses are those that its orchestrator sets. Only generations that were continued as new are gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.recorded_hubs import recording

Record = dict[str, Any]
Row = Mapping[str, Any]

_STATUSES_BETWEEN = {
    ("hello", 1): "null",
    ("hello", 2): '"Tokyo"',
    ("hello", 3): '"Seattle"',
    ("failed-orchestrator", 1): '"before"',
}
"""By recording and number of commits, where it is not the last one."""
_OF_THE_END = ("CompletedTime@odata.type", "CompletedTime", "Output")
_ACTIVITY_ENDS = ("TaskCompletedEvent", "TaskFailedEvent")


@dataclass(frozen=True)
class Cut:
    """A recording up to a moment."""

    name: str
    number: int
    """How many commits there were, of all its instances together; before the first one the instance is Pending."""
    hub: Record
    put: list[dict[str, Any]]
    """The messages that had been put."""
    left: list[dict[str, Any]]
    """Those of them that were in queues."""
    to_come: list[dict[str, Any]]
    """The messages that were put afterwards."""


def cuts(name: str) -> Iterator[Cut]:
    """A recording before its first commit, and after each one but the last."""
    recorded = recording(name)
    commits = sorted(_padded(row["_Timestamp"]) for row in recorded["history"] if _ends_episode(row))
    start = _time_of(recorded["messages"][0])
    for number, time in enumerate([start, *commits[:-1]]):
        yield _cut(name, number, recorded, time)


def _cut(name: str, number: int, recorded: Record, time: str) -> Cut:
    history = list(_committed(recorded["history"], time))
    put = [one for one in recorded["messages"] if _time_of(one) <= time]
    status = _STATUSES_BETWEEN.get((name, number))
    hub = {
        "history": history,
        "instances": [row for one in recorded["instances"] if (row := _instance(one, history, status))],
        "blobs": [blob for blob in recorded["blobs"] if any(blob["name"] in row.values() for row in history)],
    }
    left = [one for one in put if not _is_consumed(one, put, history)]
    return Cut(name, number, hub, put, left, recorded["messages"][len(put) :])


def _committed(history: list[Row], time: str) -> Iterator[Row]:
    """The rows of the episodes that had ended, with the sentinels of the instances that have any."""
    begun: list[Row] = []
    instances = set()
    for row in history:
        if row["RowKey"] == "sentinel":
            if row["PartitionKey"] in instances:
                yield row
            begun.clear()
            continue
        begun.append(row)
        if _ends_episode(row) and _padded(row["_Timestamp"]) <= time:
            yield from begun
            instances.add(row["PartitionKey"])
            begun.clear()


def _instance(row: Row, history: list[Row], status: str | None) -> Row | None:
    """The row of an instance after these rows of its history; without any a client's is Pending, a child has none."""
    events = [event for event in history if event["PartitionKey"] == row["PartitionKey"] and "EventType" in event]
    if events and events[-1]["_Timestamp"] == row["LastUpdatedTime"]:
        return row
    if not events and "Generation" not in row:
        return None
    before = {name: value for name, value in row.items() if name not in _OF_THE_END}
    if events:
        before["CustomStatus"] = status or row["CustomStatus"]
        return before | {"RuntimeStatus": "Running", "LastUpdatedTime": events[-1]["_Timestamp"]}
    del before["CustomStatus"]
    return before | {"RuntimeStatus": "Pending", "LastUpdatedTime": row["CreatedTime"]}


def _is_consumed(put: Mapping[str, Any], all_put: list[dict[str, Any]], history: list[Row]) -> bool:
    event, instance_id = _event(put), _instance_id(put)
    kind = str(event["$type"]).rpartition(".")[2]
    if kind == "TaskScheduledEvent":
        return any(
            _event(end)["$type"].endswith(_ACTIVITY_ENDS)
            and (_instance_id(end), _event(end)["TaskScheduledId"]) == (instance_id, event["EventId"])
            for end in all_put
        )
    return any(
        row["PartitionKey"] == instance_id
        and row.get("EventType") == kind.removesuffix("Event")
        and row["_Timestamp"] == _padded(event["Timestamp"])
        for row in history
    )


def _ends_episode(row: Row) -> bool:
    return bool(row.get("EventType") == "OrchestratorCompleted" and not row["IsPlayed"])


def _event(put: Mapping[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = put["body"]["TaskMessage"]["Event"]
    return event


def _instance_id(put: Mapping[str, Any]) -> str:
    return str(put["body"]["TaskMessage"]["OrchestrationInstance"]["InstanceId"])


def _time_of(put: Mapping[str, Any]) -> str:
    """When a message was made; of one in a blob, whose event's time is not recorded, that it was late."""
    return "9999" if put["body"]["TaskMessage"] is None else _padded(_event(put)["Timestamp"])


def _padded(time: str) -> str:
    """A time as a column holds it."""
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction:0<7}Z"
