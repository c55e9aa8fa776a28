"""The platform's numbers of its names: messages carry the numbers, rows the names (storage.md §4)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Numbering:
    """Names, numbered in order from 0."""

    what: str
    names: tuple[str, ...]

    def name_of(self, number: int) -> str:
        """The name with a number.

        Raises:
            ValueError: there is none.
        """
        if isinstance(number, int) and 0 <= number < len(self.names):
            return self.names[number]
        raise ValueError(f"unknown {self.what}: {number!r}")

    def number_of(self, name: str) -> int:
        """The number of a name.

        Raises:
            ValueError: there is none.
        """
        if name in self.names:
            return self.names.index(name)
        raise ValueError(f"unknown {self.what}: {name!r}")


EVENT_TYPES = Numbering(
    "event type",
    (
        "ExecutionStarted",
        "ExecutionCompleted",
        "ExecutionFailed",
        "ExecutionTerminated",
        "TaskScheduled",
        "TaskCompleted",
        "TaskFailed",
        "SubOrchestrationInstanceCreated",
        "SubOrchestrationInstanceCompleted",
        "SubOrchestrationInstanceFailed",
        "TimerCreated",
        "TimerFired",
        "OrchestratorStarted",
        "OrchestratorCompleted",
        "EventSent",
        "EventRaised",
        "ContinueAsNew",
        "GenericEvent",
        "HistoryState",
        "ExecutionSuspended",
        "ExecutionResumed",
        "ExecutionRewound",
    ),
)
ORCHESTRATION_STATUSES = Numbering(
    "runtime status",
    ("Running", "Completed", "ContinuedAsNew", "Failed", "Canceled", "Terminated", "Pending", "Suspended"),
)
