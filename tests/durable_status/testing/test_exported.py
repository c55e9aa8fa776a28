"""Histories rebuilt from exports equal the complete ones, for every instance of the recordings that has both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from durable_status.replay.events import (
    Event,
    EventSent,
    OrchestratorCompleted,
    OrchestratorStarted,
    SubOrchestrationInstanceCreated,
    TaskScheduled,
    TimerCreated,
)
from durable_status.testing.exported import events_of_export
from durable_status.testing.history_rows import histories_in_rows
from tests.paths import GOLDENS

_SCHEDULING = (TaskScheduled, TimerCreated, SubOrchestrationInstanceCreated, EventSent)
_ENDS = (OrchestratorStarted, OrchestratorCompleted)


def _recorded_twice() -> Iterator[tuple[str, tuple[Event, ...], tuple[Event, ...]]]:
    """Each instance's events from the History table and from its export."""
    for path in sorted((GOLDENS / "replay").glob("*-*.json")):
        for entry in json.loads(path.read_text())["instances"]:
            export, final = entry["final"]["http"]["body"], entry["final"]
            if not isinstance(export, dict) or not export.get("historyEvents"):
                continue
            execution = final["instance"]["ExecutionId"]
            rows = [row for row in final["history"] if row["ExecutionId"] == execution]
            ((_, complete),) = histories_in_rows(rows, path.stem)
            yield f"{path.stem}/{entry['id']}", complete, events_of_export(export, path.stem)


def _scheduled(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    return [(event.event_id, type(event), getattr(event, "name", None)) for event in events if _is(event, _SCHEDULING)]


def _messages(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    """What came, in order, with the tasks that it completed."""
    return [
        (type(event), getattr(event, "task_scheduled_id", getattr(event, "timer_id", None)), getattr(event, "name", ""))
        for event in events
        if not _is(event, (*_SCHEDULING, *_ENDS))
    ]


def _is(event: Event, kinds: tuple[type[Event], ...]) -> bool:
    return isinstance(event, kinds)


def _repeats_ids(events: Sequence[Event]) -> bool:
    """Whether the instance ended as non-deterministic and has two scheduling events of one id: no export shows that."""
    ids = [entry[0] for entry in _scheduled(events)]
    return len(set(ids)) < len(ids)


def test_rebuilt_histories_have_the_ids_and_the_order_of_the_complete_ones() -> None:
    pairs = [pair for pair in _recorded_twice() if not _repeats_ids(pair[1])]

    different = [
        name
        for name, complete, rebuilt in pairs
        if _scheduled(complete) != _scheduled(rebuilt) or _messages(complete) != _messages(rebuilt)
    ]

    assert len(pairs) >= 180
    assert different == []
