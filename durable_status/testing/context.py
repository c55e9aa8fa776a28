"""A stand-in for what the host hands to an orchestrator, moved step by step by the test.

It takes the place of the trigger (the object with a `body`), never of the SDK's context class: every step is one call
of the real SDK at the host wire, and the durable extension's own half of the work is done by `durable_status.replay`.
"""

from __future__ import annotations

from typing import Any

from durable_status.app.python_worker import activity_input, activity_result
from durable_status.publishing import OFFLOAD_ACTIVITY
from durable_status.replay.entity_messages import RequestMessage, ResponseMessage
from durable_status.replay.events import (
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceFailed,
    TaskCompleted,
    TaskFailed,
)
from durable_status.replay.failures import activity_failure
from durable_status.replay.profile import PROFILE_3, Profile
from durable_status.replay.ticks import PER_SECOND, Ticks
from durable_status.stored_json import dump_stored
from durable_status.testing.errors import HarnessError
from durable_status.testing.functions import Functions
from durable_status.testing.observer import worker_failure
from durable_status.testing.offloading import offload_answer
from durable_status.testing.payloads import client_text, start_text
from durable_status.testing.pending import Pending, PendingActivity, PendingChild, PendingMessage, PendingTimer
from durable_status.testing.task_hub import TaskHub
from durable_status.testing.view import InstanceView


class FakeOrchestrationContext(InstanceView):
    """One instance of a lone orchestrator; it has run its first episode when it is made.

    Each step is an episode of its own. Activities, timers and sub-orchestrations are named by the name of what was
    called or by the task's id; without one, the oldest that is pending is meant.
    """

    def __init__(
        self,
        orchestrator: Any,
        input: Any = None,
        *,
        instance_id: str = "instance",
        allow: tuple[str, ...] = (),
        profile: Profile = PROFILE_3,
    ) -> None:
        """Start `orchestrator` (decorated or plain) with `input`, as the SDK's client would.

        Raises:
            RuleBroken: the orchestrator broke a rule that is not in `allow`.
        """
        name = _name_of(orchestrator)
        hub = TaskHub(Functions.of_orchestrators(**{name: orchestrator}), profile, asks_always=True)
        super().__init__(hub, instance_id, allow=allow)
        self._profile = profile
        self._deliver(hub.create(name, start_text(input), instance_id))

    @property
    def body(self) -> str:
        """The trigger of the latest episode: the JSON text that the host handed to the orchestrator."""
        return str(self._hub.functions.orchestrator(self.name).trigger)

    def complete_activity(self, which: str | int | None = None, *, result: Any = None) -> None:
        """An activity returns `result`; the one of `durable_status.publish_status` what it returns by itself.

        Raises:
            HarnessError: no such activity is pending, or the result is not JSON.
            RuleBroken: the orchestrator broke a rule.
        """
        text = _result_text(result)
        activity = self._take(PendingActivity, which)
        if activity.name == OFFLOAD_ACTIVITY and result is None:
            text = _result_text(offload_answer(activity_input(activity.input)))
        self._deliver(TaskCompleted(timestamp=self._hub.now, task_scheduled_id=activity.id, result=text))

    def fail_activity(self, which: str | int | None = None, *, error: Exception | str = "it failed") -> None:
        """An activity raises `error`; a text stands for an exception with that text.

        Raises:
            HarnessError: no such activity is pending.
            RuleBroken: the orchestrator broke a rule.
        """
        activity = self._take(PendingActivity, which)
        failure = worker_failure(error if isinstance(error, Exception) else RuntimeError(error))
        reason, details = activity_failure(activity.name, failure, self._profile)
        self._deliver(
            TaskFailed(timestamp=self._hub.now, task_scheduled_id=activity.id, reason=reason, details=details)
        )

    def fire_timer(self, which: int | None = None) -> None:
        """A timer fires, the earliest unless one is named; the clock moves to its time.

        Raises:
            HarnessError: no such timer is pending.
            RuleBroken: the orchestrator broke a rule.
        """
        timer = self._find(PendingTimer, which)
        self._deliver(self._hub.fire(timer))

    def complete_sub_orchestration(self, which: str | int | None = None, *, result: Any = None) -> None:
        """A sub-orchestration returns `result`.

        Raises:
            HarnessError: no such sub-orchestration is pending, or the result is not JSON.
            RuleBroken: the orchestrator broke a rule.
        """
        text = _result_text(result)
        child = self._take(PendingChild, which)
        self._deliver(
            SubOrchestrationInstanceCompleted(timestamp=self._hub.now, task_scheduled_id=child.id, result=text)
        )

    def fail_sub_orchestration(self, which: str | int | None = None, *, error: str = "it failed") -> None:
        """A sub-orchestration fails with `error`.

        Raises:
            HarnessError: no such sub-orchestration is pending.
            RuleBroken: the orchestrator broke a rule.
        """
        child = self._take(PendingChild, which)
        self._deliver(
            SubOrchestrationInstanceFailed(
                timestamp=self._hub.now,
                task_scheduled_id=child.id,
                reason=f"Orchestrator function '{child.name}' failed: {error}",
                details=f"Message: {error}, StackTrace: ",
            )
        )

    def complete_entity_call(self, which: str | None = None, *, result: Any = None) -> None:
        """An entity answers `result` to the oldest call, or to the oldest one of the entity ``@name@key``.

        Raises:
            HarnessError: no such call is pending, or the result is not JSON.
            RuleBroken: the orchestrator broke a rule.
        """
        text = _result_text(result)
        for item in self._hub.pending:
            request = _entity_call(item)
            if request is not None and which in (None, item.instance_id):
                self._hub.take(item)
                answer = ResponseMessage(result=text or "null")
                self._deliver(EventRaised(timestamp=self._hub.now, name=request.id, input=answer.text))
                return
        raise HarnessError(f"no call of the entity {which or ''} is pending.")

    def raise_event(self, name: str, payload: Any = None, *, sent_by_sdk: bool = False) -> None:
        """An external event comes: JSON as an HTTP caller sends it, or as the SDK's client does (a text in a text).

        Raises:
            RuleBroken: the orchestrator broke a rule.
        """
        self._deliver(EventRaised(timestamp=self._hub.now, name=name, input=event_text(payload, sent_by_sdk)))

    def advance(self, *, seconds: float) -> None:
        """Time passes; timers that are due fire one by one, each in an episode of its own.

        Raises:
            HarnessError: `seconds` is negative.
            RuleBroken: the orchestrator broke a rule.
        """
        until = later(self._hub.now, seconds)
        while due := [timer for timer in self._of(PendingTimer) if timer.fire_at <= until]:
            self._deliver(self._hub.fire(min(due, key=lambda timer: (timer.fire_at, timer.id))))
        self._hub.now = until

    def suspend(self, reason: str = "") -> None:
        """Somebody suspends the instance."""
        self._deliver(ExecutionSuspended(timestamp=self._hub.now, reason=reason))

    def resume(self, reason: str = "") -> None:
        """Somebody resumes the instance."""
        self._deliver(ExecutionResumed(timestamp=self._hub.now, reason=reason))

    def terminate(self, reason: str = "") -> None:
        """Somebody terminates the instance."""
        self._deliver(ExecutionTerminated(timestamp=self._hub.now, input=reason))

    def _deliver(self, *messages: Any) -> None:
        if self.has_ended:
            raise HarnessError(f"the instance has ended ({self.runtime_status}); nothing can happen to it any more.")
        self._hub.deliver(self.instance_id, *messages)
        self.check_rules()

    def _of(self, kind: type[Any]) -> list[Any]:
        return [item for item in self.pending if isinstance(item, kind)]

    def _find(self, kind: type[Any], which: str | int | None) -> Any:
        items = self._of(kind)
        if kind is PendingTimer:
            items.sort(key=lambda timer: timer.fire_at)
        for item in items:
            if which is None or which == item.id or which == getattr(item, "name", None):
                return item
        listed = "; ".join(map(str, self.pending)) or "nothing is"
        raise HarnessError(f"no {kind.__name__.removeprefix('Pending').lower()} {which or ''} is pending ({listed}).")

    def _take(self, kind: type[Any], which: str | int | None) -> Any:
        item = self._find(kind, which)
        self._hub.take(item)
        return item


def _entity_call(item: Pending) -> RequestMessage | None:
    """The request of a call on its way to an entity; None for signals and all else."""
    if not isinstance(item, PendingMessage) or not item.instance_id.startswith("@"):
        return None
    assert isinstance(item.event, EventRaised)
    request = RequestMessage.from_text(item.event.input or "")
    return None if request.is_signal else request


def event_text(payload: Any, sent_by_sdk: bool) -> str:
    """The stored payload of an event. The SDK's client sends JSON text inside a JSON text (replay.md §1.3)."""
    return dump_stored(client_text(payload)) if sent_by_sdk else dump_stored(payload)


def later(now: Ticks, seconds: float) -> Ticks:
    """The time so many seconds from now.

    Raises:
        HarnessError: `seconds` is negative.
    """
    if seconds < 0:
        raise HarnessError(f"time goes forward only, and {seconds} seconds is backward.")
    return Ticks(now + round(seconds * PER_SECOND))


def _result_text(result: Any) -> str | None:
    try:
        return activity_result(result)
    except ValueError as error:
        raise HarnessError(f"the result {result!r} is not JSON: {error}") from error


def _name_of(orchestrator: Any) -> str:
    built = getattr(orchestrator, "_function", None)
    if built is not None:
        trigger = getattr(built, "_trigger", None)
        return str(getattr(trigger, "orchestration", None) or built.get_function_name())
    return str(getattr(orchestrator, "__name__", "orchestrator"))
