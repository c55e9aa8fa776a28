"""What a task hub inside the test knows of one instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from durable_status.failure import Failure
from durable_status.replay.episode import Episode
from durable_status.replay.events import Event, ExecutionStarted, OrchestrationStatus
from durable_status.replay.ticks import Ticks
from durable_status.testing.growing import Growing
from durable_status.testing.idle import Awaited
from durable_status.testing.observer import Observation
from durable_status.testing.rules import Answer
from durable_status.testing.timeline import Seen, Unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceState:
    """One instance as the hub has it; texts are as stored."""

    started: ExecutionStarted
    history: Growing[Event] = field(default_factory=Growing)
    runtime_status: OrchestrationStatus = OrchestrationStatus.PENDING
    custom_status: str | None = None
    output: str | None = None
    created: Ticks
    updated: Ticks
    seen: tuple[Seen, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    failure: Failure | None = None
    """Why it has failed, if it has."""
    answer: Answer | None = None
    """What the orchestrator said in the latest episode; None before the first and after a continue-as-new."""
    statuses_set: tuple[Any, ...] = ()
    """What the latest run set, in order."""
    waits_for: tuple[str, ...] = ()
    """The external events that the orchestrator waits for."""
    awaited: Awaited | None = None
    """The calls whose ends do not wake the orchestrator, but for the last."""

    @property
    def instance_id(self) -> str:
        """The instance's id."""
        return self.started.orchestration_instance.instance_id

    @property
    def execution_id(self) -> str:
        """The id of the current generation."""
        return self.started.orchestration_instance.execution_id or ""


def failure_of(episode: Episode, observation: Observation) -> Failure | None:
    """Why an episode has failed the instance, its files as a reader of the test's output finds them."""
    if episode.runtime_status is not OrchestrationStatus.FAILED:
        return None
    raised = observation.failure
    failure = (
        Failure.from_output(episode.output) if raised is None else Failure.from_worker(raised.message, raised.stack)
    )
    return failure.seen_from(str(Path.cwd()))


def settled_wait(
    answer: Answer, observation: Observation, episode: Episode, *, before: Answer | None, history: Sequence[Event]
) -> Awaited | None:
    """What an orchestrator waits for that a replay has just said the same as before, and that is told nothing."""
    is_settled = before is not None and before.text == answer.text and not episode.warnings
    is_running = episode.runtime_status is OrchestrationStatus.RUNNING and not answer.has_ended
    if not (is_settled and is_running):
        return None
    return Awaited.of(observation.lines.awaited, answer.actions, history)
