"""History events as values: what an instance's history is made of and what messages carry.

Names are those of the wire (``TaskScheduledId`` is `task_scheduled_id`); the order of the fields is the order of the
members on the wire. `event_json` reads and writes them. An event is never changed: one that has been played is another
event, equal but for `is_played`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from typing import Any, ClassVar, Self

from durable_status.replay.ticks import Ticks


class EventType(IntEnum):
    """The platform's number of each kind of event."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_INSTANCE_CREATED = 7
    SUB_ORCHESTRATION_INSTANCE_COMPLETED = 8
    SUB_ORCHESTRATION_INSTANCE_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_SENT = 14
    EVENT_RAISED = 15
    CONTINUE_AS_NEW = 16
    GENERIC_EVENT = 17
    HISTORY_STATE = 18
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20
    EXECUTION_REWOUND = 21


class OrchestrationStatus(Enum):
    """The runtime status of an instance; the value is the platform's name for it."""

    RUNNING = "Running"
    COMPLETED = "Completed"
    CONTINUED_AS_NEW = "ContinuedAsNew"
    FAILED = "Failed"
    CANCELED = "Canceled"
    TERMINATED = "Terminated"
    PENDING = "Pending"
    SUSPENDED = "Suspended"

    @property
    def number(self) -> int:
        """The platform's number, in order of definition (Running is 0)."""
        return list(OrchestrationStatus).index(self)

    @property
    def has_ended(self) -> bool:
        """Whether an instance with this status takes no more messages."""
        return self in _ENDED


_ENDED = frozenset(
    {
        OrchestrationStatus.COMPLETED,
        OrchestrationStatus.FAILED,
        OrchestrationStatus.CANCELED,
        OrchestrationStatus.TERMINATED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestrationInstance:
    """One execution: the instance id, and the id of the generation (none: whichever is current)."""

    instance_id: str
    execution_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentInstance:
    """The orchestration that waits for this one, and the id of the task it waits on."""

    name: str
    orchestration_instance: OrchestrationInstance
    task_schedule_id: int
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have."""

    event_type: ClassVar[EventType]
    event_id: int = -1
    is_played: bool = False
    timestamp: Ticks
    # The JSON text, once written or read: a history is sent to the orchestrator in every episode.
    text: str | None = field(default=None, compare=False, repr=False)

    def played(self) -> Self:
        """The same event after the orchestration has processed it."""
        return self if self.is_played else replace(self, is_played=True, text=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStarted(Event):
    """An instance, or a new generation of it, begins. `input` is the stored JSON text."""

    event_type = EventType.EXECUTION_STARTED
    orchestration_instance: OrchestrationInstance
    parent_instance: ParentInstance | None = None
    name: str
    version: str = ""
    input: str | None = None
    tags: dict[str, str] | None = None
    correlation: str | None = None
    parent_trace_context: dict[str, Any] | None = None
    scheduled_start_time: Ticks | None = None
    generation: int | None = None
    generate_new_trace: bool | None = None  # extension 3.x only; not written when None
    source_instance_id: str | None = None  # of a restarted instance, extension 3.x only; not written when None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionCompleted(Event):
    """The instance ended. `result` is JSON text, a failure's reason or the reason of a termination."""

    event_type = EventType.EXECUTION_COMPLETED
    orchestration_status: OrchestrationStatus
    result: str | None = None
    failure_details: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueAsNew(ExecutionCompleted):
    """The generation ended and another begins. `result` is the next generation's input."""

    event_type = EventType.CONTINUE_AS_NEW


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionTerminated(Event):
    """Somebody terminated the instance. `input` is the reason, raw text."""

    event_type = EventType.EXECUTION_TERMINATED
    input: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSuspended(Event):
    """Somebody suspended the instance."""

    event_type = EventType.EXECUTION_SUSPENDED
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionResumed(Event):
    """Somebody resumed the instance."""

    event_type = EventType.EXECUTION_RESUMED
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScheduled(Event):
    """An activity was scheduled; the event id is the task's id."""

    event_type = EventType.TASK_SCHEDULED
    name: str
    version: str | None = ""
    input: str | None = None
    parent_trace_context: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted(Event):
    """An activity returned. `result` is JSON text; a JSON null is none."""

    event_type = EventType.TASK_COMPLETED
    task_scheduled_id: int
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed(Event):
    """An activity raised."""

    event_type = EventType.TASK_FAILED
    task_scheduled_id: int
    reason: str | None = None
    details: str | None = None
    failure_details: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubOrchestrationInstanceCreated(Event):
    """A sub-orchestration was started; the event id is the task's id."""

    event_type = EventType.SUB_ORCHESTRATION_INSTANCE_CREATED
    name: str
    version: str | None = ""
    instance_id: str
    input: str | None = None
    client_span_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubOrchestrationInstanceCompleted(Event):
    """A sub-orchestration returned. `result` is JSON text."""

    event_type = EventType.SUB_ORCHESTRATION_INSTANCE_COMPLETED
    task_scheduled_id: int
    result: str | None = None
    instance_id: str | None = None  # extension 3.x only; not written when None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubOrchestrationInstanceFailed(Event):
    """A sub-orchestration failed or was terminated."""

    event_type = EventType.SUB_ORCHESTRATION_INSTANCE_FAILED
    task_scheduled_id: int
    reason: str | None = None
    details: str | None = None
    failure_details: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerCreated(Event):
    """A timer was set; the event id is the task's id."""

    event_type = EventType.TIMER_CREATED
    fire_at: Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired(Event):
    """A timer fired. The timestamp is when the timer was made, as on the platform."""

    event_type = EventType.TIMER_FIRED
    timer_id: int
    fire_at: Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorStarted(Event):
    """An episode begins; its timestamp is the orchestration's clock from here on."""

    event_type = EventType.ORCHESTRATOR_STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorCompleted(Event):
    """An episode ends."""

    event_type = EventType.ORCHESTRATOR_COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSent(Event):
    """A message was sent to another instance; the event id counts like a task's."""

    event_type = EventType.EVENT_SENT
    instance_id: str
    name: str
    input: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRaised(Event):
    """An external event arrived. `input` is JSON text."""

    event_type = EventType.EVENT_RAISED
    name: str
    input: str | None = None
    parent_trace_context: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericEvent(Event):
    """An event without effect: what a rewind leaves of the events it takes back."""

    event_type = EventType.GENERIC_EVENT
    data: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryState(Event):
    """An event without effect, which this storage provider does not write."""

    event_type = EventType.HISTORY_STATE
    state: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRewound(Event):
    """An event without effect: how newer storage providers rewind. Azure Storage does not."""

    event_type = EventType.EXECUTION_REWOUND
    reason: str | None = None
    parent_execution_id: str | None = None
    instance_id: str | None = None
    parent_trace_context: dict[str, Any] | None = None
