"""An orchestration that runs in the test: activities at once, timers only when the test moves the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Self

from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
)
from durable_status.replay.ticks import PER_SECOND, Ticks
from durable_status.testing.context import event_text, later
from durable_status.testing.errors import HarnessError
from durable_status.testing.faults import NO_FAULTS, Faults
from durable_status.testing.outcomes import Call, Outcomes
from durable_status.testing.pending import Pending, PendingActivity, PendingChild, PendingMessage, PendingTimer
from durable_status.testing.task_hub import TaskHub
from durable_status.testing.view import InstanceView

_MOST_EPISODES = 10_000


class OrchestrationRun(InstanceView):
    """One instance that was started, with all that it starts in turn.

    After every step of the test all that needs no time has happened: activities, entities, calls and sub-orchestrations
    have ended, one message per episode, in the order they were asked for. Then the rules are checked.
    """

    def __init__(
        self,
        hub: TaskHub,
        instance_id: str,
        outcomes: Outcomes,
        *,
        faults: Faults = NO_FAULTS,
        allow: Sequence[str] = (),
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(hub, instance_id, allow=allow)
        self._outcomes = outcomes
        self._faults = faults
        self._forget = forget

    def begin(self, started: Event) -> Self:
        """Run the first episode and what follows from it."""
        self._step(self.instance_id, started)
        return self._settle()

    @property
    def sub_orchestrations(self) -> list[InstanceView]:
        """The instances that this one has started, in order."""
        return [
            InstanceView(self._hub, state.instance_id)
            for state in self._hub.instances.values()
            if state.started.parent_instance is not None
            and state.started.parent_instance.orchestration_instance.instance_id == self.instance_id
        ]

    def raise_event(self, name: str, payload: Any = None, *, sent_by_sdk: bool = False) -> Self:
        """An external event comes: JSON as an HTTP caller sends it, or as the SDK's client does (a text in a text).

        Raises:
            HarnessError: the instance has ended.
            RuleBroken: the orchestrator broke a rule.
        """
        self._check_running("raise an event on")
        event = EventRaised(timestamp=self._hub.now, name=name, input=event_text(payload, sent_by_sdk))
        self._step(self.instance_id, event)
        if self._faults.duplicate_events:
            self._step(self.instance_id, event)
        return self._settle()

    def advance(self, *, seconds: float) -> Self:
        """Time passes; what is due happens one after the other, in order of time.

        Raises:
            HarnessError: `seconds` is negative.
            RuleBroken: the orchestrator broke a rule.
        """
        until = later(self._hub.now, seconds)
        self._settle()
        while (timer := self._next_timer()) is not None and self._moment(timer) <= until:
            self._fire(timer)
        self._hub.now = until
        return self._settle()

    def advance_to_next_timer(self) -> Self:
        """Time passes until the next timer fires.

        Raises:
            HarnessError: no timer is set.
            RuleBroken: the orchestrator broke a rule.
        """
        timer = self._next_timer()
        if timer is None:
            raise HarnessError(f"no timer is set: {self._situation()}.")
        self._fire(timer)
        return self._settle()

    def run_until_complete(self) -> Self:
        """Time passes until the instance has ended; far timers cost no more than near ones.

        Raises:
            HarnessError: it waits for something that only the test can bring.
            RuleBroken: the orchestrator broke a rule.
        """
        for _ in range(_MOST_EPISODES):
            if self.has_ended:
                return self
            self.advance_to_next_timer()
        raise HarnessError(f"the instance has not ended after {_MOST_EPISODES:,} timers.")

    def suspend(self, reason: str = "") -> Self:
        """Somebody suspends the instance."""
        self._check_running("suspend")
        self._step(self.instance_id, ExecutionSuspended(timestamp=self._hub.now, reason=reason))
        return self._settle()

    def resume(self, reason: str = "") -> Self:
        """Somebody resumes the instance."""
        self._check_running("resume")
        self._step(self.instance_id, ExecutionResumed(timestamp=self._hub.now, reason=reason))
        return self._settle()

    def terminate(self, reason: str = "") -> Self:
        """Somebody terminates the instance."""
        self._check_running("terminate")
        self._step(self.instance_id, ExecutionTerminated(timestamp=self._hub.now, input=reason))
        return self._settle()

    def receive(self, event: Event) -> Self:
        """A message comes, whatever it is."""
        self._step(self.instance_id, event)
        return self._settle()

    def settle_all(self) -> Self:
        """Let happen what needs no time in the whole task hub."""
        return self._settle()

    # How things happen.

    def _settle(self) -> Self:
        """Let happen what needs no time, then check the rules."""
        for _ in range(_MOST_EPISODES):
            ready = self._ready()
            if not ready:
                self.check_rules()
                return self
            self._happen(ready)
        raise HarnessError(
            f"{self.name} has run {_MOST_EPISODES:,} episodes without waiting for time or an event; does it continue "
            "as new for ever?"
        )

    def _ready(self) -> list[Pending]:
        """What can happen now, oldest first: one thing, or as many for one instance as a batch may hold."""
        ready = filter(self._is_ready, self._hub.pending)
        first = next(ready, None)
        if first is None:
            return []
        if _is_apart(first) or self._faults.batch == 1:
            return [first]
        same = (item for item in ready if item.instance_id == first.instance_id and not _is_apart(item))
        return [first, *islice(same, self._faults.batch - 1)]

    def _is_ready(self, item: Pending) -> bool:
        match item:
            case PendingTimer():
                return self._moment(item) <= self._hub.now
            case PendingMessage():
                return item.due <= self._hub.now
            case PendingChild() if self._outcomes.runs_itself(item):
                return True
            case _:
                return bool(self._outcomes.choices(item, self._hub.calls))

    def _happen(self, items: Sequence[Pending]) -> None:
        first = items[0]
        if isinstance(first, PendingMessage) and first.instance_id.startswith("@"):
            self._hub.run_entity(first)
        elif isinstance(first, PendingChild) and self._outcomes.runs_itself(first):
            self._hub.start_child(first)
        else:
            self._step(first.instance_id, *[self._message(item) for item in items])

    def _message(self, item: Pending) -> Event:
        match item:
            case PendingTimer():
                return self._hub.fire(item, at=self._moment(item))
            case PendingMessage():
                self._hub.take(item)
                return item.event
            case _:
                return self._answer(item)

    def _answer(self, call: Call) -> Event:
        outcome = self._outcomes.choices(call, self._hub.calls)[0]
        self._hub.take(call)
        self._hub.count(call.name)
        if self._faults.rerun_activities and isinstance(call, PendingActivity):
            self._outcomes.answer(call, outcome, self._hub)
        return self._outcomes.answer(call, outcome, self._hub)

    def _step(self, instance_id: str, *messages: Event) -> None:
        if instance_id not in self._hub.instances:
            return  # an event for an instance that does not exist is dropped
        if self._faults.new_process:
            self._forget()
        if self._faults.rerun_episodes:
            self._hub.fork().deliver(instance_id, *messages)
        self._hub.deliver(instance_id, *messages)

    def _fire(self, timer: PendingTimer) -> None:
        self._step(timer.instance_id, self._hub.fire(timer, at=self._moment(timer)))
        self._settle()

    def _moment(self, timer: PendingTimer) -> Ticks:
        """When a timer fires: at its time, or as early as the faults say, but not before it was set."""
        early = round(self._faults.early_timers * PER_SECOND)
        return Ticks(max(timer.fire_at - early, min(timer.created, timer.fire_at)))

    def _next_timer(self) -> PendingTimer | None:
        timers = [item for item in self._hub.pending if isinstance(item, PendingTimer)]
        return min(timers, key=lambda timer: (timer.fire_at, timer.id), default=None)

    def _check_running(self, verb: str) -> None:
        if self.has_ended:
            raise HarnessError(f"cannot {verb} {self.instance_id!r}: it has ended ({self.runtime_status}).")

    def _situation(self) -> str:
        if self.has_ended:
            return f"the instance has ended ({self.runtime_status})"
        waits = [f"event {name}" for name in self.waits_for] + [str(item) for item in self._hub.pending]
        return f"the instance is {self.runtime_status} and waits for {', '.join(waits) or 'nothing that can happen'}"


def _is_apart(item: Pending) -> bool:
    """Whether it is no message to an orchestration: an entity's batch, or the start of a child."""
    return isinstance(item, PendingChild) or item.instance_id.startswith("@")
