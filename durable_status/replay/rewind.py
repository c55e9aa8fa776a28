"""Rewind: what is left of a failed instance's history, so that the next episode tries again what failed.

The platform rewrites rows one by one, and so do we, with all it gets wrong (replay.md §3.9): the timers of a retry and
failures that the code had caught are not told apart, and a child that was terminated is not brought back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from durable_status.replay.events import (
    Event,
    ExecutionCompleted,
    GenericEvent,
    OrchestrationStatus,
    SubOrchestrationInstanceCreated,
    SubOrchestrationInstanceFailed,
    TaskFailed,
    TaskScheduled,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewound:
    """What rewinding one instance leads to."""

    history: tuple[Event, ...]
    """As long as before: what was taken back is an event without effect, in its place."""
    children: tuple[str, ...]
    """Instance ids of the failed sub-orchestrations, to be rewound too. Without any, this instance is to be woken."""


def rewind(history: Sequence[Event]) -> Rewound:
    """Take back every failed activity with its schedule, every failed child's answer, and the failed end."""
    failed_tasks = {event.task_scheduled_id for event in history if isinstance(event, TaskFailed)}
    failed_children = {
        event.task_scheduled_id for event in history if isinstance(event, SubOrchestrationInstanceFailed)
    }
    return Rewound(
        history=tuple(_without_effect(event) if _is_taken_back(event, failed_tasks) else event for event in history),
        children=tuple(
            event.instance_id
            for event in history
            if isinstance(event, SubOrchestrationInstanceCreated) and event.event_id in failed_children
        ),
    )


def _is_taken_back(event: Event, failed_tasks: set[int]) -> bool:
    match event:
        case TaskFailed() | SubOrchestrationInstanceFailed():
            return True
        case TaskScheduled():
            return event.event_id in failed_tasks
        case ExecutionCompleted():
            return event.orchestration_status is OrchestrationStatus.FAILED
        case _:
            return False


def _without_effect(event: Event) -> GenericEvent:
    return GenericEvent(event_id=event.event_id, is_played=event.is_played, timestamp=event.timestamp)
