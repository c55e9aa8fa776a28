"""What a reader gets to see of an instance: the status document and its history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from durable_status.local_host.storage.provider import InstanceRow
from durable_status.replay.event_json import event_text
from durable_status.replay.events import (
    Event,
    ExecutionCompleted,
    ExecutionStarted,
    GenericEvent,
    OrchestratorCompleted,
    OrchestratorStarted,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceCreated,
    SubOrchestrationInstanceFailed,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
)
from durable_status.replay.ticks import PER_SECOND, Ticks, datetime_from_ticks, format_ticks
from durable_status.stored_text import read_stored

_Scheduling = TaskScheduled | SubOrchestrationInstanceCreated
_Completion = TaskCompleted | TaskFailed | SubOrchestrationInstanceCompleted | SubOrchestrationInstanceFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """Which parts of a history to show."""

    inputs: bool
    outputs: bool


def status_document(row: InstanceRow, *, show_input: bool) -> dict[str, Any]:
    """The answer to a status query; key order and rules are the platform's."""
    return {
        "name": row.name,
        "instanceId": row.instance_id,
        "runtimeStatus": row.runtime_status.value,
        "input": read_stored(row.input) if show_input else None,
        "customStatus": read_stored(row.custom_status),
        "output": read_stored(row.output),
        "createdTime": _whole_seconds(row.created_time),
        "lastUpdatedTime": _whole_seconds(row.last_updated_time),
    }


class DuplicateEventError(ValueError):
    """The history holds two scheduling events of one id, which the platform cannot show."""


def history_document(history: Sequence[Event], view: HistoryView) -> list[dict[str, Any]]:
    """The ``historyEvents`` of a status document: a completion takes in the event that scheduled its task.

    Raises:
        DuplicateEventError: two scheduling events have one id, as after a non-deterministic replay.
    """
    scheduled: dict[int, _Scheduling] = {}
    shown: dict[int, dict[str, Any]] = {}
    for position, event in enumerate(history):
        if isinstance(event, OrchestratorStarted | OrchestratorCompleted):
            continue
        item = _item(event, view)
        if isinstance(event, _Scheduling):
            if isinstance(scheduled.get(event.event_id), type(event)):
                key = f"{type(event).__name__}_{event.event_id}"
                raise DuplicateEventError(f"An item with the same key has already been added. Key: {key}")
            scheduled[event.event_id] = event
            shown[_place_of(event.event_id)] = item
        elif isinstance(event, _Completion):
            source = scheduled.get(event.task_scheduled_id)
            if source is not None:
                shown.pop(_place_of(event.task_scheduled_id), None)
                item |= _scheduling_members(source, view)
            shown[position] = item
        else:
            shown[position] = item
    return list(shown.values())


def _place_of(task_id: int) -> int:
    return -1 - task_id  # never a position


_NEVER_SHOWN = frozenset(
    {
        "EventId",
        "IsPlayed",
        "TaskScheduledId",
        "TimerId",
        "Version",
        "Tags",
        "OrchestrationInstance",
        "ParentInstance",
        "SourceInstanceId",
    }
)


def _item(event: Event, view: HistoryView) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(event_text(event))
    members["EventType"] = type(event).__name__
    item = {name: value for name, value in members.items() if name not in _NEVER_SHOWN}
    if isinstance(event, ExecutionStarted):
        item["FunctionName"] = item.pop("Name")
    elif isinstance(event, ExecutionCompleted):
        item["OrchestrationStatus"] = event.orchestration_status.value
    elif isinstance(event, GenericEvent):
        item = {"Data": item.pop("Data"), **item}
    if "Result" in item:
        item["Result"] = read_stored(item["Result"])
        if not view.outputs:
            del item["Result"]
    if not view.inputs:
        item.pop("Input", None)
    return item


def _scheduling_members(source: _Scheduling, view: HistoryView) -> dict[str, Any]:
    members = {"ScheduledTime": _local_time(source.timestamp), "FunctionName": source.name}
    return members | {"Input": source.input} if view.inputs else members


def _whole_seconds(ticks: Ticks) -> str:
    return format_ticks(Ticks(ticks - ticks % PER_SECOND))


def _local_time(ticks: Ticks) -> str:
    """A moment in this machine's zone with its offset; the platform writes only ScheduledTime like that."""
    local = datetime_from_ticks(ticks).astimezone()
    seconds = local.replace(microsecond=0, tzinfo=None).isoformat()
    fraction = f".{ticks % PER_SECOND:07d}".rstrip("0").rstrip(".")
    return f"{seconds}{fraction}{local.strftime('%z')[:3]}:{local.strftime('%z')[3:5]}"
