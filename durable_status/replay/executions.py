"""What the events of one execution say of it as a whole: its start, and whether it has ended."""

from __future__ import annotations

from collections.abc import Sequence

from durable_status.replay.events import Event, ExecutionCompleted, ExecutionStarted, OrchestratorStarted


def find_start(events: Sequence[Event]) -> ExecutionStarted | None:
    """The start of the execution, which is among the first two events; None without one."""
    return next((event for event in events[:2] if isinstance(event, ExecutionStarted)), None)


def has_ended(history: Sequence[Event]) -> bool:
    """Whether the last episode ended the execution; the instance's row does not tell after a rewind that went wrong."""
    for event in reversed(history):
        if isinstance(event, ExecutionCompleted | OrchestratorStarted):
            return isinstance(event, ExecutionCompleted)
    return False
