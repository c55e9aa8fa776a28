"""An episode is a value: history and messages in, everything the host has to do out.

No I/O, no clock: the same arguments give the same `Episode`, to the byte. The caller commits it (history, instance row,
messages) in one step and performs the outbox after that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from durable_status.replay import classic
from durable_status.replay.decisions import (
    Complete,
    Decision,
    Outgoing,
    ScheduleActivity,
    SendEvent,
    SetTimer,
    StartSubOrchestration,
)
from durable_status.replay.events import (
    ContinueAsNew,
    Event,
    EventRaised,
    EventSent,
    ExecutionCompleted,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionSuspended,
    ExecutionTerminated,
    OrchestrationInstance,
    OrchestrationStatus,
    OrchestratorCompleted,
    OrchestratorStarted,
    ParentInstance,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceCreated,
    SubOrchestrationInstanceFailed,
    TaskScheduled,
    TimerCreated,
)
from durable_status.replay.host_facts import HostFacts
from durable_status.replay.profile import Profile
from durable_status.replay.ticks import Ticks
from durable_status.replay.traps import Mode, Trap, TrapError, TrapKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """The instance an episode belongs to; all else is in its ExecutionStarted event."""

    instance_id: str
    carried_status: str | None = None
    """JSON text of the custom status that the generation before ended with; counts in a generation's first episode."""
    custom_status: str | None = None
    """JSON text of the custom status that the instance shows so far: to see when one disappears, and to keep it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentMessage:
    """Tells the parent orchestration that its child has ended."""

    parent: OrchestrationInstance
    event: SubOrchestrationInstanceCompleted | SubOrchestrationInstanceFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class NextGeneration:
    """The generation that a continue-as-new asks for. It needs an execution id to begin."""

    previous: ExecutionStarted
    input: str | None
    carried_events: tuple[EventRaised, ...]
    carried_status: str | None

    def messages(self, execution_id: str, now: Ticks) -> tuple[Event, ...]:
        """What the next call of `run_episode` gets as messages, with an empty history."""
        execution = replace(self.previous.orchestration_instance, execution_id=execution_id)
        begun = ExecutionStarted(
            timestamp=now,
            orchestration_instance=execution,
            parent_instance=self.previous.parent_instance,
            name=self.previous.name,
            version=self.previous.version,
            input=self.input,
            tags=self.previous.tags,
            generate_new_trace=self.previous.generate_new_trace,
        )
        return (begun, *self.carried_events, OrchestratorCompleted(timestamp=now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What one episode led to."""

    appended: tuple[Event, ...]
    """The events to append, `is_played` as it is to be stored; a generation's first ones replace the history."""
    runtime_status: OrchestrationStatus
    custom_status: str | None
    """JSON text; None is stored as null."""
    output: str | None
    """JSON text or a reason; None leaves the instance row's output as it is."""
    outbox: tuple[Outgoing, ...]
    """What to perform after the commit. Keyed by position: a non-deterministic replay repeats ids."""
    parent_message: ParentMessage | None
    next_generation: NextGeneration | None
    """Not None: call again with its messages and an empty history, and commit only the last call's events."""
    open_tasks: int
    """How many activities, timers and sub-orchestrations the execution waits for."""
    warnings: tuple[Trap, ...]
    """The traps it has run into; the platform passes over most of them in silence."""


def child_started(
    parent: ExecutionStarted, decision: StartSubOrchestration, *, execution_id: str, now: Ticks
) -> ExecutionStarted:
    """The first message of the child that `parent` decided to start; its execution needs an id."""
    return ExecutionStarted(
        timestamp=now,
        orchestration_instance=OrchestrationInstance(instance_id=decision.instance_id, execution_id=execution_id),
        parent_instance=ParentInstance(
            name=parent.name,
            orchestration_instance=parent.orchestration_instance,
            task_schedule_id=decision.id,
            version=parent.version,
        ),
        name=decision.name,
        version=decision.version,
        input=decision.input,
        generate_new_trace=parent.generate_new_trace,
    )


def run_episode(
    instance: Instance,
    history: Sequence[Event],
    messages: Sequence[Event],
    *,
    orchestrator: classic.Orchestrator,
    now: Ticks,
    host: HostFacts,
    profile: Profile,
    mode: Mode = Mode.FAITHFUL,
    unsent_status: Callable[[], str | None] = lambda: None,
) -> Episode:
    """Run one episode: one call of `orchestrator` on all that has happened, and what follows from its answer.

    Args:
        instance: whose episode it is.
        history: the current generation's committed events, oldest first.
        messages: what has arrived since, in order; the first of a generation is its ExecutionStarted.
        orchestrator: the SDK's handle of the orchestrator function.
        now: the time of this episode.
        host: the app's functions and settings.
        profile: which durable extension to be.
        mode: whether a trap is a warning or an error.
        unsent_status: asked after the call: what the code has set last and the SDK does not send, as Python writes it.

    Raises:
        TrapError: in strict mode, the first trap.
        ValueError: neither history nor messages hold an ExecutionStarted.
    """
    started = _find_start(instance, history, messages)
    replay = classic.replay(
        history,
        (OrchestratorStarted(timestamp=now), *messages),
        started=started,
        orchestrator=orchestrator,
        host=host,
        profile=profile,
    )
    decided = [_recorded(decision, now, host) for decision in replay.decisions]
    appended: list[Event] = [*replay.new_events, *decided]
    next_generation = _next_generation(started, replay)
    if next_generation is None and not isinstance(appended[-1], OrchestratorCompleted):
        appended.append(OrchestratorCompleted(timestamp=now))
    runtime_status = _runtime_status(history, appended)
    traps = (*replay.traps, *_status_traps(instance, history, replay, runtime_status, started.name, unsent_status()))
    if traps and mode is Mode.STRICT:
        raise TrapError(traps[0])
    is_carried = replay.custom_status is None and not history
    return Episode(
        appended=tuple(appended),
        runtime_status=runtime_status,
        custom_status=instance.carried_status if is_carried else replay.custom_status,
        output=_output(appended),
        outbox=tuple(decision for decision in replay.decisions if not isinstance(decision, Complete)),
        parent_message=_parent_message(started, replay.decisions, now, profile),
        next_generation=next_generation,
        open_tasks=replay.open_tasks,
        warnings=traps,
    )


def terminated_episode(
    instance: Instance,
    history: Sequence[Event],
    messages: Sequence[Event],
    *,
    trap: Trap,
    reason: str,
    now: Ticks,
    profile: Profile,
) -> Episode:
    """What takes the place of an episode that met `trap` in strict mode: nothing of it is done, the execution ends.

    User code is not called: an answer that the host cannot use would end as non-deterministic instead.
    """
    started = _find_start(instance, history, messages)
    ids = [event.event_id for event in history if isinstance(event, _SCHEDULING)]
    end = Complete(id=max(ids, default=-1) + 1, status=OrchestrationStatus.TERMINATED, result=reason)
    arrived = (*messages, ExecutionTerminated(timestamp=now, input=reason))
    return Episode(
        appended=(
            OrchestratorStarted(timestamp=now),
            *(event.played() for event in arrived),
            ExecutionCompleted(event_id=end.id, timestamp=now, orchestration_status=end.status, result=reason),
            OrchestratorCompleted(timestamp=now),
        ),
        runtime_status=end.status,
        custom_status=instance.custom_status if history else instance.carried_status,
        output=reason,
        outbox=(),
        parent_message=_parent_message(started, [end], now, profile),
        next_generation=None,
        open_tasks=0,
        warnings=(trap,),
    )


_SCHEDULING = (TaskScheduled, TimerCreated, SubOrchestrationInstanceCreated, EventSent)


def _find_start(instance: Instance, history: Sequence[Event], messages: Sequence[Event]) -> ExecutionStarted:
    for event in (*history[:2], *messages):
        if isinstance(event, ExecutionStarted):
            return event
    raise ValueError(f"no ExecutionStarted event for instance {instance.instance_id!r}")


def _recorded(decision: Decision, now: Ticks, host: HostFacts) -> Event:
    """The event that a decision leaves in the history."""
    match decision:
        case ScheduleActivity():
            return TaskScheduled(
                event_id=decision.id,
                timestamp=now,
                name=decision.name,
                version=decision.version,
                input=decision.input if host.store_inputs_in_history else None,
            )
        case SetTimer():
            return TimerCreated(event_id=decision.id, timestamp=now, fire_at=decision.fire_at)
        case StartSubOrchestration():
            return SubOrchestrationInstanceCreated(
                event_id=decision.id,
                timestamp=now,
                name=decision.name,
                version=decision.version,
                instance_id=decision.instance_id,
                input=decision.input if host.store_inputs_in_history else None,
            )
        case SendEvent():
            return EventSent(
                event_id=decision.id,
                timestamp=now,
                instance_id=decision.instance_id,
                name=decision.name,
                input=decision.input,
            )
        case Complete():
            ended = ContinueAsNew if decision.status is OrchestrationStatus.CONTINUED_AS_NEW else ExecutionCompleted
            return ended(
                event_id=decision.id, timestamp=now, orchestration_status=decision.status, result=decision.result
            )


def _next_generation(started: ExecutionStarted, replay: classic.Replay) -> NextGeneration | None:
    """The last end counts: a continue-as-new that completes in the same batch as a termination wins."""
    end = next((item for item in reversed(replay.decisions) if isinstance(item, Complete)), None)
    if end is None or end.status is not OrchestrationStatus.CONTINUED_AS_NEW:
        return None
    return NextGeneration(
        previous=started,
        input=end.result,
        carried_events=end.carried_events,
        carried_status=replay.custom_status,
    )


def _status_traps(
    instance: Instance,
    history: Sequence[Event],
    replay: classic.Replay,
    runtime_status: OrchestrationStatus,
    orchestrator: str,
    unsent: str | None,
) -> tuple[Trap, ...]:
    """A status that was there and is not set again; a failure may lose it for reasons that it tells itself."""
    if unsent is not None and unsent != "None":
        sentence = f"Its custom status {unsent} is falsy, and SDK 1.x does not send it, so readers see null."
        return (Trap(kind=TrapKind.FALSY_STATUS, orchestrator=orchestrator, sentence=sentence),)
    was_shown = bool(history) and instance.custom_status not in (None, "null")
    has_failed = runtime_status is OrchestrationStatus.FAILED
    if not was_shown or replay.custom_status is not None or has_failed or unsent == "None":
        return ()
    sentence = f"Its custom status {instance.custom_status} disappears, because this replay has not set it."
    return (Trap(kind=TrapKind.STATUS_LOST, orchestrator=orchestrator, sentence=sentence),)


_DECIDES_STATUS = (ExecutionStarted, ExecutionCompleted, ExecutionTerminated, ExecutionSuspended, ExecutionResumed)


def _runtime_status(history: Sequence[Event], appended: Sequence[Event]) -> OrchestrationStatus:
    """The runtime status that the latest event which decides it says."""
    for event in chain(reversed(appended), reversed(history)):
        if not isinstance(event, _DECIDES_STATUS):
            continue
        match event:
            case ExecutionCompleted():
                return event.orchestration_status
            case ExecutionTerminated():
                return OrchestrationStatus.TERMINATED
            case ExecutionSuspended():
                return OrchestrationStatus.SUSPENDED
            case ExecutionStarted() | ExecutionResumed():
                return OrchestrationStatus.RUNNING
    return OrchestrationStatus.RUNNING


def _output(appended: Sequence[Event]) -> str | None:
    """What the latest event with an output says: a result, or the reason of whatever was done to the instance."""
    for event in reversed(appended):
        match event:
            case ExecutionCompleted(result=text) | ExecutionTerminated(input=text):
                return text
            case ExecutionSuspended(reason=text) | ExecutionResumed(reason=text):
                return text
    return None


def _parent_message(
    started: ExecutionStarted, decisions: Sequence[Decision], now: Ticks, profile: Profile
) -> ParentMessage | None:
    parent = started.parent_instance
    if parent is None:
        return None
    for decision in decisions:
        if not isinstance(decision, Complete) or decision.status is OrchestrationStatus.CONTINUED_AS_NEW:
            continue
        event: SubOrchestrationInstanceCompleted | SubOrchestrationInstanceFailed
        if decision.status is OrchestrationStatus.COMPLETED:
            child = started.orchestration_instance.instance_id if profile.writes_newer_members else None
            event = SubOrchestrationInstanceCompleted(
                timestamp=now, task_scheduled_id=parent.task_schedule_id, result=decision.result, instance_id=child
            )
        else:
            event = SubOrchestrationInstanceFailed(
                timestamp=now,
                task_scheduled_id=parent.task_schedule_id,
                reason=decision.result,
                details=decision.details,
            )
        return ParentMessage(parent=parent.orchestration_instance, event=event)
    return None
