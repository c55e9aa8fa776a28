"""Which of an instance's messages count, which come a second time, and which come too soon.

Queues deliver at least once and in no strict order, and a host that died left what it had in hand to be done again
(storage.md §4, §4.2). The platform records an activity's second answer, too; here it counts once.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from durable_status.local_host.storage.azure_storage.entity_requests import request_in
from durable_status.local_host.storage.provider import InstanceRow, Message
from durable_status.replay.events import (
    Event,
    EventRaised,
    EventSent,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionSuspended,
    ExecutionTerminated,
    OrchestrationStatus,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceCreated,
    SubOrchestrationInstanceFailed,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
)
from durable_status.replay.executions import find_start, has_ended

_TASK, _CHILD, _TIMER, _REQUEST = "task", "child", "timer", "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Messages by number, sorted out."""

    counting: Mapping[int, Message]
    repeated: Sequence[int]
    """Of these the history holds the event already, or another message of the same batch does."""
    early: Sequence[int]
    """What these answer is not in the history yet: the episode that asked for it is still to be done again."""
    ahead: Sequence[int] = ()
    """Clients' starts whose rows are not stored yet, as a client puts the message first; maybe they never will be."""


def sort_out(row: InstanceRow | None, history: Sequence[Event], messages: Mapping[int, Message]) -> Arrivals:
    """Sort the messages that have arrived for an instance with `row` and `history`.

    Messages to another execution, and all messages when one starts another, are left to whoever runs the episode.
    """
    started = find_start(history)
    if ahead := [number for number, message in messages.items() if _is_ahead(message.event, started, row)]:
        others = {number: message for number, message in messages.items() if number not in ahead}
        return replace(sort_out(row, history, others), ahead=ahead)
    starts = (message.event for message in messages.values() if isinstance(message.event, ExecutionStarted))
    begun = [start for start in starts if _begins(start, started, row)]
    if begun:  # what comes with it can answer nothing yet
        return _sort_out(begun[-1].orchestration_instance.execution_id, (), messages)
    if started is None:
        waits = not history and row is not None and row.runtime_status is OrchestrationStatus.PENDING
        return Arrivals(counting={} if waits else messages, repeated=(), early=tuple(messages) if waits else ())
    if has_ended(history):  # what it never asked for is not to wait for ever
        repeated = [number for number, message in messages.items() if isinstance(message.event, ExecutionStarted)]
        counting = {number: message for number, message in messages.items() if number not in repeated}
        return Arrivals(counting=counting, repeated=repeated, early=())
    return _sort_out(started.orchestration_instance.execution_id, history, messages)


def _sort_out(execution_id: str | None, history: Sequence[Event], messages: Mapping[int, Message]) -> Arrivals:
    """Sort the messages to the execution that has `history`, or that one of them starts."""
    asked = _asked(history)
    seen = {_trace(event, asked) for event in history}
    counting: dict[int, Message] = {}
    repeated: list[int] = []
    early: list[int] = []
    for number, message in messages.items():
        trace = _trace(message.event, asked)
        if (isinstance(message.event, ExecutionStarted) and history) or (trace in seen and trace is not None):
            repeated.append(number)
        elif trace is None or message.execution_id not in (None, execution_id):
            counting[number] = message
        elif isinstance(trace, tuple) and trace not in asked:
            early.append(number)
        else:
            seen.add(trace)
            counting[number] = message
    return Arrivals(counting=counting, repeated=repeated, early=early)


def _begins(start: ExecutionStarted, started: ExecutionStarted | None, row: InstanceRow | None) -> bool:
    """Whether a start begins another execution than the one that has `started`.

    An episode that is done again sends a child's start again, under another execution id: still the same call. A
    client's start that is neither the current execution's nor the row's was overtaken by a later one.
    """
    if start.parent_instance is not None:
        return started is None or start.parent_instance != started.parent_instance
    if started is not None and start.orchestration_instance == started.orchestration_instance:
        return False
    return row is None or row.execution_id == start.orchestration_instance.execution_id


def _is_ahead(event: Event, started: ExecutionStarted | None, row: InstanceRow | None) -> bool:
    """Whether a client starts what has `started`, or is to, over again: later than its row says."""
    if not isinstance(event, ExecutionStarted) or event.parent_instance is not None or row is None:
        return False
    execution = event.orchestration_instance
    if execution.execution_id == row.execution_id or (started and started.orchestration_instance == execution):
        return False
    return event.timestamp > row.created_time


def _asked(history: Iterable[Event]) -> set[Hashable]:
    """What the execution waits for or has got."""
    asked: set[Hashable] = set()
    for event in history:
        match event:
            case TaskScheduled():
                asked.add((_TASK, event.event_id))
            case SubOrchestrationInstanceCreated():
                asked.add((_CHILD, event.event_id))
            case TimerCreated():
                asked.add((_TIMER, event.event_id))
            case EventSent() if request := request_in(event):
                asked.add((_REQUEST, request.id))
    return asked


def _trace(event: Event, asked: Collection[Hashable]) -> Hashable:
    """What an event has in common with its repetition; None if it may come as often as it likes.

    An answer is the same whatever it says. Two events of one name, input and 100 ns are one event.
    """
    match event:
        case TaskCompleted() | TaskFailed():
            return (_TASK, event.task_scheduled_id)
        case SubOrchestrationInstanceCompleted() | SubOrchestrationInstanceFailed():
            return (_CHILD, event.task_scheduled_id)
        case TimerFired():
            return (_TIMER, event.timer_id)
        case EventRaised() if (_REQUEST, event.name) in asked:
            return (_REQUEST, event.name)
        case EventRaised():
            return replace(event, is_played=False, text=None, parent_trace_context=None)
        case ExecutionTerminated() | ExecutionSuspended() | ExecutionResumed():
            return replace(event, is_played=False, text=None)
    return None
