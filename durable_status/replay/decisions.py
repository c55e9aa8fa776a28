"""What the host decides in an episode: each becomes an event of the history and, mostly, a message.

Ids are handed out when an action is reached, not when Python created the task; they are unique in an execution, except
after a non-deterministic replay, which repeats them. `wire_name` is the .NET class the platform's messages name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from durable_status.replay.events import EventRaised, OrchestrationStatus
from durable_status.replay.ticks import Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleActivity:
    """Run an activity. `input` is a JSON array of one element: the JSON text the orchestrator gave."""

    wire_name: ClassVar[str] = "ScheduleTaskOrchestratorAction"
    id: int
    name: str
    version: str
    input: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTimer:
    """Deliver TimerFired when the time has come."""

    wire_name: ClassVar[str] = "CreateTimerOrchestratorAction"
    id: int
    fire_at: Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSubOrchestration:
    """Start a child instance. `input` is the child's stored input (JSON text)."""

    wire_name: ClassVar[str] = "CreateSubOrchestrationAction"
    id: int
    name: str
    version: str
    instance_id: str
    input: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEvent:
    """Raise an event on another instance, not before `due` if that is given. `input` is JSON text."""

    wire_name: ClassVar[str] = "SendEventOrchestratorAction"
    id: int
    instance_id: str
    name: str
    input: str
    due: Ticks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """End the execution: for good, or by continuing as new (`result` is then the next input)."""

    wire_name: ClassVar[str] = "OrchestrationCompleteOrchestratorAction"
    id: int
    status: OrchestrationStatus
    result: str | None = None
    details: str | None = None
    carried_events: tuple[EventRaised, ...] = ()


Outgoing = ScheduleActivity | SetTimer | StartSubOrchestration | SendEvent
"""A decision that is performed after the commit."""

Decision = Outgoing | Complete
