"""What a batch of messages is, in a few words for people."""

from __future__ import annotations

from collections.abc import Sequence

from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionSuspended,
    ExecutionTerminated,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceCreated,
    SubOrchestrationInstanceFailed,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerFired,
)
from durable_status.testing.payloads import shown


def cause_of(history: Sequence[Event], messages: Sequence[Event]) -> str:
    """The messages in order, with the names of the tasks they complete."""
    names = {
        event.event_id: event.name
        for event in history
        if isinstance(event, TaskScheduled | SubOrchestrationInstanceCreated)
    }
    return ", ".join(text for event in messages if (text := _text(event, names)))


def _text(event: Event, names: dict[int, str]) -> str:
    match event:
        case ExecutionStarted():
            return "start"
        case TaskCompleted() | SubOrchestrationInstanceCompleted():
            return f"{names.get(event.task_scheduled_id, 'task')} -> {shown(event.result)}"
        case TaskFailed() | SubOrchestrationInstanceFailed():
            return f"{names.get(event.task_scheduled_id, 'task')} failed"
        case TimerFired():
            return f"timer {event.timer_id}"
        case EventRaised():
            return f"event {event.name}({shown(event.input)})"
        case ExecutionTerminated():
            return f"terminate({event.input!r})"
        case ExecutionSuspended():
            return f"suspend({event.reason!r})"
        case ExecutionResumed():
            return f"resume({event.reason!r})"
        case _:
            return ""
