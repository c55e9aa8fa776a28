"""The history in a status document, made into events again.

The platform leaves out ids, the starts and ends of episodes, and the scheduling event of every task that has ended; the
completion keeps its time and name. Ids are rebuilt from the order of those times, which is how they were given out. A
message opens an episode; decisions follow the messages that came before them. What stays unknown is how messages were
batched, and the exact clock: neither changes what an orchestrator schedules, unless it looks at the clock to decide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from durable_status.replay.event_json import event_from_members
from durable_status.replay.events import (
    ContinueAsNew,
    Event,
    EventSent,
    EventType,
    ExecutionCompleted,
    OrchestrationStatus,
    OrchestratorCompleted,
    OrchestratorStarted,
    SubOrchestrationInstanceCreated,
    TaskScheduled,
    TimerCreated,
)
from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks
from durable_status.stored_json import dump_stored
from durable_status.testing.errors import HarnessError

_NUMBERS = {kind.name.title().replace("_", ""): kind.value for kind in EventType}
_COMPLETIONS = {
    "TaskCompleted": "TaskScheduled",
    "TaskFailed": "TaskScheduled",
    "SubOrchestrationInstanceCompleted": "SubOrchestrationInstanceCreated",
    "SubOrchestrationInstanceFailed": "SubOrchestrationInstanceCreated",
}
_SCHEDULING = ("TaskScheduled", "SubOrchestrationInstanceCreated", "TimerCreated", "EventSent")
_EARLY = PER_SECOND  # a timer fires up to a second before its time (replay.md §3.3)

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Scheduled:
    """A task that was scheduled, by the time of it; `place` is where the document shows it or its completion."""

    time: Ticks
    place: int
    kind: str
    item: Item


def events_of_export(document: Item, source: str) -> tuple[Event, ...]:
    """Rebuild the events of a status document.

    Raises:
        HarnessError: the document was asked for without what a check needs.
    """
    items: Sequence[Item] = document["historyEvents"]
    _check_is_whole(items, source)
    scheduled = sorted(_scheduled(items), key=lambda entry: (entry.time, entry.place))
    ids = {entry.place: number for number, entry in enumerate(scheduled)}
    messages = [_message(item, place, ids, items, document) for place, item in enumerate(items) if _is_message(item)]
    decisions = [_decision(entry, ids[entry.place]) for entry in scheduled]
    ends = [_end(item, len(ids)) for item in items if item["EventType"] in ("ExecutionCompleted", "ContinueAsNew")]
    return _in_episodes(messages, [*decisions, *ends])


def _check_is_whole(items: Sequence[Item], source: str) -> None:
    for item in items:
        if item["EventType"].endswith("Completed") and "Result" not in item:
            raise HarnessError(f"{source} has no results; ask for it with showHistoryOutput=true.")
        if item["EventType"] in ("ExecutionStarted", "EventRaised", "EventSent") and "Input" not in item:
            raise HarnessError(f"{source} has no inputs; ask for it with showInput=true.")


def _scheduled(items: Sequence[Item]) -> list[_Scheduled]:
    found = []
    for place, item in enumerate(items):
        kind = item["EventType"]
        if kind in _SCHEDULING:
            found.append(_Scheduled(parse_ticks(item["Timestamp"]), place, kind, item))
        elif kind in _COMPLETIONS:
            found.append(_Scheduled(parse_ticks(item["ScheduledTime"]), place, _COMPLETIONS[kind], item))
    return found


def _is_message(item: Item) -> bool:
    return item["EventType"] not in (*_SCHEDULING, "ExecutionCompleted", "ContinueAsNew")


def _message(item: Item, place: int, ids: Mapping[int, int], items: Sequence[Item], document: Item) -> Event:
    kind = item["EventType"]
    members = {
        name: value for name, value in item.items() if name not in ("EventType", "ScheduledTime", "FunctionName")
    }
    members |= {"EventType": _NUMBERS[kind], "EventId": -1, "IsPlayed": True}
    if kind == "ExecutionStarted":
        execution = {"InstanceId": document["instanceId"], "ExecutionId": ""}
        members |= {"Name": item["FunctionName"], "OrchestrationInstance": execution}
    elif kind in _COMPLETIONS:
        members["TaskScheduledId"] = ids[place]
        members.pop("Input", None)
        if item.get("Result") is not None:
            members["Result"] = dump_stored(item["Result"])
    elif kind == "TimerFired":
        members["TimerId"] = _timer_of(item, ids, items)
    return event_from_members(members)


def _timer_of(fired: Item, ids: Mapping[int, int], items: Sequence[Item]) -> int:
    """The timer that fired: the one for that time, and of several the one that was made closest before."""
    made = [
        place
        for place, item in enumerate(items)
        if item["EventType"] == "TimerCreated" and parse_ticks(item["FireAt"]) == parse_ticks(fired["FireAt"])
    ]
    before = parse_ticks(fired["Timestamp"])
    return ids[min(made, key=lambda place: abs(parse_ticks(items[place]["Timestamp"]) - before))]


def _decision(entry: _Scheduled, number: int) -> Event:
    timestamp = entry.time
    item = entry.item
    match entry.kind:
        case "TimerCreated":
            return TimerCreated(event_id=number, timestamp=timestamp, fire_at=parse_ticks(item["FireAt"]))
        case "EventSent":
            return EventSent(
                event_id=number,
                timestamp=timestamp,
                instance_id=item["InstanceId"],
                name=item["Name"],
                input=item["Input"],
            )
        case "TaskScheduled":
            return TaskScheduled(event_id=number, timestamp=timestamp, name=_name(item), input=item.get("Input"))
        case _:
            return SubOrchestrationInstanceCreated(
                event_id=number, timestamp=timestamp, name=_name(item), instance_id=item.get("InstanceId", "")
            )


def _name(item: Item) -> str:
    return str(item.get("FunctionName") or item["Name"])


def _end(item: Item, number: int) -> Event:
    kind = ContinueAsNew if item["EventType"] == "ContinueAsNew" else ExecutionCompleted
    status = OrchestrationStatus(item["OrchestrationStatus"])
    result = item.get("Result")
    text = result if isinstance(result, str) and status is not OrchestrationStatus.COMPLETED else dump_stored(result)
    return kind(
        event_id=number,
        timestamp=parse_ticks(item["Timestamp"]),
        orchestration_status=status,
        result=None if result is None else text,
    )


def _in_episodes(messages: Sequence[Event], decisions: Sequence[Event]) -> tuple[Event, ...]:
    """Put decisions after the messages that had come before them, and cut the whole into episodes."""
    groups: list[tuple[list[Event], list[Event]]] = []
    waiting = list(messages)
    clock = Ticks(0)
    for decision in decisions:
        while waiting and (not groups or _came_before(waiting[0], decision)):
            message = waiting.pop(0)
            came = _time(message)
            if not groups or groups[-1][1] or came > clock:
                groups.append(([], []))
            groups[-1][0].append(message)
            clock = max(clock, came)
        groups[-1][1].append(decision)
    for message in waiting:
        groups.append(([message], []))
    history: list[Event] = []
    for came_in, decided in groups:
        now = _clock(came_in, decided, history)
        history += [OrchestratorStarted(timestamp=now), *came_in, *decided, OrchestratorCompleted(timestamp=now)]
    return tuple(history)


def _came_before(message: Event, decision: Event) -> bool:
    """Whether a message can have been there when a decision was made; nothing completes a later task."""
    task_id = getattr(message, "task_scheduled_id", getattr(message, "timer_id", -1))
    return _time(message) <= decision.timestamp and task_id < decision.event_id


def _time(message: Event) -> Ticks:
    """When a message can have come; a timer's carries the time at which it was made."""
    fire_at: Ticks | None = getattr(message, "fire_at", None)
    return message.timestamp if fire_at is None else Ticks(fire_at - _EARLY)


def _clock(came_in: Sequence[Event], decided: Sequence[Event], history: Sequence[Event]) -> Ticks:
    """The time of an episode. A request to an entity carries it, and its id depends on it (replay.md §3.7)."""
    for event in decided:
        if isinstance(event, EventSent) and event.input:
            stamped = json.loads(event.input).get("Timestamp", "")
            if stamped.endswith("Z"):
                return parse_ticks(stamped)
    latest = max(_time(event) for event in came_in)
    return max(latest, history[-1].timestamp) if history else latest
