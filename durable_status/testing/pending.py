"""What may happen next in a task hub: activities that run, timers that are set, messages on their way."""

from __future__ import annotations

from dataclasses import dataclass

from durable_status.replay.events import Event, ParentInstance
from durable_status.replay.ticks import Ticks, format_ticks
from durable_status.testing.payloads import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingActivity:
    """An activity that was scheduled and has not answered. `input` is the JSON text the orchestrator gave."""

    instance_id: str
    execution_id: str
    id: int
    name: str
    input: str | None

    def __str__(self) -> str:
        return f"activity {self.id}: {self.name}({shown(self.input)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTimer:
    """A timer that was set and has not fired."""

    instance_id: str
    execution_id: str
    id: int
    created: Ticks
    fire_at: Ticks

    def __str__(self) -> str:
        return f"timer {self.id}: fires at {format_ticks(self.fire_at)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChild:
    """A sub-orchestration that was started and has not ended; only where children do not run by themselves."""

    instance_id: str
    execution_id: str
    id: int
    name: str
    child_id: str
    input: str | None
    parent: ParentInstance

    def __str__(self) -> str:
        return f"sub-orchestration {self.id}: {self.name}({shown(self.input)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingMessage:
    """A message on its way from one instance to another."""

    instance_id: str
    execution_id: str | None
    id: int
    """The task it answers, or that sent it."""
    event: Event
    text: str
    due: Ticks = Ticks(0)
    """Not to be delivered before."""

    def __str__(self) -> str:
        return self.text


Pending = PendingActivity | PendingTimer | PendingChild | PendingMessage
