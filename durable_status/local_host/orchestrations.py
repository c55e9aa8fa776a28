"""Turns one work item into one commit: which messages count, the episodes they cause, and what those lead to.

Continuing as new goes on inside the item: every generation's outbox is performed, only the last one's history is
committed.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from durable_status.app.action_lines import ActionLines, noting_lines, place_of_definition, placed
from durable_status.app.functions import ORCHESTRATION_TRIGGER, AppFunction, by_durable_name
from durable_status.app.python_worker import close_coroutines, trigger_arguments
from durable_status.failure import Failure
from durable_status.local_host.clock import Clock
from durable_status.local_host.failures import Failures, told
from durable_status.local_host.invocations import invocation, on_behalf_of
from durable_status.local_host.status_lines import tell_custom_status
from durable_status.local_host.storage.provider import (
    ActivityCall,
    EpisodeCommit,
    InstanceRow,
    Message,
    OrchestrationWork,
)
from durable_status.local_host.worker import call_function
from durable_status.replay.answer import HostRefusal
from durable_status.replay.decisions import ScheduleActivity, SendEvent, SetTimer, StartSubOrchestration
from durable_status.replay.episode import Episode, Instance, child_started, run_episode, terminated_episode
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionStarted,
    OrchestrationInstance,
    OrchestrationStatus,
    TimerFired,
)
from durable_status.replay.executions import find_start, has_ended
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.host_facts import HostFacts
from durable_status.replay.profile import Profile
from durable_status.replay.ticks import Ticks
from durable_status.replay.traps import Mode, Trap, TrapError, TrapKind

logger = logging.getLogger(__name__)

_OF_STATUS = (TrapKind.STATUS_TOO_LARGE, TrapKind.STATUS_NOT_JSON, TrapKind.DATES_REWRITTEN)
_RESTS_PER_EPISODE = 4
_LONGEST_REST_SECONDS = 0.1


def random_execution_id() -> str:
    """The id of a generation that is no client's start: 32 hex digits."""
    return uuid.uuid4().hex


class Orchestrations:
    """The app's orchestrators, ready to run. `run` calls user code and may be called from several threads."""

    def __init__(
        self,
        functions: Iterable[AppFunction],
        host: HostFacts,
        profile: Profile,
        clock: Clock,
        mode: Mode = Mode.FAITHFUL,
        new_execution_id: Callable[[], str] = random_execution_id,
        failures: Failures | None = None,
    ) -> None:
        self._functions = by_durable_name(functions, ORCHESTRATION_TRIGGER)
        self._host = host
        self._profile = profile
        self._clock = clock
        self._mode = mode
        self._new_execution_id = new_execution_id
        self._failures = failures or Failures()
        self._said: dict[str, set[str]] = {}  # warnings by instance: every episode finds them again

    def run(self, work: OrchestrationWork) -> EpisodeCommit:
        """Run the episodes that `work` causes; what is to be committed may be only that its messages are consumed."""
        began = time.perf_counter()
        accepted = _accept(work)
        if accepted is None:
            return self._caught_up(work) if work.row_lags else EpisodeCommit()
        history, messages, started = accepted
        row = work.row if work.row and work.row.execution_id == started.orchestration_instance.execution_id else None
        orchestrator = self._orchestrator(started.name, work.instance_id)
        outbox = _Outbox(self._new_execution_id)
        carried_status = None
        while True:
            now = self._clock.now()
            instance = Instance(
                instance_id=work.instance_id,
                carried_status=carried_status,
                custom_status=row.custom_status if row else None,
            )
            episode = self._run_episode(instance, history, messages, orchestrator, now, self._mode)
            outbox.add(started, episode, now)
            self._warn(work.instance_id, episode, orchestrator)
            following = episode.next_generation
            if following is None:
                break
            carried_status = following.carried_status
            history, messages = (), following.messages(self._new_execution_id(), now)
            started = _first_start(messages)
        tell_custom_status(row, started, episode.custom_status)
        row = _updated_row(row, started, episode)
        self._tell(row, orchestrator)
        return EpisodeCommit(
            row=row,
            replaces_history=not history,
            events=episode.appended,
            messages=outbox.messages,
            activities=outbox.activities,
            rest_seconds=_rest_seconds(time.perf_counter() - began, episode.open_tasks),
        )

    def _run_episode(
        self,
        instance: Instance,
        history: Sequence[Event],
        messages: Sequence[Event],
        orchestrator: _Orchestrator,
        now: Ticks,
        mode: Mode,
    ) -> Episode:
        """One episode; in strict mode, one that meets a trap does nothing but terminate with its cure."""
        try:
            return run_episode(
                instance,
                history,
                messages,
                orchestrator=orchestrator,
                now=now,
                host=self._host,
                profile=self._profile,
                mode=mode,
                unsent_status=orchestrator.unsent_status,
            )
        except TrapError as error:
            reason = orchestrator.sentence(error.trap)
            return terminated_episode(
                instance, history, messages, trap=error.trap, reason=reason, now=now, profile=self._profile
            )

    def _caught_up(self, work: OrchestrationWork) -> EpisodeCommit:
        """Nothing happens but that the row shows the custom status, which is not in the history: it is replayed."""
        started = find_start(work.history)
        if started is None or work.row is None:
            return EpisodeCommit()
        episode = self._run_episode(
            Instance(instance_id=work.instance_id),
            work.history,
            (),
            self._orchestrator(started.name, work.instance_id),
            self._clock.now(),
            Mode.FAITHFUL,  # nothing happens that could be ended
        )
        return EpisodeCommit(row=replace(work.row, custom_status=episode.custom_status))

    def _orchestrator(self, name: str, instance_id: str) -> _Orchestrator:
        return _Orchestrator(self._functions, self._host, name, instance_id)

    def _warn(self, instance_id: str, episode: Episode, orchestrator: _Orchestrator) -> None:
        sentences = [orchestrator.sentence(trap) for trap in episode.warnings]
        if episode.runtime_status is OrchestrationStatus.COMPLETED:
            sentences += orchestrator.unawaited_tasks()
        said = self._said.setdefault(instance_id, set())
        for sentence in sentences:
            if sentence not in said:
                said.add(sentence)
                logger.warning("Instance '%s': %s", instance_id, sentence)

    def _tell(self, row: InstanceRow, orchestrator: _Orchestrator) -> None:
        if not row.runtime_status.has_ended:
            return
        self._said.pop(row.instance_id, None)
        if row.runtime_status is OrchestrationStatus.FAILED:
            failure = orchestrator.failure or Failure.from_output(row.output).seen_from(str(Path.cwd()))
            self._failures.note(row.instance_id, failure)
            logger.error("Instance '%s' of %s failed: %s", row.instance_id, row.name, failure)
        else:
            logger.info("Instance '%s' of %s: %s", row.instance_id, row.name, row.runtime_status.value)


class _Orchestrator:
    """Calls the orchestrator of a name, and keeps the lines and the failure of the last call."""

    def __init__(self, functions: Mapping[str, AppFunction], host: HostFacts, name: str, instance_id: str) -> None:
        self._names = host.orchestrators
        self._name = name
        self._instance_id = instance_id
        registered = self._names.find(name)
        self._function = None if registered is None else functions.get(registered)  # one that is disabled is not there
        self.lines: ActionLines | None = None
        self.failure: Failure | None = None
        """Why the last call failed, whatever the platform makes of it."""

    def sentence(self, trap: Trap) -> str:
        """What the trap is and its cure, after the line of user code that it is about."""
        return placed(self._place(trap), str(trap))

    def unsent_status(self) -> str | None:
        """The custom status that the last call has set last, if the SDK does not send it."""
        return None if self.lines is None else self.lines.unsent_status

    def unawaited_tasks(self) -> list[str]:
        """A sentence for each task of the last call that was never yielded: the platform is not told of it."""
        sentence = "A task that is created here and never yielded does not exist for the platform: it never runs."
        trap = Trap(kind=TrapKind.UNAWAITED_TASK, orchestrator=self._name, sentence=sentence)
        return [f"{place}: {trap}" for place in (self.lines.unawaited_places if self.lines else ())]

    def _place(self, trap: Trap) -> str | None:
        place = None
        if self.lines is not None:
            place = self.lines.place_of(trap.action, trap.kind.subject)
        return place or (None if self._function is None else place_of_definition(self._function.call))

    def __call__(self, trigger: str) -> str:
        if self._function is None:
            raise HostRefusal(self._names.unknown_sentence(self._name))
        self.failure = None
        number = str(uuid.uuid4())
        with on_behalf_of(self._instance_id), invocation(self._function.name, number), noting_lines() as self.lines:
            try:
                answer: str = call_function(self._function, trigger_arguments(self._function, trigger, number), number)
            except WorkerFailure as failure:
                self._note(failure, self.lines)
                raise
        return answer

    def _note(self, failure: WorkerFailure, lines: ActionLines) -> None:
        raised = failure.__cause__ or failure
        close_coroutines(raised)
        lines.note_failure(raised)
        self.failure = told(failure)


def _rest_seconds(episode_seconds: float, open_tasks: int) -> float:
    """How long to let completions gather: each costs a replay of everything, so a fan-out pays for every episode.

    An instance that waits for one task gets none, and a short one next to nothing.
    """
    return min(_RESTS_PER_EPISODE * episode_seconds, _LONGEST_REST_SECONDS) if open_tasks > 1 else 0.0


def _accept(work: OrchestrationWork) -> tuple[Sequence[Event], Sequence[Event], ExecutionStarted] | None:
    """The history and the messages of the episode, and the start of its execution; None if no message counts.

    A message to another execution is dropped, and so is everything for an instance that has ended or does not exist.
    A start counts once, and for an instance of its own only while its row names that execution; a child's start
    overwrites whatever has its id.
    """
    history, started = work.history, find_start(work.history)
    for message in work.messages.values():
        event = message.event
        if isinstance(event, ExecutionStarted) and _begins(event, started, work.row):
            history, started = (), event
    if started is None or has_ended(history):
        return None
    execution_id = started.orchestration_instance.execution_id
    events: list[Event] = [] if history else [started]
    events += [
        message.event
        for message in work.messages.values()
        if not isinstance(message.event, ExecutionStarted) and message.execution_id in (None, execution_id)
    ]
    return (history, events, started) if events else None


def _begins(start: ExecutionStarted, current: ExecutionStarted | None, row: InstanceRow | None) -> bool:
    execution = start.orchestration_instance
    if current is not None and current.orchestration_instance == execution:
        return False
    return start.parent_instance is not None or row is None or row.execution_id == execution.execution_id


def _first_start(messages: Sequence[Event]) -> ExecutionStarted:
    started = find_start(messages)
    assert started is not None, "a generation begins with its ExecutionStarted"
    return started


def _updated_row(row: InstanceRow | None, started: ExecutionStarted, episode: Episode) -> InstanceRow:
    """The instance row after `episode`; `row` is what the task hub has of this execution or the one it continues."""
    last = episode.appended[-1].timestamp
    return InstanceRow(
        instance_id=started.orchestration_instance.instance_id,
        execution_id=started.orchestration_instance.execution_id or "",
        name=started.name,
        version=started.version,
        input=started.input,
        runtime_status=episode.runtime_status,
        custom_status=episode.custom_status,
        output=episode.output if episode.output is not None or row is None else row.output,
        created_time=started.timestamp,
        last_updated_time=last,
        completed_time=last if episode.runtime_status.has_ended else None,
        generation=started.generation if row is None else row.generation,
    )


class _Outbox:
    """What the episodes of one work item send, collected until the commit."""

    def __init__(self, new_execution_id: Callable[[], str]) -> None:
        self._new_execution_id = new_execution_id
        self.messages: list[Message] = []
        self.activities: list[ActivityCall] = []

    def add(self, started: ExecutionStarted, episode: Episode, now: Ticks) -> None:
        """Add what one episode decided, and the news for its parent."""
        for decision in episode.outbox:
            match decision:
                case ScheduleActivity():
                    self.activities.append(_activity_call(started.orchestration_instance, decision))
                case SetTimer():
                    self.messages.append(_timer(started.orchestration_instance, decision, now))
                case StartSubOrchestration():
                    self.messages.append(_child_start(started, decision, now, self._new_execution_id()))
                case SendEvent():
                    event = EventRaised(timestamp=now, name=decision.name, input=decision.input)
                    self.messages.append(
                        Message(instance_id=decision.instance_id, event=event, due=decision.due or Ticks(0))
                    )
        if episode.parent_message is not None:
            parent = episode.parent_message.parent
            self.messages.append(
                Message(
                    instance_id=parent.instance_id,
                    execution_id=parent.execution_id,
                    event=episode.parent_message.event,
                )
            )


def _activity_call(execution: OrchestrationInstance, decision: ScheduleActivity) -> ActivityCall:
    return ActivityCall(
        instance_id=execution.instance_id,
        execution_id=execution.execution_id or "",
        task_id=decision.id,
        name=decision.name,
        input=decision.input,
    )


def _timer(execution: OrchestrationInstance, decision: SetTimer, now: Ticks) -> Message:
    return Message(
        instance_id=execution.instance_id,
        execution_id=execution.execution_id,
        event=TimerFired(timestamp=now, timer_id=decision.id, fire_at=decision.fire_at),
        due=decision.fire_at,
    )


def _child_start(started: ExecutionStarted, decision: StartSubOrchestration, now: Ticks, execution_id: str) -> Message:
    event = child_started(started, decision, execution_id=execution_id, now=now)
    child = event.orchestration_instance
    return Message(instance_id=child.instance_id, execution_id=child.execution_id, event=event)
