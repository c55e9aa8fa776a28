"""A task hub in the test's hand: what happens next, and how many messages make a batch, is chosen from outside.

The host's own code makes the commits; only the storage and the dispatcher are replaced, by values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import azure.durable_functions as df

from durable_status.app.functions import ENTITY_TRIGGER, ORCHESTRATION_TRIGGER, AppFunction
from durable_status.app.sdk import speed_up_sdk
from durable_status.local_host.dispatcher import is_entity_work
from durable_status.local_host.entities import Entities
from durable_status.local_host.orchestrations import Orchestrations
from durable_status.local_host.storage.provider import ActivityCall, InstanceRow, Message, OrchestrationWork
from durable_status.replay.entity_batch import EntitySettings
from durable_status.replay.event_json import event_text, read_event
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionSuspended,
    ExecutionTerminated,
    OrchestrationInstance,
    OrchestrationStatus,
    TaskCompleted,
    TaskFailed,
    TimerFired,
)
from durable_status.replay.failures import WorkerFailure, activity_failure
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.replay.profile import PROFILE_2_13
from durable_status.replay.ticks import PER_MILLISECOND, Ticks, parse_ticks
from durable_status.stored_json import dump_stored
from tests.fidelity.programs import FAILING_INPUT, counter, program

speed_up_sdk()

ROOT_ID = "root"
_START = parse_ticks("2026-11-22T11:30:00Z")
HOST = HostFacts(
    orchestrators=FunctionNames.create(FunctionKind.ORCHESTRATOR, ["Program"]),
    activities=FunctionNames.create(FunctionKind.ACTIVITY, ["Echo"]),
    entities=FunctionNames.create(FunctionKind.ENTITY, ["Counter"]),
)
_PROGRAM = AppFunction.create(
    "Program",
    [{"type": ORCHESTRATION_TRIGGER, "name": "context", "direction": "IN"}],
    df.Orchestrator.create(program),
)
_COUNTER = AppFunction.create(
    "Counter",
    [{"type": ENTITY_TRIGGER, "name": "context", "direction": "IN"}],
    df.Entity.create(counter),
)

Stimulus = tuple[str, Any]
"""What somebody does to the root instance: ``("event", name)``, ``("suspend", reason)``, and so on."""

Arrival = tuple[str, str]
"""What a message is to the instance it reaches: the instance id, and the execution and task or the stimulus."""


class _Clock:
    def __init__(self, moment: Ticks) -> None:
        self.moment = moment

    def now(self) -> Ticks:
        self.moment = Ticks(self.moment + PER_MILLISECOND)
        return self.moment

    async def wait_until(self, moment: Ticks) -> None:
        raise AssertionError(f"nothing waits here, not even for {moment}")


@dataclass(slots=True)
class World:
    """One hub with one started instance of `given`; `stimuli` are done to it, in their order, when they are chosen."""

    given: Mapping[str, Any]
    stimuli: list[Stimulus] = field(default_factory=list)
    dies_after_every_commit: bool = False
    rows: dict[str, InstanceRow] = field(default_factory=dict)
    histories: dict[str, list[Event]] = field(default_factory=dict)
    done: list[Stimulus] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    _inbox: dict[str, dict[int, Message]] = field(default_factory=dict)
    _timers: list[tuple[int, Message]] = field(default_factory=list)
    _calls: list[ActivityCall] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _executions: Iterator[int] = field(default_factory=count)
    _clock: _Clock = field(default_factory=lambda: _Clock(_START))
    _orchestrations: Orchestrations = field(init=False)
    _entities: Entities = field(init=False)

    def __post_init__(self) -> None:
        self._start_host()
        execution_id = self._new_execution_id()
        now = self._clock.now()
        # As the SDK's client sends it: JSON text inside a JSON text.
        row = InstanceRow(
            instance_id=ROOT_ID,
            execution_id=execution_id,
            name="Program",
            input=dump_stored(json.dumps(self.given)),
            runtime_status=OrchestrationStatus.PENDING,
            created_time=now,
            last_updated_time=now,
            generation=0,
        )
        self.rows[ROOT_ID] = row
        started = ExecutionStarted(
            timestamp=now,
            orchestration_instance=OrchestrationInstance(instance_id=ROOT_ID, execution_id=execution_id),
            name="Program",
            input=row.input,
            generation=0,
        )
        self._put(Message(instance_id=ROOT_ID, execution_id=execution_id, event=started))

    @property
    def root(self) -> InstanceRow:
        """The started instance's row."""
        return self.rows[ROOT_ID]

    def run(self, choices: Sequence[int], *, batch: int | None = None) -> None:
        """Do one move after another until none is left; a choice picks among the moves, 0 when they run out.

        `batch` limits the messages of an episode; without it a choice decides that, too.
        """
        picks = iter(choices)
        while moves := list(self._moves(batch)):
            moves[next(picks, 0) % len(moves)]()

    def run_in_order(self, arrivals: Sequence[Arrival], waits: Sequence[bool]) -> Arrival | None:
        """Let messages arrive in this order, in batches: after each one an episode runs, or waits if it can.

        Returns the first that cannot arrive, because nothing has asked for it; nothing arrives after it.
        """
        patience = iter(waits)
        for arrival in arrivals:
            if not self._let_arrive(arrival):
                return arrival
            if not next(patience, False):
                self._run_all()
        self._run_all()
        return None

    def _let_arrive(self, arrival: Arrival) -> bool:
        for _ in range(2):
            if arrival in self.arrivals:
                return True
            for move in self._sources():
                if move.arrival == arrival:
                    move()
                    return True
            self._run_all()  # what makes it possible may still lie in an inbox
        return arrival in self.arrivals

    def _run_all(self) -> None:
        while waiting := [instance_id for instance_id, messages in self._inbox.items() if messages]:
            self._run_episode(waiting[0], None)

    def _moves(self, batch: int | None) -> Iterator[Callable[[], None]]:
        for instance_id, messages in self._inbox.items():
            sizes = [batch] if batch else [len(messages), 1] if len(messages) > 1 else [1]
            if messages:
                yield from (lambda i=instance_id, n=size: self._run_episode(i, n) for size in sizes)
        yield from self._sources()

    def _sources(self) -> Iterator[_Source]:
        """The moves that bring a message."""
        for call in self._calls:
            yield _Source(_task_arrival(call), lambda c=call: self._run_activity(c))
        if self._timers:
            first = min(self._timers, key=lambda entry: (entry[1].due, entry[0]))
            yield _Source(_arrival(first[1]), lambda: self._fire(first))
        if self.stimuli:
            yield _Source((ROOT_ID, f"stimulus {len(self.stimuli)}"), self._stimulate)

    def _run_episode(self, instance_id: str, size: int | None) -> None:
        inbox = self._inbox[instance_id]
        batch = dict(list(inbox.items())[:size])
        row = self.rows.get(instance_id)
        work = OrchestrationWork(
            instance_id=instance_id, row=row, history=tuple(self.histories.get(instance_id, ())), messages=batch
        )
        commit = (self._entities if is_entity_work(work) else self._orchestrations).run(work)
        for number in batch:
            del inbox[number]
        if commit.row is not None:
            self.rows[instance_id] = commit.row
            past = [] if commit.replaces_history else self.histories[instance_id]
            self.histories[instance_id] = [*past, *commit.events]
        for message in commit.messages:
            self._put(message)
        self._calls += commit.activities
        if self.dies_after_every_commit:
            self._die()

    def _run_activity(self, call: ActivityCall) -> None:
        self._calls.remove(call)
        (text,) = json.loads(call.input)
        now = self._clock.now()
        event: Event
        if text is not None and json.loads(text) == FAILING_INPUT:
            reason, details = activity_failure(call.name, WorkerFailure("ValueError: as asked"), PROFILE_2_13)
            event = TaskFailed(timestamp=now, task_scheduled_id=call.task_id, reason=reason, details=details)
        else:
            result = None if text in (None, "null") else dump_stored(json.loads(text))
            event = TaskCompleted(timestamp=now, task_scheduled_id=call.task_id, result=result)
        self._put(Message(instance_id=call.instance_id, execution_id=call.execution_id, event=event))

    def _fire(self, entry: tuple[int, Message]) -> None:
        self._timers.remove(entry)
        self._clock.moment = max(self._clock.moment, entry[1].due)
        self._deliver(entry[1])

    def _stimulate(self) -> None:
        number = len(self.stimuli)
        kind, value = stimulus = self.stimuli.pop(0)
        self.done.append(stimulus)
        now = self._clock.now()
        event: Event
        match kind:
            case "event":
                event = EventRaised(timestamp=now, name=value, input=str(number))
            case "suspend":
                event = ExecutionSuspended(timestamp=now, reason=value)
            case "resume":
                event = ExecutionResumed(timestamp=now, reason=value)
            case _:
                event = ExecutionTerminated(timestamp=now, input=value)
        self.arrivals.append((ROOT_ID, f"stimulus {number}"))
        self._enqueue(Message(instance_id=ROOT_ID, event=event))

    def _put(self, message: Message) -> None:
        if message.due > self._clock.moment:
            self._timers.append((next(self._numbers), message))
        else:
            self._deliver(message)

    def _deliver(self, message: Message) -> None:
        self.arrivals.append(_arrival(message))
        self._enqueue(message)

    def _enqueue(self, message: Message) -> None:
        self._inbox.setdefault(message.instance_id, {})[next(self._numbers)] = message

    def _die(self) -> None:
        """Forget all but what a storage provider would keep, and start another host on it."""
        self.histories = {
            instance_id: [read_event(event_text(event)) for event in history]
            for instance_id, history in self.histories.items()
        }
        self._inbox = {
            instance_id: {number: _reread(message) for number, message in messages.items()}
            for instance_id, messages in self._inbox.items()
        }
        self._timers = [(number, _reread(message)) for number, message in self._timers]
        self._start_host()

    def _start_host(self) -> None:
        self._orchestrations = Orchestrations(
            [_PROGRAM], HOST, PROFILE_2_13, self._clock, new_execution_id=self._new_execution_id
        )
        self._entities = Entities(
            [_COUNTER],
            HOST.entities,
            EntitySettings(),
            PROFILE_2_13,
            self._clock,
            new_execution_id=self._new_execution_id,
        )

    def _new_execution_id(self) -> str:
        return f"{next(self._executions):032x}"


@dataclass(frozen=True, slots=True)
class _Source:
    arrival: Arrival
    _bring: Callable[[], None]

    def __call__(self) -> None:
        self._bring()


def _task_arrival(call: ActivityCall) -> Arrival:
    return call.instance_id, f"{call.execution_id} task {call.task_id}"


def _arrival(message: Message) -> Arrival:
    match message.event:
        case TaskCompleted(task_scheduled_id=task_id) | TaskFailed(task_scheduled_id=task_id):
            what = f"task {task_id}"
        case TimerFired(timer_id=task_id):
            what = f"timer {task_id}"
        case _:
            what = type(message.event).__name__
    return message.instance_id, f"{message.execution_id} {what}"


def _reread(message: Message) -> Message:
    return replace(message, event=read_event(event_text(message.event)))
