"""What the platform may really do to an instance, though it seldom does."""

from __future__ import annotations

from dataclasses import dataclass

from durable_status.testing.errors import HarnessError

_EARLIEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Faults to play in a run. All of them are legal: an orchestration has to end the same way.

    Raises:
        HarnessError: a value is out of range.
    """

    rerun_episodes: bool = False
    """Every episode runs once more before it is committed, as after a crash."""
    rerun_activities: bool = False
    """Every activity runs twice, and its second answer counts: activities are at-least-once."""
    duplicate_events: bool = False
    """Every external event comes twice."""
    new_process: bool = False
    """The app's modules are loaded again before every episode: nothing is left in their variables."""
    early_timers: float = 0.0
    """Seconds, up to 1, by which timers fire early, as on Azure Storage (replay.md §3.3)."""
    batch: int = 1
    """How many messages at most come in one episode."""

    def __post_init__(self) -> None:
        if not 0 <= self.early_timers <= _EARLIEST_SECONDS:
            raise HarnessError(f"early_timers is {self.early_timers}; timers fire at most 1 second early.")
        if self.batch < 1:
            raise HarnessError(f"batch is {self.batch}; an episode has at least one message.")


NO_FAULTS = Faults()
