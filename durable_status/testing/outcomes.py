"""How the calls of an orchestration end: as the test says, or by running the app's own function.

A stub belongs to a name, which is looked up as the platform does, in any case. It is

- a value, which every call returns;
- an exception (or its class), which every call raises;
- a callable, which gets the call's input and returns or raises;
- `in_turn(...)`: one of these per call;
- `either(...)`: any of these, which `explore` tries all;
- `HANG`: the call does not end.

The activity of `durable_status.publish_status` stores nothing in a test; a stub makes it fail or hang.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from durable_status.app.bindings import arguments_of
from durable_status.app.functions import DURABLE_CLIENT, AppFunction
from durable_status.app.python_worker import activity_input, activity_result, call_in_thread, invocation_context
from durable_status.publishing import OFFLOAD_ACTIVITY
from durable_status.replay.events import (
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceFailed,
    TaskCompleted,
    TaskFailed,
)
from durable_status.replay.failures import WorkerFailure, activity_failure
from durable_status.replay.host_facts import FunctionNames
from durable_status.replay.http_requests import HTTP_ACTIVITY
from durable_status.replay.profile import Profile
from durable_status.replay.ticks import Ticks
from durable_status.testing.client import FunctionCalls
from durable_status.testing.errors import HarnessError, fresh
from durable_status.testing.functions import Functions
from durable_status.testing.http_stubs import HttpStubs
from durable_status.testing.in_process import InProcessHub, Underway
from durable_status.testing.observer import INVOCATION_ID, worker_failure
from durable_status.testing.offloading import offload_answer
from durable_status.testing.payloads import child_input
from durable_status.testing.pending import PendingActivity, PendingChild
from durable_status.testing.task_hub import TaskHub

Call = PendingActivity | PendingChild
Answer = TaskCompleted | TaskFailed | SubOrchestrationInstanceCompleted | SubOrchestrationInstanceFailed


@dataclass(frozen=True, slots=True)
class Hang:
    """The call does not end."""

    def __repr__(self) -> str:
        return "HANG"


HANG = Hang()


@dataclass(frozen=True, slots=True)
class InTurn:
    """One outcome per call, in order."""

    outcomes: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"in_turn({', '.join(map(repr, self.outcomes))})"


@dataclass(frozen=True, slots=True)
class Either:
    """Any of these outcomes, at each call."""

    outcomes: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"either({', '.join(map(repr, self.outcomes))})"


@dataclass(frozen=True, slots=True)
class _Real:
    """The app's own function runs."""


_REAL = _Real()


def in_turn(*outcomes: Any) -> InTurn:
    """The first call ends with the first outcome, the second with the second; there must be no call more."""
    return InTurn(outcomes)


def either(*outcomes: Any) -> Either:
    """Each call may end with any of `outcomes`; an exploration tries all, a single run takes the first."""
    return Either(outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """The stubs of one run, checked against the app."""

    functions: Functions
    profile: Profile
    activities: Mapping[str, Any] = field(default_factory=dict)
    sub_orchestrations: Mapping[str, Any] = field(default_factory=dict)
    http: HttpStubs

    @classmethod
    def create(
        cls,
        functions: Functions,
        profile: Profile,
        activities: Mapping[str, Any] | None,
        sub_orchestrations: Mapping[str, Any] | None,
        http: Mapping[str, Any] | Callable[[Any], Any] | None,
    ) -> Outcomes:
        """Check the names and keep the stubs.

        Raises:
            HarnessError: a name is not one of the app's functions.
        """
        return cls(
            functions=functions,
            profile=profile,
            activities=_by_known_name(activities, functions.host.activities),
            sub_orchestrations=_by_known_name(sub_orchestrations, functions.host.orchestrators),
            http=HttpStubs(http),
        )

    def choices(self, call: Call, used: Mapping[str, int]) -> Sequence[Any]:
        """The outcomes that `call` may have; none while it hangs. `used` counts the calls of each name so far."""
        stub = self._stub(call)
        if isinstance(stub, InTurn):
            number = used.get(call.name.casefold(), 0)
            if number >= len(stub.outcomes):
                raise HarnessError(
                    f"{call.name} is called once more than in_turn has outcomes ({len(stub.outcomes)}); "
                    f"the input is {call.input}."
                )
            stub = stub.outcomes[number]
        options = stub.outcomes if isinstance(stub, Either) else (stub,)
        return [option for option in options if not isinstance(option, Hang)]

    def runs_itself(self, child: PendingChild) -> bool:
        """Whether a sub-orchestration has no stub, so that the app's own orchestrator runs."""
        return child.name.casefold() not in self.sub_orchestrations

    def answer(self, call: Call, outcome: Any, hub: TaskHub) -> Answer:
        """End `call` of an instance in `hub` with `outcome`; functions that are to run, run now."""
        if isinstance(call, PendingChild):
            return self._child_answer(call, outcome, hub.now)
        try:
            if call.name == HTTP_ACTIVITY:
                result: str | None = self.http.result(call.input)
            else:
                result = activity_result(self._value(call, outcome, hub))
        except HarnessError:
            raise
        except Exception as error:
            if call.name == HTTP_ACTIVITY:
                reason, details = str(error), None
            else:
                failure = error if isinstance(error, WorkerFailure) else worker_failure(error)
                reason, details = activity_failure(call.name, failure, self.profile)
            return TaskFailed(timestamp=hub.now, task_scheduled_id=call.id, reason=reason, details=details)
        return TaskCompleted(timestamp=hub.now, task_scheduled_id=call.id, result=result)

    def _child_answer(self, call: PendingChild, outcome: Any, now: Ticks) -> Answer:
        try:
            result = activity_result(_ended(outcome, child_input(call.input)))
        except Exception as error:
            return SubOrchestrationInstanceFailed(
                timestamp=now,
                task_scheduled_id=call.id,
                reason=f"Orchestrator function '{call.name}' failed: {error}",
                details=f"Message: {error}, StackTrace: ",
            )
        return SubOrchestrationInstanceCompleted(timestamp=now, task_scheduled_id=call.id, result=result)

    def _stub(self, call: Call) -> Any:
        stubs = self.sub_orchestrations if isinstance(call, PendingChild) else self.activities
        return stubs.get(call.name.casefold(), _REAL)

    def _value(self, call: PendingActivity, outcome: Any, hub: TaskHub) -> Any:
        given = activity_input(call.input)
        if not isinstance(outcome, _Real):
            return _ended(outcome, given)
        if call.name == OFFLOAD_ACTIVITY:
            return offload_answer(given)
        if self.functions.host.activities.is_disabled(call.name):
            raise WorkerFailure(f"Activity function '{call.name}' is disabled.")
        registered = self.functions.host.activities.find(call.name)
        function = self.functions.activities.get(registered or "")
        if function is None:
            raise HarnessError(f"there is no activity {call.name!r} to run; give it an outcome in `activities`.")
        return _run(function, given, hub)


def _by_known_name(stubs: Mapping[str, Any] | None, names: FunctionNames) -> dict[str, Any]:
    for name in stubs or {}:
        if names.find(name) is None:
            raise HarnessError(f"{name!r} cannot be stubbed. {names.unknown_sentence(name)}")
    return {name.casefold(): stub for name, stub in (stubs or {}).items()}


def _ended(outcome: Any, given: Any) -> Any:
    if isinstance(outcome, type) and issubclass(outcome, BaseException):
        raise outcome()
    if isinstance(outcome, BaseException):
        raise fresh(outcome)
    return _awaited(outcome(given)) if callable(outcome) else outcome


def _run(function: AppFunction, given: Any, hub: TaskHub) -> Any:
    """Run an activity; its durable clients are answered in `hub`, and then its sleeps cost virtual time only."""
    for binding in function.foreign_inputs:
        raise HarnessError(
            f"{function.name} takes {binding['name']!r} ({binding['type']}), which there is not in a test; give the "
            "activity an outcome in `activities`."
        )
    in_process = InProcessHub(hub, Underway)
    if function.bindings_of(DURABLE_CLIENT):
        return FunctionCalls(in_process).run(function, given, hub.report)
    arguments = arguments_of(function, given, in_process.links) | invocation_context(function, INVOCATION_ID)
    return call_in_thread(function, arguments, INVOCATION_ID)


def _awaited(value: Any) -> Any:
    return asyncio.run(value) if inspect.iscoroutine(value) else value
