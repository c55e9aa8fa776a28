"""What the host knows of one execution while it replays it: ids, decisions and open tasks.

Decisions are made by the walk over the action list; history then takes them back one by one (`feed`), so that what is
left at the end is new. Completions settle open tasks, which lets the walk go on, synchronously.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from durable_status.replay.decisions import (
    Complete,
    Decision,
    ScheduleActivity,
    SendEvent,
    SetTimer,
    StartSubOrchestration,
)
from durable_status.replay.determinism import check_decision
from durable_status.replay.entity_messages import RequestMessage
from durable_status.replay.events import (
    Event,
    EventRaised,
    EventSent,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
    OrchestrationStatus,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceCreated,
    SubOrchestrationInstanceFailed,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
)
from durable_status.replay.external_events import ExternalEvents
from durable_status.replay.futures import Future
from durable_status.replay.ticks import Ticks
from durable_status.replay.traps import TrapKind, TrapLog


class HostContext:
    """One execution in the middle of its replay."""

    def __init__(self, execution_id: str, log: TrapLog) -> None:
        self.clock = Ticks(0)
        """The time of the latest OrchestratorStarted fed so far."""
        self.external_events = ExternalEvents(log)
        self._log = log
        self._execution_id = execution_id
        self._decisions: dict[int, Decision] = {}
        self._open_tasks: dict[int, Future] = {}
        self._children: dict[int, str] = {}
        self._next_id = 0
        self._next_input: str | None = None
        self._carried_events: list[EventRaised] | None = None
        self._has_ended = False
        self._suspended = False
        self._fed_while_suspended: deque[Event] = deque()
        # Reached before a suspension in the same batch: they keep their ids and go out with the resume.
        self._withheld: dict[int, Decision] = {}

    @property
    def open_tasks(self) -> int:
        """How many activities, timers and sub-orchestrations have not settled; with any the execution cannot end."""
        return len(self._open_tasks)

    @property
    def is_suspended(self) -> bool:
        """Whether events are kept for the resume."""
        return self._suspended

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What was decided and is not in the history yet, in the order of the ids."""
        return tuple(decision for _, decision in sorted(self._decisions.items()))

    # What the walk decides.

    def schedule_activity(self, name: str, input_text: str) -> Future:
        """Decide to run an activity; settles with its completion."""
        task_id = self._take_id()
        return self._open(ScheduleActivity(id=task_id, name=name, version="", input=input_text))

    def start_sub_orchestration(self, name: str, instance_id: str | None, input_text: str | None) -> Future:
        """Decide to start a child; an id that is missing or blank is made of the execution id and the task id."""
        task_id = self._take_id()
        child = instance_id if instance_id and not instance_id.isspace() else f"{self._execution_id}:{task_id}"
        self._check_child(task_id, child)
        return self._open(StartSubOrchestration(id=task_id, name=name, version="", instance_id=child, input=input_text))

    def set_timer(self, fire_at: Ticks, *, canceled: bool = False) -> Future:
        """Decide to set a timer. A cancelled one is still set, but settles at once and holds nothing open."""
        decision = SetTimer(id=self._take_id(), fire_at=fire_at)
        if not canceled:
            return self._open(decision)
        self._decisions[decision.id] = decision
        return Future.settled(False)

    def send_event(self, instance_id: str, name: str, input_text: str, due: Ticks | None = None) -> None:
        """Decide to raise an event on another instance."""
        decision = SendEvent(id=self._take_id(), instance_id=instance_id, name=name, input=input_text, due=due)
        self._decisions[decision.id] = decision

    def continue_as_new(self, input_text: str | None) -> None:
        """Decide what completing will mean; the last call counts. Events from now on are carried over."""
        self._next_input = input_text
        self._carried_events = []

    def complete(self, status: OrchestrationStatus, result: str | None, details: str | None = None) -> None:
        """Decide that the execution ends. Only the first end counts, but continuing as new beats even that."""
        decision_id = self._take_id()
        if status is OrchestrationStatus.COMPLETED and self._carried_events is not None:
            self._check_events(self._carried_events)
            self._decisions[decision_id] = Complete(
                id=decision_id,
                status=OrchestrationStatus.CONTINUED_AS_NEW,
                result=self._next_input,
                carried_events=tuple(self._carried_events),
            )
        elif not self._has_ended:
            self._has_ended = True
            self._decisions[decision_id] = Complete(id=decision_id, status=status, result=result, details=details)

    # What the history says.

    def feed(self, event: Event) -> None:
        """Take one event of the history, or one message, in its order.

        Raises:
            NonDeterminismError: the event records a decision that this replay has not made.
        """
        if self._suspended and not isinstance(event, ExecutionResumed | ExecutionTerminated):
            if not isinstance(event, ExecutionSuspended):
                self._fed_while_suspended.append(event)
            return
        match event:
            case TaskScheduled() | TimerCreated() | SubOrchestrationInstanceCreated() | EventSent():
                decision = self._decisions.get(event.event_id)
                if isinstance(event, EventSent):
                    self._check_request(event, decision)
                check_decision(event, decision)
                del self._decisions[event.event_id]
            case TaskCompleted() | SubOrchestrationInstanceCompleted():
                self._settle_task(event.task_scheduled_id, succeeded=True)
            case TaskFailed() | SubOrchestrationInstanceFailed():
                self._settle_task(event.task_scheduled_id, succeeded=False)
            case TimerFired():
                self._settle_task(event.timer_id, succeeded=True)
            case EventRaised():
                self._take_external_event(event)
            case ExecutionSuspended():
                self._suspend()
            case ExecutionResumed():
                self._resume()
            case ExecutionTerminated():
                self.complete(OrchestrationStatus.TERMINATED, event.input)

    def _settle_task(self, task_id: int, *, succeeded: bool) -> None:
        # An id that is not open is a duplicate or a cancelled timer's: no effect in the host.
        task = self._open_tasks.get(task_id)
        if task is not None:
            task.settle(succeeded)
            del self._open_tasks[task_id]

    def _take_external_event(self, event: EventRaised) -> None:
        if self._carried_events is None:
            self.external_events.raise_event(event.name)
        else:
            self._carried_events.append(replace(event, is_played=True, text=None))

    def _suspend(self) -> None:
        self._suspended = True
        self._withheld.update(self._decisions)
        self._decisions.clear()

    def _resume(self) -> None:
        self._suspended = False
        self._decisions.update(self._withheld)
        self._withheld.clear()
        while self._fed_while_suspended:
            self.feed(self._fed_while_suspended.popleft())

    def _check_child(self, task_id: int, child: str) -> None:
        if any(child == other and task in self._open_tasks for task, other in self._children.items()):
            self._log.note(
                TrapKind.SHARED_CHILD_ID,
                f"Two sub-orchestrations with the id '{child}' run at the same time: one overwrites the other.",
            )
        self._children[task_id] = child

    def _check_request(self, event: EventSent, decision: Decision | None) -> None:
        """An entity answers under the id of the request it got, which is made of the clock."""
        if not isinstance(decision, SendEvent) or decision.input == event.input or event.input is None:
            return
        sent, again = RequestMessage.from_text(event.input), RequestMessage.from_text(decision.input)
        if sent.id != again.id and not again.is_signal:
            self._log.note(
                TrapKind.LATE_CANCEL,
                f"The call of '{decision.instance_id}' is reached at another time than when it was sent, because a "
                "timer before it has been cancelled since: its response is never found.",
            )

    def _check_events(self, carried: Iterable[EventRaised]) -> None:
        for name in self.external_events.unserved:
            self._log.note(TrapKind.LOST_EVENT, f"Event '{name}', which has not been waited for, is lost.")
        for event in carried:
            if self.external_events.is_waited_for(event.name):
                self._log.note(
                    TrapKind.EVENT_COMES_BACK,
                    f"Event '{event.name}' has been taken already and comes again in the next generation.",
                )

    def _take_id(self) -> int:
        taken = self._next_id
        self._next_id += 1
        return taken

    def _open(self, decision: ScheduleActivity | SetTimer | StartSubOrchestration) -> Future:
        self._decisions[decision.id] = decision
        self._open_tasks[decision.id] = task = Future()
        return task
